"""The approval dialog: everything one must know about an action, then the decision, then what became of it.

It is one window that is used again, never modal: alerts go on behind it. What is shown is rendered once, from the
action as approval was asked for; the digest of exactly that goes with the approval.
"""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QDialog, QPushButton, QScrollArea, QSizePolicy, QWidget

from warden_desktop.domain.action import VERBS, ActionState, Level
from warden_desktop.domain.events import ActionEvent, KillSwitchActivated, KillSwitchReleased
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.record import now
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.approval_decision import DecisionBar
from warden_desktop.ui.approval_facts import blast, decisive, stopped_by, time_left
from warden_desktop.ui.approval_fate import Fate
from warden_desktop.ui.approval_sections import (
    blast_section,
    request_section,
    target_section,
    undo_section,
    who_section,
    why_section,
)
from warden_desktop.ui.arrange import beside, framed, held, stacked
from warden_desktop.ui.plain_text import label, menu_text
from warden_desktop.ui.state_marks import StateMarks
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.turning import Turning
from warden_desktop.ui.work import Start

_DECIDABLE = frozenset({ActionState.WAITING, ActionState.HELD})
_WIDTH, _HEIGHT = 820, 860
_HURRY_SECONDS = 60
_ASIDE, _HEAD = 24, 100  # px to the edge of the window it belongs to, and to its top, for the kill switch


class ApprovalDialog(QDialog):
    """Shows one action at a time. `next_wanted` and `later_wanted` (an action id) ask its owner what comes now."""

    next_wanted = Signal()
    later_wanted = Signal(object)
    incident_wanted = Signal(object)

    def __init__(self, parent: QWidget | None, desk: Desk, start: Start, theme: Theme, actor: str) -> None:
        super().__init__(parent)
        self._desk, self._start, self._actor = desk, start, actor
        self._action_id: UUID | None = None
        self._digest = ""
        self._deadline: Action | None = None
        self.setWindowTitle("Approval")
        self.setModal(False)
        self._waiting = label("", "muted")
        self._left = label("", "strong")
        self._left.setAccessibleName("Time left")
        self._error = label("", tone="danger", wrap=True)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("What is asked")
        self.decision = DecisionBar(self)
        self.fate = Fate(StateMarks(theme), self)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self._foot = Turning(self.decision, self.fate)
        head = framed(beside(label("Approval", "heading"), self._waiting, None, self._left, margin=3), "strip")
        foot = framed(stacked(self._error, self._foot, gap=2, margin=4), "surface")
        page = stacked(head, self._scroll, foot, gap=0)
        page.setStretch(1, 1)
        self.setLayout(page)
        self._fit()

    def _fit(self) -> None:
        room = self.screen().availableGeometry()
        self.setMinimumSize(min(560, room.width()), min(420, room.height()))
        self.resize(min(_WIDTH, room.width() - 40), min(_HEIGHT, room.height() - 60))

    def _connect(self) -> None:
        self._clock = QTimer(self)
        self._clock.setInterval(1_000)
        self._clock.timeout.connect(self._tick)
        self.decision.approve_wanted.connect(self._approve)
        self.decision.deny_wanted.connect(self._deny)
        self.decision.later_wanted.connect(self._later)
        self.fate.next_wanted.connect(self.next_wanted)
        self.fate.close_wanted.connect(self.close)

    # --- showing ------------------------------------------------------------------------------------------------

    @property
    def action_id(self) -> UUID | None:
        """The action that is shown, or None."""
        return self._action_id

    @property
    def deciding(self) -> bool:
        """Whether it is open and asks for a decision."""
        return self.isVisible() and self._foot.current is self.decision

    def show_action(self, action_id: UUID, *, activate: bool) -> bool:
        """Show an action; False when it is not in memory. `activate`: take the keyboard, since a person asked."""
        found = self._desk.incidents.action(action_id)
        if found is None:
            return False
        self._action_id = action_id
        self._render(*found)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not activate)
        if not self.isVisible():
            self._place(aside=not activate)
        self.show()
        if activate:
            self.raise_()
            self.activateWindow()
        self._scroll.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _place(self, *, aside: bool) -> None:
        """Below the header, so that the kill switch is seen; at the right when nobody asked for it, so that the table
        is seen as well."""
        parent = self.parentWidget()
        if parent is None or not parent.isVisible():
            return
        theirs, room = parent.window().geometry(), parent.screen().availableGeometry()
        spare = theirs.width() - self.width()
        left = theirs.left() + (spare - _ASIDE if aside else spare // 2)
        top = min(theirs.top() + _HEAD, room.bottom() - _ASIDE - self.minimumHeight())
        self.resize(self.width(), max(min(_HEIGHT, room.bottom() - top - _ASIDE), self.minimumHeight()))
        self.move(max(min(left, room.right() - self.width()), room.left()), max(top, room.top()))

    def deny_action(self, action_id: UUID) -> bool:
        """Show an action with the question why it is denied."""
        if not self.show_action(action_id, activate=True):
            return False
        if self.deciding:
            self.decision.ask_reason()
        return True

    def show_waiting(self, others: int) -> None:
        """Say how many more wait."""
        self._waiting.setText(f"{others} more waiting" if others else "")
        self.fate.offer(others)

    def on_events(self, batch: list[Recorded]) -> None:
        """Follow the action that is shown, and the kill switch."""
        if not self.isVisible():
            return
        mine = (
            (isinstance(one.event, ActionEvent) and one.event.action_id == self._action_id)
            or isinstance(one.event, KillSwitchActivated | KillSwitchReleased)
            for one in batch
        )
        if any(mine):
            self._refresh()

    def on_resync(self) -> None:
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        found = self._desk.incidents.action(self._action_id) if self._action_id else None
        if found is None:
            return
        if found[1].state in _DECIDABLE and found[1].digest != self._digest:
            self._render(*found)
            self._complain("What is asked has changed. Read it again.")
        else:
            self._follow(found[1])

    def _render(self, incident: Incident, action: Action) -> None:
        self._digest = action.digest
        self._deadline = action
        self._complain("")
        self.setWindowTitle(f"Approval: {VERBS[action.verb].label}")
        self._scroll.setWidget(self._sections(incident, action))
        self._scroll.verticalScrollBar().setValue(0)
        self.decision.ask_about(action)
        self._follow(action)
        self._clock.start()
        self._tick()
        if self.isActiveWindow():
            self.decision.arm()

    def _sections(self, incident: Incident, action: Action) -> QWidget:
        at = now()
        link = QPushButton(menu_text(f"Incident: {incident.title}", 90))
        link.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        set_role(link, "link")
        link.setAutoDefault(False)
        link.clicked.connect(self._open_incident)
        reach = blast(self._desk.incidents.actions(), action, at)
        sections = (
            target_section(action),
            why_section(incident, action, link),
            blast_section(incident, action, reach, at),
            request_section(action),
            undo_section(action),
            who_section(action, self._actor),
        )
        return held(stacked(*sections, None, gap=5, margin=5))

    def _follow(self, action: Action) -> None:
        if action.state in _DECIDABLE:
            self._foot.turn_to(self.decision)
            self.decision.forbid(self._why_not(action))
            return
        self._clock.stop()
        self._left.setText("")
        self.fate.tell(action)
        if self._foot.current is not self.fate:
            self._foot.turn_to(self.fate)
            self.fate.take_focus()

    def _why_not(self, action: Action) -> str:
        if not decisive(action):
            return "It cannot be approved: what would run is not what approval was asked for."
        if stopped_by(self._desk.engaged, action):
            return "Stopped by the kill switch: release it before approving. Denying works."
        if not time_left(action, now()):
            return "The time is up: it counts as denied."
        return ""

    def _tick(self) -> None:
        action = self._deadline
        if action is None or not self.deciding:
            return
        seconds = int(time_left(action, now()).total_seconds())
        self._left.setText(f"{_duration(seconds)} left, then it is denied" if seconds else "Time is up")
        set_tone(self._left, "danger" if seconds < _HURRY_SECONDS else "")
        self.decision.forbid(self._why_not(action))

    # --- deciding -----------------------------------------------------------------------------------------------

    def _approve(self, level: Level) -> None:
        if self._action_id is None or not self.decision.armed:
            return
        self._recording()
        work = self._desk.approve(self._action_id, digest=self._digest, actor=self._actor, level=level)
        self._start(work, self._recorded, self._refused)

    def _deny(self, reason: str) -> None:
        if self._action_id is None:
            return
        self._recording()
        self._start(self._desk.deny(self._action_id, reason=reason, actor=self._actor), self._recorded, self._refused)

    def _recording(self) -> None:
        self._complain("")
        self.decision.settle(True)

    def _recorded(self, _: None) -> None:
        self._refresh()

    def _refused(self, error: Exception) -> None:
        self.decision.settle(False)
        self._complain(f"{error.detail} ({error.code})" if isinstance(error, DeskError) else f"Not done: {error}")
        self._refresh()

    def _complain(self, text: str) -> None:
        self._error.setText(text)
        self._error.setVisible(bool(text))

    def _open_incident(self) -> None:
        found = self._desk.incidents.action(self._action_id) if self._action_id else None
        if found is not None:
            self.incident_wanted.emit(found[0].id)

    # --- the window ---------------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange:
            if self.isActiveWindow():
                self.decision.arm()
            else:
                self.decision.disarm()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._later()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif self._foot.current is self.fate:
            self.fate.go_on()  # the decision is made; while it is not, Enter presses nothing

    def closeEvent(self, event: QCloseEvent) -> None:
        self._later()
        event.accept()

    def _later(self) -> None:
        asked = self.deciding
        self._clock.stop()
        self.decision.disarm()
        self.hide()
        if asked and self._action_id is not None:
            self.later_wanted.emit(self._action_id)


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
