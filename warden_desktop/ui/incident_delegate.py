"""Paints the cells of the incident table: one pass of plain text, quicker than Qt's own, and never markup."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from warden_desktop.domain.incident import IncidentRow
from warden_desktop.ui.incident_columns import COLUMNS, Column, Moment
from warden_desktop.ui.incident_table import IncidentTable
from warden_desktop.ui.marks import paint_shape
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import shown

_VERTICALLY = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_MARK = 13
_TAGS_SHOWN = 3


class IncidentDelegate(QStyledItemDelegate):
    """Draws a cell by its column's look. `hovered` is the row under the mouse, -1 for none."""

    def __init__(self, model: IncidentTable, theme: Theme) -> None:
        super().__init__()
        self._model, self._theme = model, theme
        self.hovered = -1
        self._moment = model.moment
        self._fonts: dict[str, tuple[QFont, QFontMetrics]] = {}

    def begin(self, font: QFont) -> None:
        """Before a repaint: one clock reading and one set of fonts for all its cells."""
        self._moment = self._model.moment
        if self._fonts and self._fonts["text"][0] == font:
            return
        bold = QFont(font)
        bold.setWeight(QFont.Weight.DemiBold)
        mono = self._theme.mono()
        mono.setPointSizeF(font.pointSizeF() * 0.95)
        small = QFont(font)
        small.setPointSizeF(font.pointSizeF() * 0.88)
        fonts = {"text": font, "title": bold, "mono": mono, "small": small}
        self._fonts = {name: (one, QFontMetrics(one)) for name, one in fonts.items()}

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(COLUMNS[index.column()].width, self._theme.row_height(option.fontMetrics.height()))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row, column = self._model.row(index.row()), COLUMNS[index.column()]
        area: QRect = option.rect
        self._ground(painter, option, index.row())
        inside = area.adjusted(self._theme.space(2), 0, -self._theme.space(2), 0)
        if column.look == "severity":
            self._severity(painter, inside, row)
        elif column.look == "badge":
            self._badge(painter, inside, row)
        elif column.look == "tags":
            self._tags(painter, inside, row.tags)
        else:
            self._words(painter, inside, row, column, self._moment)

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem, place: int) -> None:
        area: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or place == self.hovered:
            painter.fillRect(area, self._theme.colour("selection" if selected else "hover"))
        painter.setPen(self._theme.colour("line"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if selected and area.x() <= 0:
            painter.fillRect(QRect(area.x(), area.y(), 3, area.height()), self._theme.colour("focus"))

    def _words(self, painter: QPainter, area: QRect, row: IncidentRow, column: Column, moment: Moment) -> None:
        text = column.text(row, moment)
        if not text:
            return
        bold = column.look == "title" and row.waiting > 0
        font, metrics = self._fonts["title" if bold else "mono" if column.look == "mono" else "text"]
        painter.setFont(font)
        purpose = "muted" if self._model.stale(row) or not row.status.open else column.tone(row, moment)
        painter.setPen(self._theme.colour(purpose))
        side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(side | _VERTICALLY), cut)

    def _severity(self, painter: QPainter, area: QRect, row: IncidentRow) -> None:
        look = self._theme.severity(row.severity)
        colour = look.colour if row.status.open else self._theme.colour("muted")
        top = area.y() + (area.height() - _MARK) / 2
        paint_shape(painter, look.shape, QRectF(area.x(), top, _MARK, _MARK), colour)
        painter.setFont(self._fonts["text"][0])
        painter.setPen(colour)
        painter.drawText(area.adjusted(_MARK + self._theme.space(2), 0, 0, 0), int(_VERTICALLY), look.word)

    def _badge(self, painter: QPainter, area: QRect, row: IncidentRow) -> None:
        if row.waiting:
            self._chip(painter, area, str(row.waiting), "warn_soft", "warn")

    def _tags(self, painter: QPainter, area: QRect, tags: tuple[str, ...]) -> None:
        for tag in tags[:_TAGS_SHOWN]:
            width = self._chip(painter, area, shown(tag, 32), "hover", "text")
            area = area.adjusted(width + self._theme.space(1), 0, 0, 0)
            if area.width() < self._theme.space(6):
                return

    def _chip(self, painter: QPainter, area: QRect, text: str, ground: str, ink: str) -> int:
        font, metrics = self._fonts["small"]
        width = min(metrics.horizontalAdvance(text) + self._theme.space(3.5), area.width())
        height = metrics.height() + 2
        pill = QRectF(area.x(), area.y() + (area.height() - height) / 2, width, height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(ground))
        painter.drawRoundedRect(pill, height / 2, height / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(font)
        painter.setPen(self._theme.colour(ink))
        cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(width) - self._theme.space(2))
        painter.drawText(pill, int(Qt.AlignmentFlag.AlignCenter), cut)
        return int(width)
