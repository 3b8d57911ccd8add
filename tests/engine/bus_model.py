"""The bus in ten lines, and a machine that does to the real one whatever can be done to it and compares the two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from tests.samples_of_events import ROOT
from warden_desktop.domain.events import CommentAdded, Event, IncidentAssigned
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.dead_letters import DeadLetters
from warden_desktop.engine.ports import Journal, Recorded
from warden_desktop.engine.receiver import Lagged, Receiver
from warden_desktop.engine.tasks import Work

T = TypeVar("T")

NEVER = 30.0
"""Seconds."""


class Model:
    """The reference: one list. What a reader must get is a slice of it."""

    def __init__(self) -> None:
        self.log: list[Event] = []

    def publish(self, events: Sequence[Event]) -> list[int]:
        """Their places in the log."""
        for event in events:
            if event not in self.log:
                self.log.append(event)
        return [self.log.index(event) + 1 for event in events]

    def wanted(self, kinds: Sequence[type[Event]]) -> list[int]:
        return [seq for seq, event in enumerate(self.log, 1) if isinstance(event, tuple(kinds))]


def incident(number: int) -> UUID:
    return uuid5(ROOT, f"incident {number}")


def comment(number: int, of: int = 0) -> CommentAdded:
    return CommentAdded(actor="analyst:alice", incident_id=incident(of), text=str(number))


def texts(events: Sequence[Recorded]) -> list[str]:
    return [recorded.event.text for recorded in events if isinstance(recorded.event, CommentAdded)]


def noting(seen: list[str]) -> Callable[[Recorded], Awaitable[None]]:
    """A handler that writes down what it gets."""

    async def note(recorded: Recorded) -> None:
        seen.extend(texts([recorded]))

    return note


@asynccontextmanager
async def running(bus: Bus) -> AsyncIterator[Work]:
    """Serves the bus's subscribers. What never comes fails the test instead of holding it up."""
    async with asyncio.timeout(NEVER), asyncio.TaskGroup() as group:
        work = Work(group)
        bus.start(work.spawn)
        try:
            yield work
        finally:
            await bus.stop()
            work.end()


class Seen:
    """What one named subscriber has done, over all runs."""

    def __init__(self, kinds: tuple[type[Event], ...]) -> None:
        self.kinds = kinds
        self.handled: list[int] = []
        self.again: set[int] = set()
        """What a crash allows to come again."""
        self.in_hand: set[UUID | None] = set()
        self.discarded: set[int] = set()
        self.revived: set[int] = set()
        """Dead letters that were retried with success, out of order."""


class Tasks:
    """Those of one run; none is left after a crash, and none begins."""

    def __init__(self) -> None:
        self._alive = True
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        if not self._alive:
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())
        return task

    async def die(self) -> None:
        self._alive = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Listening(NamedTuple):
    """A receiver, where it began, and what it got."""

    receiver: Receiver
    began: int
    got: list[int]


KINDS = st.sampled_from([(CommentAdded,), (IncidentAssigned,), (CommentAdded, IncidentAssigned)])
TROUBLES = st.sampled_from([0, 0, 0, 1, 2, 1_000])
"""How often an event fails before it is handled."""
EVENTS = st.lists(st.tuples(st.integers(0, 2), st.booleans(), TROUBLES), min_size=1, max_size=5)
NAMES = st.sampled_from(["intake", "triage", "executor"])


class BusMachine(RuleBasedStateMachine):
    """One application's life: publishes, readers, failing and slow handlers, crashes and restarts."""

    receivers = Bundle("receivers")

    def __init__(self, journal: Callable[[], Journal]) -> None:
        """`journal` opens the one journal of this life, again after each crash."""
        super().__init__()
        self._open = journal
        self._runner = asyncio.Runner()
        self._model = Model()
        self._troubles: dict[UUID, int] = {}
        self._seen: dict[str, Seen] = {}
        self._listening: list[Listening] = []
        self._tasks = Tasks()
        self._faults: list[str] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        self._gate = asyncio.Event()
        self._gate.set()
        self._journal = self._open()
        self._bus = Bus(self._journal, memory=8)
        self._letters = DeadLetters(self._bus, self._journal)
        self._folded: list[int] = []
        self._bus.attach(lambda recorded: self._folded.append(recorded.seq))
        self._began = self._journal.last_seq
        for name in self._seen:
            self._subscribe(name)
        self._tasks = Tasks()
        self._bus.start(self._tasks.spawn)

    # --- publishing ---------------------------------------------------------------------------------------------

    @rule(made=EVENTS, repeat=st.integers(0, 30))
    def publish(self, made: list[tuple[int, bool, int]], repeat: int) -> None:
        """Some events at once; among them perhaps one that is in the log already."""
        events: list[Event] = [self._event(*one) for one in made]
        if repeat < len(self._model.log):
            events.insert(repeat % (len(events) + 1), self._model.log[repeat])
        expected = self._model.publish(events)
        assert [one.seq for one in self.run(self._publish(events))] == expected

    @rule(made=EVENTS)
    def publish_side_by_side(self, made: list[tuple[int, bool, int]]) -> None:
        """Each event by a publisher of its own, all in one commit."""
        events = [self._event(*one) for one in made]
        expected = self._model.publish(events)
        assert [one.seq for (one,) in self.run(self._publish_each(events))] == expected

    async def _publish_each(self, events: Sequence[Event]) -> list[tuple[Recorded, ...]]:
        return await asyncio.gather(*(self._bus.publish(event) for event in events))

    async def _publish(self, events: Sequence[Event]) -> tuple[Recorded, ...]:
        return await self._bus.publish(*events)

    def _event(self, of: int, is_comment: bool, trouble: int) -> Event:
        number = len(self._troubles)
        event: Event = comment(number, of)
        if not is_comment:
            event = IncidentAssigned(actor="analyst:alice", incident_id=incident(of), assignee=str(number))
        self._troubles[event.id] = trouble
        return event

    # --- broadcast ----------------------------------------------------------------------------------------------

    @rule(target=receivers, capacity=st.integers(1, 8))
    def listen(self, capacity: int) -> Listening:
        listening = Listening(self._bus.listen(capacity), self._bus.last_seq, [])
        self._listening.append(listening)
        return listening

    @rule(listening=receivers, limit=st.integers(1, 6))
    def drain(self, listening: Listening, limit: int) -> None:
        if listening in self._listening:
            before = listening.receiver.position
            missed, events = listening.receiver.drain(limit)
            listening.got.extend(range(before + 1, before + 1 + missed))
            listening.got.extend(one.seq for one in events)

    @rule(listening=receivers, limit=st.integers(1, 6))
    def take(self, listening: Listening, limit: int) -> None:
        if listening in self._listening and listening.receiver.lag:
            listening.got.extend(one.seq for one in self.run(listening.receiver.take(limit)))

    @rule(listening=receivers)
    def next_or_resync(self, listening: Listening) -> None:
        if listening in self._listening and listening.receiver.lag:
            listening.got.extend(self.run(self._next(listening.receiver)))

    async def _next(self, receiver: Receiver) -> list[int]:
        try:
            return [(await receiver.next()).seq]
        except Lagged as lagged:
            missed = lagged
        again = [one.seq async for one in receiver.resync(missed)]
        assert len(again) == missed.missed
        return again

    @rule(listening=consumes(receivers))
    def close(self, listening: Listening) -> None:
        listening.receiver.close()
        if listening in self._listening:
            self._listening.remove(listening)

    # --- named subscribers --------------------------------------------------------------------------------------

    @rule(name=NAMES, kinds=KINDS)
    def subscribe(self, name: str, kinds: tuple[type[Event], ...]) -> None:
        if name not in self._seen:
            self._seen[name] = Seen(kinds)
            self.run(self._subscribed(name))

    async def _subscribed(self, name: str) -> None:
        self._subscribe(name)

    def _subscribe(self, name: str) -> None:
        seen = self._seen[name]
        seen.in_hand.clear()

        async def handle(recorded: Recorded) -> None:
            await self._handle(seen, recorded)

        self._bus.subscribe(name, handle, kinds=seen.kinds, concurrency=2)

    async def _handle(self, seen: Seen, recorded: Recorded) -> None:
        lane = recorded.event.incident_id
        if lane in seen.in_hand:
            self._faults.append(f"two events of one incident at once: {recorded.seq}")
        seen.in_hand.add(lane)
        try:
            await self._gate.wait()
            await asyncio.sleep(0)
        finally:
            seen.in_hand.discard(lane)
        if self._troubles[recorded.event.id] > 0:
            self._troubles[recorded.event.id] -= 1
            raise ValueError("trouble")
        seen.handled.append(recorded.seq)

    @rule(name=NAMES)
    def unsubscribe_and_come_back(self, name: str) -> None:
        if name in self._seen:
            self.run(self._come_back(name))

    async def _come_back(self, name: str) -> None:
        await self._bus.unsubscribe(name)
        await self._allow_again(name)
        self._subscribe(name)

    async def _allow_again(self, name: str) -> None:
        done = await self._journal.cursor(name)
        self._seen[name].again |= {seq for seq in self._seen[name].handled if seq > done}

    @rule()
    def hold_the_handlers_up(self) -> None:
        self._gate.clear()

    @rule(turns=st.integers(1, 20))
    def let_time_pass(self, turns: int) -> None:
        self.run(self._pass(turns))

    async def _pass(self, turns: int) -> None:
        self._gate.set()
        for _ in range(turns):
            await asyncio.sleep(0)

    # --- crashes and ends -----------------------------------------------------------------------------------------

    @rule()
    def crash(self) -> None:
        self.run(self._crash())

    async def _crash(self) -> None:
        await self._tasks.die()
        for name in self._seen:
            await self._allow_again(name)
        await self._leave()

    @rule()
    def restart(self) -> None:
        self.run(self._restart())

    async def _restart(self) -> None:
        await self._bus.stop()
        for name in self._seen:
            await self._allow_again(name)
        await self._leave()

    async def _leave(self) -> None:
        self._listening.clear()
        await self._journal.close()
        await self._begin()

    # --- dead letters -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self._seen)
    @rule(pick=st.integers(0, 5), heals=st.booleans(), gives_up=st.booleans())
    def deal_with_a_dead_letter(self, pick: int, heals: bool, gives_up: bool) -> None:
        self.run(self._deal(pick, heals, gives_up))

    async def _deal(self, pick: int, heals: bool, gives_up: bool) -> None:
        self._gate.set()
        letters = await self._letters.list()
        if not letters:
            return
        letter = letters[pick % len(letters)]
        if gives_up:
            self._seen[letter.subscriber].discarded.add(letter.recorded.seq)
            await self._letters.discard(letter.subscriber, letter.recorded.seq, actor="alice", reason="old")
            self._model.log.append((await self._bus.history(None, 1))[0].event)
            return
        self._troubles[letter.recorded.event.id] = 0 if heals else 1_000
        left = await self._letters.retry(letter.subscriber, letter.recorded.seq)
        assert (left is None) == heals
        if heals:
            self._seen[letter.subscriber].revived.add(letter.recorded.seq)

    # --- what must hold -----------------------------------------------------------------------------------------------

    @rule()
    def everything_settles(self) -> None:
        self.run(self._settle())

    async def _settle(self) -> None:
        self._gate.set()
        for subscription in self._bus.subscriptions:
            await subscription.idle()
        dead = await self._letters.list()
        for name, seen in self._seen.items():
            self._check(seen, {one.recorded.seq for one in dead if one.subscriber == name}, name)

    def _check(self, seen: Seen, dead: set[int], name: str) -> None:
        wanted = self._model.wanted(seen.kinds)
        assert set(seen.handled) | dead | seen.discarded == set(wanted), "every event, and no other"
        assert not dead & set(seen.handled), "handled or dead, not both"
        repeated = {seq for seq in seen.handled if seen.handled.count(seq) > 1}
        assert repeated <= seen.again, "only a crash makes an event come again"
        lanes: dict[UUID | None, list[int]] = {}
        for seq in dict.fromkeys(seen.handled):
            if seq not in seen.revived:
                lanes.setdefault(self._model.log[seq - 1].incident_id, []).append(seq)
        assert all(lane == sorted(lane) for lane in lanes.values()), "one incident in order"
        assert self._bus.subscription(name).depth == 0
        assert self._bus.subscription(name).dead == len(dead)

    @invariant()
    def one_order(self) -> None:
        assert self._faults == []
        for receiver, began, got in self._listening:
            assert got == list(range(began + 1, receiver.position + 1)), "neither a gap nor a repeat"

    def teardown(self) -> None:
        if hasattr(self, "_bus"):
            self.run(self._end())
        self._runner.close()

    async def _end(self) -> None:
        await self._settle()
        recorded = await self._bus.read(0, 100_000)
        assert [one.event for one in recorded] == self._model.log
        assert [one.seq for one in recorded] == list(range(1, len(recorded) + 1))
        assert self._folded == [one.seq for one in recorded if one.seq > self._began]
        await self._bus.stop()
        await self._journal.close()
