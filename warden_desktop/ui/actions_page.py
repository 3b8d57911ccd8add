"""The ledger: every action of every incident, what it is now, and what came of it."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLineEdit, QSplitter, QStackedWidget, QWidget

from warden_desktop.domain.action import VERBS, ActionState
from warden_desktop.domain.events import ActionEvent, ActionsProposed
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.action_columns import LEDGER_COLUMNS, WHEN, CellLooks
from warden_desktop.ui.action_detail import ActionDetail
from warden_desktop.ui.action_model import ActionModel, ActionRow
from warden_desktop.ui.action_table import ActionTable
from warden_desktop.ui.arrange import beside, framed, stacked
from warden_desktop.ui.empty_state import EmptyState
from warden_desktop.ui.plain_text import label
from warden_desktop.ui.state_chips import StateChips
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import count
from warden_desktop.ui.work import Start

_WIDTHS = {0: 29, 1: 22, 2: 22, 3: 24, 4: 14, 5: 14, 6: 13}
_OUTCOME_COLUMN = 7


class ActionsPage(QWidget):
    """All actions, newest first. The badge counts unknown outcomes, and failures since the page was last seen.

    `open_wanted` carries the id of an action to decide, for the Approver.
    """

    open_wanted = Signal(object)
    incident_wanted = Signal(object)
    badge_changed = Signal(object)

    def __init__(self, desk: Desk, start: Start, theme: Theme, actor: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self._desk, self._start, self._actor = desk, start, actor
        self._states: frozenset[ActionState] = frozenset(ActionState)
        self._text = ""
        self._known: dict[UUID, ActionState] = {}
        self._counts: Counter[ActionState] = Counter()
        self._unseen: set[UUID] = set()
        self.model = ActionModel(LEDGER_COLUMNS, CellLooks(theme, LEDGER_COLUMNS), self)
        self.table = ActionTable(self.model, theme, _WIDTHS, _OUTCOME_COLUMN)
        self.table.setAccessibleName("Actions")
        self.table.sorted_by(LEDGER_COLUMNS.index(WHEN), Qt.SortOrder.DescendingOrder)
        self.chips = StateChips(theme)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Target, incident, verb, person")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search the ledger")
        self.detail = ActionDetail(theme)
        self._summary = label("", "muted")
        self._empty = EmptyState(
            theme,
            "actions",
            "No action yet",
            "Every action that is proposed, approved or carried out is listed here for good.",
        )
        self._arrange()
        self._connect()
        self.on_resync()

    def _arrange(self) -> None:
        self.search.setFixedWidth(280)
        head = beside(label("Actions", "title"), self._summary, None, self.search, gap=3)
        self._body = QStackedWidget()
        self._body.addWidget(self.table)
        self._body.addWidget(self._empty)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self._body)
        self._split.addWidget(framed(stacked(self.detail), "surface"))
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 1)
        self._split.setSizes([900, 340])
        self._split.setChildrenCollapsible(False)
        page = stacked(head, self.chips, self._split, gap=3, margin=5)
        page.setStretch(2, 1)
        self.setLayout(page)

    def _connect(self) -> None:
        self.chips.chosen.connect(self._show_states)
        self.search.textChanged.connect(self._show_text)
        self.table.chosen.connect(self.detail.show_row)
        self.table.activated_row.connect(self._activated)
        self.table.letter.connect(self._letter)
        self.detail.undo_wanted.connect(self._undo)
        self.detail.open_wanted.connect(self.open_wanted)
        self.detail.incident_wanted.connect(self.incident_wanted)

    # --- following ----------------------------------------------------------------------------------------------

    def on_events(self, batch: list[Recorded]) -> None:
        """Bring in what changed."""
        touched: dict[UUID, None] = {}
        for one in batch:
            if isinstance(one.event, ActionEvent):
                touched[one.event.action_id] = None
            elif isinstance(one.event, ActionsProposed):
                touched.update(dict.fromkeys(action.id for action in one.event.actions))
        for action_id in touched:
            self._bring(action_id)
        if touched:
            self._count()

    def on_resync(self) -> None:
        """Read the whole ledger anew."""
        rows = [ActionRow.of(found) for found in self._desk.incidents.actions()]
        self._known = {row.action.id: row.action.state for row in rows}
        self._counts = Counter(self._known.values())
        self.model.replace(rows)
        self._count()

    def _bring(self, action_id: UUID) -> None:
        found = self._desk.incidents.action(action_id)
        if found is None:
            return
        row = ActionRow.of(found)
        self._tally(action_id, row.action.state)
        self.model.put(row)
        current = self.table.current
        if current is not None and current.action.id == action_id:
            self.detail.show_row(row)

    def _tally(self, action_id: UUID, state: ActionState) -> None:
        before = self._known.get(action_id)
        if before is not None:
            self._counts[before] -= 1
        self._counts[state] += 1
        self._known[action_id] = state
        if state is ActionState.FAILED and before is not state and not self.isVisible():
            self._unseen.add(action_id)

    def _count(self) -> None:
        self.chips.count(self._counts)
        self._summary.setText(
            f"{self.model.rowCount():,} of {count(len(self._known), 'action')}" if self._known else ""
        )
        self._body.setCurrentIndex(0 if self._known else 1)
        self.badge_changed.emit(self._counts[ActionState.UNKNOWN] + len(self._unseen))

    # --- what a person does -------------------------------------------------------------------------------------

    def go_to(self, action_id: UUID) -> None:
        """Put the cursor on an action."""
        self.table.go_to(action_id)

    def _show_states(self, states: frozenset[ActionState]) -> None:
        self._states = states
        self._filter()

    def _show_text(self, text: str) -> None:
        self._text = text.strip().casefold()
        self._filter()

    def _filter(self) -> None:
        self.model.show_only(self._wanted)
        self._count()

    def _wanted(self, row: ActionRow) -> bool:
        return row.action.state in self._states and (not self._text or self._text in _searchable(row))

    def _activated(self, row: ActionRow) -> None:
        if row.action.state in (ActionState.WAITING, ActionState.HELD):
            self.open_wanted.emit(row.action.id)
        else:
            self.incident_wanted.emit(row.incident_id)

    def _letter(self, letter: str) -> None:
        row = self.table.current
        if row is not None and letter == "i":
            self.incident_wanted.emit(row.incident_id)
        elif row is not None and letter == "a":
            self._activated(row)

    def _undo(self, action_id: UUID) -> None:
        self.detail.say("Proposing…")
        self._start(self._desk.propose_undo(action_id, actor=self._actor), self._proposed, self._refused)

    def _proposed(self, _: None) -> None:
        self.detail.say("Proposed. It needs an approval like any other action.", "good")

    def _refused(self, error: Exception) -> None:
        self.detail.say(str(error), "danger")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._unseen.clear()
        self._count()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)


def _searchable(row: ActionRow) -> str:
    action = row.action
    words = (
        action.target.value,
        row.incident,
        VERBS[action.verb].label,
        action.decided_by,
        action.proposed.proposed_by,
    )
    return " ".join(words).casefold()
