"""Publishing: all or nothing, in turn, and never without end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.bus_model import comment, running, texts
from tests.memory_journal import MemoryJournal
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal, writer
from warden_desktop.domain.events import CommentAdded, Event, IncidentAssigned
from warden_desktop.engine import bus as bus_module
from warden_desktop.engine import subscription
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.health import Health
from warden_desktop.engine.ports import Recorded


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


async def _outcome(bus: Bus, *events: Event) -> str:
    try:
        await bus.publish(*events)
    except asyncio.CancelledError:
        return "cancelled"
    except PublishError as error:
        return str(error)
    return "recorded"


@pytest.mark.parametrize("steps", range(8))
@pytest.mark.parametrize("full", [False, True])
async def test_a_publisher_cancelled_at_any_step_leaves_all_or_nothing(
    journal: MemoryJournal, steps: int, full: bool
) -> None:
    bus = Bus(journal)
    receiver = bus.listen()
    journal.room = 0 if full else 10
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_outcome(bus, comment(1), comment(2)))
        for step in range(steps):
            await asyncio.sleep(0)
            if step == 3:
                journal.room = 10
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    journal.room = 10
    await bus.publish(comment(3))
    await asyncio.sleep(0.02)
    assert texts(journal.log) in (["3"], ["1", "2", "3"])
    assert texts(receiver.drain().events) == texts(journal.log)
    assert bus.pulse().waiting == 0


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancelled_publisher_of_a_real_file_leaves_all_or_nothing(tmp_path: Path, steps: int) -> None:
    journal = SqliteJournal.open(tmp_path / FILE_NAME, asyncio.get_running_loop())
    bus = Bus(journal)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_outcome(bus, comment(1), comment(2)))
        for step in range(steps):
            await asyncio.sleep(0 if step < 4 else 0.0005)
        task.cancel()
    await bus.publish(comment(3))
    assert texts(await bus.read(0, 10)) in (["3"], ["1", "2", "3"])
    await journal.close()


async def test_those_who_wait_for_a_full_journal_are_served_in_turn(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "ASK_AGAIN", 0.2)
    bus = Bus(journal)
    journal.room = 0
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(_outcome(bus, comment(number))) for number in range(20)]
        await asyncio.sleep(0.02)
        assert bus.pulse().waiting == 20
        waiting[7].cancel()
        journal.room = 100
        late = group.create_task(_outcome(bus, comment(20)))
    assert late.result() == "recorded"
    assert texts(journal.log) == [str(number) for number in range(21) if number != 7]
    assert bus.pulse().waiting == 0


async def test_a_full_journal_refuses_after_a_while_and_says_when_to_come_again(journal: MemoryJournal) -> None:
    health = Health()
    bus = Bus(journal, patience=0.03, health=health)
    journal.room = 0
    with pytest.raises(PublishError, match="full for") as refused:
        await bus.publish(comment(1))
    assert refused.value.retry_after > 0
    assert "journal" in health.causes
    journal.room = 10
    await bus.publish(comment(2))
    assert (texts(journal.log), health.causes, bus.pulse().failed) == (["2"], {}, 1)


async def test_the_line_before_a_full_journal_is_bounded(
    journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "LONGEST_LINE", 50)
    bus = Bus(journal, patience=0.2)
    journal.room = 0
    outcomes = await asyncio.gather(*(_outcome(bus, comment(number)) for number in range(80)))
    assert sum("wait for the journal already" in outcome for outcome in outcomes) == 30
    assert sum("full for" in outcome for outcome in outcomes) == 50


async def test_a_real_journal_that_cannot_keep_up_holds_a_bounded_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_EVENTS", 40)
    journal = SqliteJournal.open(tmp_path / FILE_NAME, asyncio.get_running_loop())
    bus = Bus(journal, patience=0.1)
    free = threading.Event()
    async with asyncio.TaskGroup() as group:
        hanging = group.create_task(journal.write(lambda _: free.wait(10)))
        outcomes = await asyncio.gather(*(_outcome(bus, comment(number)) for number in range(100)))
        assert journal.stats.queued == 40
        free.set()
    assert hanging.done()
    assert "recorded" not in outcomes
    await bus.publish(comment(100))
    assert texts(await bus.read(0, 1_000)) == [str(number) for number in [*range(40), 100]]
    await journal.close()


async def test_an_event_that_cannot_be_recorded_is_its_own_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "RETRY_DELAYS", (0.0, 0.0, 0.0))
    journal = SqliteJournal.open(tmp_path / FILE_NAME, asyncio.get_running_loop())
    health = Health()
    bus = Bus(journal, health=health)
    seen: list[int] = []

    async def answer(recorded: Recorded) -> None:
        seen.append(recorded.seq)
        if isinstance(recorded.event, CommentAdded) and recorded.event.text == "1":
            await bus.publish(comment(2).model_copy(update={"text": "\ud800"}))

    subscriber = bus.subscribe("worker", answer)
    async with running(bus):
        await bus.publish(comment(1))
        while not subscriber.dead:
            await asyncio.sleep(0.05)
    assert (seen, health.causes) == ([1, 1, 1, 1], {})
    await journal.close()


async def test_a_handler_that_publishes_sees_its_own_answer_in_turn(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    state: list[str] = []
    known: list[int] = []

    def fold(recorded: Recorded) -> None:
        state.append(recorded.event.kind)

    async def answer(recorded: Recorded) -> None:
        (own,) = await bus.publish(IncidentAssigned.because(recorded.event, actor="worker", assignee="bob"))
        known.append(state.index("incident_assigned") + 1 if own.seq == len(state) else own.seq)
        assert len(state) >= own.seq

    bus.attach(fold)
    subscriber = bus.subscribe("worker", answer, kinds=(CommentAdded,))
    async with running(bus):
        await asyncio.gather(*(bus.publish(comment(number, of=number)) for number in range(20)))
        await subscriber.idle()
    assert sorted(set(state)) == ["comment_added", "incident_assigned"]
    assert len(known) == 20
    assert len(journal.log) == 40


async def test_a_fold_that_fails_is_passed_over(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    seen: list[int] = []

    def broken(recorded: Recorded) -> None:
        raise KeyError(recorded.seq)

    bus.attach(broken)
    bus.attach(lambda recorded: seen.append(recorded.seq))
    receiver = bus.listen()
    await bus.publish(comment(1), comment(2))
    assert (seen, len(receiver.drain().events)) == ([1, 2], 2)


async def test_a_worker_that_repeats_itself_is_recorded_once(journal: MemoryJournal) -> None:
    bus = Bus(journal)
    (cause,) = await bus.publish(comment(1))
    again: Callable[[], Event] = lambda: IncidentAssigned.because(cause.event, actor="worker", assignee="bob")  # noqa: E731
    answers = await asyncio.gather(*(bus.publish(again(), comment(number)) for number in range(10)))
    assert {assigned.seq for assigned, _ in answers} == {2}
    assert [one.event.kind for one in journal.log].count("incident_assigned") == 1


async def test_a_listener_of_health_that_fails_does_not_stop_delivery(journal: MemoryJournal) -> None:
    health = Health()
    bus = Bus(journal, health=health, patience=0.02)
    receiver = bus.listen()
    journal.hung = True
    with pytest.raises(PublishError):
        await bus.publish(comment(1))
    told: list[str] = []

    def broken(causes: object) -> None:
        told.append("works")
        raise RuntimeError("the banner is gone")

    health.on_change.append(broken)
    with pytest.raises(RuntimeError):
        journal.resume()
    assert (told, texts(receiver.drain().events)) == (["works"], ["1"])
