"""One incident, beside the queue: its head, the tabs, and a line for comments."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLineEdit, QPushButton, QStackedWidget, QTabWidget, QWidget

from warden_desktop.domain.incident import Incident
from warden_desktop.domain.record import now
from warden_desktop.engine.desk import Desk
from warden_desktop.ui.arrange import beside, framed, stacked
from warden_desktop.ui.decisions import Decisions
from warden_desktop.ui.detail_actions import DetailActions
from warden_desktop.ui.detail_evidence import DetailEvidence
from warden_desktop.ui.detail_header import DetailHeader
from warden_desktop.ui.detail_raw import DetailRaw
from warden_desktop.ui.detail_summary import DetailSummary
from warden_desktop.ui.detail_timeline import DetailTimeline
from warden_desktop.ui.empty_state import EmptyState
from warden_desktop.ui.theme import Theme, set_role
from warden_desktop.ui.value_menu import Search
from warden_desktop.ui.work import Start

TABS = ("Summary", "Timeline", "Evidence", "Actions", "Raw")


class IncidentDetail(QFrame):
    """Shows the incident it is given, and follows its changes."""

    def __init__(self, desk: Desk, start: Start, theme: Theme, decisions: Decisions, search: Search) -> None:
        super().__init__()
        set_role(self, "surface")
        self._desk, self._start, self._decisions = desk, start, decisions
        self._incident: Incident | None = None
        self._wanted: UUID | None = None
        self.header = DetailHeader(theme, decisions)
        self.summary = DetailSummary(theme, decisions)
        self.timeline = DetailTimeline(desk.bus, start, theme)
        self.evidence = DetailEvidence(theme, search)
        self.ledger = DetailActions(theme, decisions)
        self.raw = DetailRaw(desk.bus, start, theme)
        self.summary.cited.connect(self._cite)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        pages: tuple[QWidget, ...] = (self.summary, self.timeline, self.evidence, self.ledger, self.raw)
        for name, page in zip(TABS, pages, strict=True):
            self.tabs.addTab(page, name)
        self.tabs.currentChanged.connect(self._show_tab)
        self.comment = QLineEdit()
        self._stack = QStackedWidget()
        self._stack.addWidget(_nothing(theme))
        self._stack.addWidget(self._page(theme))
        self.setLayout(stacked(self._stack))

    def _page(self, theme: Theme) -> QWidget:
        self.comment.setPlaceholderText("Write a comment, Enter to keep it")
        self.comment.setAccessibleName("Comment")
        self.comment.setMaxLength(8_000)
        self.comment.returnPressed.connect(self._say)
        keep = QPushButton("Comment")
        keep.clicked.connect(self._say)
        foot = beside(self.comment, keep, gap=2)
        foot.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        page = QWidget()
        page.setLayout(stacked(self.header, self.tabs, framed(foot, "foot"), gap=0))
        return page

    # --- showing ------------------------------------------------------------------------------------------------

    @property
    def incident(self) -> Incident | None:
        """What is shown."""
        return self._incident

    def show_incident(self, incident_id: UUID | None) -> None:
        """Show an incident, reading it from the log when it ended long ago; None shows nothing."""
        self._wanted = incident_id
        if incident_id is None:
            self._incident = None
            self._stack.setCurrentIndex(0)
            return
        incident = self._desk.incidents.get(incident_id)
        if incident is not None:
            self._show(incident)
        else:
            self._start(self._desk.incidents.load(incident_id), self._loaded)

    def refresh(self) -> None:
        """Show the incident as it is now."""
        incident = self._desk.incidents.get(self._wanted) if self._wanted else None
        if incident is not None and incident is not self._incident:
            self._show(incident)

    def focus_comment(self) -> None:
        """Put the cursor into the comment line."""
        self.comment.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_tabs(self) -> None:
        """Put the keyboard on the tabs: left and right choose one."""
        self.tabs.tabBar().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _loaded(self, incident: Incident | None) -> None:
        if incident is not None and incident.id == self._wanted:
            self._show(incident)

    def _show(self, incident: Incident) -> None:
        if self._incident is None or self._incident.id != incident.id:
            self.comment.clear()
        self._incident = incident
        self.header.show_incident(incident, now())
        waiting = f" ({incident.waiting})" if incident.waiting else ""
        self.tabs.setTabText(TABS.index("Actions"), f"Actions{waiting}")
        self._stack.setCurrentIndex(1)
        self._show_tab()

    def _show_tab(self) -> None:
        """Only the tab that is looked at is brought up to date."""
        incident, at = self._incident, now()
        if incident is not None:
            self._update(self.tabs.currentWidget(), incident, at)

    def _update(self, page: QWidget, incident: Incident, at: datetime) -> None:
        if isinstance(page, DetailEvidence | DetailActions):
            page.show_incident(incident, at)
        elif isinstance(page, DetailSummary | DetailTimeline | DetailRaw):
            page.show_incident(incident)

    # --- what the analyst does ----------------------------------------------------------------------------------

    def _cite(self, path: str) -> None:
        self.tabs.setCurrentWidget(self.raw)
        self.raw.cite(path)

    def _say(self) -> None:
        text = self.comment.text().strip()
        if text and self._incident is not None:
            self._decisions.comment(self._incident, text, self.comment.clear)


def _nothing(theme: Theme) -> QWidget:
    return EmptyState(theme, "queue", "No incident chosen", "Choose one in the table, or press J. Enter reads it here.")
