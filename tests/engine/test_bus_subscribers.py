"""Named subscribers: every event, in order per incident, and nobody's trouble is another's."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise

import pytest

from tests.engine.bus_model import Tasks, comment, incident, noting, running, texts
from tests.memory_journal import MemoryJournal
from tests.samples_of_events import alert
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import AlertReceived, CommentAdded, FaultRaised, IncidentAssigned
from warden_desktop.engine import lanes, subscription
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import JournalError, Recorded


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "RETRY_DELAYS", (0.0, 0.0))


async def test_after_a_crash_a_subscriber_resumes_at_the_right_event(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "SAVE_EVERY", 0.001)
    runs: list[list[str]] = []
    for _ in range(2):
        bus, tasks, seen = Bus(journal), Tasks(), list[str]()
        runs.append(seen)
        stuck = asyncio.Event()

        async def handle(recorded: Recorded, seen: list[str] = seen, stuck: asyncio.Event = stuck) -> None:
            if texts([recorded]) == ["5"] and len(runs) == 1:
                await stuck.wait()
            seen.extend(texts([recorded]))

        subscriber = bus.subscribe("worker", handle)
        bus.start(tasks.spawn)
        if len(runs) == 1:
            for number in range(10):
                await bus.publish(comment(number, of=number))
            while len(seen) < 9 or journal.cursors.get("worker") != 5:
                await asyncio.sleep(0.001)
        else:
            await subscriber.idle()
        await tasks.die()
    assert sorted(runs[0]) == ["0", "1", "2", "3", "4", "6", "7", "8", "9"]
    assert sorted(runs[1]) == ["5", "6", "7", "8", "9"], "from the oldest that was not finished"


async def test_a_failing_incident_waits_without_taking_a_place(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "RETRY_DELAYS", (3_600.0,))
    bus = Bus(journal)
    seen: list[str] = []

    async def handle(recorded: Recorded) -> None:
        if texts([recorded])[0].startswith("-"):
            raise ValueError("poison")
        seen.extend(texts([recorded]))

    subscriber = bus.subscribe("worker", handle, concurrency=2)
    async with running(bus):
        for number in range(1, 10):
            await bus.publish(comment(-number, of=number))
        await bus.publish(comment(1, of=100), comment(2, of=101), comment(3, of=1))
        await asyncio.sleep(0.05)
        assert (seen, subscriber.retried, subscriber.depth) == (["1", "2"], 9, 10)


async def test_a_retry_keeps_the_order_of_its_incident(journal: MemoryJournal, quick_retries: None) -> None:
    bus = Bus(journal)
    seen: list[str] = []
    failures = {"1": 2, "4": 1}

    async def handle(recorded: Recorded) -> None:
        (text,) = texts([recorded])
        if failures.get(text, 0):
            failures[text] -= 1
            raise ValueError("not yet")
        seen.append(text)

    subscriber = bus.subscribe("worker", handle)
    async with running(bus):
        await bus.publish(*(comment(number) for number in range(6)))
        await subscriber.idle()
    assert seen == ["0", "1", "2", "3", "4", "5"]
    assert (subscriber.handled, subscriber.retried) == (6, 3)


async def test_a_handler_that_hangs_holds_up_its_own_incident_only(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    seen: list[str] = []
    other: list[str] = []

    async def handle(recorded: Recorded) -> None:
        if texts([recorded]) == ["hangs"]:
            await asyncio.Event().wait()
        seen.extend(texts([recorded]))

    bus.subscribe("worker", handle, concurrency=2)
    quick = bus.subscribe("other", noting(other))
    async with running(bus):
        await bus.publish(CommentAdded(actor="a", incident_id=incident(0), text="hangs"), comment(1, of=0))
        for number in range(50):
            await bus.publish(comment(number, of=1))
        await quick.idle()
        while len(seen) < 50:
            await asyncio.sleep(0)
        assert "1" not in seen[:1]
        assert len(other) == 52


async def test_a_handler_whose_own_future_was_cancelled_has_failed_and_no_more(
    journal: MemoryJournal, quick_retries: None
) -> None:
    bus = Bus(journal)
    seen: list[str] = []

    async def handle(recorded: Recorded) -> None:
        if texts([recorded]) == ["0"]:
            gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            gone.cancel()
            await gone
        seen.extend(texts([recorded]))

    subscriber = bus.subscribe("worker", handle, concurrency=1)
    async with running(bus):
        await bus.publish(comment(0), comment(1))
        await subscriber.idle()
    assert seen == ["1"]
    assert "cancelled" in journal.letters[0].error


async def test_a_lane_that_cannot_be_told_stops_nobody(
    journal: MemoryJournal, caplog: pytest.LogCaptureFixture
) -> None:
    def lane(recorded: Recorded) -> str:
        return {"1": "one", "3": "three"}[texts([recorded])[0]]

    bus, seen = Bus(journal), list[str]()
    subscriber = bus.subscribe("worker", noting(seen), lane=lane)
    async with running(bus):
        with caplog.at_level(logging.ERROR):
            await bus.publish(comment(1), comment(2), comment(3))
            await subscriber.idle()
    assert sorted(seen) == ["1", "2", "3"]
    assert "no lane for event 2" in caplog.text


async def test_one_that_waits_for_nothing_lets_others_have_the_loop(journal: MemoryJournal) -> None:
    bus, turns = Bus(journal), list[int]()
    subscriber = bus.subscribe("worker", noting([]))
    done = False

    async def tick() -> None:
        while not done:
            turns.append(subscriber.handled)
            await asyncio.sleep(0)

    async with running(bus) as work:
        work.spawn(tick())
        await bus.publish(*(comment(number, of=number) for number in range(1_000)))
        await subscriber.idle()
        done = True
    assert max(later - earlier for earlier, later in pairwise(turns)) <= 2 * lanes.BREATH


async def test_no_more_is_in_memory_than_allowed(journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "QUEUED_AT_MOST", 30)
    bus, gate, waiting = Bus(journal, memory=16), asyncio.Event(), 0
    most = 0

    async def handle(recorded: Recorded) -> None:
        nonlocal waiting
        waiting += 1
        await gate.wait()

    subscriber = bus.subscribe("worker", handle, concurrency=1_000)
    async with running(bus):
        for number in range(300):
            await bus.publish(comment(number, of=number))
            most = max(most, waiting, len(subscriber._pending))
        assert most == 30
        assert subscriber.depth == 300
        gate.set()
        await subscriber.idle()
    assert waiting == 300


async def test_what_is_not_for_it_does_not_wake_it_but_counts_as_done(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    subscriber = bus.subscribe("worker", noting([]), kinds=(CommentAdded,))
    async with running(bus):
        await bus.publish(comment(1))
        await subscriber.idle()
        assert not subscriber._moved.is_set()
        for number in range(5):
            await bus.publish(FaultRaised(actor=str(number), component="disk", severity=Severity.LOW, detail="slow"))
            assert not subscriber._moved.is_set()
        assert (subscriber.done, subscriber.depth) == (6, 0)
    assert journal.cursors["worker"] == 6


async def test_what_is_not_for_it_hides_nothing_that_is(journal: MemoryJournal) -> None:
    bus, seen = Bus(journal), list[str]()
    subscriber = bus.subscribe("worker", noting(seen), kinds=(CommentAdded,))
    async with running(bus):
        await subscriber.idle()
        foreign = [FaultRaised(actor="a", component="disk", severity=Severity.LOW, detail=str(n)) for n in range(3)]
        await asyncio.gather(*(bus.publish(one) for one in (foreign[0], comment(1), foreign[1], foreign[2])))
        await subscriber.idle()
    assert seen == ["1"]


async def test_far_behind_it_reads_only_what_it_wants(journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    bus, seen = Bus(journal, memory=4), list[str]()
    for number in range(1_000):
        wanted = number % 100 == 0
        await bus.publish(
            comment(number) if wanted else IncidentAssigned(actor="a", incident_id=incident(0), assignee="bob")
        )
    read = 0
    plainly = journal.read

    async def counting(after: int, limit: int, **how: object) -> list[Recorded]:
        nonlocal read
        page = await plainly(after, limit, **how)  # type: ignore[arg-type]
        read += len(page)
        return page

    monkeypatch.setattr(journal, "read", counting)
    subscriber = bus.subscribe("worker", noting(seen), kinds=(CommentAdded,))
    async with running(bus):
        await subscriber.idle()
    assert (seen, read) == ([str(number) for number in range(0, 1_000, 100)], 10)


async def test_a_log_that_cannot_be_read_at_the_start_is_tried_again(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "LOG_RETRY", 0.0)
    bus, seen, failures = Bus(journal, memory=2), list[str](), 3
    for number in range(5):
        await bus.publish(comment(number))
    plainly = journal.read

    async def failing(after: int, limit: int, **how: object) -> list[Recorded]:
        nonlocal failures
        failures -= 1
        if failures > 0:
            raise JournalError("the disk reported an error")
        return await plainly(after, limit, **how)  # type: ignore[arg-type]

    async def failing_cursor(name: str) -> int:
        nonlocal failures
        failures -= 1
        if failures > 0:
            raise JournalError("the disk reported an error")
        return 0

    monkeypatch.setattr(journal, "read", failing)
    monkeypatch.setattr(journal, "cursor", failing_cursor)
    subscriber = bus.subscribe("worker", noting(seen))
    async with running(bus):
        await subscriber.idle()
    assert seen == ["0", "1", "2", "3", "4"]


async def test_a_handler_may_unsubscribe_itself(journal: MemoryJournal) -> None:
    bus, seen = Bus(journal), list[str]()

    async def handle(recorded: Recorded) -> None:
        if texts([recorded]) == ["2"]:
            await bus.unsubscribe("once")
        seen.extend(texts([recorded]))

    bus.subscribe("once", handle, concurrency=1)
    other = bus.subscribe("other", noting([]))
    async with running(bus):
        await bus.publish(*(comment(number) for number in range(6)))
        await other.idle()
        await asyncio.sleep(0.01)
    assert seen == ["0", "1", "2"]
    assert [one.name for one in bus.subscriptions] == ["other"]


async def test_a_name_is_taken_until_its_owner_has_stopped(journal: MemoryJournal) -> None:
    bus, stopping, let_go = Bus(journal), asyncio.Event(), asyncio.Event()

    async def handle(recorded: Recorded) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopping.set()
            await let_go.wait()

    bus.subscribe("worker", handle)
    async with running(bus) as work:
        await bus.publish(comment(1))
        await asyncio.sleep(0.01)
        work.spawn(bus.unsubscribe("worker"))
        await stopping.wait()
        with pytest.raises(ValueError, match="worker"):
            bus.subscribe("worker", noting([]))
        let_go.set()
        while list(bus.subscriptions):
            await asyncio.sleep(0)
        seen: list[str] = []
        again = bus.subscribe("worker", noting(seen))
        await again.idle()
    assert seen == ["1"]


async def test_unsubscribing_nobody_says_so(journal: MemoryJournal) -> None:
    with pytest.raises(LookupError, match="nobody"):
        await Bus(journal).unsubscribe("nobody")


async def test_stopping_does_not_wait_for_a_hanging_disk(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(name: str, seq: int) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(subscription, "SAVE_PATIENCE", 0.01)
    monkeypatch.setattr(journal, "move_cursor", hang)
    bus, seen = Bus(journal), list[str]()
    subscriber = bus.subscribe("worker", noting(seen))
    async with running(bus):
        await bus.publish(comment(1))
        await subscriber.idle()
    assert seen == ["1"]


async def test_a_bus_that_was_stopped_goes_on(journal: MemoryJournal) -> None:
    bus, seen = Bus(journal), list[str]()
    subscriber = bus.subscribe("worker", noting(seen))
    for number in range(3):
        async with running(bus):
            await bus.publish(comment(number))
            await subscriber.idle()
    assert seen == ["0", "1", "2"]


async def test_the_pulse_of_the_bus(journal: MemoryJournal, quick_retries: None) -> None:
    bus, gate = Bus(journal, memory=8), asyncio.Event()

    async def handle(recorded: Recorded) -> None:
        if texts([recorded]) == ["0"]:
            raise ValueError("poison")
        await gate.wait()

    bus.subscribe("worker", handle)
    receiver = bus.listen(capacity=2)
    old = comment(1, of=1)
    async with running(bus):
        await bus.publish(comment(0, of=0), old.model_copy(update={"at": old.at.replace(year=2020)}), comment(2, of=2))
        while not journal.letters:
            await asyncio.sleep(0.001)
        receiver.drain()
        journal.broken = "the disk is full"
        bus.publish_with_fallback(comment(3))
        await asyncio.sleep(0.01)
        pulse = bus.pulse()
        gate.set()
    (worker,) = pulse.subscribers
    assert (worker.name, worker.depth, worker.handled, worker.retried, worker.dead) == ("worker", 2, 0, 2, 1)
    assert worker.lag_seconds > 365 * 86_400
    assert (pulse.last_seq, pulse.published, pulse.failed, pulse.missed) == (3, 3, 1, 1)
    assert (pulse.receivers, pulse.waiting) == (1, 0)
    assert 0 < pulse.p50_ms <= pulse.p99_ms


async def test_an_idle_bus_has_no_lag(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    bus.subscribe("worker", noting([]))
    pulse = bus.pulse()
    assert (pulse.p50_ms, pulse.p99_ms, pulse.subscribers[0].lag_seconds) == (0.0, 0.0, 0.0)


async def test_no_more_bytes_are_in_memory_than_allowed(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "MOST_BYTES", 5_000)
    bus, gate, begun = Bus(journal, memory=16), asyncio.Event(), list[int]()

    async def handle(recorded: Recorded) -> None:
        begun.append(recorded.seq)
        await gate.wait()

    subscriber = bus.subscribe("worker", handle, concurrency=1_000, lane=lambda recorded: recorded.seq)
    async with running(bus):
        for number in range(40):
            await bus.publish(AlertReceived(actor="webhook:wazuh", alert=alert(f"{number}"), raw="x" * 1_000))
        await asyncio.sleep(0.01)
        assert begun == [1, 2, 3, 4, 5]
        gate.set()
        await subscriber.idle()
    assert begun == list(range(1, 41))
