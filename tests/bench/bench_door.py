"""Deliveries accepted a second, beside a bare aiohttp handler that parses JSON, on the same loop in one run.

    python -m tests.bench.bench_door [seconds] [rounds]

The client is a process of its own with 16 connections and no pipelining. Both servers answer 202 with two UUIDs; the
door also checks, parses strictly, maps by the Wazuh pack and hands the alert to an intake that keeps it in memory.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import orjson
from aiohttp import web
from PySide6.QtCore import QCoreApplication

from warden_desktop.adapters.sources import Source, load_sources
from warden_desktop.adapters.strict_json import parse
from warden_desktop.adapters.webhook import Door, Limits, Quarantine
from warden_desktop.assets import resource
from warden_desktop.domain.alert import Alert
from warden_desktop.domain.record import now
from warden_desktop.engine.intake import Receipt
from warden_desktop.loop import make_loop

CONNECTIONS = 16
BODY = orjson.dumps(
    {
        "timestamp": "2026-03-02T08:15:40.120+0100",
        "rule": {"level": 12, "description": "Script with command execution in an upload directory", "id": "100310",
                 "groups": ["syscheck", "syscheck_entry_added", "web_shell"], "mitre": {"id": ["T1505.003"]}},
        "agent": {"id": "007", "name": "shop-03", "ip": "10.1.2.3"},
        "manager": {"name": "siem"},
        "id": "1772435740.1001",
        "full_log": "File '/srv/shop/media/a.php' added",
        "syscheck": {"path": "/srv/shop/media/a.php", "event": "added", "uname_after": "apache",
                     "sha256_after": "0" * 64},
        "decoder": {"name": "syscheck_new_entry"},
    }
)  # fmt: skip
REQUEST = b"POST /webhooks/wazuh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + (
    b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
)


class Memory:
    """An intake that remembers how many."""

    def __init__(self) -> None:
        self.received = 0

    async def receive(self, alerts: Sequence[Alert], raw: str) -> Sequence[Receipt]:
        self.received += len(alerts)
        return [Receipt(alert.id, alert.id, False) for alert in alerts]


async def bare() -> tuple[web.ServerRunner, int]:
    """aiohttp's own low-level server, parsing the body and answering in the same form."""

    async def handle(request: web.BaseRequest) -> web.Response:
        orjson.loads(await request.read())
        answer = orjson.dumps({"alert_id": str(uuid4()), "event_id": str(uuid4())})
        return web.Response(body=answer, status=202, content_type="application/json")

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, site.port


def client(port: int, seconds: float, results: Any) -> None:
    """Post as fast as answers come; puts the number of 202s and the sorted latencies into `results`."""
    results.put(asyncio.run(_posting(port, seconds)))


async def _posting(port: int, seconds: float) -> tuple[int, float, float]:
    end = time.perf_counter() + seconds
    each = await asyncio.gather(*(_connection(port, end) for _ in range(CONNECTIONS)))
    latencies = sorted(latency for one in each for latency in one)
    return len(latencies), latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]


async def _connection(port: int, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies = []
    while (before := time.perf_counter()) < end:
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 202 "), head
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        latencies.append(time.perf_counter() - before)
    writer.close()
    return latencies


async def measured(port: int, seconds: float) -> tuple[float, float, float]:
    """Accepted a second, and the median and 99th percentile of the latency in milliseconds."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=client, args=(port, seconds, results))
    process.start()
    count, median, late = await asyncio.to_thread(results.get)
    await asyncio.to_thread(process.join)
    return count / seconds, median * 1000, late * 1000


async def run(seconds: float, rounds: int) -> None:
    """Alternate between the two servers, and print what both did."""
    unlimited = Limits(rate=1e9, burst=1e9)
    with tempfile.TemporaryDirectory() as folder:
        door = Door(
            host="127.0.0.1", port=0, sources=load_sources(resource("sources")), intake=Memory(),
            secrets=lambda source: (), health=dict, quarantine=Quarantine(Path(folder)), limits=unlimited,
        )  # fmt: skip
        _, door_port = await door.start()
        runner, bare_port = await bare()
        seen: dict[str, list[tuple[float, float, float]]] = {"bare": [], "door": []}
        for _ in range(rounds):
            seen["bare"].append(await measured(bare_port, seconds))
            seen["door"].append(await measured(door_port, seconds))
        await door.stop()
        await runner.cleanup()
    rates = {name: statistics.median(one[0] for one in many) for name, many in seen.items()}
    for name, many in seen.items():
        median, late = (statistics.median(one[place] for one in many) for place in (1, 2))
        print(f"{name}: {rates[name]:8.0f} accepted/s   p50 {median:5.2f} ms   p99 {late:5.2f} ms")
    print(f"door / bare: {rates['door'] / rates['bare']:.2f}")


def pieces(source: Source) -> None:
    """What strict parsing and mapping cost on one delivery."""
    parsed, at = parse(BODY), now()
    tried = {
        f"orjson ({len(BODY)} bytes)": lambda: orjson.loads(BODY),
        "strict parse": lambda: parse(BODY),
        "map": lambda: source.mapper.alerts(parsed, received_at=at, signed=False, delivery_id=None),
    }
    for name, work in tried.items():
        best = min(timeit.repeat(work, number=1000, repeat=5)) * 1000
        print(f"{name}: {best:6.1f} microseconds")


def main() -> None:
    seconds, rounds = (float(sys.argv[1]) if len(sys.argv) > 1 else 4.0, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
    pieces(load_sources(resource("sources"))["wazuh"])
    application = QCoreApplication([])
    loop = make_loop(application)
    try:
        loop.run_until_complete(run(seconds, rounds))
    finally:
        loop.close()


if __name__ == "__main__":
    main()
