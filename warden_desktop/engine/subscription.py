"""A named subscriber: a durable position in the log, served at least once and in order per incident."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any

from warden_desktop.engine.ports import DeadLetter, Journal, JournalError, Recorded
from warden_desktop.engine.receiver import Ring

log = logging.getLogger(__name__)

Lane = Callable[[Recorded], Hashable]
Handler = Callable[[Recorded], Awaitable[None]]
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None] | None]

BATCH = 512
QUEUED_AT_MOST = 2_048
"""Events taken from the log and not yet handled; beyond this the subscriber stays behind in the log."""

SAVE_EVERY = 0.25
"""Seconds between saves of the position: what may be handled again after a crash."""

RETRY_DELAYS = (0.05, 0.5, 2.0)
"""Seconds before each retry; after the last the event becomes a dead letter."""


class Subscription:
    """Feeds `handler` from the log.

    `lane` sorts events into lanes, usually by incident: the events of one lane are handled one after the other, up to
    `concurrency` lanes at once, and lanes begin in log order. An event that fails with `endless` (the journal does
    not record just now) is tried until it succeeds: giving up would lose work that is nobody's fault but the disk's.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        kinds: frozenset[str] | None,
        concurrency: int,
        journal: Journal,
        ring: Ring,
        endless: type[Exception],
        lane: Lane,
    ) -> None:
        self.name = name
        self.handled = 0
        self.retried = 0
        self.dead = 0
        self._handler = handler
        self._kinds = kinds
        self._concurrency = concurrency
        self._journal = journal
        self._ring = ring
        self._endless = endless
        self._lane = lane
        self._position = 0
        self._saved = 0
        self._lanes: dict[Hashable, deque[Recorded]] = {}
        self._waiting: deque[Hashable] = deque()
        self._running = 0
        self._pending: dict[int, None] = {}
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
        """Stop taking events, cancel what runs, and save the position."""
        self._spawn = None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(JournalError):
            await self._save()

    def wake(self) -> None:
        """The log has grown."""
        self._moved.set()

    @property
    def depth(self) -> int:
        """How many events of the log it has not finished with."""
        return self._ring.head - self.done

    @property
    def done(self) -> int:
        """The number up to which every event has been handled."""
        return next(iter(self._pending)) - 1 if self._pending else self._position

    async def idle(self) -> None:
        """Wait until everything now in the log has been handled."""
        goal = self._ring.head
        while self.done < goal:
            self._freed.clear()
            if self.done >= goal:
                return
            await self._freed.wait()

    # --- taking ---------------------------------------------------------------------------------------------------

    async def _pump(self) -> None:
        self._position = self._saved = await self._journal.cursor(self.name)
        while True:
            self._moved.clear()
            for recorded in await self._more():
                await self._room()
                self._take(recorded)
            if self._position >= self._ring.head:
                self._freed.set()
                await self._moved.wait()

    async def _more(self) -> list[Recorded]:
        if self._position + 1 >= self._ring.tail:
            return self._ring.slice(self._position, BATCH)
        try:
            return await self._journal.read(self._position, BATCH)
        except JournalError as error:
            log.error("%s cannot read the log: %s", self.name, error)
            await asyncio.sleep(1.0)
            return []

    async def _room(self) -> None:
        while len(self._pending) >= QUEUED_AT_MOST:
            self._freed.clear()
            await self._freed.wait()

    def _take(self, recorded: Recorded) -> None:
        if self._kinds is not None and recorded.event.kind not in self._kinds:
            self._position = recorded.seq
            return
        self._pending[recorded.seq] = None
        self._position = recorded.seq
        self._enqueue(recorded)

    # --- handling -------------------------------------------------------------------------------------------------

    def _enqueue(self, recorded: Recorded) -> None:
        key = self._lane(recorded)
        if key in self._lanes:
            self._lanes[key].append(recorded)
            return
        self._lanes[key] = deque((recorded,))
        self._waiting.append(key)
        self._fill()

    def _fill(self) -> None:
        while self._waiting and self._running < self._concurrency:
            self._running += 1
            self._run(self._serve(self._waiting.popleft()))

    async def _serve(self, key: Hashable) -> None:
        lane = self._lanes[key]
        while lane:
            recorded = lane.popleft()
            await self._handle(recorded)
            self._pending.pop(recorded.seq, None)
            self._freed.set()
        del self._lanes[key]
        self._running -= 1
        self._fill()

    async def _handle(self, recorded: Recorded) -> None:
        attempts = 0
        while True:
            attempts += 1
            error = await self._attempt(recorded)
            if error is None:
                self.handled += 1
                return
            self.retried += 1
            if attempts > len(RETRY_DELAYS) and not isinstance(error, self._endless):
                await self._bury(recorded, error, attempts)
                return
            await asyncio.sleep(RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1])

    async def _attempt(self, recorded: Recorded) -> Exception | None:
        try:
            await self._handler(recorded)
        except Exception as error:
            log.warning("%s failed on event %d (%s): %r", self.name, recorded.seq, recorded.event.kind, error)
            return error
        return None

    async def _bury(self, recorded: Recorded, error: Exception, attempts: int) -> None:
        self.dead += 1
        log.error("%s gives up on event %d (%s)", self.name, recorded.seq, recorded.event.kind, exc_info=error)
        letter = DeadLetter(self.name, recorded, f"{type(error).__name__}: {error}", attempts)
        while True:
            try:
                return await self._journal.bury(letter)
            except JournalError as failure:
                log.error("the dead letter of event %d is not stored yet: %s", recorded.seq, failure)
                await asyncio.sleep(RETRY_DELAYS[-1])

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

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._spawn(work) if self._spawn else None
        if task is None:
            work.close()
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
