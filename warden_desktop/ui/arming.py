"""The moment before a dangerous button works: what opens under a falling finger must not be pressed by it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

ARMING_MS = 800
_STEP_MS = 40


class Arming(QObject):
    """Counts from `begin` to armed. `progress` carries the share of the time that has passed, 0 to 1."""

    progress = Signal(object)
    armed = Signal()

    def __init__(self, parent: QObject, milliseconds: int = ARMING_MS) -> None:
        super().__init__(parent)
        self._whole = milliseconds
        self._passed = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._step)

    @property
    def ready(self) -> bool:
        return self._passed >= self._whole

    @property
    def counting(self) -> bool:
        return self._timer.isActive()

    def begin(self) -> None:
        """Count from nothing."""
        self._passed = 0
        self.progress.emit(0.0)
        self._timer.start()

    def stop(self) -> None:
        """Disarm, and count no further until `begin`."""
        self._timer.stop()
        self._passed = 0
        self.progress.emit(0.0)

    def _step(self) -> None:
        self._passed += _STEP_MS
        self.progress.emit(min(self._passed / self._whole, 1.0))
        if self.ready:
            self._timer.stop()
            self.armed.emit()
