"""Brings waiting actions before a person, one at a time."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from warden_desktop.domain.action import ActionState
from warden_desktop.domain.events import ActionEvent, ApprovalRequested
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.approval_dialog import ApprovalDialog
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.work import Start


class Approver(QObject):
    """Owns the approval dialog and knows what waits, in the order in which it was asked.

    `waiting_changed` carries how many wait; `incident_wanted` an incident's id.
    """

    waiting_changed = Signal(object)
    incident_wanted = Signal(object)

    def __init__(
        self, parent: QWidget, desk: Desk, start: Start, theme: Theme, actor: str, *, opens_itself: bool = False
    ) -> None:
        """`opens_itself`: show an approval as soon as it waits, without taking the keyboard."""
        super().__init__(parent)
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
        if fresh and self._opens_itself and not self.dialog.isVisible() and not self._desk.engaged:
            self.dialog.show_action(fresh[0], activate=False)
            self._count()

    def _others(self) -> list[UUID]:
        current = self.dialog.action_id if self.dialog.isVisible() else None
        return [one for one in self._waiting if one != current]

    def _put_back(self, action_id: UUID) -> None:
        """Not now: it goes to the end of those that wait."""
        if action_id in self._waiting:
            del self._waiting[action_id]
            self._waiting[action_id] = None

    def _count(self) -> None:
        self.dialog.show_waiting(len(self._others()))
        self.waiting_changed.emit(self.waiting)


def _waits(state: ActionState) -> bool:
    return state is ActionState.WAITING
