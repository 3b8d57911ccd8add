"""The event loop: asyncio's own selector loop, run inside Qt's wake-ups.

Theory of operation
-------------------
qasync makes a Qt object of everything asyncio does: a Qt timer for each `call_soon`, a `QSocketNotifier` for each
socket, a signal for each call from a thread. `WardenLoop` is a `qasync.QEventLoop` and is used as one, but gives the
names qasync replaced back to asyncio's originals and changes only who waits: Qt, instead of `select()`. (Inheriting
asyncio's methods by order of bases does not work: qasync's classes come before asyncio's in any order Python accepts.)

Three things wake it, and each does nothing but ring the doorbell, one posted event of which one at most is queued:

- a `QSocketNotifier` on the selector's own descriptor (epoll, kqueue), readable as soon as any registered socket is;
- one single-shot precise `QTimer`, armed for the earliest deadline and rounded up, so nothing wakes early;
- `call_soon` while the loop sleeps, and `call_soon_threadsafe` and signals.

The event runs a *turn*: poll the selector without waiting, move due timers to the ready queue, run callbacks in FIFO
order for `POLL_EVERY`, poll again, and so on until nothing is left or `SLICE` is over. A turn that ran anything is
followed by another one, behind everything Qt has to do, so that input and painting never wait longer than a slice and
the one callback that overran it; a turn that found nothing arms the timer and lets Qt sleep. Running a turn straight
from the notifier would save a hop and starves frames.

Qt cannot carry a Python exception: what a callback may not keep to itself (`SystemExit`, `KeyboardInterrupt`) ends the
Qt loop first and is raised by `run_forever`. A Qt loop nested inside a callback (a test that waits for a signal) takes
turns too: the task that waits there steps aside meanwhile, so no other task is stranded.

Windows has no descriptor that stands for all sockets; there qasync's completion ports serve unchanged, and nothing is
timed.

`selector_loop` is the loop itself, `doorbell` its one event, `interrupts` lets signals through while Qt waits in C,
`stall_watch` knows who held the thread too long and `stall_log` writes it down, and `garbage` keeps Python's collector
out of frames.
"""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QCoreApplication

os.environ["QT_API"] = "pyside6"  # otherwise qasync takes PyQt wherever that is installed

from warden_desktop.loop.selector_loop import SelectorLoop
from warden_desktop.loop.stall_watch import StallWatch

if sys.platform == "win32":
    import qasync

    class WardenLoop(StallWatch, qasync.QEventLoop):
        """An asyncio loop inside a Qt application; see `make_loop`."""

else:

    class WardenLoop(SelectorLoop):
        """An asyncio loop inside a Qt application; see `make_loop`."""


def make_loop(application: QCoreApplication) -> WardenLoop:
    """An asyncio loop that runs `application`: a bare `QCoreApplication`, or a `QApplication` with windows.

    Give it to `asyncio.Runner(loop_factory=...)`, or call `run_until_complete` and `close`. One at a time may run.
    Qt's `aboutToQuit` is emitted whenever it stops running, and `QCoreApplication.quit` stops it before its work is
    done: leave by letting the main coroutine return.
    """
    return WardenLoop(application)
