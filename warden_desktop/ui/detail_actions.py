"""The Actions tab: every action proposed for the incident and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from PySide6.QtWidgets import QFrame, QPushButton

from warden_desktop.domain.action import VERBS, ActionState
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.ui.arrange import Item, beside, framed, stacked
from warden_desktop.ui.decisions import Decisions
from warden_desktop.ui.plain_text import chip, label, mono, set_tooltip
from warden_desktop.ui.scrolled import Scrolled
from warden_desktop.ui.theme import Theme, set_role
from warden_desktop.ui.words import STATE_TONES, age, person, spelled, state_word, type_word, words

_UNDOABLE = frozenset({ActionState.DONE, ActionState.SIMULATED, ActionState.UNKNOWN})


class DetailActions(Scrolled):
    """A card an action."""

    def __init__(self, theme: Theme, decisions: Decisions) -> None:
        super().__init__(theme, "Actions")
        self._decisions = decisions
        self._shown: object = None

    def show_incident(self, incident: Incident, now: datetime) -> None:
        """Show the incident's actions; rebuilt only when one changed."""
        seen = (incident.id, incident.actions, incident.status)
        if seen == self._shown:
            return
        self._shown = seen
        if not incident.actions:
            self.fill(label(_why_none(incident), "muted", wrap=True))
            return
        head: list[Item] = []
        if incident.playbook:
            head.append(label(f"Proposed by playbook {incident.playbook}", "caption"))
        self.fill(*head, *(self._card(action, now) for action in incident.actions))

    def _card(self, action: Action, now: datetime) -> QFrame:
        facts = VERBS[action.verb]
        state = chip(state_word(action.state), STATE_TONES.get(action.state, ""))
        head = beside(label(facts.label, "strong"), None, gap=1.5)
        if action.simulated and action.state is not ActionState.SIMULATED:
            head.addWidget(chip("Simulated", "simulated"))
        head.addWidget(state)
        rows: list[Item] = [head, mono(_target(action), elide=True)]
        rows += [label(text, "caption", wrap=True) for text in _story(action, now) if text]
        buttons = self._buttons(action)
        if buttons:
            rows.append(beside(*buttons, None, gap=1.5))
        waits = action.state is ActionState.WAITING
        return framed(stacked(*rows, gap=1.5, margin=3), tone="waiting" if waits else "")

    def _buttons(self, action: Action) -> list[Item]:
        if action.state is ActionState.WAITING:
            return [
                _button("Approve…", self._decisions.show_action, action.id, "primary"),
                _button("Deny…", self._decisions.deny_action, action.id),
            ]
        if action.state is ActionState.HELD:
            return [
                _button("Look at it…", self._decisions.show_action, action.id),
                _button("Deny…", self._decisions.deny_action, action.id),
            ]
        if action.state in _UNDOABLE and VERBS[action.verb].reversible:
            undo = _button("Propose undo", self._decisions.undo, action.id)
            set_tooltip(undo, "Proposes the opposite action; policy and approval apply to it as to any other")
            return [undo]
        return []


def _button(text: str, pressed: Callable[[UUID], None], action_id: UUID, role: str = "") -> QPushButton:
    button = QPushButton(text)
    if role:
        set_role(button, role)
    button.clicked.connect(partial(_press, pressed, action_id))
    return button


def _press(pressed: Callable[[UUID], None], action_id: UUID, _checked: bool = False) -> None:
    pressed(action_id)


def _target(action: Action) -> str:
    target = action.target
    return "the incident" if target.type is None else f"{type_word(target.type).lower()} {spelled(target.value)}"


def _story(action: Action, now: datetime) -> list[str]:
    """What there is to say, a line each; empty lines are left out by the caller."""
    facts, outcome = VERBS[action.verb], action.outcome
    undo = "can be undone" if facts.reversible else "cannot be undone"
    asked = f"asked {age(action.asked_at, now)} ago" if action.asked_at else ""
    level = f"needs {words(action.level).lower()}" if action.level and action.state is ActionState.WAITING else ""
    decided = ""
    if action.decided_at and action.decided_by:
        decided = f"Decided by {person(action.decided_by)} {age(action.decided_at, now)} ago"
    because = f": {action.reason}" if action.reason and decided else ""
    terms = (f"Risk {facts.risk}", undo, f"through {action.proposed.connector}", level, asked)
    return [
        action.proposed.reason,
        ", ".join(term for term in terms if term),
        decided + because,
        f"{words(outcome.result)}: {outcome.detail}" if outcome else "",
    ]


def _why_none(incident: Incident) -> str:
    if incident.analysis is None and incident.status.open:
        return "Nothing is proposed yet. Actions appear here once the incident has been analysed."
    return "No playbook proposes an action for this incident."
