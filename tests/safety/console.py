"""The application as its user starts it, in a process of its own, and a vendor that remembers when what arrived."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from tests.executor.vendor import Manner, Vendor

PATIENCE = 30.0
"""Seconds after which a process that does not get on has failed. Not a measurement."""

MANNERS: tuple[Manner, ...] = ("hang", "answer", "drop")

W = TypeVar("W", bound="Witness")


class Witness(Vendor):
    """A vendor that keeps for each arrival its moment and the action's id; `moods` makes each answer a random one."""

    def __init__(self, moods: Random | None = None) -> None:
        super().__init__()
        self.arrivals: list[tuple[float, str]] = []
        self._moods = moods

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.arrivals.append((monotonic(), request.headers["Idempotency-Key"]))
        if self._moods is None:
            return await super().handle(request)
        await request.read()
        manner = self._moods.choice(MANNERS)
        if manner == "answer":
            await asyncio.sleep(self._moods.random() * 0.02)
        if manner == "drop":
            assert request.transport is not None
            request.transport.abort()
        if manner == "hang":
            await self.go_on.wait()
        return web.json_response({})

    @property
    def more_than_once(self) -> dict[str, int]:
        """Actions that arrived twice or more often."""
        return {one: count for one, count in Counter(key for _, key in self.arrivals).items() if count > 1}


@asynccontextmanager
async def at_work(vendor: W) -> AsyncIterator[W]:
    application = web.Application()
    application.router.add_route("*", r"/{path:[\s\S]*}", vendor.handle)
    runner = web.AppRunner(application, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield vendor
    finally:
        vendor.go_on.set()
        await runner.cleanup()


class Console:
    """One running application and its control API."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.url = url
        self._session = session

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer; raises aiohttp.ClientError when the process does not answer."""
        data = None if body is None else BytesIO(json.dumps(body).encode())
        sent = {} if body is None else {"Content-Type": "application/json"}
        async with self._session.request(method, self.url + path, data=data, headers=sent) as answer:
            return answer.status, await answer.json()

    async def post(self, source: str, *deliveries: object) -> None:
        """Deliver, one after the other."""
        for one in deliveries:
            status, answer = await self.ask("POST", f"/webhooks/{source}", one)
            assert status == 202, answer

    async def actions(self) -> dict[str, dict[str, Any]]:
        """Every action of the newest incidents, by id."""
        _, answer = await self.ask("GET", "/api/incidents?limit=500")
        return {action["id"]: action for incident in answer["incidents"] for action in incident["actions"]}

    async def undecided(self) -> list[dict[str, Any]]:
        """What waits for a person, or is held."""
        _, answer = await self.ask("GET", "/api/approvals")
        found: list[dict[str, Any]] = answer["approvals"]
        return found

    async def waiting(self, count: int) -> list[dict[str, Any]]:
        """What waits, once it is at least `count` actions."""
        async with asyncio.timeout(PATIENCE):
            while len(found := [one for one in await self.undecided() if one["state"] == "waiting"]) < count:
                await asyncio.sleep(0.02)
        return found

    async def approve(self, action: dict[str, Any], **said: object) -> tuple[int, Any]:
        body = {"digest": action["digest"], "level": "manager", **said}
        return await self.ask("POST", f"/api/approvals/{action['id']}/approve", body)

    async def in_states(self, states: Collection[str], ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """The actions of these ids, once all of them are in one of `states`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.actions()
                if all(one in found and found[one]["state"] in states for one in ids):
                    return found
                await asyncio.sleep(0.03)

    async def switch(self, engage: bool, **said: object) -> tuple[int, Any]:
        return await self.ask("POST", "/api/kill-switch", {"engage": engage, "reason": "a test", **said})

    async def die(self) -> None:
        """SIGKILL, by its own id."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def running(data: Path, vendor: Vendor, *, dies: str = "", **settings: str) -> AsyncIterator[Console]:
    """The application over `data`. `dies`: the step of mortal.py at which it is to kill itself."""
    ready = data.with_suffix(".ready")
    ready.unlink(missing_ok=True)
    process = await start(data, ready, vendor.url, dies, settings)
    try:
        async with asyncio.timeout(PATIENCE):
            while not ready.exists():
                assert process.returncode is None, "the application ended before it was ready"
                await asyncio.sleep(0.02)
        said = json.loads(ready.read_text())
        headers = {"Authorization": f"Bearer {(data / 'control.token').read_text()}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(PATIENCE)) as session:
            yield Console(process, f"http://{said['host']}:{said['port']}", session)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        await process.wait()


async def start(
    data: Path, ready: Path, vendor: str, dies: str, settings: dict[str, str], stderr: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    module = ("tests.safety.mortal", dies) if dies else ("warden_desktop",)
    environment = {**os.environ, "WARDEN_ACTIONS_CONNECTOR_URL": vendor, **settings}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, "--headless", "--port", "0", "--data-dir", str(data), "--ready-file", str(ready),
        env=environment, stderr=stderr,
    )  # fmt: skip


async def warden(*arguments: str) -> int:
    """Run the command line; returns its exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "warden_desktop", *arguments,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait()
