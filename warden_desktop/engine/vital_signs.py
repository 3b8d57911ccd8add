"""How the heart of the application is doing: bus, journal and loop, for /metrics, the self-check and the status bar."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import NamedTuple, Protocol

from warden_desktop.engine.pulse import BusPulse

BEAT = 0.25
"""Seconds between two looks at the loop and the journal."""
MINUTE = 240
"""Beats in a minute: over which the worst and the percentiles are taken."""


class JournalStats(Protocol):
    """What a journal tells about itself; see the journal's own description."""

    @property
    def queued(self) -> int: ...
    @property
    def committed_batches(self) -> int: ...
    @property
    def last_commit_ms(self) -> float: ...
    @property
    def db_bytes(self) -> int: ...
    @property
    def wal_bytes(self) -> int: ...


class JournalPulse(NamedTuple):
    """`queued` events wait to become durable, `commits` count since the start, milliseconds of making a transaction
    durable are those sampled within the last minute (0.0 before the first), sizes are bytes."""

    queued: int
    commits: int
    p50_ms: float
    p99_ms: float
    db_bytes: int
    wal_bytes: int


class LoopPulse(NamedTuple):
    """Milliseconds. `lag_ms`: how late the loop was at the worst within the last minute; `longest` names the callback
    that held the thread longest within it, for `longest_ms`; `slow` counts slow callbacks since the start."""

    lag_ms: float
    longest: str
    longest_ms: float
    slow: int


class Vitals(NamedTuple):
    """Everything at one moment."""

    bus: BusPulse
    journal: JournalPulse
    loop: LoopPulse


class VitalSigns:
    """Looks several times a second while `watch` runs; `read` tells what it saw.

    `take_longest` gives name and seconds of the longest callback since it was last called, `slow` how many were slow
    since the start.
    """

    def __init__(
        self,
        bus: Callable[[], BusPulse],
        journal: Callable[[], JournalStats],
        take_longest: Callable[[], tuple[str, float]] = lambda: ("", 0.0),
        slow: Callable[[], int] = lambda: 0,
    ) -> None:
        self._bus = bus
        self._journal = journal
        self._take_longest = take_longest
        self._slow = slow
        self._commits = 0
        self._commit_ms: deque[float] = deque(maxlen=MINUTE)
        self._lags: deque[float] = deque((0.0,), maxlen=MINUTE)
        self._longest: deque[tuple[str, float]] = deque((("", 0.0),), maxlen=MINUTE)

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            due = monotonic() + BEAT
            await asyncio.sleep(BEAT)
            self.beat(monotonic() - due)

    def beat(self, late: float) -> None:
        """Look once; the loop was `late` seconds late for it."""
        self._lags.append(late)
        self._longest.append(self._take_longest())
        stats = self._journal()
        if stats.committed_batches != self._commits:
            self._commits = stats.committed_batches
            self._commit_ms.append(stats.last_commit_ms)

    def read(self) -> Vitals:
        """What is known now."""
        stats = self._journal()
        name, seconds = max(self._longest, key=lambda one: one[1])
        return Vitals(
            bus=self._bus(),
            journal=JournalPulse(
                stats.queued,
                stats.committed_batches,
                percentile(self._commit_ms, 0.5),
                percentile(self._commit_ms, 0.99),
                stats.db_bytes,
                stats.wal_bytes,
            ),
            loop=LoopPulse(max(self._lags) * 1000, name, seconds * 1000, self._slow()),
        )


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0 to 1) of `values` do not exceed; 0.0 when there is none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
