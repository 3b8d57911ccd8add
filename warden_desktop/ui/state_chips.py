"""The row of chips that filters the ledger by state, each with its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QPushButton, QWidget

from warden_desktop.domain.action import ActionState
from warden_desktop.ui.arrange import beside
from warden_desktop.ui.state_marks import StateMarks
from warden_desktop.ui.theme import Theme, set_role

_S = ActionState


class Group(NamedTuple):
    """States that belong together in a person's mind; `face` is the one whose shape stands for them."""

    word: str
    states: frozenset[ActionState]
    face: ActionState | None


GROUPS = (
    Group("All", frozenset(ActionState), None),
    Group("Waiting", frozenset({_S.PROPOSED, _S.WAITING}), _S.WAITING),
    Group("Held", frozenset({_S.HELD}), _S.HELD),
    Group("Running", frozenset({_S.APPROVED, _S.RUNNING}), _S.RUNNING),
    Group("Unknown", frozenset({_S.UNKNOWN}), _S.UNKNOWN),
    Group("Failed", frozenset({_S.FAILED, _S.STALE}), _S.FAILED),
    Group("Done", frozenset({_S.DONE}), _S.DONE),
    Group("Simulated", frozenset({_S.SIMULATED}), _S.SIMULATED),
    Group("Denied", frozenset({_S.DENIED, _S.EXPIRED}), _S.DENIED),
)


class StateChips(QWidget):
    """One chip is down. `chosen` carries the frozenset of states it stands for."""

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._marks = StateMarks(theme)
        self._group = QButtonGroup(self)
        self._chips = [self._chip(group) for group in GROUPS]
        self._chips[0].setChecked(True)
        self.setLayout(beside(*self._chips, None, gap=1.5))
        self._group.idClicked.connect(self._clicked)
        theme.changed.connect(self._paint)
        self._paint()

    def _chip(self, group: Group) -> QPushButton:
        chip = QPushButton(group.word)
        set_role(chip, "view")
        chip.setCheckable(True)
        self._group.addButton(chip, GROUPS.index(group))
        return chip

    def count(self, states: Mapping[ActionState, int]) -> None:
        """Show how many actions are in which state."""
        for group, chip in zip(GROUPS, self._chips, strict=True):
            number = sum(states.get(state, 0) for state in group.states)
            text = f"{group.word} {number:,}"
            if chip.text() != text:
                chip.setText(text)

    def _clicked(self, at: int) -> None:
        self.chosen.emit(GROUPS[at].states)

    def _paint(self) -> None:
        for group, chip in zip(GROUPS, self._chips, strict=True):
            if group.face is not None:
                chip.setIcon(self._marks.icon(group.face))
