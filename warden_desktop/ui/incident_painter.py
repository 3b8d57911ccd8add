"""Paints the rows of the incident table: one pass of plain text, several times quicker than a call for each cell."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from warden_desktop.domain.incident import IncidentRow
from warden_desktop.ui.incident_columns import Column, Moment
from warden_desktop.ui.incident_table import IncidentTable
from warden_desktop.ui.marks import paint_shape
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import shown

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_ELIDE = Qt.TextElideMode.ElideRight
_MARK = 13
_EDGE = 3  # px of the bar beside the row the cursor is on
_TAGS_SHOWN = 3


class Ink(NamedTuple):
    """A font and how wide its text is."""

    font: QFont
    metrics: QFontMetrics

    @classmethod
    def of(cls, font: QFont, size: float = 1.0, *, bold: bool = False) -> Ink:
        made = QFont(font)
        made.setPointSizeF(font.pointSizeF() * size)
        if bold:
            made.setWeight(QFont.Weight.DemiBold)
        return cls(made, QFontMetrics(made))


class IncidentPainter:
    """Draws rows by the columns' looks. Make one for each repaint: it holds the clock, the colours and the fonts."""

    def __init__(self, painter: QPainter, model: IncidentTable, theme: Theme, fonts: IncidentFonts) -> None:
        self._painter, self._model, self._theme, self._fonts = painter, model, theme, fonts
        self._moment: Moment = model.moment
        self._colours: dict[str, QColor] = {}
        self._gap = theme.space(2)

    def row(self, place: int, area: QRect, columns: list[tuple[Column, int, int]], ground: str) -> None:
        """Draw row `place` in `area`, its `columns` each from an x on and so wide; `ground` is a purpose or ""."""
        painter = self._painter
        if ground:
            painter.fillRect(area, self._colour(ground))
        if ground == "selection":
            painter.fillRect(QRect(area.x(), area.y(), _EDGE, area.height()), self._colour("focus"))
        painter.setPen(self._colour("line"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        row = self._model.row(place)
        faded = not row.status.open or self._model.stale(row)
        for column, x, width in columns:
            self._cell(row, column, QRect(x + self._gap, area.y(), width - 2 * self._gap, area.height()), faded)

    def _cell(self, row: IncidentRow, column: Column, area: QRect, faded: bool) -> None:
        if column.look == "severity":
            self._severity(area, row, faded)
        elif column.look == "badge":
            if row.waiting:
                self._chip(area, str(row.waiting), "warn_soft", "warn")
        elif column.look == "tags":
            self._tags(area, row.tags)
        elif text := column.text(row, self._moment):
            bold = column.look == "title" and row.waiting > 0
            ink = self._fonts.bold if bold else self._fonts.mono if column.look == "mono" else self._fonts.text
            purpose = "muted" if faded else column.tone(row, self._moment)
            self._write(ink, purpose, area, _RIGHT if column.right else _LEFT, text)

    def _write(self, ink: Ink, purpose: str, area: QRect, side: int, text: str) -> None:
        self._painter.setFont(ink.font)
        self._painter.setPen(self._colour(purpose))
        self._painter.drawText(area, side, ink.metrics.elidedText(text, _ELIDE, area.width()))

    def _severity(self, area: QRect, row: IncidentRow, faded: bool) -> None:
        look = self._theme.severity(row.severity)
        colour = self._colour("muted") if faded else look.colour
        top = area.y() + (area.height() - _MARK) / 2
        paint_shape(self._painter, look.shape, QRectF(area.x(), top, _MARK, _MARK), colour)
        self._painter.setFont(self._fonts.text.font)
        self._painter.setPen(colour)
        self._painter.drawText(area.adjusted(_MARK + self._gap, 0, 0, 0), _LEFT, look.word)

    def _tags(self, area: QRect, tags: tuple[str, ...]) -> None:
        for tag in tags[:_TAGS_SHOWN]:
            width = self._chip(area, shown(tag, 32), "hover", "text")
            area = area.adjusted(width + self._theme.space(1), 0, 0, 0)
            if area.width() < self._theme.space(6):
                return

    def _chip(self, area: QRect, text: str, ground: str, purpose: str) -> int:
        ink, painter = self._fonts.small, self._painter
        width = min(ink.metrics.horizontalAdvance(text) + self._theme.space(3.5), area.width())
        height = ink.metrics.height() + 2
        pill = QRect(area.x(), area.y() + (area.height() - height) // 2, width, height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour(ground))
        painter.drawRoundedRect(pill, height / 2, height / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._write(ink, purpose, pill.adjusted(self._gap // 2, 0, -(self._gap // 2), 0), _CENTRE, text)
        return width

    def _colour(self, purpose: str) -> QColor:
        if purpose not in self._colours:
            self._colours[purpose] = self._theme.colour(purpose)
        return self._colours[purpose]


class IncidentFonts:
    """The table's fonts, made from the widget's own."""

    def __init__(self, font: QFont, theme: Theme) -> None:
        self.source = QFont(font)
        mono = theme.mono()
        mono.setPointSizeF(font.pointSizeF())
        self.text, self.bold = Ink.of(font), Ink.of(font, bold=True)
        self.mono, self.small = Ink.of(mono, 0.95), Ink.of(font, 0.88)
