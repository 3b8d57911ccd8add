"""What a subscriber gave up on is kept until a person has dealt with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.engine.bus_model import Tasks, comment, noting, running, texts
from tests.memory_journal import MemoryJournal
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal
from warden_desktop.domain.events import CommentAdded, FaultRaised
from warden_desktop.engine import subscription
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.dead_letters import DeadLetters
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.ports import DeadLetter, Journal, JournalError, Recorded
from warden_desktop.engine.subscription import Subscription

Kept = list[tuple[str, list[str], str, int]]


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "RETRY_DELAYS", (0.0, 0.0))


@pytest_asyncio.fixture(params=["memory", "file"])
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[], Journal]]:
    """Opens the one journal of the test, again after a restart."""
    memory, opened = MemoryJournal(), list[Journal]()

    def open_journal() -> Journal:
        if request.param == "memory":
            return memory
        opened.append(SqliteJournal.open(tmp_path / FILE_NAME, asyncio.get_running_loop()))
        return opened[-1]

    yield open_journal
    for journal in opened:
        await journal.close()


class Room:
    """A bus with one subscriber that cannot handle the texts in `poison`."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.bus = Bus(journal)
        self.letters = DeadLetters(self.bus, journal)
        self.poison = {"13"}
        self.seen: list[str] = []
        self.worker: Subscription = self.bus.subscribe("worker", self._handle, kinds=(CommentAdded,))

    async def _handle(self, recorded: Recorded) -> None:
        (text,) = texts([recorded])
        if text in self.poison:
            raise ValueError(f"unlucky {text}")
        self.seen.append(text)

    async def kept(self) -> Kept:
        return [(one.subscriber, texts([one.recorded]), one.error, one.attempts) for one in await self.letters.list()]


async def test_a_letter_survives_a_restart_is_inspected_and_retried(reopen: Callable[[], Journal]) -> None:
    room = Room(reopen())
    async with running(room.bus):
        await room.bus.publish(comment(12), comment(13), comment(14))
        await room.worker.idle()
    await room.journal.close()

    room = Room(reopen())
    async with running(room.bus):
        assert await room.kept() == [("worker", ["13"], "ValueError: unlucky 13", 3)]
        letter = await room.letters.find("worker", 2)
        assert letter.recorded == (await room.bus.read(1, 1))[0]
        await room.worker.idle()
        assert room.bus.pulse().subscribers[0].dead == 1

        left = await room.letters.retry("worker", 2)
        assert left is not None and left.attempts == 4
        assert await room.kept() == [("worker", ["13"], "ValueError: unlucky 13", 4)]

        room.poison.clear()
        assert await room.letters.retry("worker", 2) is None
        assert (room.seen, await room.kept()) == (["13"], [])
        assert room.bus.pulse().subscribers[0].dead == 0
    await room.journal.close()

    room = Room(reopen())
    async with running(room.bus):
        await room.worker.idle()
        assert (room.seen, await room.kept()) == ([], [])


async def test_discarding_says_who_and_why_in_the_log(reopen: Callable[[], Journal]) -> None:
    room = Room(reopen())
    async with running(room.bus):
        await room.bus.publish(comment(13))
        await room.worker.idle()
        with pytest.raises(DeskError, match="why") as refused:
            await room.letters.discard("worker", 1, actor="analyst:alice", reason=" ")
        assert refused.value.code == "reason_required"
        await room.letters.discard("worker", 1, actor="analyst:alice", reason="a test of the sender's")
        assert await room.letters.list() == []
        assert room.bus.pulse().subscribers[0].dead == 0
        (newest,) = await room.bus.history(None, 1)
        assert isinstance(newest.event, FaultRaised)
        assert (newest.event.actor, newest.event.context["reason"]) == ("analyst:alice", "a test of the sender's")
        assert newest.event.incident_id == comment(13).incident_id
        with pytest.raises(DeskError, match="no dead letter") as gone:
            await room.letters.discard("worker", 1, actor="analyst:alice", reason="again")
        assert gone.value.code == "not_found"


async def test_a_letter_is_not_handled_again_by_itself_after_a_crash(reopen: Callable[[], Journal]) -> None:
    room, tasks = Room(reopen()), Tasks()
    room.bus.start(tasks.spawn)
    await room.bus.publish(comment(13), comment(14))
    await room.worker.idle()
    await tasks.die()
    assert await room.journal.cursor("worker") == 0, "it died before its position was saved"
    await room.journal.close()

    room = Room(reopen())
    room.poison.clear()
    async with running(room.bus):
        await room.worker.idle()
        assert room.seen == ["14"]
        assert await room.kept() == [("worker", ["13"], "ValueError: unlucky 13", 3)]


async def test_a_letter_of_nobody_can_only_be_discarded(reopen: Callable[[], Journal]) -> None:
    room = Room(reopen())
    await room.bus.publish(comment(1))
    await room.journal.bury(DeadLetter("retired", (await room.bus.read(0, 1))[0], "KeyError: 'x'", 3))
    with pytest.raises(DeskError, match="retired") as refused:
        await room.letters.retry("retired", 1)
    assert refused.value.code == "not_possible"
    await room.letters.discard("retired", 1, actor="analyst:alice", reason="retired")
    assert await room.letters.list() == []


async def test_one_letter_for_one_event_however_often_it_is_buried(reopen: Callable[[], Journal]) -> None:
    journal = reopen()
    bus = Bus(journal)
    (recorded,) = await bus.publish(comment(1))
    for attempts in (3, 4):
        await journal.bury(DeadLetter("worker", recorded, "ValueError", attempts))
    await journal.bury(DeadLetter("other", recorded, "ValueError", 1))
    letters = await journal.dead_letters()
    assert sorted((one.subscriber, one.attempts) for one in letters) == [("other", 1), ("worker", 4)]
    assert [one.attempts for one in await journal.dead_letters("other")] == [1]
    assert await journal.remove_dead_letter("worker", recorded.seq)
    assert not await journal.remove_dead_letter("worker", recorded.seq)


async def test_a_retry_waits_for_its_turn_in_the_incident() -> None:
    journal, seen, gate = MemoryJournal(), list[str](), asyncio.Event()
    bus = Bus(journal)
    letters = DeadLetters(bus, journal)
    failing = True
    in_hand = 0

    async def handle(recorded: Recorded) -> None:
        nonlocal in_hand
        (text,) = texts([recorded])
        if text == "1" and failing:
            raise ValueError("not yet")
        in_hand += 1
        assert in_hand == 1
        if text == "2":
            await gate.wait()
        await asyncio.sleep(0)
        seen.append(text)
        in_hand -= 1

    worker = bus.subscribe("worker", handle)
    async with running(bus) as work:
        await bus.publish(comment(1))
        await worker.idle()
        failing = False
        await bus.publish(comment(2))
        await asyncio.sleep(0.01)
        work.start(letters.retry("worker", 1))
        await asyncio.sleep(0.01)
        with pytest.raises(DeskError, match="just now"):
            await letters.retry("worker", 1)
        assert seen == []
        gate.set()
        await bus.publish(comment(3))
        while len(seen) < 3:
            await asyncio.sleep(0)
        await worker.idle()
    assert sorted(seen) == ["1", "2", "3"]
    assert journal.letters == []


async def test_events_that_come_during_a_retry_wait_for_it() -> None:
    journal, seen, gate = MemoryJournal(), list[str](), asyncio.Event()
    bus = Bus(journal)
    failing = True

    async def handle(recorded: Recorded) -> None:
        if failing:
            raise ValueError("not yet")
        await gate.wait()
        seen.extend(texts([recorded]))

    worker = bus.subscribe("worker", handle)
    async with running(bus) as work:
        await bus.publish(comment(1))
        await worker.idle()
        failing = False
        work.start(DeadLetters(bus, journal).retry("worker", 1))
        await asyncio.sleep(0.01)
        await bus.publish(comment(2), comment(3))
        gate.set()
        await worker.idle()
    assert seen == ["1", "2", "3"]


async def test_a_cancelled_retry_leaves_the_letter_and_frees_the_incident() -> None:
    journal, seen = MemoryJournal(), list[str]()
    bus = Bus(journal)
    failing, hanging = True, False

    async def handle(recorded: Recorded) -> None:
        if failing:
            raise ValueError("not yet")
        if hanging:
            await asyncio.Event().wait()
        seen.extend(texts([recorded]))

    worker = bus.subscribe("worker", handle)
    letters = DeadLetters(bus, journal)
    async with running(bus):
        await bus.publish(comment(1))
        await worker.idle()
        failing, hanging = False, True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await letters.retry("worker", 1)
        hanging = False
        assert len(await letters.list()) == 1
        await bus.publish(comment(2))
        await worker.idle()
        assert await letters.retry("worker", 1) is None
    assert seen == ["2", "1"]


async def test_a_journal_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = MemoryJournal()
    room = Room(journal)

    async def broken(subscriber: str | None = None) -> list[DeadLetter]:
        raise JournalError("the disk is full; free some space")

    monkeypatch.setattr(journal, "dead_letters", broken)
    with pytest.raises(DeskError, match="free some space") as refused:
        await room.letters.list()
    assert refused.value.code == "not_recorded"


async def test_nobody_is_delayed_by_a_letter() -> None:
    room = Room(MemoryJournal())
    other: list[str] = []
    quick = room.bus.subscribe("other", noting(other))
    async with running(room.bus):
        await room.bus.publish(*(comment(number, of=number) for number in range(20)))
        await quick.idle()
        await room.worker.idle()
    assert len(room.seen) == 19
    assert len(other) == 20
