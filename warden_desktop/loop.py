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
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import heapq
import math
import os
import selectors
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING, TypeVarTuple, cast

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSocketNotifier, Qt, QTimer

os.environ["QT_API"] = "pyside6"  # otherwise qasync takes PyQt wherever that is installed

import qasync

if TYPE_CHECKING:
    from types import FrameType

    from qasync import ScheduledTimer

SLICE = 0.003
"""Seconds of callbacks before Qt gets the thread back."""
POLL_EVERY = 0.0005
"""Seconds of callbacks between two looks at sockets and timers within a slice."""
SLOW_CALLBACK = 0.008
"""Seconds after which a callback is reported: half a frame at 60 Hz."""
LONGEST_ALARM = 86_400_000
"""Milliseconds; a QTimer counts them in 32 bits. A deadline beyond is reached in several steps."""
CANCELLED_AT_REST = 64
"""Cancelled timers that may stay in the heap before it is rebuilt, however few the others are."""

_Ts = TypeVarTuple("_Ts")
_asyncio = cast("type[qasync.QEventLoop]", asyncio.SelectorEventLoop)


def callback_name(callback: object) -> str:
    """A name for logs and the status bar: the coroutine and its task, or the function behind a partial or method."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"{getattr(owner.get_coro(), '__qualname__', 'coroutine')} [{owner.get_name()}]"
    while isinstance(callback, functools.partial):
        callback = callback.func
    return str(getattr(callback, "__qualname__", type(callback).__qualname__))


class _Doorbell(QObject):
    """Posts one event to itself and answers it from Qt's own loop."""

    RING = QEvent.Type(QEvent.registerEventType())

    def __init__(self, answer: Callable[[], None]) -> None:
        super().__init__()
        self._answer = answer
        self._rung = threading.Lock()

    def ring(self, *_: object) -> None:
        """Post the event unless it is queued already. Callable from any thread and signal handler."""
        if self._rung.acquire(blocking=False):
            QCoreApplication.postEvent(self, QEvent(self.RING))

    def event(self, event: QEvent) -> bool:
        if event.type() != self.RING:
            return super().event(event)
        self._rung.release()
        self._answer()
        return True


class _StallWatch:
    """Which callbacks held the thread for too long.

    `on_slow_callback` is called with the name and the seconds of each callback that took more than `slow_callback`
    seconds. `longest` is name and seconds of the longest so far; assign `("", 0.0)` to start afresh.
    """

    on_slow_callback: Callable[[str, float], None] | None = None
    slow_callback: float = SLOW_CALLBACK
    longest: tuple[str, float] = ("", 0.0)

    def _attention(self) -> float:
        """Seconds from which a callback is worth the trouble of looking up its name."""
        return min(self.slow_callback, self.longest[1])

    def _note(self, callback: object, took: float) -> None:
        name = callback_name(callback)
        if took > self.longest[1]:
            self.longest = (name, took)
        if took > self.slow_callback and self.on_slow_callback is not None:
            self.on_slow_callback(name, took)


class _SelectorLoop(_StallWatch, qasync.QEventLoop):
    """The loop as described above, for systems whose selector has a descriptor."""

    # What qasync replaced, given back.
    call_later = _asyncio.call_later
    call_soon_threadsafe = _asyncio.call_soon_threadsafe
    call_exception_handler = _asyncio.call_exception_handler
    default_exception_handler = _asyncio.default_exception_handler
    set_exception_handler = _asyncio.set_exception_handler
    set_default_executor = _asyncio.set_default_executor
    run_in_executor = _asyncio.run_in_executor
    run_until_complete = _asyncio.run_until_complete
    is_running = _asyncio.is_running
    get_debug = _asyncio.get_debug
    set_debug = _asyncio.set_debug
    time = _asyncio.time
    _add_callback = _asyncio._add_callback
    _add_reader = _asyncio._add_reader
    _add_writer = _asyncio._add_writer
    _remove_reader = _asyncio._remove_reader
    _remove_writer = _asyncio._remove_writer

    def __init__(self, application: QCoreApplication) -> None:
        super().__init__(application)
        self._application = application
        self._asleep = False  # Qt has the thread and no turn is coming
        self._running = False  # a callback is on the stack
        self._owed = 0  # callbacks left of a generation that a slice cut short
        self._fatal: BaseException | None = None
        self._doorbell = _Doorbell(self._on_doorbell)
        self._use_own_selector()
        self._alarm_at = math.inf
        self._alarm = QTimer()
        self._alarm.setSingleShot(True)
        self._alarm.setTimerType(Qt.TimerType.PreciseTimer)
        self._alarm.timeout.connect(self._on_alarm)

    def _use_own_selector(self) -> None:
        self._close_self_pipe()
        self._selector.close()
        self._selector = selector = selectors.DefaultSelector()
        self._make_self_pipe()
        self._notifier = QSocketNotifier(selector.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._doorbell.ring)

    # --- running and stopping -------------------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run the Qt application until `stop` (or Qt's own `quit`), and asyncio inside it."""
        self._check_closed()
        self._check_running()
        self._owed = len(self._ready)  # what is scheduled already runs even after an early stop()
        with self._as_running_loop(), self._signals_wake_qt():
            self._doorbell.ring()
            self._application.exec()
        fatal, self._fatal = self._fatal, None
        if fatal is not None:
            raise fatal

    @contextlib.contextmanager
    def _as_running_loop(self) -> Iterator[None]:
        hooks = sys.get_asyncgen_hooks()
        self._set_coroutine_origin_tracking(self._debug)
        self._thread_id = threading.get_ident()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        asyncio._set_running_loop(self)
        try:
            yield
        finally:
            self._stopping = self._asleep = False
            self._thread_id = None
            asyncio._set_running_loop(None)
            self._set_coroutine_origin_tracking(False)
            sys.set_asyncgen_hooks(*hooks)

    @contextlib.contextmanager
    def _signals_wake_qt(self) -> Iterator[None]:
        """Qt waits in C, where Python runs no signal handler: let the signal's byte wake it, as a socket would."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.set_wakeup_fd(self._csock.fileno())
        ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if ours:
            signal.signal(signal.SIGINT, self._on_interrupt)
        try:
            yield
        finally:
            if ours and signal.getsignal(signal.SIGINT) == self._on_interrupt:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.set_wakeup_fd(self._csock.fileno() if self._signal_handlers else previous)

    def _on_interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self._running:
            raise KeyboardInterrupt
        self._leave(KeyboardInterrupt())  # raised here it would end in Qt, which prints and forgets it

    def _leave(self, fatal: BaseException | None = None) -> None:
        self._fatal = self._fatal or fatal
        self._application.exit()

    def stop(self) -> None:
        """Leave `run_forever` once everything scheduled so far has run."""
        self._stopping = True
        if not self._running:
            self._owed = len(self._ready)
        self._write_to_self()

    def close(self) -> None:
        """Free everything. The application object stays; the loop cannot run again."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        if not self._closed:
            self._alarm.stop()
            self._notifier.setEnabled(False)
        super().close()

    def remove_signal_handler(self, sig: int) -> bool:
        """As asyncio's, which with the last handler also takes away what wakes Qt for Ctrl-C."""
        removed = super().remove_signal_handler(sig)
        if self.is_running() and threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._csock.fileno())
        return removed

    # --- scheduling -----------------------------------------------------------------------------------------------

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run `callback(*args)` after everything that is ready now; only from the loop's own thread."""
        if self._closed:
            self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_soon")
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        if self._asleep:
            self._doorbell.ring()
        return handle

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback(*args)` when `time()` has reached `when`, never before."""
        timer = _asyncio.call_at(self, when, callback, *args, context=context)
        if self._asleep:
            self._set_alarm()
        return timer

    def _write_to_self(self) -> None:
        """What asyncio calls to wake the loop from a thread."""
        if self._asleep:
            self._doorbell.ring()

    def _timer_handle_cancelled(self, handle: ScheduledTimer) -> None:
        if not handle._scheduled:
            return
        self._timer_cancelled_count += 1
        if self._timer_cancelled_count > max(CANCELLED_AT_REST, len(self._scheduled) // 2):
            self._drop_cancelled_timers()

    def _drop_cancelled_timers(self) -> None:
        for timer in self._scheduled:
            timer._scheduled = not timer.cancelled()
        self._scheduled[:] = [timer for timer in self._scheduled if timer._scheduled]
        heapq.heapify(self._scheduled)
        self._timer_cancelled_count = 1  # the caller's, which is marked only after it told us

    # --- the turn -------------------------------------------------------------------------------------------------

    def _on_alarm(self) -> None:
        self._alarm_at = math.inf
        self._doorbell.ring()

    def _on_doorbell(self) -> None:
        if self._thread_id is None:  # Qt runs without us; run_forever will ring again
            return
        nested, self._running = self._running, True
        waiting = asyncio.current_task(self)
        if waiting is not None:
            asyncio._leave_task(self, waiting)
        try:
            self._turn()
        except BaseException as fatal:
            self._leave(fatal)
        finally:
            if waiting is not None:
                asyncio._enter_task(self, waiting)
            self._running = nested

    def _turn(self) -> None:
        self._asleep = False
        end = monotonic() + SLICE
        while True:
            if not self._owed:  # a socket not yet served would be reported once more
                self._collect()
            if busy := bool(self._ready):
                self._doorbell.ring()  # before: a callback may open a Qt loop of its own, which then takes turns
                self._run_ready(end)
            if self._stopping and not self._owed:
                return self._leave()
            if not busy:
                return self._sleep()
            if monotonic() >= end:
                return None

    def _collect(self) -> None:
        """Move what sockets and timers have to say to the ready queue."""
        self._process_events(self._selector.select(0))
        scheduled, now = self._scheduled, monotonic()
        while scheduled and (scheduled[0]._when <= now or scheduled[0]._cancelled):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            else:
                self._ready.append(timer)

    def _run_ready(self, end: float) -> None:
        """Run callbacks, generation by generation, for `POLL_EVERY`, and at most until `end`."""
        ready, owed, attention = self._ready, self._owed, self._attention()
        now = monotonic()
        poll = now + POLL_EVERY
        while ready and now < end:
            if not owed:
                if now >= poll or self._stopping:
                    break
                owed = len(ready)
            owed -= 1
            handle = ready.popleft()
            if handle._cancelled:
                continue
            callback = handle._callback
            handle._run()
            began, now = now, monotonic()
            if now - began > attention:
                self._note(callback, now - began)
                attention = self._attention()
        self._owed = min(owed, len(ready))  # a nested Qt loop may have run some of ours

    def _sleep(self) -> None:
        self._set_alarm()
        self._asleep = True
        if self._ready:  # from a thread that still saw us awake
            self._doorbell.ring()

    def _set_alarm(self) -> None:
        when = self._scheduled[0]._when if self._scheduled else math.inf
        if when == self._alarm_at:
            return
        self._alarm_at = when
        if when == math.inf:
            self._alarm.stop()
        else:
            self._alarm.start(min(LONGEST_ALARM, max(0, math.ceil((when - monotonic()) * 1000))))


if sys.platform == "win32":

    class WardenLoop(_StallWatch, qasync.QEventLoop):
        """An asyncio loop inside a Qt application; see `make_loop`."""

else:

    class WardenLoop(_SelectorLoop):
        """An asyncio loop inside a Qt application; see `make_loop`."""


def make_loop(application: QCoreApplication) -> WardenLoop:
    """An asyncio loop that runs `application`: a bare `QCoreApplication`, or a `QApplication` with windows.

    Give it to `asyncio.Runner(loop_factory=...)`, or call `run_until_complete` and `close`. One at a time may run.
    Qt's `aboutToQuit` is emitted whenever it stops running, and `QCoreApplication.quit` stops it before its work is
    done: leave by letting the main coroutine return.
    """
    return WardenLoop(application)
