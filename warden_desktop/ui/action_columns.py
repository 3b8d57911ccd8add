"""The columns of the two tables of actions, and how their cells look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import Qt

from warden_desktop.domain.action import VERBS, ActionState, Risk
from warden_desktop.domain.incident import Action
from warden_desktop.ui.action_model import ActionRow, Column
from warden_desktop.ui.approval_facts import needed, time_left
from warden_desktop.ui.plain_text import tooltip
from warden_desktop.ui.state_marks import StateMarks, state_colour
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import clock, moment, person, state_word, target_word, utc, words

RISK_TONES = {Risk.HIGH: "danger", Risk.MEDIUM: "warn"}
"""The tone of each risk; risks not named have none."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _when(action: Action) -> datetime:
    """The last moment something happened to it, as far as it is recorded."""
    return action.finished_at or action.started_at or action.decided_at or action.asked_at or _LONG_AGO


def _spoken(at: datetime, now: datetime) -> str:
    if at == _LONG_AGO:
        return ""
    return clock(at) if at.astimezone().date() == now.astimezone().date() else moment(at)


def _left(row: ActionRow, now: datetime) -> str:
    if row.action.state is ActionState.HELD:
        return "held"
    seconds = int(time_left(row.action, now).total_seconds())
    if not seconds:
        return "time is up"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}h {minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m {rest:02d}s"


def _risk(row: ActionRow) -> Risk:
    return VERBS[row.action.verb].risk


def _outcome(action: Action) -> str:
    if action.outcome:
        return action.outcome.detail
    return action.reason if action.state in {ActionState.DENIED, ActionState.STALE, ActionState.HELD} else ""


STATE = Column(
    "State", lambda row, _: state_word(row.action.state), lambda row: list(ActionState).index(row.action.state)
)
VERB = Column("Verb", lambda row, _: VERBS[row.action.verb].label, lambda row: row.action.verb.value)
TARGET = Column("Target", lambda row, _: target_word(row.action.target), lambda row: row.action.target.value, mono=True)
INCIDENT = Column("Incident", lambda row, _: row.incident, lambda row: row.incident.casefold())
RISK = Column("Risk", lambda row, _: words(_risk(row)), lambda row: _risk(row).rank)
LEVEL = Column("Level", lambda row, _: words(needed(row.action)), lambda row: needed(row.action).rank)
LEFT = Column("Time left", _left, lambda row: row.action.proposed.expires_at, ticks=True)
ASKED_BY = Column(
    "Asked by", lambda row, _: person(row.action.proposed.proposed_by), lambda row: row.action.proposed.proposed_by
)
CONNECTOR = Column("Connector", lambda row, _: row.action.proposed.connector, lambda row: row.action.proposed.connector)
DECIDED_BY = Column(
    "Decided by",
    lambda row, _: person(row.action.decided_by) if row.action.decided_by else "",
    lambda row: row.action.decided_by,
)
WHEN = Column(
    "When",
    lambda row, now: _spoken(_when(row.action), now),
    lambda row: _when(row.action),
)
OUTCOME = Column("Outcome", lambda row, _: _outcome(row.action), lambda row: _outcome(row.action).casefold())

APPROVAL_COLUMNS: Sequence[Column] = (LEFT, VERB, TARGET, RISK, INCIDENT, LEVEL, ASKED_BY, STATE)
LEDGER_COLUMNS: Sequence[Column] = (STATE, VERB, TARGET, INCIDENT, CONNECTOR, DECIDED_BY, WHEN, OUTCOME)


class CellLooks:
    """Answers Qt's roles of looks for a row's cell: the state's shape and colour, monospace targets, hover text."""

    def __init__(self, theme: Theme, columns: Sequence[Column]) -> None:
        self._theme = theme
        self._columns = columns
        self._marks = StateMarks(theme)

    def __call__(self, row: ActionRow, column: int, role: int) -> Any:
        here = self._columns[column]
        if role == Qt.ItemDataRole.DecorationRole and here is STATE:
            return self._marks.icon(row.action.state)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, here)
        if role == Qt.ItemDataRole.FontRole and here.mono:
            return self._theme.mono()
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hover(row, here)
        return None

    def _colour(self, row: ActionRow, here: Column) -> Any:
        if here is RISK:
            return self._theme.colour(RISK_TONES.get(_risk(row), "muted"))
        if here is STATE:
            return state_colour(self._theme, row.action.state)
        hurry = here is LEFT and row.action.state is ActionState.WAITING
        if hurry and time_left(row.action, datetime.now(UTC)).total_seconds() < 60:
            return self._theme.colour("danger")
        return self._theme.colour("muted") if here in (CONNECTOR, WHEN, ASKED_BY) else None

    def _hover(self, row: ActionRow, here: Column) -> str | None:
        if here is TARGET:
            return tooltip(row.action.target.value)
        if here is WHEN:
            return tooltip(utc(_when(row.action)))
        return tooltip(_outcome(row.action)) if here is OUTCOME else None
