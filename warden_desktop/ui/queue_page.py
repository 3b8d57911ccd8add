"""The Queue: counters, the filter line, the incident table, and the incident beside it."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter, QWidget

from warden_desktop.domain.events import ActionApproved, ActionDenied, IncidentResolved, kind_of
from warden_desktop.domain.record import now
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.arrange import framed, stacked
from warden_desktop.ui.counters import Counters, numbers
from warden_desktop.ui.decisions import Decisions
from warden_desktop.ui.incident_area import IncidentArea
from warden_desktop.ui.incident_columns import ServiceLevels
from warden_desktop.ui.incident_detail import IncidentDetail
from warden_desktop.ui.incident_filter import IncidentFilter, usual_views
from warden_desktop.ui.incident_table import IncidentTable, Matches
from warden_desktop.ui.incident_view import IncidentView
from warden_desktop.ui.shortcuts import bind
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.view_store import ViewStore
from warden_desktop.ui.work import Start

_COUNT_EVERY = 1_000  # ms
_ENDINGS_COUNTED = 1_000
_TABLE_SHARE = 60  # percent of the width, until the analyst moves the handle
_SPLIT, _VIEW = "queue.split", "queue.view"


class QueuePage(QWidget):
    """`found_changed`: another number of incidents is shown; `badge_changed` carries how many are open.

    `open_wanted` and `deny_wanted` carry an action's id, for the Approver.
    """

    open_wanted = Signal(object)
    deny_wanted = Signal(object)
    badge_changed = Signal(object)
    incident_wanted = Signal(object)
    found_changed = Signal()

    def __init__(
        self,
        desk: Desk,
        start: Start,
        theme: Theme,
        actor: str,
        *,
        store: ViewStore,
        service_levels: ServiceLevels,
        endpoint: str = "",
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self._desk, self._start, self._actor, self._store = desk, start, actor, store
        self._endings: list[bool] = []
        self._counted = self._any = False
        self.table = IncidentTable(desk.incidents.rows(), now, service_levels)
        self.decisions = Decisions(self, desk, start, theme, actor)
        self.filter = IncidentFilter(theme, usual_views(self.decisions.analyst))
        self.view = IncidentView(self.table, theme, store, self._search)
        self.detail = IncidentDetail(desk, start, theme, self.decisions, self._search)
        self.area = IncidentArea(theme, self.table, self.view, endpoint)
        self.counters = Counters(theme)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._arrange(theme)
        self._connect()
        self._bind_keys()
        self.filter.show_view(str(store.get(_VIEW, "")))
        self.filter.apply()
        self._read_endings()

    def _arrange(self, theme: Theme) -> None:
        self._split.addWidget(self.area)
        self._split.addWidget(self.detail)
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        self._split.setChildrenCollapsible(False)
        self.area.setMinimumWidth(theme.space(90))
        self.detail.setMinimumWidth(theme.space(120))  # the buttons of its head, side by side
        self._split.setSizes([100 * _TABLE_SHARE, 100 * (100 - _TABLE_SHARE)])
        kept = self._store.get(_SPLIT)
        if isinstance(kept, str):
            self._split.restoreState(QByteArray.fromBase64(kept.encode("ascii", "replace")))
        filter_row = stacked(self.filter)
        filter_row.setContentsMargins(theme.space(4), theme.space(2), theme.space(4), theme.space(2))
        page = stacked(self.counters, framed(filter_row, "strip"), self._split, gap=0)
        page.setStretch(2, 1)
        self.setLayout(page)

    def _connect(self) -> None:
        self.filter.chosen.connect(self._choose)
        self.filter.left.connect(self.focus_table)
        self.table.shown_changed.connect(self._show_found)
        self.area.refresh_wanted.connect(self.refresh)
        self.view.current_changed.connect(self.detail.show_incident)
        self.view.wanted.connect(self.detail.focus_tabs)
        self.decisions.decided.connect(self.advance)
        self.decisions.open_wanted.connect(self.open_wanted)
        self.decisions.deny_wanted.connect(self.deny_wanted)
        self._split.splitterMoved.connect(self._keep_split)
        self._clock = QTimer(self, interval=_COUNT_EVERY)
        self._clock.timeout.connect(self._count)
        self._clock.start()

    def _bind_keys(self) -> None:
        bind(self.view, "table", {"open": self.detail.focus_tabs, "peek": self._peek})
        bind(
            self,
            "queue",
            {
                "next": self._next, "previous": self._previous, "approve": self._approve, "deny": self._deny,
                "resolve": self._resolve, "false_positive": self._false_positive, "escalate": self._escalate,
                "comment": self._comment, "assign": self._assign, "fresh": self.refresh, "search": self.filter.focus,
            },
        )  # fmt: skip
        back = QShortcut(QKeySequence("Escape"), self.detail)
        back.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        back.activated.connect(self.focus_table)

    # --- what happens -------------------------------------------------------------------------------------------

    def on_events(self, batch: list[Recorded]) -> None:
        """Bring the rows these events touched up to date."""
        touched = dict.fromkeys(one.event.incident_id for one in batch if one.event.incident_id is not None)
        if not touched:
            return
        self._counted = False
        self.table.update(touched, self.view.still)
        for recorded in batch:
            self._note(recorded)
        if self.view.current in touched:
            self.detail.refresh()

    def on_resync(self) -> None:
        """Look at every incident again."""
        self.table.update(self._desk.incidents.rows(), self.view.still)
        self.detail.refresh()
        self._read_endings()

    def _note(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, IncidentResolved):
            self._endings = [*self._endings[1 - _ENDINGS_COUNTED :], _by_a_person(event.actor)]
        elif isinstance(event, ActionApproved | ActionDenied) and event.actor == self._actor:
            row = self._desk.incidents.rows().get(event.incident_id)
            if event.incident_id == self.view.current and row is not None and not row.waiting:
                self.advance(event.incident_id)

    def _read_endings(self) -> None:
        kinds = (kind_of(IncidentResolved),)
        self._start(self._desk.bus.history(None, _ENDINGS_COUNTED, kinds=kinds), self._endings_read)

    def _endings_read(self, events: list[Recorded]) -> None:
        self._endings = [_by_a_person(recorded.event.actor) for recorded in reversed(events)]
        self._counted = False
        self._count()

    # --- showing ------------------------------------------------------------------------------------------------

    def show_incident(self, incident_id: UUID) -> None:
        """Put the cursor on an incident; one that the filter hides is shown beside the table all the same."""
        place = self.table.place(incident_id)
        if place is None:
            self.view.clearSelection()
            self.detail.show_incident(incident_id)
        else:
            self.view.go_to(place)
        self.detail.show()

    def show_endpoint(self, endpoint: str) -> None:
        """Tell where alerts come in."""
        self.area.show_endpoint(endpoint)

    def refresh(self) -> None:
        """Show what waits to be shown, in order."""
        self.table.refresh()
        self.view.scrollTo(self.view.currentIndex())

    def advance(self, decided: UUID) -> None:
        """Go on to the next incident that waits for a decision, and take the decided one away if it no longer fits."""
        following = self._following(decided)
        if following is not None and self.view.current == decided:
            self.view.go_to(following)
        if not self.table.wants(decided):
            self.table.remove(decided)
        self._show_found()

    def _following(self, decided: UUID) -> int | None:
        """The place of the next row below, or else from the top, that nobody has decided."""
        here, last = self.table.place(decided) or 0, self.table.rowCount()
        places: list[int] = [*range(here + 1, last), *range(here)]
        for place in places:
            row = self.table.row(place)
            if row.status.open and row.decided_at is None and row.id != decided:
                return place
        return None

    def _choose(self, matches: Matches) -> None:
        self.table.choose(matches)
        self._store.keep(_VIEW, self.filter.view)

    def _show_found(self) -> None:
        if not self._desk.incidents.rows():
            self.detail.hide()
        elif not self._any:
            self._any = True
            self.detail.show()
        self.area.show_found(len(self._desk.incidents.rows()))
        self.found_changed.emit()

    def _count(self) -> None:
        """Numbers cost a walk over all rows, so they follow once a second, and only when something changed."""
        if self._counted:
            self.counters.tick(now())
            return
        self._counted = True
        at = now()
        found = numbers(self._desk.incidents.rows().values(), at)
        self.counters.show_numbers(found, len(self._endings), self._endings.count(False), at)
        self.badge_changed.emit(found.open)

    def _search(self, term: str, only: bool) -> None:
        self.filter.add_term(term, only=only)

    def focus_table(self) -> None:
        """Put the keyboard on the table, or on its place while there is none."""
        self.area.focus()

    def _keep_split(self) -> None:
        self._store.keep(_SPLIT, bytes(self._split.saveState().toBase64().data()).decode("ascii"))

    # --- keys ---------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        self.view.go(1)

    def _previous(self) -> None:
        self.view.go(-1)

    def _peek(self) -> None:
        self.detail.setVisible(not self.detail.isVisible())

    def _approve(self) -> None:
        if self.detail.incident:
            self.decisions.approve(self.detail.incident)

    def _deny(self) -> None:
        if self.detail.incident:
            self.decisions.deny(self.detail.incident)

    def _resolve(self) -> None:
        if self.detail.incident:
            self.decisions.resolve(self.detail.incident)

    def _false_positive(self) -> None:
        if self.detail.incident:
            self.decisions.false_positive(self.detail.incident)

    def _escalate(self) -> None:
        if self.detail.incident:
            self.decisions.escalate(self.detail.incident)

    def _assign(self) -> None:
        if self.detail.incident:
            self.decisions.assign(self.detail.incident)

    def _comment(self) -> None:
        self.detail.show()
        self.detail.focus_comment()


def _by_a_person(actor: str) -> bool:
    return actor.startswith("analyst:")
