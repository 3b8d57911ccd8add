"""Python's cyclic collector, and why it rests while a page of the log is read.

Each event read is some forty objects that all stay; none is garbage. The collector cannot know, and looks through all
of them again and again: that took five times as long as reading them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest(*, to_stay: bool = False) -> Iterator[None]:
    """For a moment only. Two threads may be in here at once: the one that switched it off switches it on. What is read
    `to_stay`, at start-up, is never looked through again; when it is dropped it goes as ever."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if to_stay:
            gc.freeze()
        if was_on:
            gc.enable()
