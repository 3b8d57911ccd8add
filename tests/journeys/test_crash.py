"""Killed between the intent and its outcome: unknown afterwards, shown, and never sent again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.executor.vendor import Vendor, vendor_at_work
from tests.journeys.conftest import PATIENCE
from tests.journeys.deliveries import web_shell

ANOTHER = 1.0
"""Seconds in which a second request would arrive, if there were one."""


class Process:
    """The application as its user starts it: a process of its own, headless."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict[str, Any], data_dir: Path) -> None:
        self.process = process
        self.url = f"http://{ready['host']}:{ready['port']}"
        self._token = (data_dir / "control.token").read_text()

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.url + path, json=body) as answer,
        ):
            return await answer.json()

    async def isolation(self) -> dict[str, Any] | None:
        """The isolation of the only incident, as the control API tells it."""
        for incident in (await self.ask("GET", "/api/incidents"))["incidents"]:
            for action in incident["actions"]:
                if action["verb"] == "isolate_host":
                    found: dict[str, Any] = action
                    return found
        return None

    async def isolation_in(self, state: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while (action := await self.isolation()) is None or action["state"] != state:
                await asyncio.sleep(0.02)
        return action


@asynccontextmanager
async def started(data_dir: Path, vendor: Vendor) -> AsyncIterator[Process]:
    ready_file = data_dir.with_suffix(".ready")
    ready_file.unlink(missing_ok=True)
    arguments = ("--headless", "--port", "0", "--data-dir", str(data_dir), "--ready-file", str(ready_file))
    environment = {**os.environ, "WARDEN_ACTIONS_CONNECTOR_URL": vendor.url}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "warden_desktop", *arguments, env=environment)
    try:
        async with asyncio.timeout(PATIENCE):
            while not ready_file.exists():
                await asyncio.sleep(0.02)
        yield Process(process, json.loads(ready_file.read_text()), data_dir)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_killed_in_flight_is_unknown_after_the_restart_and_not_sent_again(tmp_path: Path) -> None:
    async with vendor_at_work() as vendor:
        vendor.manner = "hang"
        async with started(tmp_path / "data", vendor) as application:
            await application.ask("POST", "/webhooks/wazuh", web_shell())
            waiting = await application.isolation_in("waiting")
            await application.ask("POST", f"/api/approvals/{waiting['id']}/approve", {"digest": waiting["digest"]})
            async with asyncio.timeout(PATIENCE):
                await vendor.arrived.wait()
            application.process.kill()
            await application.process.wait()
        vendor.manner = "answer"
        vendor.go_on.set()

        async with started(tmp_path / "data", vendor) as application:
            after = await application.isolation_in("unknown")
            assert after["id"] == waiting["id"]
            await asyncio.sleep(ANOTHER)
            assert len(vendor.received) == 1
            assert (await application.isolation_in("unknown"))["id"] == waiting["id"]
        assert application.process.returncode == 0
