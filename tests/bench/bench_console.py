"""What an analyst feels: run with a display, for instance under xvfb-run, as `python -m tests.bench.bench_console`.

Prints alert to painted row, accepted durable alerts a second against a bare handler, press of the kill switch to the
last call a vendor sees, start to first window, and resident memory empty and with 10,000 incidents.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aiohttp import web
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from tests.executor.vendor import vendor_at_work
from tests.journeys.deliveries import brute_force, web_shell
from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import SqliteJournal
from warden_desktop.app import Application, Options, open_window
from warden_desktop.domain.action import ActionState, Verb
from warden_desktop.engine.tasks import Work
from warden_desktop.loop import make_loop
from warden_desktop.settings import ActionSettings, Settings, WebhookSettings, WindowSettings
from warden_desktop.ui.shell import Shell

JSON = {"Content-Type": "application/json"}
SENDERS = 32
ROWS = 200
ACCEPTED = 3_000
PRESSES = 30
STARTS = 5
INCIDENTS = 10_000


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@asynccontextmanager
async def running(*, window: bool = False, vendor: str = "") -> AsyncIterator[tuple[Application, Shell | None, str]]:
    """The application in this process, on a directory of its own."""
    with tempfile.TemporaryDirectory() as root:
        settings = Settings(
            webhook=WebhookSettings(port=0),
            actions=ActionSettings(connector_url=vendor),
            window=WindowSettings(open_approvals=False, theme="dark"),
        )
        directory = DataDirectory(Path(root) / "data")
        directory.prepare()
        journal = SqliteJournal.open(directory.database, asyncio.get_running_loop())
        async with asyncio.TaskGroup() as group:
            application = Application(Options(settings, directory.settings, directory), journal, Work(group))
            host, port = await application.start()
            shell = open_window(application, f"{host}:{port}", lambda: None) if window else None
            if shell is not None:
                shown = asyncio.Event()
                shell.show(shown.set)
                await shown.wait()
            yield application, shell, f"http://{host}:{port}"
            if shell is not None:
                shell.close()
            await application.stop()
        await journal.close()


class Painted(QObject):
    """Tells when a widget has been asked to paint."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.at = 0.0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.at = time.perf_counter()
        return False


async def alert_to_row() -> None:
    async with running(window=True) as (_, shell, url), aiohttp.ClientSession() as session:
        assert shell is not None
        queue = shell.window.main.queue
        painted, took = Painted(queue.view.viewport()), []
        for number in range(ROWS):
            queue.refresh()
            rows, sent = queue.table.rowCount(), time.perf_counter()
            async with session.post(f"{url}/webhooks/wazuh", json=brute_force(number)) as answer:
                await answer.read()
            while queue.table.rowCount() + sum(queue.table.pending) <= rows or painted.at < sent:
                await asyncio.sleep(0.001)
            took.append((time.perf_counter() - sent) * 1000)
            await asyncio.sleep(0.03)
    print(
        f"alert to painted row: p50 {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms ({ROWS} alerts)"
    )


async def rate(url: str, path: str, amount: int) -> float:
    """Accepted posts a second over 32 connections, each with a different alert."""
    numbers = iter(range(amount))

    async def sender(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = json.dumps(brute_force(number))
            async with session.post(url + path, data=body, headers=JSON) as answer:
                await answer.read()
                assert answer.status == 202, answer.status

    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        await asyncio.gather(*(sender(session) for _ in range(SENDERS)))
        return amount / (time.perf_counter() - began)


async def bare_rate() -> float:
    """The same posts to a handler that parses the body and answers."""

    async def handle(request: web.Request) -> web.Response:
        await request.json()
        return web.json_response({"ok": True}, status=202)

    application = web.Application()
    application.router.add_post("/webhooks/wazuh", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        return await rate(f"http://127.0.0.1:{runner.addresses[0][1]}", "/webhooks/wazuh", ACCEPTED)
    finally:
        await runner.cleanup()


async def accepted() -> None:
    bare = await bare_rate()
    async with running() as (application, _, url):
        began = time.perf_counter()
        durable = await rate(url, "/webhooks/wazuh", ACCEPTED)
        while any(subscription.depth for subscription in application.bus.subscriptions):
            await asyncio.sleep(0.01)
        whole = ACCEPTED / (time.perf_counter() - began)
    ratio = durable / bare
    print(f"accepted and durable: {durable:.0f}/s, bare handler {bare:.0f}/s, ratio {ratio:.2f} (client included)")
    print(f"whole pipeline to proposed actions, while accepting: {whole:.0f} alerts/s")


async def stop_to_last_call() -> None:
    took: list[float] = []
    late = 0
    async with vendor_at_work() as vendor:
        for _ in range(PRESSES):
            vendor.received.clear()
            async with running(vendor=vendor.url) as (application, _, url):
                took.append(await press(application, url))
                calls = len(vendor.received)
                await asyncio.sleep(0.3)
                late += len(vendor.received) - calls
    print(f"kill switch, press to all cancelled: p50 {percentile(took, 0.5):.1f} ms, worst {max(took):.1f} ms")
    print(f"kill switch, calls that reached the vendor after that: {late} ({PRESSES} presses)")


async def press(application: Application, url: str) -> float:
    """Queue several isolations, press while they are being carried out; the receipt's milliseconds."""
    async with aiohttp.ClientSession() as session:
        for number in range(6):
            await (await session.post(f"{url}/webhooks/wazuh", json=web_shell(number, host=f"web-{number:02}"))).read()

    def isolations(state: ActionState) -> list[Any]:
        return [
            one for _, one in application.incidents.actions() if (one.verb, one.state) == (Verb.ISOLATE_HOST, state)
        ]

    while len(isolations(ActionState.WAITING)) < 6:
        await asyncio.sleep(0.005)
    for action in isolations(ActionState.WAITING):
        await application.desk.approve(action.id, digest=action.digest, actor="analyst:bench")
    application.desk.engage(reason="bench", actor="analyst:bench")
    while application.desk.receipt is None:
        await asyncio.sleep(0.002)
    return application.desk.receipt.milliseconds


async def started(*options: str) -> tuple[float, psutil.Process, dict[str, Any], asyncio.subprocess.Process]:
    """Start the application as a process; the seconds until it said it was ready."""
    root = Path(tempfile.mkdtemp(prefix="warden-bench-"))
    ready = root / "ready"
    arguments = ("--data-dir", str(root / "data"), "--port", "0", "--ready-file", str(ready), *options)
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "warden_desktop", *arguments)
    while not ready.exists():
        await asyncio.sleep(0.002)
    return time.perf_counter() - began, psutil.Process(process.pid), json.loads(ready.read_text()), process


async def starts() -> None:
    for name, options in (("first window", ()), ("headless, accepting", ("--headless",))):
        took = []
        for _ in range(STARTS):
            seconds, _, _, process = await started(*options)
            took.append(seconds)
            process.terminate()
            await process.wait()
        print(f"start to {name}: median {statistics.median(took):.2f} s, worst {max(took):.2f} s ({STARTS} starts)")


async def memory() -> None:
    _, seen, ready, process = await started()
    empty = seen.memory_info().rss / 1e6
    await rate(f"http://{ready['host']}:{ready['port']}", "/webhooks/wazuh", INCIDENTS)
    while seen.cpu_percent(1.0) > 20:
        await asyncio.sleep(0.5)
    full = seen.memory_info().rss / 1e6
    process.terminate()
    await process.wait()
    print(f"resident memory with a window: empty {empty:.0f} MB, with {INCIDENTS} open incidents {full:.0f} MB")


async def main() -> None:
    print(f"load before: {os.getloadavg()[0]:.1f}")
    for measure in (alert_to_row, accepted, stop_to_last_call, starts, memory):
        await measure()


if __name__ == "__main__":
    toolkit = QApplication(["bench"])
    toolkit.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: make_loop(toolkit)) as runner:
        runner.run(main())
