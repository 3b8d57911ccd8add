"""Brings waiting actions before a person, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from PySide6.QtCore import QElapsedTimer, QObject, Signal
from PySide6.QtWidgets import QWidget

from warden_desktop.domain.action import VERBS, ActionState, Risk
from warden_desktop.domain.events import ActionEvent, ApprovalRequested
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.approval_dialog import ApprovalDialog
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.work import Start

QUIET_MS = 5 * 60 * 1_000
"""How long nothing opens by itself after "Not now"."""


class Approver(QObject):
    """Owns the approval dialog and knows what waits, in the order in which it was asked.

    `waiting_changed` carries how many wait; `incident_wanted` an incident's id.
    """

    waiting_changed = Signal(object)
    incident_wanted = Signal(object)

    def __init__(
        self,
        parent: QWidget,
        desk: Desk,
        start: Start,
        theme: Theme,
        actor: str,
        *,
        opens_itself: bool = False,
        reading: Callable[[], bool] = lambda: False,
    ) -> None:
        """`opens_itself`: show an approval as soon as it waits, without taking the keyboard.

        That is for the first one and for high risk, never while the person is `reading`, and not for a while after
        "Not now": with sixteen waiting nobody wants sixteen windows. The rail, the counters and the tray tell of all.
        """
        super().__init__(parent)
        self._reading = reading
        self._put_off = QElapsedTimer()
        self._desk = desk
        self._opens_itself = opens_itself
        self._waiting: dict[UUID, None] = {}
        self.dialog = ApprovalDialog(parent, desk, start, theme, actor)
        self.dialog.next_wanted.connect(self.next)
        self.dialog.later_wanted.connect(self._put_back)
        self.dialog.incident_wanted.connect(self.incident_wanted)
        self.on_resync()

    @property
    def waiting(self) -> int:
        """How many actions wait for a person."""
        return len(self._waiting)

    def open_for(self, action_id: UUID) -> None:
        """Show one action, whatever its state."""
        self.dialog.show_action(action_id, activate=True)
        self._count()

    def next(self) -> None:
        """Show the action that waits longest and is not shown already; close when there is none."""
        following = self._others()
        if following:
            self.open_for(following[0])
        else:
            self.dialog.close()

    def deny(self, action_id: UUID) -> None:
        """Show one action with the question why it is denied."""
        self.dialog.deny_action(action_id)
        self._count()

    def on_events(self, batch: list[Recorded]) -> None:
        """Follow what waits; open the dialog for what is new when that is wanted and nothing is open."""
        fresh = [one.event.action_id for one in batch if isinstance(one.event, ApprovalRequested)]
        touched = dict.fromkeys(one.event.action_id for one in batch if isinstance(one.event, ActionEvent))
        for action_id in touched:
            self._note(action_id)
        self.dialog.on_events(batch)
        if touched:
            self._count()
            self._offer([one for one in fresh if one in self._waiting])

    def on_resync(self) -> None:
        """Find out anew what waits."""
        waiting = [action for _, action in self._desk.incidents.actions() if _waits(action.state)]
        waiting.sort(key=lambda action: action.asked_at or action.proposed.expires_at)
        self._waiting = {action.id: None for action in waiting}
        self.dialog.on_resync()
        self._count()

    def _note(self, action_id: UUID) -> None:
        found = self._desk.incidents.action(action_id)
        if found is not None and _waits(found[1].state):
            self._waiting.setdefault(action_id)
        else:
            self._waiting.pop(action_id, None)

    def _offer(self, fresh: list[UUID]) -> None:
        worth = fresh if len(fresh) == len(self._waiting) else [one for one in fresh if self._high_risk(one)]
        if worth and self._opens_itself and not self._disturbs():
            self.dialog.show_action(worth[0], activate=False)
            self._count()

    def _high_risk(self, action_id: UUID) -> bool:
        found = self._desk.incidents.action(action_id)
        return found is not None and VERBS[found[1].verb].risk is Risk.HIGH

    def _disturbs(self) -> bool:
        """Whether a dialog that opens by itself would be in somebody's way, or of no use."""
        lately = self._put_off.isValid() and self._put_off.elapsed() < QUIET_MS
        return lately or self.dialog.isVisible() or bool(self._desk.engaged) or self._reading()

    def _others(self) -> list[UUID]:
        current = self.dialog.action_id if self.dialog.isVisible() else None
        return [one for one in self._waiting if one != current]

    def _put_back(self, action_id: UUID) -> None:
        """Not now: it goes to the end of those that wait, and nothing opens by itself for a while."""
        self._put_off.start()
        if action_id in self._waiting:
            del self._waiting[action_id]
            self._waiting[action_id] = None

    def _count(self) -> None:
        shown = self.dialog.isVisible() and self.dialog.action_id in self._waiting
        self.dialog.show_waiting(self.waiting - shown)
        self.waiting_changed.emit(self.waiting)


def _waits(state: ActionState) -> bool:
    return state is ActionState.WAITING
