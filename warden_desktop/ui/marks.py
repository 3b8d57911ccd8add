"""The drawn marks: a shape for each severity, so that severity can be told without colour."""

from __future__ import annotations

from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from warden_desktop.domain.alert import Severity
from warden_desktop.ui.theme import Theme

_SIDE = 14


def paint_shape(painter: QPainter, shape: str, area: QRectF, colour: QColor) -> None:
    """Draw "octagon", "triangle", "diamond", "circle" or "ring" inside `area`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    if shape == "circle":
        painter.drawEllipse(area.adjusted(1.5, 1.5, -1.5, -1.5))
    elif shape == "ring":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.75))
        painter.drawEllipse(area.adjusted(2.5, 2.5, -2.5, -2.5))
    else:
        painter.drawPolygon(_polygon(shape, area))
    if shape == "octagon":
        _exclaim(painter, area, colour)
    painter.restore()


def _polygon(shape: str, area: QRectF) -> QPolygonF:
    if shape == "triangle":
        return QPolygonF([QPointF(area.center().x(), area.top() + 0.5), area.bottomRight(), area.bottomLeft()])
    corners, turn = (4, 0.0) if shape == "diamond" else (8, pi / 8)
    radius, middle = area.width() / 2, area.center()
    angles = [turn + 2 * pi * corner / corners for corner in range(corners)]
    return QPolygonF([middle + QPointF(radius * cos(angle), radius * sin(angle)) for angle in angles])


def _exclaim(painter: QPainter, area: QRectF, colour: QColor) -> None:
    ink = QColor("#000000") if colour.lightnessF() > 0.5 else QColor("#ffffff")
    unit, middle = area.width() / 14, area.center()
    painter.setBrush(ink)
    painter.drawRoundedRect(QRectF(middle.x() - 0.9 * unit, middle.y() - 4 * unit, 1.8 * unit, 5 * unit), unit, unit)
    painter.drawEllipse(QPointF(middle.x(), middle.y() + 3.2 * unit), 1.1 * unit, 1.1 * unit)


class SeverityMark(QWidget):
    """The shape of a severity as a small widget; its word is its accessible name."""

    def __init__(self, theme: Theme, severity: Severity) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_severity(severity)

    def set_severity(self, severity: Severity) -> None:
        self._severity = severity
        self.setAccessibleName(f"Severity: {self._theme.severity(severity).word}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_SIDE, _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        look = self._theme.severity(self._severity)
        paint_shape(QPainter(self), look.shape, QRectF(self.rect()), look.colour)
