"""The ring of newest events in memory, and the broadcast receivers that are positions in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from warden_desktop.engine.ports import Recorded


class Lagged(Exception):
    """A receiver fell behind. `missed` events were skipped: those numbered `first` up to `first + missed - 1`."""

    def __init__(self, missed: int, first: int) -> None:
        super().__init__(f"{missed} events missed, from number {first} on")
        self.missed = missed
        self.first = first


class Closed(Exception):
    """The receiver was closed."""


class Ring:
    """The newest events by number. Event `seq` sits in slot `seq % size`, so finding one costs nothing."""

    def __init__(self, size: int, head: int) -> None:
        self.size = size
        self.head = head
        self._start = head
        self._slots: list[Recorded | None] = [None] * size

    def append(self, recorded: Recorded) -> None:
        self._slots[recorded.seq % self.size] = recorded
        self.head = recorded.seq

    @property
    def tail(self) -> int:
        """The oldest number still held; `head + 1` when empty."""
        return max(self.head - self.size + 1, self._start + 1)

    def slice(self, after: int, limit: int) -> list[Recorded]:
        """Up to `limit` events numbered above `after`, all of which must still be held."""
        first, last = after + 1, min(self.head, after + limit)
        if last < first:
            return []
        low, high = first % self.size, last % self.size
        slots = self._slots[low : high + 1] if low <= high else self._slots[low:] + self._slots[: high + 1]
        return [recorded for recorded in slots if recorded is not None]


class Batch(NamedTuple):
    """What `Receiver.drain` found: how many events were missed before `events`."""

    missed: int
    events: list[Recorded]


class Receiver:
    """A broadcast receiver: a position in the ring, `capacity` events at most behind the head."""

    def __init__(self, ring: Ring, capacity: int, forget: Callable[[Receiver], None]) -> None:
        self._ring = ring
        self._capacity = min(capacity, ring.size)
        self._forget = forget
        self._position = ring.head
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self.on_ready: Callable[[], None] | None = None
        """Called on the loop when events have arrived; for readers that do not await."""

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

    def wake(self) -> None:
        """The head has moved."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self.on_ready is not None:
            self.on_ready()

    def close(self) -> None:
        """Stop receiving; a waiting `next` raises Closed."""
        self._closed = True
        self._forget(self)
        self.wake()

    def _skip(self) -> int:
        missed = self.lag - self._capacity
        if missed <= 0:
            return 0
        self._position += missed
        return missed

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
