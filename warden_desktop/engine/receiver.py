"""Broadcast receivers: positions in the ring of newest events, with the log behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from warden_desktop.engine.ports import Recorded
from warden_desktop.engine.ring import Ring

Read = Callable[[int, int], Awaitable[list[Recorded]]]

PAGE = 256
"""Events read from the log at once, and taken from memory before others get their turn."""


class Lagged(Exception):
    """A receiver fell behind. `missed` events were skipped: those numbered `first` up to `first + missed - 1`."""

    def __init__(self, missed: int, first: int) -> None:
        super().__init__(f"{missed} events missed, from number {first} on")
        self.missed = missed
        self.first = first


class Closed(Exception):
    """The receiver was closed."""


class Batch(NamedTuple):
    """What `Receiver.drain` found: how many events were missed before `events`."""

    missed: int
    events: list[Recorded]


class Receiver:
    """A broadcast receiver, for one reader, which chooses how it reads:

    - `next` and `drain` stay within `capacity` of the head and say exactly what they skipped; `resync` reads that;
    - `take` and `async for` skip nothing, however far behind: what memory no longer holds they read from the log.
    """

    def __init__(self, ring: Ring, capacity: int, read: Read, forget: Callable[[Receiver], None]) -> None:
        self._ring = ring
        self._capacity = min(capacity, ring.size)
        self._read = read
        self._forget = forget
        self._position = ring.head
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self.missed = 0
        self.on_ready: Callable[[], None] | None = None
        """Called on the loop when events have arrived, and then not again before the next `drain`; for readers that do
        not await. It must be quick."""
        self._listen()

    @property
    def position(self) -> int:
        """The number of the last event taken."""
        return self._position

    @property
    def lag(self) -> int:
        """How many events wait."""
        return self._ring.head - self._position

    def drain(self, limit: int = 100_000) -> Batch:
        """Take what has arrived, without waiting."""
        missed = self._skip()
        events = self._ring.slice(self._position, limit)
        self._position += len(events)
        self._listen()
        return Batch(missed, events)

    async def next(self) -> Recorded:
        """Wait for the next event. Raises Lagged once when some were missed, Closed at the end."""
        while not self._closed:
            first = self._position + 1
            missed = self._skip()
            if missed:
                raise Lagged(missed, first)
            if events := self._ring.slice(self._position, 1):
                self._position += 1
                return events[0]
            await self._wait()
        raise Closed

    async def resync(self, lagged: Lagged) -> AsyncIterator[Recorded]:
        """Exactly the events that `lagged` speaks of, from the log; `next` goes on with the one after them."""
        after, last = lagged.first - 1, lagged.first + lagged.missed - 1
        while after < last and (page := await self._read(after, min(PAGE, last - after))):
            for recorded in page:
                if recorded.seq <= last:
                    yield recorded
            after = page[-1].seq

    async def take(self, limit: int = PAGE) -> list[Recorded]:
        """Wait for the next events, at most `limit`, none skipped. Raises Closed at the end, JournalError when it has
        to read the log and cannot, and Lagged for events that the log no longer has."""
        events = await self._following(limit)
        self._position = events[-1].seq
        return events

    async def __aiter__(self) -> AsyncIterator[Recorded]:
        """Every event from the position on, none skipped, until the receiver is closed. Raises as `take` does."""
        while True:
            try:
                events = await self._following(PAGE)
            except Closed:
                return
            for recorded in events:
                self._position = recorded.seq
                yield recorded
            await asyncio.sleep(0)

    def wake(self) -> None:
        """The head has moved."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self.on_ready is not None:
            self.on_ready()

    def close(self) -> None:
        """Stop receiving; a waiting reader learns of it."""
        self._closed = True
        self._ring.waiting.pop(self.wake, None)
        self._forget(self)
        self.wake()

    def _listen(self) -> None:
        if not self._closed:
            self._ring.waiting[self.wake] = None

    async def _following(self, limit: int) -> list[Recorded]:
        while not self._closed:
            if self._position + 1 < self._ring.tail:
                return await self._read_on(limit)
            if events := self._ring.slice(self._position, limit):
                return events
            await self._wait()
        raise Closed

    async def _read_on(self, limit: int) -> list[Recorded]:
        first = self._position + 1
        page = await self._read(self._position, limit)
        there = page[0].seq if page else self._ring.tail
        if there > first:
            self._position = there - 1
            raise Lagged(there - first, first)
        return page

    def _skip(self) -> int:
        missed = max(self._ring.head - self._capacity, self._ring.tail - 1) - self._position
        if missed <= 0:
            return 0
        self._position += missed
        self.missed += missed
        return missed

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        self._listen()
        try:
            await self._waiter
        finally:
            self._waiter = None
