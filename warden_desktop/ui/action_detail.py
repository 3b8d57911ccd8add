"""One action of the ledger in full: who, why, what exactly, what came back, and the way back."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QPushButton, QStackedWidget

from warden_desktop.domain.action import VERBS, ActionState, Verb
from warden_desktop.domain.incident import Action
from warden_desktop.ui.action_model import ActionRow
from warden_desktop.ui.approval_fate import trail
from warden_desktop.ui.approval_sections import preview_text
from warden_desktop.ui.arrange import beside, held, stacked
from warden_desktop.ui.empty_state import EmptyState
from warden_desktop.ui.plain_text import label, mono, text_view
from warden_desktop.ui.state_marks import StateMarks, state_tone
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import DETAIL_LIMIT, person, shown, state_word, target_word

_DECIDABLE = (ActionState.WAITING, ActionState.HELD)


class ActionDetail(QStackedWidget):
    """Shows one row, or what to do to see one. The signals carry the action's or the incident's id."""

    undo_wanted = Signal(object)
    open_wanted = Signal(object)
    incident_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._row: ActionRow | None = None
        self._marks = StateMarks(theme)
        self._picture = label()
        self._state = label("", "heading")
        self._verb = label("", "strong")
        self._target = mono("", wrap=True)
        self._trail = label("", "muted", wrap=True)
        self._why = label("", wrap=True)
        self._outcome = label("", wrap=True)
        self._exchange = text_view()
        self._exchange.setAccessibleName("What was sent and what came back")
        self._said = label("", "muted", wrap=True)
        self.undo = QPushButton("Propose undo")
        self._decide = QPushButton("Decide…")
        self._incident = QPushButton("Open incident")
        set_role(self._decide, "primary")
        self._arrange(theme)

    def _arrange(self, theme: Theme) -> None:
        head = held(beside(self._picture, self._state, None))
        buttons = beside(self._incident, None, self.undo, self._decide)
        parts = (head, self._verb, self._target, self._trail, self._why, self._outcome, self._exchange)
        page = stacked(*parts, self._said, buttons, gap=2, margin=4)
        page.setStretch(parts.index(self._exchange), 1)
        self.addWidget(EmptyState(theme, "actions", "No action chosen", "Choose one to see who, why and what exactly."))
        self.addWidget(held(page))
        self.undo.clicked.connect(self._wants_undo)
        self._decide.clicked.connect(self._wants_open)
        self._incident.clicked.connect(self._wants_incident)

    def show_row(self, row: ActionRow | None) -> None:
        """Show an action, or none."""
        if row is None or self._row is None or row.action.id != self._row.action.id:
            self.say("")
        self._row = row
        self.setCurrentIndex(0 if row is None else 1)
        if row is not None:
            self._fill(row.action)

    def say(self, text: str, tone: str = "") -> None:
        """Tell what became of a press of a button here."""
        self._said.setText(text)
        self._said.setVisible(bool(text))
        set_tone(self._said, tone)

    def _fill(self, action: Action) -> None:
        self._picture.setPixmap(self._marks.icon(action.state).pixmap(QSize(20, 20), self.devicePixelRatioF()))
        self._state.setText(state_word(action.state))
        set_tone(self._state, state_tone(action.state))
        self._verb.setText(VERBS[action.verb].label)
        self._target.setText(target_word(action.target, 4_096))
        self._trail.setText(trail(action))
        self._why.setText(f"{person(action.proposed.proposed_by)} asked: {action.proposed.reason or 'no reason given'}")
        self._outcome.setText(action.outcome.detail if action.outcome else action.reason)
        self._exchange.setPlainText(shown(_exchange(action), DETAIL_LIMIT, lines=True))
        inverse = VERBS[action.verb].inverse
        self.undo.setVisible(action.state is ActionState.DONE and inverse is not None)
        self.undo.setText(f"Propose: {VERBS[inverse].label}" if isinstance(inverse, Verb) else "")
        self._decide.setVisible(action.state in _DECIDABLE)

    def _wants_undo(self) -> None:
        if self._row is not None:
            self.undo_wanted.emit(self._row.action.id)

    def _wants_open(self) -> None:
        if self._row is not None:
            self.open_wanted.emit(self._row.action.id)

    def _wants_incident(self) -> None:
        if self._row is not None:
            self.incident_wanted.emit(self._row.incident_id)


def _exchange(action: Action) -> str:
    if action.request is None:
        return "No request was prepared."
    sent = preview_text(action.request)
    said = "SIMULATED, nothing was sent\n" if action.request.simulated else ""
    if action.outcome is None:
        return said + sent
    code = f" {action.outcome.status_code}" if action.outcome.status_code else ""
    return f"{said}{sent}\n\n--- answer{code} ---\n{action.outcome.response or '(empty)'}"
