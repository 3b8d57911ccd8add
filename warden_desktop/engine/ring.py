"""The newest events in memory, shared by all readers by reference."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from warden_desktop.domain.events import AlertReceived
from warden_desktop.engine.ports import Recorded

MOST_BYTES = 64 * 2**20
"""Bytes of raw deliveries in the ring. Their number alone is no bound: one delivery may have a megabyte."""


class Ring:
    """The newest events by number. Event `seq` sits in slot `seq % size`, so finding one costs nothing."""

    def __init__(self, size: int, head: int, most_bytes: int = MOST_BYTES) -> None:
        self.size = size
        self.head = head
        self.tail = head + 1
        """The oldest number still held; `head + 1` when empty."""
        self.waiting: dict[Callable[[], None], None] = {}
        """To be called when the head moves, once: readers that have taken all there was."""
        self._most_bytes = most_bytes
        self._bytes = 0
        self._weights: deque[tuple[int, int]] = deque()
        self._slots: list[Recorded | None] = [None] * size

    def extend(self, batch: Sequence[Recorded], weight: int = 0) -> None:
        """Add what follows the head; `weight` is the bytes of the whole batch."""
        held = batch if len(batch) <= self.size else batch[-self.size :]
        low = held[0].seq % self.size
        room = self.size - low
        if len(held) <= room:
            self._slots[low : low + len(held)] = held
        else:
            self._slots[low:], self._slots[: len(held) - room] = held[:room], held[room:]
        self.head = held[-1].seq
        if self.head - self.tail >= self.size:
            self._forget(self.head - self.size + 1)
        if weight:
            self._weigh(weight)

    def slice(self, after: int, limit: int) -> list[Recorded]:
        """Up to `limit` events numbered above `after`, all of which must still be held."""
        first, last = after + 1, min(self.head, after + limit)
        if last < first:
            return []
        low, high = first % self.size, last % self.size
        found = self._slots[low : high + 1] if low <= high else self._slots[low:] + self._slots[: high + 1]
        return found  # type: ignore[return-value]  # no slot between tail and head is empty

    def waited(self) -> Sequence[Callable[[], None]]:
        """Whom to tell that the head has moved."""
        waiting = tuple(self.waiting)
        self.waiting.clear()
        return waiting

    def _weigh(self, weight: int) -> None:
        self._weights.append((self.head, weight))
        self._bytes += weight
        while self._bytes > self._most_bytes and self._weights:
            self._drop(self._weights[0][0])

    def _drop(self, last: int) -> None:
        """Let go of everything up to `last`."""
        for seq in range(self.tail, last + 1):
            self._slots[seq % self.size] = None
        self._forget(last + 1)

    def _forget(self, tail: int) -> None:
        self.tail = tail
        while self._weights and self._weights[0][0] < tail:
            self._bytes -= self._weights.popleft()[1]


def weight(recorded: Recorded) -> int:
    """The bytes of a raw delivery: what a sender can make large."""
    event = recorded.event
    return len(event.raw) if type(event) is AlertReceived else 0
