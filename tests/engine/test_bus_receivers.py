"""Broadcast: nobody waits for a reader, and a reader that falls behind loses nothing."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.bus_model import comment, texts
from tests.memory_journal import MemoryJournal
from tests.samples_of_events import alert
from warden_desktop.domain.events import AlertReceived
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import JournalError, Recorded
from warden_desktop.engine.receiver import Closed, Lagged, Receiver
from warden_desktop.engine.ring import Ring


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


async def test_a_lagging_reader_resyncs_while_more_arrives(journal: MemoryJournal) -> None:
    bus = Bus(journal, memory=64)
    slow = bus.listen(capacity=10)
    seen: list[int] = []
    for number in range(400):
        await bus.publish(comment(number))
        if number % 37 == 0:
            try:
                seen.append((await slow.next()).seq)
            except Lagged as lagged:
                async for again in slow.resync(lagged):
                    await bus.publish(comment(-1))
                    seen.append(again.seq)
    seen.extend(range(slow.position + 1, slow.position + 1 + (batch := slow.drain()).missed))
    seen.extend(one.seq for one in batch.events)
    assert seen == list(range(1, bus.last_seq + 1))
    assert bus.pulse().missed > 0


async def test_a_reader_that_follows_gets_everything_however_slow_it_is(journal: MemoryJournal) -> None:
    bus = Bus(journal, memory=16)
    slow = bus.listen(capacity=4)
    seen: list[int] = []

    async def follow() -> None:
        async for recorded in slow:
            seen.append(recorded.seq)
            if recorded.seq % 10 == 0:
                await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as group:
        group.create_task(follow())
        for number in range(500):
            await bus.publish(comment(number))
        while slow.lag:
            await asyncio.sleep(0.001)
        slow.close()
    assert seen == list(range(1, 501))


async def test_a_reader_that_stops_half_way_through_goes_on_there(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    receiver = bus.listen()
    await bus.publish(*(comment(number) for number in range(10)))
    async for recorded in receiver:
        if recorded.seq == 4:
            break
    assert [one.seq for one in receiver.drain().events] == [5, 6, 7, 8, 9, 10]


async def test_a_log_that_cannot_be_read_loses_the_reader_nothing(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> list[Recorded]:
        raise JournalError("the disk reported an error")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "read", broken)
        bus = Bus(journal, memory=4)
        receiver = bus.listen()
        for number in range(9):
            await bus.publish(comment(number))
        with pytest.raises(JournalError):
            await receiver.take()
        receiver._read = MemoryJournal.read.__get__(journal)
    assert texts(await receiver.take(100)) == [str(number) for number in range(9)]


async def test_what_the_log_no_longer_has_is_said(journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def archived(after: int, limit: int, **_: object) -> list[Recorded]:
        return [one for one in journal.log if one.seq > max(after, 6)][:limit]

    monkeypatch.setattr(journal, "read", archived)
    bus = Bus(journal, memory=2)
    receiver = bus.listen()
    for number in range(10):
        await bus.publish(comment(number))
    with pytest.raises(Lagged) as lagged:
        await receiver.take()
    assert (lagged.value.first, lagged.value.missed) == (1, 6)
    assert [one.seq for one in await receiver.take()] == [7, 8, 9, 10]


async def test_a_reader_that_breaks_when_it_is_told_harms_nobody(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    broken, well = bus.listen(), bus.listen()
    told: list[int] = []

    def fail() -> None:
        raise RuntimeError("the window is gone")

    broken.on_ready = fail
    well.on_ready = lambda: told.append(bus.last_seq)
    await bus.publish(comment(1))
    assert (told, texts(well.drain().events)) == ([1], ["1"])


async def test_a_reader_is_told_once_until_it_has_drained(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    receiver = bus.listen()
    told: list[int] = []
    receiver.on_ready = lambda: told.append(bus.last_seq)
    for number in range(5):
        await bus.publish(comment(number))
    receiver.drain()
    await bus.publish(comment(6))
    assert told == [1, 6]


async def test_a_reader_that_never_reads_and_one_that_has_gone_delay_nobody(journal: MemoryJournal) -> None:
    bus = Bus(journal, memory=8)
    asleep, gone = bus.listen(), bus.listen()
    gone.close()
    quick = bus.listen()
    for number in range(100):
        await bus.publish(comment(number))
        assert len(quick.drain().events) == 1
    assert asleep.lag == 100
    with pytest.raises(Closed):
        await gone.next()


async def test_listening_and_leaving_while_events_flow(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    short_lived: list[tuple[int, Receiver, list[int]]] = []

    async def come_and_go() -> None:
        for _ in range(30):
            receiver = bus.listen()
            began, got = receiver.position, [one.seq for one in await receiver.take()]
            receiver.close()
            short_lived.append((began, receiver, got))

    async with asyncio.TaskGroup() as group:
        guests = [group.create_task(come_and_go()) for _ in range(5)]
        while not all(guest.done() for guest in guests):
            await bus.publish(comment(1), comment(2))
    assert len(short_lived) == 150
    assert all(got == list(range(began + 1, began + 1 + len(got))) and got for began, _, got in short_lived)
    assert bus.pulse().receivers == 0


async def test_large_deliveries_do_not_fill_the_memory(journal: MemoryJournal) -> None:
    bus = Bus(journal, memory=1_000)
    bus._ring = Ring(1_000, 0, most_bytes=10_000)
    following, lagging = bus.listen(), bus.listen()
    for number in range(100):
        await bus.publish(AlertReceived(actor="webhook:wazuh", alert=alert(f"{number}"), raw="x" * 1_000))
    held = [one for one in bus._ring._slots if one is not None]
    assert len(held) == 10
    assert [one.seq for one in await following.take(100)] == list(range(1, 101))
    assert (lagging.drain().missed, len(lagging.drain().events)) == (90, 0)


@pytest.mark.parametrize("sizes", [(1,) * 40, (7,) * 9, (3, 30, 1, 25), (10, 10, 10), (9, 1, 10, 11)])
def test_the_ring_holds_the_newest(sizes: tuple[int, ...]) -> None:
    ring, log = Ring(10, 5), list[Recorded]()
    for size in sizes:
        batch = [Recorded(6 + len(log) + place, comment(place)) for place in range(size)]
        log += batch
        ring.extend(batch)
        assert ring.slice(ring.tail - 1, 100) == log[-10:]
        assert (ring.head, ring.tail) == (5 + len(log), max(6, ring.head - 9))
        assert ring.slice(ring.head - 1, 1) == log[-1:]
        assert ring.slice(ring.head, 5) == []
