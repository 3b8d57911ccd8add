"""The foot of the approval dialog: what must be given before it can be approved, and the three buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QProgressBar, QPushButton, QWidget

from warden_desktop.domain.action import VERBS, Level
from warden_desktop.domain.incident import Action
from warden_desktop.ui.approval_facts import needed, to_type
from warden_desktop.ui.arming import Arming
from warden_desktop.ui.arrange import beside, held, stacked
from warden_desktop.ui.plain_text import label, mono
from warden_desktop.ui.theme import set_role, set_tone
from warden_desktop.ui.turning import Turning
from warden_desktop.ui.words import spelled, words

_ARMING = "Read first: the buttons work in a moment."
_ASLEEP = "Read first: the buttons work a moment after this window has the keyboard."
_USUAL_REASONS = ("Expected activity", "Not enough evidence", "Wrong target", "Too disruptive now")


class DecisionBar(QWidget):
    """Asks for the decision. Nothing here is a default button, and nothing works before it is armed.

    `approve_wanted` carries the Level the person decides as; `deny_wanted` the reason.
    """

    approve_wanted = Signal(object)
    deny_wanted = Signal(object)
    later_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._expected = ""
        self._level = Level.ANALYST
        self._forbidden = ""
        self._busy = False
        self._arming = Arming(self)
        self._make()
        self._question, self._objection = self._asking(), self._denying()
        self._pages = Turning(self._question, self._objection)
        self.setLayout(stacked(self._bar, self._pages, gap=2))
        self._arming.progress.connect(self._arming_went_on)
        self._arming.armed.connect(self.judge)

    def _make(self) -> None:
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setStyleSheet("min-height: 3px; max-height: 3px; border: none; border-radius: 1px;")
        self._bar.setAccessibleName("Arming")
        self._notice = label("", "muted", wrap=True)
        self._typed = QLineEdit()
        self._typed.setObjectName("typed target")
        self._typed.setAccessibleName("Type the target to confirm")
        self._ask_typed = label("It cannot be undone. To approve, type the target:", tone="danger")
        self._to_type = mono("")
        self._asked = held(beside(self._ask_typed, self._to_type, None))
        self._vouch = QCheckBox()
        self.approve = _button("&Approve", "primary")
        self.deny = _button("&Deny…", "")
        self.later = _button("&Not now", "quiet")
        self._reason = QLineEdit()
        self._reason.setObjectName("reason")
        self._reason.setMaxLength(1_000)
        self._reason.setAccessibleName("Reason for denying")
        self._reason.setPlaceholderText("Why not? The reason is kept with the incident.")
        self.confirm_deny = _button("&Deny", "danger")
        self.back = _button("&Back", "quiet")

    def _asking(self) -> QWidget:
        self.approve.clicked.connect(self._approved)
        self.deny.clicked.connect(self.ask_reason)
        self.later.clicked.connect(self.later_wanted)
        self._typed.textChanged.connect(self.judge)
        self._vouch.toggled.connect(self.judge)
        buttons = beside(self.later, None, self.deny, self.approve)
        return held(stacked(self._notice, self._asked, self._typed, self._vouch, buttons))

    def _denying(self) -> QWidget:
        self.back.clicked.connect(self._ask)
        self.confirm_deny.clicked.connect(self._denied)
        self._reason.textChanged.connect(self.judge)
        self._reason.returnPressed.connect(self._denied)
        usual = [_button(text, "view") for text in _USUAL_REASONS]
        for one in usual:
            one.clicked.connect(self._take_usual)
        buttons = beside(self.back, None, self.confirm_deny)
        return held(stacked(label("Deny: why?", "section"), self._reason, beside(*usual, None), buttons))

    # --- what the dialog says -----------------------------------------------------------------------------------

    def ask_about(self, action: Action) -> None:
        """Ask anew: nothing typed, nothing vouched for, not armed."""
        self._expected, self._level, self._busy = to_type(action), needed(action), False
        self._arming.stop()
        self._typed.clear()
        self._reason.clear()
        self._vouch.setChecked(False)
        self._asked.setVisible(bool(self._expected))
        self._typed.setVisible(bool(self._expected))
        self._to_type.setText(spelled(self._expected))
        self._vouch.setVisible(self._level is not Level.ANALYST)
        self._vouch.setText(f"I decide as {self._level.value}, as the policy demands")
        self.approve.setText(f"&Approve: {VERBS[action.verb].label}")
        self._pages.turn_to(self._question)
        self.judge()

    def forbid(self, why: str) -> None:
        """Say why it cannot be approved just now; "" when it can."""
        if why != self._forbidden:
            self._forbidden = why
            self.judge()

    def arm(self) -> None:
        """Begin to arm: the person can see it now."""
        self._arming.begin()
        self.judge()

    def disarm(self) -> None:
        self._arming.stop()
        self.judge()

    def ask_reason(self) -> None:
        """Ask why it is denied."""
        self._pages.turn_to(self._objection)
        self._reason.setFocus(Qt.FocusReason.OtherFocusReason)
        self.judge()

    def settle(self, busy: bool) -> None:
        """Whether a decision is being recorded: then nothing can be pressed."""
        self._busy = busy
        self.judge()

    @property
    def armed(self) -> bool:
        return self._arming.ready

    # --- inside -------------------------------------------------------------------------------------------------

    def judge(self, _changed: object = None) -> None:
        """Enable what may be pressed now, and say what is missing."""
        ready = self.armed and not self._busy
        missing = self._missing()
        self.approve.setEnabled(ready and not missing)
        self.deny.setEnabled(ready)
        self.later.setEnabled(not self._busy)
        reason = bool(self._reason.text().strip())
        self.confirm_deny.setEnabled(ready and reason)
        self._say(missing)

    def _missing(self) -> str:
        if self._forbidden:
            return self._forbidden
        typed = self._typed.text().strip()
        if self._expected and typed not in {self._expected, spelled(self._expected)}:
            return "Approve works once the target is typed."
        if self._level is not Level.ANALYST and not self._vouch.isChecked():
            return f"{words(self._level)} level is needed: say that you decide as one."
        return ""

    def _say(self, missing: str) -> None:
        told = missing if self.armed or self._forbidden else self._unarmed()
        self._notice.setText("Recording the decision…" if self._busy else told or "Nothing happens until you decide.")
        set_tone(self._notice, "danger" if self._forbidden else "")

    def _unarmed(self) -> str:
        return _ARMING if self._arming.counting else _ASLEEP

    def _arming_went_on(self, share: float) -> None:
        self._bar.setValue(round(share * 100))

    def _ask(self) -> None:
        self._pages.turn_to(self._question)
        self.judge()

    def _take_usual(self) -> None:
        chosen = self.sender()
        if isinstance(chosen, QPushButton):
            self._reason.setText(chosen.text())
            self._reason.setFocus(Qt.FocusReason.OtherFocusReason)

    def _approved(self) -> None:
        if self.approve.isEnabled():
            self.approve_wanted.emit(self._level)

    def _denied(self) -> None:
        if self.confirm_deny.isEnabled():
            self.deny_wanted.emit(self._reason.text().strip())


def _button(text: str, role: str) -> QPushButton:
    made = QPushButton(text)
    made.setAutoDefault(False)
    made.setDefault(False)
    if role:
        set_role(made, role)
    return made
