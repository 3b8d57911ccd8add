"""What the state of an action looks like: a shape and a colour beside its word."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QColor, QIcon

from warden_desktop.domain.action import ActionState
from warden_desktop.ui.icons import icon
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import STATE_TONES

_SHAPES: Mapping[ActionState, str] = {
    ActionState.PROPOSED: "more",
    ActionState.WAITING: "hourglass",
    ActionState.APPROVED: "approvals",
    ActionState.RUNNING: "play",
    ActionState.DONE: "check",
    ActionState.SIMULATED: "simulated",
    ActionState.FAILED: "cross",
    ActionState.UNKNOWN: "unknown",
    ActionState.DENIED: "minus",
    ActionState.EXPIRED: "clock",
    ActionState.STALE: "refresh",
    ActionState.HELD: "pause",
}


def state_tone(state: ActionState) -> str:
    """The tone of a state, "" for none."""
    return STATE_TONES.get(state, "")


def state_colour(theme: Theme, state: ActionState) -> QColor:
    """The colour a state's word is written in."""
    return theme.colour(state_tone(state) or "muted")


class StateMarks:
    """The icons of all states; drawn once for each theme."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._drawn: dict[tuple[str, ActionState], QIcon] = {}

    def icon(self, state: ActionState) -> QIcon:
        name = (self._theme.name, state)
        if name not in self._drawn:
            self._drawn[name] = icon(self._theme, _SHAPES[state], state_tone(state) or "muted")
        return self._drawn[name]
