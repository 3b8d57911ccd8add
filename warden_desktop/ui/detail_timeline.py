"""The Timeline tab: every event of the incident, newest first: when, what, who and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from warden_desktop.domain import events as ev
from warden_desktop.domain.incident import Incident
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.arrange import stacked
from warden_desktop.ui.live_words import line
from warden_desktop.ui.plain_text import label, tooltip
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import clock, count, moment, person, shown, utc, words
from warden_desktop.ui.work import Start

Index = QModelIndex | QPersistentModelIndex
_TOP = QModelIndex()
_MOST = 500
_TONES: dict[type[ev.Event], str] = {
    ev.IncidentCreated: "accent", ev.ApprovalRequested: "warn", ev.ActionApproved: "good", ev.ActionDenied: "danger",
    ev.ActionExecuted: "good", ev.AnalysisFailed: "danger", ev.EnrichmentFailed: "danger", ev.ActionHeld: "danger",
    ev.ActionStale: "warn", ev.ApprovalExpired: "warn", ev.IncidentResolved: "good", ev.IncidentEscalated: "warn",
    ev.CommentAdded: "accent", ev.AnalysisComplete: "accent",
}  # fmt: skip


class TimelineModel(QAbstractListModel):
    """Events by row, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._events: list[Recorded] = []

    def show_events(self, events: list[Recorded]) -> None:
        """Show these, which are newest first."""
        self.beginResetModel()
        self._events = events
        self.endResetModel()

    def event_at(self, place: int) -> ev.Event:
        return self._events[place].event

    def rowCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self._events)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        recorded = self._events[index.row()]
        event = recorded.event
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{clock(event.at)} {words(event.kind)}: {shown(line(event))} ({person(event.actor)})"
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(f"{moment(event.at)}\n{utc(event.at)}\nNumber {recorded.seq:,}\n{shown(line(event), 2_000)}")
        return None


class TimelineDelegate(QStyledItemDelegate):
    """Two lines an event, on a rail with a dot."""

    def __init__(self, theme: Theme, model: TimelineModel) -> None:
        super().__init__()
        self._theme, self._model = theme, model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, option.fontMetrics.height() * 2 + self._theme.space(4))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        area: QRect = option.rect
        event, space = self._model.event_at(index.row()), self._theme.space
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, self._theme.colour("selection"))
        self._rail(painter, area, event, last=index.row() == self._model.rowCount() - 1)
        inside = area.adjusted(space(8), space(2), -space(3), -space(2))
        bold, small = QFont(option.font), QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        small.setPointSizeF(option.font.pointSizeF() * 0.9)
        self._line(painter, inside, bold, "text", words(event.kind), 0)
        used = QFontMetrics(bold).horizontalAdvance(words(event.kind)) + space(2)
        who = f"{person(event.actor)}   {clock(event.at)}"
        self._line(painter, inside.adjusted(used, 0, 0, 0), small, "muted", who, 0, right=True)
        self._line(painter, inside, option.font, "muted", shown(line(event)), option.fontMetrics.height())

    def _rail(self, painter: QPainter, area: QRect, event: ev.Event, *, last: bool) -> None:
        middle, top = area.x() + self._theme.space(4), area.y() + self._theme.space(4)
        painter.setPen(self._theme.colour("line"))
        painter.drawLine(middle, area.y(), middle, top if last else area.bottom())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(_TONES.get(type(event), "muted")))
        painter.drawEllipse(QRectF(middle - 4, top - 3, 9, 9))
        painter.restore()

    def _line(
        self, painter: QPainter, area: QRect, font: QFont, purpose: str, text: str, down: int, *, right: bool = False
    ) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.colour(purpose))
        metrics = QFontMetrics(font)
        cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        box = QRect(area.x(), area.y() + down, area.width(), metrics.height())
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(box, int(side | Qt.AlignmentFlag.AlignVCenter), cut)


class DetailTimeline(QWidget):
    """Reads the events of an incident from the log when it is looked at, and again when one is added."""

    def __init__(self, bus: Bus, start: Start, theme: Theme) -> None:
        super().__init__()
        self._bus, self._start = bus, start
        self._incident_id: UUID | None = None
        self._reading = self._again = False
        self.model = TimelineModel()
        self._list = QListView()
        self._list.setAccessibleName("Timeline")
        self._list.setModel(self.model)
        self._delegate = TimelineDelegate(theme, self.model)
        self._list.setItemDelegate(self._delegate)
        self._list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self._note = label("", "caption")
        self._note.setContentsMargins(theme.space(4), theme.space(1), theme.space(4), theme.space(1))
        self._note.hide()
        self.setLayout(stacked(self._list, self._note, gap=0))
        theme.changed.connect(self._list.viewport().update)

    def show_incident(self, incident: Incident) -> None:
        """Show what happened to the incident so far."""
        if incident.id != self._incident_id:
            self.model.show_events([])
        self._incident_id = incident.id
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        self._start(self._bus.history(None, _MOST, incident_id=incident.id), self._read, self._failed)

    def _read(self, events: list[Recorded]) -> None:
        self._reading = False
        if self._again and self._incident_id:
            self._reading, self._again = True, False
            self._start(self._bus.history(None, _MOST, incident_id=self._incident_id), self._read, self._failed)
        elif events and events[0].event.incident_id == self._incident_id:
            self.model.show_events(events)
            self._note.setText(f"The newest {count(_MOST, 'event')} are shown; the rest is in the log.")
            self._note.setVisible(len(events) == _MOST)

    def _failed(self, error: Exception) -> None:
        self._reading = False
        self._note.setText(f"The log could not be read: {error}")
        self._note.show()
