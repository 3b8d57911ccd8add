"""How much the door takes: sizes, times, connections, and alerts a second for each source."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True)
class Limits:
    """Every limit of the door. Times in seconds, sizes in bytes, `rate` in alerts a second for each source."""

    body: int = 1_048_576
    header_timeout: float = 5.0
    body_timeout: float = 10.0
    connections: int = 200
    streams: int = 16
    rate: float = 1_000.0
    burst: float = 20_000.0
    quarantine_entries: int = 100
    quarantine_bytes: int = 20_000_000


class Quota:
    """A token bucket for each source. Only deliveries that proved who they are get this far: no stranger empties it."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def charge(self, source: str, alerts: int = 1) -> float:
        """Take `alerts` from the source's allowance. 0 when it had them; else the seconds until it will have, and
        nothing is taken. A delivery larger than the whole bucket is let through a full one."""
        now = self._clock()
        left, since = self._buckets.get(source, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        missing = min(alerts, self._burst) - left
        self._buckets[source] = (left if missing > 0 else left - alerts, now)
        return math.ceil(missing / self._rate) if missing > 0 else 0.0
