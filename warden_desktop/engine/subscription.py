"""A named subscriber: a durable position in the log, served at least once and in order per incident."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any, NamedTuple

from warden_desktop.domain.record import now
from warden_desktop.engine.lanes import Lane, Lanes
from warden_desktop.engine.ports import DeadLetter, Journal, JournalError, Recorded
from warden_desktop.engine.pulse import SubscriberPulse
from warden_desktop.engine.ring import MOST_BYTES, Ring, weight

log = logging.getLogger(__name__)

Handler = Callable[[Recorded], Awaitable[None]]
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None] | None]

FROM_MEMORY = 512
FROM_LOG = 128
"""Events taken at once; fewer from the log, where each is decoded anew and may be a megabyte."""

QUEUED_AT_MOST = 2_048
"""Events taken and not yet handled; beyond this the subscriber stays behind in the log."""

SAVE_EVERY = 0.25
"""Seconds between saves of the position: what may be handled again after a crash."""

SAVE_PATIENCE = 2.0
"""Seconds a stopping subscriber waits for a hanging disk; what it could not save is handled again."""

RETRY_DELAYS = (0.05, 0.5, 2.0)
"""Seconds before each retry; after the last the event becomes a dead letter."""

LOG_RETRY = 1.0
"""Seconds between tries to read a log that cannot be read."""


class Interest(NamedTuple):
    """What a subscriber wants: the `kinds` (None: all), and how it wants them."""

    name: str
    handler: Handler
    kinds: frozenset[str] | None
    concurrency: int
    lane: Lane
    endless: Callable[[Exception], bool]
    """Whether an error is nobody's fault but the disk's: then the event is tried until it succeeds."""


class Subscription:
    """Feeds a handler from the log: the events of one lane, usually an incident, one after the other, several lanes at
    once. An event that fails is tried again after a while, the rest of its lane waiting; at last it is a dead letter.
    """

    def __init__(self, interest: Interest, journal: Journal, ring: Ring) -> None:
        self.name = interest.name
        self.handled = 0
        self.retried = 0
        self._interest = interest
        self._kinds = interest.kinds
        self._handler = interest.handler
        self._journal = journal
        self._ring = ring
        self._lanes = Lanes(interest.lane, interest.concurrency, self._serve, self._run)
        self._position = 0
        self._saved = 0
        self._pending: dict[int, Recorded] = {}
        self._bytes = 0
        self._buried: set[int] = set()
        self._moved = asyncio.Event()
        self._freed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawn: Spawn | None = None

    def start(self, spawn: Spawn) -> None:
        """Begin; `spawn` owns the tasks."""
        self._spawn = spawn
        self._run(self._pump())
        self._run(self._save_regularly())

    async def stop(self) -> None:
        """Stop taking events, cancel what runs, and save the position. The handler that calls it is not cancelled."""
        self._spawn = None
        others = self._tasks - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._lanes.clear()
        self._position = self.done
        self._pending.clear()
        self._bytes = 0
        with contextlib.suppress(JournalError, TimeoutError):
            async with asyncio.timeout(SAVE_PATIENCE):
                await self._save()

    def wake(self, kinds: Collection[str], first: int) -> None:
        """Events of these kinds, numbered from `first` up to the head, have come."""
        if self._kinds is None or not self._kinds.isdisjoint(kinds):
            self._moved.set()
        elif self._position == first - 1:
            self._position = self._ring.head  # nothing for us, and we had seen all before
        else:
            self._moved.set()

    def pulse(self) -> SubscriberPulse:
        """How it is doing."""
        return SubscriberPulse(self.name, self.depth, self._lag_seconds(), self.handled, self.retried, self.dead)

    @property
    def dead(self) -> int:
        """How many dead letters of this subscriber wait for a person."""
        return len(self._buried)

    @property
    def depth(self) -> int:
        """How many events it has not finished with, those it has not looked at yet included."""
        return self._ring.head - self._position + len(self._pending)

    @property
    def done(self) -> int:
        """The number up to which every event has been handled."""
        return next(iter(self._pending)) - 1 if self._pending else self._position

    async def idle(self) -> None:
        """Wait until everything now in the log has been handled."""
        goal = self._ring.head
        while self.done < goal:
            await self._change()

    async def _change(self) -> None:
        self._freed.clear()
        await self._freed.wait()

    def _lag_seconds(self) -> float:
        oldest = next(iter(self._pending.values()), None) or next(iter(self._ring.slice(self._held_after, 1)), None)
        return max(0.0, (now() - oldest.event.at).total_seconds()) if oldest else 0.0

    @property
    def _held_after(self) -> int:
        return max(self._position, self._ring.tail - 1)

    # --- taking ---------------------------------------------------------------------------------------------------

    async def _pump(self) -> None:
        await self._begin()
        while True:
            self._moved.clear()
            events, upto = await self._more()
            for recorded in events:
                while len(self._pending) >= QUEUED_AT_MOST or self._bytes >= MOST_BYTES:
                    await self._change()
                self._take(recorded)
            self._position = upto
            if upto >= self._ring.head:
                self._freed.set()
                await self._moved.wait()

    async def _begin(self) -> None:
        """Find out where it stopped. An event that became a dead letter just before a crash stays one."""
        while True:
            try:
                letters = await self._journal.dead_letters(self.name)
                self._position = self._saved = await self._journal.cursor(self.name)
            except Exception as error:
                await self._cannot_read(error)
            else:
                self._buried = {letter.recorded.seq for letter in letters}
                return

    async def _more(self) -> tuple[list[Recorded], int]:
        """The next events it wants, and the number up to which it has then seen all."""
        after, kinds = self._position, self._kinds
        if after + 1 < self._ring.tail:
            return await self._from_log(after)
        events = self._ring.slice(after, FROM_MEMORY)
        upto = after + len(events)
        return (events if kinds is None else [one for one in events if one.event.kind in kinds]), upto

    async def _from_log(self, after: int) -> tuple[list[Recorded], int]:
        head = self._ring.head
        try:
            events = await self._journal.read(after, FROM_LOG, kinds=self._kinds)
        except Exception as error:
            await self._cannot_read(error)
            return [], after
        return events, events[-1].seq if len(events) == FROM_LOG else max(head, events[-1].seq if events else 0)

    async def _cannot_read(self, error: Exception) -> None:
        log.error("%s cannot read the log: %s", self.name, error)
        await asyncio.sleep(LOG_RETRY)

    def _take(self, recorded: Recorded) -> None:
        self._position = recorded.seq
        if recorded.seq not in self._buried:
            self._pending[recorded.seq] = recorded
            self._bytes += weight(recorded)
            self._lanes.add(recorded)

    # --- handling -------------------------------------------------------------------------------------------------

    async def _serve(self, recorded: Recorded, failures: int) -> float | None:
        """Seconds after which to try again, or None when it is handled or buried."""
        try:
            await self._handler(recorded)
        except (Exception, asyncio.CancelledError) as raised:
            return await self._failed(recorded, failures, _fault(raised))
        self.handled += 1
        self._finished(recorded)
        return None

    async def _failed(self, recorded: Recorded, failures: int, error: Exception) -> float | None:
        log.warning("%s failed on event %d (%s): %r", self.name, recorded.seq, recorded.event.kind, error)
        if failures < len(RETRY_DELAYS) or self._interest.endless(error):
            self.retried += 1
            return RETRY_DELAYS[min(failures, len(RETRY_DELAYS) - 1)]
        await self._bury(recorded, error, failures + 1)
        self._finished(recorded)
        return None

    def _finished(self, recorded: Recorded) -> None:
        if self._pending.pop(recorded.seq, None) is not None:  # gone when the handler has unsubscribed itself
            self._bytes -= weight(recorded)
        self._freed.set()

    async def retry(self, letter: DeadLetter) -> DeadLetter | None:
        """Handle a dead letter's event once more, when nothing else of its lane is being handled. None when it
        succeeded: then the letter is gone. Raises JournalError when the letter could not be changed."""
        try:
            async with self._lanes.alone(letter.recorded):
                await self._handler(letter.recorded)
        except (Exception, asyncio.CancelledError) as raised:
            again = letter._replace(error=_described(_fault(raised)), attempts=letter.attempts + 1)
            log.warning("%s failed again on event %d: %s", self.name, letter.recorded.seq, again.error)
            await self._journal.bury(again)
            return again
        self.handled += 1
        await self._journal.remove_dead_letter(self.name, letter.recorded.seq)
        self.forget(letter)
        return None

    def forget(self, letter: DeadLetter) -> None:
        """The letter is gone."""
        self._buried.discard(letter.recorded.seq)

    async def _bury(self, recorded: Recorded, error: Exception, attempts: int) -> None:
        log.error("%s gives up on event %d (%s)", self.name, recorded.seq, recorded.event.kind, exc_info=error)
        letter = DeadLetter(self.name, recorded, _described(error), attempts)
        while True:
            try:
                await self._journal.bury(letter)
            except JournalError as failure:
                log.error("the dead letter of event %d is not stored yet: %s", recorded.seq, failure)
                await asyncio.sleep(RETRY_DELAYS[-1])
            else:
                self._buried.add(recorded.seq)
                return

    # --- remembering ------------------------------------------------------------------------------------------------

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            try:
                await self._save()
            except JournalError as error:
                log.error("the position of %s is not saved: %s", self.name, error)

    async def _save(self) -> None:
        done = self.done
        if done > self._saved:
            await self._journal.move_cursor(self.name, done)
            self._saved = done

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        task = self._spawn(work) if self._spawn else None
        if task is None:
            work.close()
            return None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _fault(raised: BaseException) -> Exception:
    """What a handler raised, as an error of its own. Raises it again when it is the task that is cancelled."""
    if isinstance(raised, Exception):
        return raised
    task = asyncio.current_task()
    if task is None or task.cancelling():
        raise raised
    return RuntimeError("the handler awaited something that was cancelled")


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
