"""Alerts a minute, as a number and as a small curve of the last five minutes."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from warden_desktop.ui.theme import Theme

_STEP = 10  # seconds a point
_POINTS = 30


class Rate:
    """Counts what happened in steps of ten seconds, five minutes back."""

    def __init__(self) -> None:
        self._steps: deque[tuple[int, int]] = deque(maxlen=_POINTS)

    def count(self, at: datetime) -> None:
        """One more happened."""
        step = int(at.timestamp()) // _STEP
        if self._steps and self._steps[-1][0] >= step:
            last, number = self._steps.pop()
            self._steps.append((last, number + 1))
        else:
            self._steps.append((step, 1))

    def per_minute(self, now: datetime) -> int:
        """How many in the last minute."""
        since = int((now - timedelta(minutes=1)).timestamp()) // _STEP
        return sum(number for step, number in self._steps if step > since)

    def curve(self, now: datetime) -> list[int]:
        """How many in each step, oldest first."""
        last, counted = int(now.timestamp()) // _STEP, dict(self._steps)
        return [counted.get(step, 0) for step in range(last - _POINTS + 1, last + 1)]


class Sparkline(QWidget):
    """Draws a curve; it says in words what it shows through its tooltip's owner."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._curve: list[int] = []
        self.setAccessibleName("Alerts over the last five minutes")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_curve(self, curve: list[int]) -> None:
        if curve != self._curve:
            self._curve = curve
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(24), self._theme.space(5))

    def paintEvent(self, event: QPaintEvent) -> None:
        if len(self._curve) < 2:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height, most = self.width() - 2, self.height() - 4, max(*self._curve, 1)
        points = [
            QPointF(1 + width * place / (len(self._curve) - 1), 2 + height * (1 - number / most))
            for place, number in enumerate(self._curve)
        ]
        painter.setPen(QPen(self._theme.colour("accent"), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPolyline(QPolygonF(points))
