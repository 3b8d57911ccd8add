"""What became of a decision, shown where it was made: approved, running, done, failed, unknown."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from warden_desktop.domain.action import ActionState
from warden_desktop.domain.incident import Action
from warden_desktop.ui.arrange import beside, held, stacked
from warden_desktop.ui.plain_text import label, text_view
from warden_desktop.ui.state_marks import StateMarks, state_tone
from warden_desktop.ui.theme import set_role, set_tone
from warden_desktop.ui.words import clock, count, person, state_word

_NEXT_STEPS = {
    ActionState.APPROVED: "Recorded. It starts as soon as it may.",
    ActionState.RUNNING: "The request is out; the answer is not in yet.",
    ActionState.UNKNOWN: "It may or may not have taken effect. Check the system; it is never sent again by itself.",
    ActionState.HELD: "It was not started. It waits for a choice under Approvals and does not resume by itself.",
    ActionState.STALE: "Nothing was sent.",
    ActionState.EXPIRED: "Nobody decided in time, so it counts as denied. Nothing was sent.",
    ActionState.SIMULATED: "A rehearsal: nothing was sent and no system was changed.",
}
_RESPONSE_LINES = 4


class Fate(QWidget):
    """The foot of the dialog after the decision. `next_wanted` and `close_wanted`: it goes on when the person does."""

    next_wanted = Signal()
    close_wanted = Signal()

    def __init__(self, marks: StateMarks, parent: QWidget) -> None:
        super().__init__(parent)
        self._marks = marks
        self._picture = label()
        self._word = label("", "heading")
        self._trail = label("", "muted", wrap=True)
        self._detail = label("", wrap=True)
        self._response = text_view()
        self._response.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._response.setAccessibleName("What the other side answered")
        self.next = QPushButton()
        set_role(self.next, "primary")
        self.close_button = QPushButton("&Close")
        for one in (self.next, self.close_button):
            one.setAutoDefault(False)
        self.next.clicked.connect(self.next_wanted)
        self.close_button.clicked.connect(self.close_wanted)
        self._arrange()

    def _arrange(self) -> None:
        heading = held(beside(self._picture, self._word, None))
        buttons = beside(None, self.close_button, self.next)
        self.setLayout(stacked(heading, self._trail, self._detail, self._response, buttons))

    def tell(self, action: Action) -> None:
        """Show where the action stands."""
        outcome = action.outcome
        self._picture.setPixmap(self._marks.icon(action.state).pixmap(QSize(24, 24), self.devicePixelRatioF()))
        self._word.setText(state_word(action.state))
        set_tone(self._word, state_tone(action.state))
        self._trail.setText(trail(action))
        said = "\n".join(filter(None, (outcome.detail if outcome else action.reason, _NEXT_STEPS.get(action.state))))
        self._detail.setText(said)
        self._answer(outcome.response if outcome else "")

    def _answer(self, response: str) -> None:
        self._response.setVisible(bool(response))
        self._response.setPlainText(text_view(response).toPlainText())
        height = self._response.fontMetrics().lineSpacing() * _RESPONSE_LINES
        self._response.setFixedHeight(height + 16)

    def offer(self, waiting: int) -> None:
        """Offer the next one of those that wait."""
        self.next.setVisible(waiting > 0)
        self.next.setText(f"&Next ({waiting} waiting)")
        self.next.setAccessibleName(f"Next, {count(waiting, 'action')} waiting")

    def take_focus(self) -> None:
        self._usual().setFocus(Qt.FocusReason.OtherFocusReason)

    def go_on(self) -> None:
        """Press the button that has the keyboard, or else the one that goes on."""
        pressed = self.close_button if self.close_button.hasFocus() else self._usual()
        pressed.click()

    def _usual(self) -> QPushButton:
        return self.next if not self.next.isHidden() else self.close_button


def trail(action: Action) -> str:
    """Who decided it when, when it started and when it ended, in one line."""
    decided = "Denied" if action.state is ActionState.DENIED else "Approved"
    if action.state is ActionState.EXPIRED:
        decided = "Expired"
    steps = []
    if action.decided_at:
        steps.append(f"{decided} by {person(action.decided_by)} {clock(action.decided_at)}")
    if action.started_at:
        steps.append(f"started {clock(action.started_at)}")
    if action.finished_at:
        steps.append(f"ended {clock(action.finished_at)}")
    return "  →  ".join(steps)
