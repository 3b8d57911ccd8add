"""Slow callbacks in the log: enough to find them, not enough to fill it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two lines about one name."""
NAMES = 200
"""Names remembered; beyond, the oldest is written down and forgotten."""


@dataclass(slots=True)
class _Told:
    at: float
    times: int = 0
    worst: float = 0.0


class StallLog:
    """One line per name and minute: at once the first time, then how often since and how long at worst.

    Give it to a loop as `on_slow_callback`, and call `flush` now and then for what has not been told yet. Tasks of one
    name count as one, whatever their coroutine. `count`: slow callbacks so far, told or not. The lines are information:
    they are for the log file, not for the terminal of an analyst, who can do nothing about them.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._told: dict[str, _Told] = {}

    def __call__(self, name: str, seconds: float) -> None:
        self.count += 1
        key = name.partition(" [")[0]
        told = self._told.get(key)
        if told is None:
            self._told[key] = _Told(self._clock())
            log.info("%s held the thread for %.0f ms", name, seconds * 1000)
        else:
            told.times += 1
            told.worst = max(told.worst, seconds)
        self.flush()

    def flush(self, everything: bool = False) -> None:
        """Write down what is due; `everything`: what is not, too, because the application ends."""
        now = self._clock()
        excess = len(self._told) - NAMES
        for number, (name, told) in enumerate(tuple(self._told.items())):
            if everything or number < excess or now - told.at >= EVERY:
                self._write(name, told, now - told.at)
                del self._told[name]

    def _write(self, name: str, told: _Told, seconds: float) -> None:
        if told.times:
            text = "%s held the thread %d times more within %.0f s, at worst for %.0f ms"
            log.info(text, name, told.times, seconds, told.worst * 1000)
