"""The page of what waits for a person: actions to approve, and those a stop held."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from warden_desktop.domain.action import ActionState
from warden_desktop.domain.events import ActionEvent
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.action_columns import APPROVAL_COLUMNS, CellLooks
from warden_desktop.ui.action_model import ActionModel, ActionRow
from warden_desktop.ui.action_table import ActionTable
from warden_desktop.ui.arrange import beside, framed, stacked
from warden_desktop.ui.empty_state import EmptyState
from warden_desktop.ui.plain_text import label
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import count
from warden_desktop.ui.work import Start

_WIDTHS = {0: 16, 1: 21, 2: 26, 3: 13, 5: 13, 6: 24, 7: 34}
_INCIDENT_COLUMN = 4


class ApprovalsPage(QWidget):
    """Waiting and held actions, the most urgent first. Enter or A opens one, D denies it.

    `open_wanted` and `deny_wanted` carry an action's id, for the Approver.
    """

    open_wanted = Signal(object)
    deny_wanted = Signal(object)
    incident_wanted = Signal(object)
    badge_changed = Signal(object)

    def __init__(self, desk: Desk, start: Start, theme: Theme, actor: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self._desk = desk
        self.model = ActionModel(APPROVAL_COLUMNS, CellLooks(theme, APPROVAL_COLUMNS), self)
        self.table = ActionTable(self.model, theme, _WIDTHS, _INCIDENT_COLUMN)
        self.table.setAccessibleName("Actions waiting for you")
        self.table.sorted_by(0, Qt.SortOrder.AscendingOrder)
        self._summary = label("", "muted")
        self._held_note = label("", wrap=True)
        self._held = framed(stacked(self._held_note, margin=3), tone="warn")
        self._empty = EmptyState(
            theme,
            "approvals",
            "Nothing waits for you",
            "An action that needs a decision appears here, with its reasons.",
        )
        self._clock = QTimer(self)
        self._clock.setInterval(1_000)
        self._arrange()
        self._connect()
        self.on_resync()

    def _arrange(self) -> None:
        head = beside(label("Approvals", "title"), self._summary, None, gap=3)
        keys = label("Enter or A: look and decide    D: deny    J, K: next, previous    I: incident", "caption")
        self._body = QStackedWidget()
        self._body.addWidget(self.table)
        self._body.addWidget(self._empty)
        page = stacked(head, self._held, self._body, keys, gap=3, margin=5)
        page.setStretch(2, 1)
        self.setLayout(page)

    def _connect(self) -> None:
        self._clock.timeout.connect(self.model.tick)
        self.table.activated_row.connect(self._open)
        self.table.letter.connect(self._letter)

    def on_events(self, batch: list[Recorded]) -> None:
        """Bring in what changed."""
        touched = dict.fromkeys(one.event.action_id for one in batch if isinstance(one.event, ActionEvent))
        for action_id in touched:
            self._bring(action_id)
        if touched:
            self._count()

    def on_resync(self) -> None:
        """Read everything that waits anew."""
        self.model.replace(ActionRow.of(found) for found in self._desk.incidents.actions() if _open(found[1].state))
        self._count()

    def go_to(self, action_id: UUID) -> None:
        """Put the cursor on an action."""
        self.table.go_to(action_id)

    def _bring(self, action_id: UUID) -> None:
        found = self._desk.incidents.action(action_id)
        if found is not None and _open(found[1].state):
            self.model.put(ActionRow.of(found))
        elif self.model.known(action_id):
            self.model.forget(action_id)

    def _count(self) -> None:
        states = [row.action.state for row in self.model.everything()]
        waiting, held = states.count(ActionState.WAITING), states.count(ActionState.HELD)
        self._summary.setText(f"{count(waiting, 'action')} waiting" if waiting else "")
        self._held_note.setText(
            f"{count(held, 'action')} held by the kill switch. Nothing resumes by itself: approve or deny each one."
        )
        self._held.setVisible(held > 0)
        self._body.setCurrentIndex(0 if waiting or held else 1)
        self.badge_changed.emit(waiting + held)
        if self.model.rowCount() and not self.table.currentIndex().isValid():
            self.table.selectRow(0)

    def _open(self, row: ActionRow) -> None:
        self.open_wanted.emit(row.action.id)

    def _letter(self, letter: str) -> None:
        row = self.table.current
        if row is None:
            return
        if letter == "a":
            self.open_wanted.emit(row.action.id)
        elif letter == "d":
            self.deny_wanted.emit(row.action.id)
        elif letter == "i":
            self.incident_wanted.emit(row.incident_id)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._clock.start()
        self.model.tick()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()


def _open(state: ActionState) -> bool:
    return state in (ActionState.WAITING, ActionState.HELD)
