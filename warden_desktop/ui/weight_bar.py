"""Small bars: how much one reason weighs for or against, and how sure a verdict is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from warden_desktop.ui.theme import Theme

_FULL = 4.0  # log-odds: about 55 to 1; heavier reasons fill the bar as well
_HEIGHT = 6


class WeightBar(QWidget):
    """A bar from the middle: to the right and red for malicious, to the left and green for benign."""

    def __init__(self, theme: Theme, weight: float) -> None:
        super().__init__()
        self._theme, self._weight = theme, weight
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        side = "malicious" if weight > 0 else "benign"
        self.setAccessibleName(f"Speaks for {side}, weight {abs(weight):.1f}")

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(18), self._theme.space(4))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        top, half = (self.height() - _HEIGHT) / 2, self.width() / 2
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(QRectF(0, top, self.width(), _HEIGHT), 3, 3)
        length = half * min(abs(self._weight) / _FULL, 1.0)
        left = half if self._weight > 0 else half - length
        painter.setBrush(self._theme.colour("danger" if self._weight > 0 else "good"))
        painter.drawRoundedRect(QRectF(left, top, max(length, 2), _HEIGHT), 2, 2)
        painter.setBrush(self._theme.colour("line_strong"))
        painter.drawRect(QRectF(half - 0.5, top - 2, 1, _HEIGHT + 4))


class ShareBar(QWidget):
    """A bar filled to a share of one, in the colour of a purpose."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._share, self._purpose = theme, 0.0, "accent"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_share(self, share: float, purpose: str) -> None:
        self._share, self._purpose = share, purpose
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(30), _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        painter.setBrush(self._theme.colour(self._purpose))
        painter.drawRoundedRect(QRectF(0, 0, self.width() * self._share, self.height()), 3, 3)
