"""The bus's promises: one order, recorded before seen, nothing dropped, nobody delayed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from uuid import UUID

import pytest

from tests.engine.bus_model import comment, incident, noting, running, texts
from tests.memory_journal import MemoryJournal
from warden_desktop.domain.events import CommentAdded, IncidentAssigned
from warden_desktop.engine import subscription
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.ports import Recorded
from warden_desktop.engine.receiver import Closed, Lagged


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


async def test_a_publish_is_recorded_then_seen_then_acknowledged(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    seen: list[int] = []
    bus.attach(lambda recorded: seen.append(len(journal.log)))
    (recorded,) = await bus.publish(comment(1))
    assert (recorded.seq, seen, bus.last_seq) == (1, [1], 1)


async def test_events_published_together_are_neighbours(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    await asyncio.gather(*(bus.publish(comment(n), comment(-n)) for n in range(1, 50)))
    recorded = texts(journal.log)
    assert all(int(recorded[at]) == -int(recorded[at + 1]) for at in range(0, len(recorded), 2))


async def test_what_is_not_recorded_never_happened(journal: MemoryJournal) -> None:
    bus, seen = Bus(journal), list[Recorded]()
    bus.attach(seen.append)
    receiver = bus.listen()
    journal.broken = "the disk is full"
    with pytest.raises(PublishError, match="the disk is full"):
        await bus.publish(comment(1))
    bus.publish_with_fallback(comment(2))
    await asyncio.sleep(0.01)
    assert (seen, receiver.drain().events, bus.failed_publishes) == ([], [], 2)


async def test_a_hanging_journal_is_an_error_not_a_wait_for_ever(journal: MemoryJournal) -> None:
    bus = Bus(journal, patience=0.05)
    journal.hung = True
    with pytest.raises(PublishError, match="not answered"):
        await bus.publish(comment(1))
    journal.resume()
    assert texts(journal.log) == ["1"], "it may be recorded late, but it was never acknowledged"


async def test_a_cancelled_publisher_leaves_a_whole_event(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    journal.hung = True
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_quietly(bus.publish(comment(1), comment(2))))
        await asyncio.sleep(0.01)
        task.cancel()
    journal.resume()
    assert texts(journal.log) == ["1", "2"]


async def _quietly(publish: Awaitable[object]) -> None:
    try:
        await publish
    except asyncio.CancelledError:
        return


async def test_the_same_event_is_delivered_once(journal: MemoryJournal) -> None:
    bus, event = Bus(journal), comment(1)
    receiver = bus.listen()
    first = await bus.publish(event)
    assert await bus.publish(event) == first
    assert texts(receiver.drain().events) == ["1"]


async def test_every_reader_sees_one_order_even_of_events_published_while_delivering(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    one, two = bus.listen(), bus.listen()
    folded: list[str] = []

    def answer(recorded: Recorded) -> None:
        folded.extend(texts([recorded]))
        if isinstance(recorded.event, CommentAdded) and len(recorded.event.text) < 3:
            bus.publish_with_fallback(
                CommentAdded.because(recorded.event, actor="fold", text=recorded.event.text + "+")
            )

    bus.attach(answer)
    await asyncio.gather(*(bus.publish(comment(n)) for n in range(10)))
    await asyncio.sleep(0.05)
    assert folded == texts(one.drain().events) == texts(two.drain().events) == texts(journal.log)
    assert len(folded) == 30


async def test_a_lagging_receiver_learns_exactly_what_it_missed(journal: MemoryJournal) -> None:
    bus = Bus(journal, memory=64)
    slow = bus.listen(capacity=10)
    for number in range(25):
        await bus.publish(comment(number))
    with pytest.raises(Lagged) as lagged:
        await slow.next()
    assert (lagged.value.missed, lagged.value.first) == (15, 1)
    again = await bus.read(lagged.value.first - 1, lagged.value.missed)
    assert texts(again) + texts(slow.drain().events) == [str(n) for n in range(25)]


async def test_a_closed_receiver_says_so(journal: MemoryJournal) -> None:
    receiver = Bus(journal).listen()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_expect_closed(receiver.next()))
        await asyncio.sleep(0)
        receiver.close()
    assert waiting.result()


async def _expect_closed(next_event: Awaitable[Recorded]) -> bool:
    try:
        await next_event
    except Closed:
        return True
    return False


async def test_one_incident_in_order_many_at_once(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    seen: dict[UUID, list[str]] = {}
    at_once = most = 0

    async def handle(recorded: Recorded) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001 * (recorded.seq % 3))
        assert recorded.event.incident_id is not None
        seen.setdefault(recorded.event.incident_id, []).extend(texts([recorded]))
        at_once -= 1

    subscriber = bus.subscribe("worker", handle, kinds=(CommentAdded,), concurrency=4)
    async with running(bus):
        for number in range(60):
            await bus.publish(comment(number, of=number % 10))
        await subscriber.idle()
    assert all(order == sorted(order, key=int) for order in seen.values())
    assert sum(map(len, seen.values())) == 60
    assert 1 < most <= 4


async def test_a_subscriber_goes_on_where_it_stopped_and_only_gets_its_kinds(journal: MemoryJournal) -> None:
    seen: list[str] = []

    async def handle(recorded: Recorded) -> None:
        seen.extend(texts([recorded]) or ["?"])

    for round_of in (range(5), range(5, 9)):
        bus = Bus(journal, memory=4)
        subscriber = bus.subscribe("worker", handle, kinds=(CommentAdded,))
        for number in round_of:
            await bus.publish(comment(number), IncidentAssigned(actor="a", incident_id=incident(0), assignee="bob"))
        async with running(bus):
            await subscriber.idle()
    assert seen == [str(number) for number in range(9)]
    assert journal.cursors["worker"] == 18


async def test_a_failing_event_becomes_a_dead_letter_and_delays_nobody_else(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "RETRY_DELAYS", (0.0, 0.0))
    bus = Bus(journal)
    seen: list[str] = []

    async def handle(recorded: Recorded) -> None:
        if texts([recorded]) == ["13"]:
            raise ValueError("unlucky")
        seen.extend(texts([recorded]))

    subscriber = bus.subscribe("worker", handle)
    async with running(bus):
        for number in (12, 13, 14):
            await bus.publish(comment(number, of=number))
        await subscriber.idle()
    assert sorted(seen) == ["12", "14"]
    (letter,) = journal.letters
    assert (letter.subscriber, letter.error, letter.attempts) == ("worker", "ValueError: unlucky", 3)
    assert (subscriber.dead, subscriber.depth) == (1, 0)


async def test_an_event_whose_answer_cannot_be_recorded_is_kept_until_it_can(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "RETRY_DELAYS", (0.001,))
    bus = Bus(journal)

    async def answer(recorded: Recorded) -> None:
        await bus.publish(IncidentAssigned.because(recorded.event, actor="worker", assignee="bob"))

    subscriber = bus.subscribe("worker", answer, kinds=(CommentAdded,))
    await bus.publish(comment(1))
    journal.broken = "the disk is full"
    async with running(bus):
        while subscriber.retried < 10:
            await asyncio.sleep(0.001)
        journal.broken = ""
        await subscriber.idle()
    assert [one.event.kind for one in journal.log] == ["comment_added", "incident_assigned"]
    assert journal.letters == []


async def test_a_slow_subscriber_falls_behind_onto_the_log_and_holds_nobody_up(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "QUEUED_AT_MOST", 3)
    bus = Bus(journal, memory=4)
    gate = asyncio.Event()
    slow: list[str] = []
    quick: list[str] = []

    async def wait(recorded: Recorded) -> None:
        await gate.wait()
        slow.extend(texts([recorded]))

    async def note(recorded: Recorded) -> None:
        quick.extend(texts([recorded]))

    waiting, noting = bus.subscribe("slow", wait), bus.subscribe("quick", note)
    async with running(bus):
        for number in range(50):
            await bus.publish(comment(number))
        await noting.idle()
        assert (len(quick), slow, waiting.depth) == (50, [], 50)
        gate.set()
        await waiting.idle()
    assert slow == quick == [str(number) for number in range(50)]


async def test_subscribing_and_unsubscribing_while_events_flow(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    seen: list[str] = []
    async with running(bus):
        await bus.publish(comment(1))
        first = bus.subscribe("late", noting(seen))
        await first.idle()
        await bus.unsubscribe("late")
        await bus.publish(comment(2))
        second = bus.subscribe("late", noting(seen))
        await second.idle()
    assert seen == ["1", "2"]


async def test_two_subscribers_of_one_name_are_refused(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    bus.subscribe("worker", noting([]))
    with pytest.raises(ValueError, match="worker"):
        bus.subscribe("worker", noting([]))
