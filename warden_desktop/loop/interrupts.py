"""Signals, while Qt waits in C where Python runs no signal handler."""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]
Interrupted = Callable[[Handler, int, FrameType | None], None]


def on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def signals_wake(descriptor: int, interrupted: Interrupted) -> Iterator[None]:
    """Have each signal write a byte to `descriptor`, and SIGINT go through `interrupted`.

    That is called with the handler it found and what the handler is to be called with. Python's own handler raises
    `KeyboardInterrupt` wherever it is, `asyncio.Runner`'s does so the second time, and inside a Qt slot that would be
    printed and forgotten. Off the main thread, where Python knows no signals, this does nothing.
    """
    if not on_main_thread():
        yield
        return
    previous = signal.set_wakeup_fd(descriptor)
    theirs = signal.getsignal(signal.SIGINT)
    ours = guard_sigint(interrupted)
    try:
        yield
    finally:
        if ours is not None and signal.getsignal(signal.SIGINT) is ours:
            signal.signal(signal.SIGINT, theirs)
        signal.set_wakeup_fd(previous)


def guard_sigint(interrupted: Interrupted) -> Handler | None:
    """Put `interrupted` before SIGINT's handler; what was put there, or None when there is no handler to call."""
    theirs = signal.getsignal(signal.SIGINT)
    if not callable(theirs):
        return None
    ours = functools.partial(interrupted, theirs)
    signal.signal(signal.SIGINT, ours)
    return ours
