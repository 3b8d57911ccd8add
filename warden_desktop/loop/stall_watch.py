"""Which callbacks held the thread for too long, and what they are called."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable

SLOW_CALLBACK = 0.008
"""Seconds after which a callback is reported: half a frame at 60 Hz."""

_NUMBERED = re.compile(r"Task-\d+")
"""What asyncio calls a task that nobody named."""


def callback_name(callback: object) -> str:
    """A name for logs and the status bar: a task and its coroutine, or the function behind a partial or method."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        coroutine, name = getattr(owner.get_coro(), "__qualname__", "coroutine"), owner.get_name()
        return coroutine if _NUMBERED.fullmatch(name) else f"{name} [{coroutine}]"
    while isinstance(callback, functools.partial):
        callback = callback.func
    return str(getattr(callback, "__qualname__", type(callback).__qualname__))


class StallWatch:
    """Which callbacks held the thread for too long.

    `on_slow_callback` is called with the name and the seconds of each callback that took more than `slow_callback`
    seconds. `longest` is name and seconds of the longest so far, or since `take_longest`.
    """

    on_slow_callback: Callable[[str, float], None] | None = None
    slow_callback: float = SLOW_CALLBACK
    longest: tuple[str, float] = ("", 0.0)

    def take_longest(self) -> tuple[str, float]:
        """`longest`, and start afresh."""
        taken, self.longest = self.longest, ("", 0.0)
        return taken

    def _attention(self) -> float:
        """Seconds from which a callback is worth the trouble of looking up its name."""
        return min(self.slow_callback, self.longest[1])

    def _note(self, callback: object, took: float) -> None:
        name = callback_name(callback)
        if took > self.longest[1]:
            self.longest = (name, took)
        if took > self.slow_callback and self.on_slow_callback is not None:
            self.on_slow_callback(name, took)
