"""Starting, stopping, health, metrics, and what a crowd of strangers cannot do to one good client."""

from __future__ import annotations

import asyncio

import pytest

from tests.webhook.at_the_door import GOOD, Bench, Open, Raw
from warden_desktop.adapters.webhook import DoorError, Limits

HEAD = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


async def test_port_0_picks_one_and_says_which(bench: Bench) -> None:
    assert (bench.host, bench.port > 0) == ("127.0.0.1", True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "desk.example", ""])
async def test_nothing_but_loopback_is_listened_on(bench: Bench, host: str) -> None:
    bench.door._host = host
    with pytest.raises(DoorError, match="loopback only"):
        await bench.door.start()


async def test_a_port_in_use_is_said_to_be_so(bench: Bench, open_door: Open) -> None:
    other = await open_door()
    await other.door.stop()
    other.door._port = bench.port
    with pytest.raises(DoorError, match=rf"cannot listen on 127\.0\.0\.1:{bench.port}.*--port"):
        await other.door.start()


async def test_health_names_what_is_wrong(bench: Bench) -> None:
    good = await bench.ask("GET", "/healthz")
    bench.causes["journal"] = "the disk is full"
    bad = await bench.ask("GET", "/healthz")
    assert (good.status, good.json) == (200, {"status": "ok", "causes": {}})
    assert (bad.status, bad.json) == (503, {"status": "failing", "causes": {"journal": "the disk is full"}})


async def test_metrics_are_prometheus_text(open_door: Open) -> None:
    bench = await open_door(metrics=lambda: {"journal_events_total": 12, "odd name!": 0.5})
    await bench.post(GOOD)
    reply = await bench.ask("GET", "/metrics")
    lines = reply.body.decode().splitlines()
    assert reply.headers["content-type"].startswith("text/plain")
    assert 'warden_webhook_accepted_total{source="generic"} 1' in lines
    assert "# TYPE warden_journal_events_total counter" in lines
    assert "warden_journal_events_total 12" in lines
    assert "warden_odd_name_ 0.5" in lines


async def test_many_requests_on_one_connection_are_all_answered(bench: Bench) -> None:
    connection = await bench.connect()
    await connection.send((HEAD + b'Content-Length: 13\r\n\r\n{"title":"x"}') * 50)
    assert [(await connection.reply()).status for _ in range(50)] == [202] * 50
    assert len(bench.intake.alerts) == 50


async def test_a_stop_lets_what_is_being_recorded_finish(bench: Bench) -> None:
    bench.intake.gate = asyncio.Event()
    connection = await bench.connect()
    await connection.send(HEAD + b'Content-Length: 13\r\n\r\n{"title":"x"}')

    async def finish() -> None:
        await asyncio.sleep(0.1)
        assert bench.intake.gate is not None
        bench.intake.gate.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(finish())
        reply = tasks.create_task(connection.reply())
        await asyncio.sleep(0.05)
        tasks.create_task(bench.door.stop())
    assert reply.result().status == 202


async def test_while_it_stops_newcomers_are_told_to_come_back(bench: Bench) -> None:
    bench.door._stopping = True
    reply = await bench.post(GOOD)
    assert (reply.status, reply.json["error"]) == (503, "stopping")
    assert int(reply.headers["retry-after"]) > 0


async def test_a_stop_does_not_wait_for_clients_that_drip(open_door: Open) -> None:
    bench = await open_door()
    connections = [await bench.connect() for _ in range(5)]
    for connection in connections:
        await connection.send(HEAD + b"Content-Length: 1000\r\n\r\nx")
    async with asyncio.timeout(9):
        await bench.door.stop()
    assert [await connection.closed() for connection in connections] == [True] * 5


async def test_slow_clients_make_room_for_quick_ones(open_door: Open) -> None:
    bench = await open_door(Limits(connections=10))
    slow = [await bench.connect() for _ in range(60)]
    for connection in slow[-10:]:
        await connection.send(HEAD)
    statuses = []
    for _ in range(20):
        statuses.append((await bench.post(GOOD)).status)
        slow.append(await bench.connect())
    assert statuses == [202] * 20
    assert bench.door.tally.evicted >= 60
    assert bench.door._connections is not None
    assert len(bench.door._connections) <= 10


async def test_the_connection_that_waited_longest_goes_first(open_door: Open) -> None:
    bench = await open_door(Limits(connections=2))
    first = await bench.connect()
    second = await bench.connect()
    await first.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await first.reply()).status == 200
    await bench.connect()
    assert await second.closed()
    await first.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await first.reply()).status == 200


async def test_when_all_are_being_served_a_newcomer_waits_for_its_turn(open_door: Open) -> None:
    bench = await open_door(Limits(connections=3))
    bench.intake.gate = asyncio.Event()
    connections: list[Raw] = []
    for _ in range(6):
        connections.append(await bench.connect())
        await connections[-1].send(HEAD + b'Content-Length: 13\r\n\r\n{"title":"x"}')
    await asyncio.sleep(0.1)
    assert bench.door._connections is not None
    assert len(bench.door._connections) == 3
    bench.intake.gate.set()
    assert [(await connection.reply()).status for connection in connections] == [202] * 6


async def test_garbage_and_bombs_beside_good_alerts_lose_none(open_door: Open) -> None:
    bench = await open_door(Limits(connections=50))

    async def strangers() -> None:
        for number in range(40):
            connection = await bench.connect()
            if number % 2:
                await connection.send(HEAD + b"Content-Length: 500000\r\n\r\n")
            else:
                await connection.send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9000\r\n\r\n" + b"\x1f" * 9000)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(strangers())
        good = [tasks.create_task(bench.post({"title": f"alert {number}"})) for number in range(40)]
    assert {task.result().status for task in good} == {202}
    assert len(bench.intake.alerts) == 40
