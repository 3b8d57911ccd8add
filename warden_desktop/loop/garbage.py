"""Keeps Python's garbage collector out of frames.

Reference counting frees nearly everything here; the collector only finds cycles, and to find them its third generation
walks everything that lives: with ten thousand incidents that takes half a second, in the middle of a frame. So what
lives after start-up is taken out of its sight, the young generations are larger, and everything newer is walked only
when nothing is going on.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from time import monotonic

YOUNG = (10_000, 50)
"""Objects made until the first generation is collected (Python's own: 700), and collections of the first for one of the
second (10). Both are short: they hold only what is new."""

NEVER = 1_000_000
"""Collections of the second generation for one of the third, which is thereby left to `rest`."""

REST_EVERY = 300.0
"""Seconds between two collections of everything that was made since start-up."""
LOOK_EVERY = 1.0
"""Seconds without activity after which nothing is going on."""


class Collector:
    """Call `start` once everything is built and shown, and keep `watch` running."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._rested = clock()

    def start(self) -> None:
        """Take what lives out of the collector's sight, what is garbage of the start included: it is little, and to
        look for it would hold up the window."""
        gc.freeze()
        gc.set_threshold(*YOUNG, NEVER)
        self._rested = self._clock()

    async def watch(self, activity: Callable[[], int]) -> None:
        """Rest whenever `activity`, a number that grows with what happens, stands still. Runs until cancelled."""
        seen = activity()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            before, seen = seen, activity()
            if before == seen:
                self.rest()

    def rest(self) -> bool:
        """Collect everything if it is time to; whether it did. What outlives this is taken out of sight as well, so
        that the next time walks only what is new."""
        if self._clock() - self._rested < REST_EVERY:
            return False
        gc.collect()
        gc.freeze()
        self._rested = self._clock()
        return True
