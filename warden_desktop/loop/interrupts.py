"""Signals, while Qt waits in C where Python runs no signal handler."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


def on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def signals_wake(descriptor: int, interrupt: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have each signal write a byte to `descriptor`, and SIGINT call `interrupt` where Python's own handler would.

    Python's handler raises `KeyboardInterrupt` wherever it is, and inside a Qt slot that would be printed and
    forgotten. A handler somebody else installed, such as `asyncio.Runner`'s, stays. Off the main thread, where
    Python knows no signals, this does nothing.
    """
    if not on_main_thread():
        yield
        return
    previous = signal.set_wakeup_fd(descriptor)
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        if ours and signal.getsignal(signal.SIGINT) == interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(previous)
