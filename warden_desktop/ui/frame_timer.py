"""Many changes, one paint: gathers what the bus delivers and hands it to the views once a frame.

Under a storm the bus delivers thousands of events a second; a view that repainted for each would stop the loop. The
timer runs only while there is something to show. When the receiver lagged, the views read the current state again.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer

from warden_desktop.engine.ports import Recorded

_BATCH = 2_000


class Events(Protocol):
    """A broadcast receiver of the bus, as far as the window needs one."""

    on_ready: Callable[[], None] | None

    @property
    def lag(self) -> int:
        """How many events wait."""

    def drain(self, limit: int = ...) -> tuple[int, list[Recorded]]:
        """How many events were missed, and up to `limit` that were not."""


class View(Protocol):
    """Something that shows what happens."""

    def on_events(self, batch: list[Recorded]) -> None:
        """Show what these events changed; called at most once a frame."""

    def on_resync(self) -> None:
        """Events were missed: read the current state again. What was not missed follows in `on_events`."""


class FrameTimer(QObject):
    """Drains `events` at most every `interval` ms and calls every subscribed view once with the batch."""

    def __init__(self, events: Events, parent: QObject | None = None, *, interval: int = 16) -> None:
        super().__init__(parent)
        self._events = events
        self._views: list[View] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(interval)
        self._timer.timeout.connect(self._frame)
        self.behind = 0
        self.milliseconds = 0.0
        events.on_ready = self._wake
        self._wake()

    def subscribe(self, view: View) -> Callable[[], None]:
        """Call `view` from the next frame on, until the returned function is called."""
        self._views.append(view)
        return lambda: self._views.remove(view)

    def stop(self) -> None:
        """Show nothing more; for shutting down."""
        self._events.on_ready = None
        self._timer.stop()

    def _wake(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _frame(self) -> None:
        started = perf_counter()
        missed, batch = self._events.drain(_BATCH)
        self.behind = self._events.lag
        failures = [error for view in tuple(self._views) if (error := _show(view, missed, batch))]
        self.milliseconds = (perf_counter() - started) * 1000
        if missed or batch:
            self._wake()
        if failures:
            raise ExceptionGroup("a part of the window could not show what happened", failures)


def _show(view: View, missed: int, batch: list[Recorded]) -> Exception | None:
    """One view that fails must not keep the others from showing what happened."""
    try:
        if missed:
            view.on_resync()
        if batch:
            view.on_events(batch)
    except Exception as error:  # reported by the caller once every view has had its turn
        return error
    return None
