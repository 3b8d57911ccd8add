"""asyncio's selector loop with Qt doing the waiting; the theory is told in the package's own docstring."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import selectors
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVarTuple, cast

import qasync
from PySide6.QtCore import QCoreApplication, QSocketNotifier, Qt, QThread, QTimer

from warden_desktop.loop.doorbell import Doorbell
from warden_desktop.loop.interrupts import Handler, guard_sigint, on_main_thread, signals_wake
from warden_desktop.loop.stall_watch import StallWatch

if TYPE_CHECKING:
    from types import FrameType

    from qasync import ScheduledTimer

SLICE = 0.002
"""Seconds of callbacks before Qt gets the thread back. Twice that served hardly more requests and made frames late."""
POLL_EVERY = 0.0005
"""Seconds of callbacks between two looks at sockets and timers within a slice."""
LONGEST_ALARM = 86_400_000
"""Milliseconds; a QTimer counts them in 32 bits. A deadline beyond is reached in several steps."""
CANCELLED_AT_REST = 64
"""Cancelled timers that may stay in the heap before it is rebuilt, however few the others are."""

_Ts = TypeVarTuple("_Ts")
_asyncio = cast("type[qasync.QEventLoop]", asyncio.SelectorEventLoop)
_base_events: Any = asyncio.base_events


def _hide_caller(handle: Any) -> None:
    """In debug mode a handle remembers who made it: not us, but who called us."""
    del handle._source_traceback[-1]


class SelectorLoop(StallWatch, qasync.QEventLoop):
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
        self._doorbell = Doorbell(self._on_doorbell)
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
        if self._application.thread() is not QThread.currentThread():
            raise RuntimeError("this loop runs a Qt application, and Qt runs one in its own thread only")
        with self._as_running_loop(), signals_wake(self._csock.fileno(), self._on_interrupt):
            self._doorbell.ring()
            self._application.exec()
        self._keep_signals()
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

    def _on_interrupt(self, handler: Handler, signum: int, frame: FrameType | None) -> None:
        try:
            handler(signum, frame)
        except BaseException as fatal:
            if self._running:
                raise
            self._leave(fatal)  # raised here it would end in Qt, which prints and forgets it

    def _leave(self, fatal: BaseException | None = None) -> None:
        self._fatal = self._fatal or fatal
        self._application.exit()

    def stop(self) -> None:
        """Leave `run_forever` once everything scheduled so far has run."""
        self._stopping = True
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
        if self.is_running() and on_main_thread():
            signal.set_wakeup_fd(self._csock.fileno())
            if removed and sig == signal.SIGINT:
                guard_sigint(self._on_interrupt)
        return removed

    def _keep_signals(self) -> None:
        """A signal that arrives between two runs is handled in the second."""
        if self._signal_handlers and on_main_thread():
            signal.set_wakeup_fd(self._csock.fileno())

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
        if self._debug:
            _hide_caller(handle)
        self._ready.append(handle)
        if self._asleep:
            self._doorbell.ring()
        return handle

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback(*args)` when `time()` has reached `when`, never before."""
        timer = _asyncio.call_at(self, when, callback, *args, context=context)
        if self._debug:
            _hide_caller(timer)
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
                self._owed = len(self._ready)  # what is ready now runs even after a stop()
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
        debug = self._debug
        now = monotonic()
        poll = now + POLL_EVERY
        while ready and now < end:
            if not owed:
                if now > poll or self._stopping:
                    break
                owed = len(ready)
            owed -= 1
            handle = ready.popleft()
            if handle._cancelled:
                continue
            if debug:
                self._current_handle = handle  # whose origin asyncio's exception handler then tells
            callback = handle._callback
            handle._run()
            began, now = now, monotonic()
            if now - began > attention:
                attention = self._report(handle, callback, now - began)
        self._current_handle = None
        self._owed = min(owed, len(ready))  # a nested Qt loop may have run some of ours

    def _report(self, handle: asyncio.Handle, callback: object, took: float) -> float:
        if self._debug and took >= self.slow_callback_duration:
            _base_events.logger.warning("Executing %s took %.3f seconds", _base_events._format_handle(handle), took)
        try:
            self._note(callback, took)
        except Exception as error:
            self.call_exception_handler({"message": "Error in on_slow_callback", "exception": error})
        return self._attention()

    def _attention(self) -> float:
        usual = super()._attention()
        return min(usual, self.slow_callback_duration) if self._debug else usual

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
