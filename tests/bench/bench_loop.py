"""How the product's loop compares with asyncio's and qasync's: `python -m tests.bench.bench_loop`.

Ratios within one run, the loops taking turns, medians of `ROUNDS`. The load comes from another process: `wrk` where it
is installed, else this module run with `--load`, a keep-alive client on raw sockets.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import selectors
import shutil
import socket
import sys
import time
from collections.abc import Callable
from statistics import median, quantiles

os.environ["QT_API"] = "pyside6"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import qasync
from aiohttp import web
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from warden_desktop.loop import WardenLoop, make_loop

ROUNDS = 5
CHAIN = {"warden": 300_000, "asyncio": 200_000, "qasync": 20_000}
LOAD_SECONDS = 2
CONNECTIONS = 16
FRAME_MS = 16
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

Factory = Callable[[], asyncio.AbstractEventLoop]


async def chain_rate(links: int) -> float:
    """Callbacks per second when each one schedules the next."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = links

    def link() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(link)
        else:
            done.set_result(None)

    began = time.perf_counter()
    loop.call_soon(link)
    await done
    return links / (time.perf_counter() - began)


class Frames:
    """A timer like the one that paints, and the milliseconds between its ticks."""

    def __init__(self) -> None:
        self.intervals: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.intervals.append((now - self._last) * 1000)
        self._last = now

    def stop(self) -> None:
        self._timer.stop()


def load_command(url: str, port: int) -> list[str]:
    wrk = shutil.which("wrk")
    if wrk:
        return [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{LOAD_SECONDS}s", url]
    return [sys.executable, "-m", "tests.bench.bench_loop", "--load", str(port)]


async def http_rate(frames: Callable[[], Frames] | None = None) -> tuple[float, list[float]]:
    """Requests per second of a bare handler under saturation, and the frame intervals meanwhile."""
    handled = 0

    async def handler(_request: web.Request) -> web.Response:
        nonlocal handled
        handled += 1
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_get("/", handler)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = int(runner.addresses[0][1])
    ticking = frames() if frames else None
    began = time.perf_counter()
    load = await asyncio.create_subprocess_exec(
        *load_command(f"http://127.0.0.1:{port}/", port), stdout=asyncio.subprocess.DEVNULL
    )
    await load.wait()
    rate = handled / (time.perf_counter() - began)
    if ticking:
        ticking.stop()
    await runner.cleanup()
    return rate, ticking.intervals[2:] if ticking else []


def saturate(port: int) -> None:
    """The load process without wrk: keep-alive connections, one request in flight on each."""
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        selector.register(connection, selectors.EVENT_READ, connection)
        connection.sendall(REQUEST)
    end = time.perf_counter() + LOAD_SECONDS
    while time.perf_counter() < end:
        for key, _events in selector.select(0.1):
            if key.data.recv(65536):
                key.data.sendall(REQUEST)


def report(what: str, rates: dict[str, list[float]], ours: str = "warden") -> None:
    for name, values in rates.items():
        print(f"{what:10} {name:8} {median(values):12,.0f} /s")
    for name, values in rates.items():
        if name != ours:
            ratio = median(mine / other for mine, other in zip(rates[ours], values, strict=True))
            print(f"{what:10} {ours} / {name}: {ratio:.2f}")


def bench_chain(factories: dict[str, Factory]) -> None:
    rates: dict[str, list[float]] = {name: [] for name in factories}
    for _ in range(ROUNDS):
        for name, factory in factories.items():
            with asyncio.Runner(loop_factory=factory) as runner:
                rates[name].append(runner.run(chain_rate(CHAIN[name])))
    report("call_soon", rates)


def bench_http(factories: dict[str, Factory]) -> None:
    rates: dict[str, list[float]] = {name: [] for name in factories}
    p99s: list[float] = []
    longest: tuple[str, float] = ("", 0.0)
    for _ in range(ROUNDS):
        for name, factory in factories.items():
            with asyncio.Runner(loop_factory=factory) as runner:
                rate, intervals = runner.run(http_rate(None if name == "asyncio" else Frames))
                loop = runner.get_loop()
                if isinstance(loop, WardenLoop):
                    p99s.append(quantiles(intervals, n=100)[98])
                    longest = max(longest, loop.longest, key=lambda entry: entry[1])
            rates[name].append(rate)
    report("aiohttp", rates)
    print(f"frames     every {FRAME_MS} ms under that load: p99 {median(p99s):.1f} ms (worst round {max(p99s):.1f})")
    print(f"longest    {longest[0]}: {longest[1] * 1000:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--load", type=int, metavar="PORT", help="be the load process")
    port = parser.parse_args().load
    if port:
        return saturate(port)
    application = QApplication.instance() or QApplication([])
    ours: dict[str, Factory] = {"warden": lambda: make_loop(application), "asyncio": asyncio.SelectorEventLoop}
    bench_chain({**ours, "qasync": lambda: qasync.QEventLoop(application)})
    bench_http(ours)
    return None


if __name__ == "__main__":
    main()
