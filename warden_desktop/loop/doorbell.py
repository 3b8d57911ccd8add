"""The one event that wakes the loop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject


class Doorbell(QObject):
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
