"""How the bus is doing, as numbers: for /metrics, the self-check and the status bar."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

WINDOW = 1_024
"""Publishes over which the latency is taken: the newest ones."""


class SubscriberPulse(NamedTuple):
    """One named subscriber.

    `depth`: events it has not finished with, those it has not looked at yet included. `lag_seconds`: the age of the
    oldest of them, 0.0 when there is none. `handled` and `retried` count since the start. `dead`: its dead letters that
    wait for a person, those of earlier runs included.
    """

    name: str
    depth: int
    lag_seconds: float
    handled: int
    retried: int
    dead: int


class BusPulse(NamedTuple):
    """The whole bus. `published` (events recorded), `failed` (publishes that were not) and `missed` (events that
    lagging broadcast receivers skipped, all receivers together) count since the start; latencies are milliseconds from
    the call of `publish` until the event is durable, over the last `WINDOW` publishes, 0.0 before the first."""

    last_seq: int
    published: int
    failed: int
    waiting: int
    """Publishers that wait because the journal cannot keep up."""
    p50_ms: float
    p99_ms: float
    receivers: int
    missed: int
    subscribers: tuple[SubscriberPulse, ...]


class Latency:
    """The durations of the newest publishes."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=WINDOW)

    def took(self, seconds: float) -> None:
        """A publish has succeeded."""
        self._seconds.append(seconds)

    def percentile(self, share: float) -> float:
        """Milliseconds within which `share` (0 to 1) of the publishes succeeded."""
        ordered = sorted(self._seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000 if ordered else 0.0
