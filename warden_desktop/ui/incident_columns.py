"""The columns of the incident table, each declared once: heading, text, order, look, and the term that finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.query_terms import NO_VERDICT
from warden_desktop.domain.verdict import Verdict
from warden_desktop.ui.words import age, no_attack, shown, span, spelled, status_word, verdict_short, words

ServiceLevels = Mapping[Severity, int]
"""Minutes within which an incident of a severity is to be decided; a severity not named has no limit."""

_LATE = timedelta(0)
_SOON = 0.25  # the last quarter of the time is shown as a warning


class Moment(NamedTuple):
    """What cells that depend on time are drawn against."""

    now: datetime
    service_levels: ServiceLevels


class Column(NamedTuple):
    """One column. `text` is what the cell says, `order` what it sorts by, `tone` how its text is coloured (a purpose of
    the theme), `term` the search term that finds its value. `look` is "text", "mono", "severity", "badge" or "tags"."""

    name: str
    heading: str
    width: int
    text: Callable[[IncidentRow, Moment], str]
    order: Callable[[IncidentRow], Any]
    look: str = "text"
    right: bool = False
    tone: Callable[[IncidentRow, Moment], str] = lambda row, moment: "text"
    term: Callable[[IncidentRow], tuple[str, str]] | None = None
    descending: bool = False


def due(row: IncidentRow, levels: ServiceLevels) -> datetime | None:
    """When a decision on the incident is due; None when there is no limit or it has been decided."""
    minutes = levels.get(row.severity)
    if minutes is None or row.decided_at is not None or not row.status.open:
        return None
    return row.created_at + timedelta(minutes=minutes)


def _countdown(row: IncidentRow, moment: Moment) -> str:
    limit = due(row, moment.service_levels)
    if limit is None:
        return ""
    left = (limit - moment.now).total_seconds()
    return f"{span(-left)} over" if left < 0 else span(left)


def _countdown_tone(row: IncidentRow, moment: Moment) -> str:
    limit = due(row, moment.service_levels)
    if limit is None:
        return "muted"
    left = limit - moment.now
    if left < _LATE:
        return "danger"
    return "warn" if left < (limit - row.created_at) * _SOON else "text"


_VERDICT_TONES = {
    Verdict.TRUE_POSITIVE: "danger",
    Verdict.LIKELY_TRUE_POSITIVE: "danger",
    Verdict.SUSPICIOUS: "warn",
    Verdict.LIKELY_FALSE_POSITIVE: "good",
    Verdict.FALSE_POSITIVE: "good",
}
_VERDICTS = tuple(Verdict)


def verdict_tone(verdict: Verdict | None, category: str = "") -> str:
    """The purpose of the colour a verdict is written in. That nobody attacked is no good news about an outage."""
    if no_attack(verdict, category):
        return "muted"
    return _VERDICT_TONES.get(verdict, "muted") if verdict else "muted"


def _verdict_order(row: IncidentRow) -> tuple[int, float]:
    """Most malicious last, so that descending puts it first; the less sure of two malicious ones comes after."""
    if row.verdict is None:
        return (-1, 0.0)
    rank = _VERDICTS.index(row.verdict)
    return (len(_VERDICTS) - rank, row.confidence)


COLUMNS: tuple[Column, ...] = (
    Column(
        "severity", "Severity", 88, lambda row, moment: words(row.severity), lambda row: row.severity.rank, "severity",
        term=lambda row: ("severity", row.severity), descending=True,
    ),
    Column("title", "Title", 200, lambda row, moment: shown(row.title), lambda row: row.title.casefold(), "title"),
    Column(
        "target", "Target", 104, lambda row, moment: spelled(row.target), lambda row: row.target.casefold(), "mono",
        term=lambda row: ("target", row.target),
    ),
    Column(
        "verdict", "Verdict", 132, lambda row, moment: verdict_short(row.verdict, row.confidence, row.category),
        _verdict_order, tone=lambda row, moment: verdict_tone(row.verdict, row.category), descending=True,
        term=lambda row: ("verdict", row.verdict or NO_VERDICT),
    ),
    Column(
        "age", "Age", 46, lambda row, moment: age(row.created_at, moment.now), lambda row: row.created_at, right=True,
        tone=lambda row, moment: "muted", descending=True,
    ),
    Column(
        "sla", "SLA", 64, _countdown, lambda row: (row.decided_at is not None, row.created_at), right=True,
        tone=_countdown_tone,
    ),
    Column(
        "waiting", "Waiting", 64, lambda row, moment: str(row.waiting) if row.waiting else "", lambda row: row.waiting,
        "badge", descending=True,
    ),
    Column(
        "status", "Status", 96, lambda row, moment: status_word(row.status), lambda row: row.status.value,
        tone=lambda row, moment: "text" if row.status.open else "muted", term=lambda row: ("status", row.status),
    ),
    Column(
        "source", "Source", 104, lambda row, moment: shown(row.source), lambda row: row.source,
        tone=lambda row, moment: "muted", term=lambda row: ("source", row.source),
    ),
    Column(
        "alerts", "Alerts", 64, lambda row, moment: f"{row.alerts:,}", lambda row: row.alerts, right=True,
        tone=lambda row, moment: "text" if row.alerts > 1 else "muted", descending=True,
    ),
    Column(
        "assignee", "Assignee", 96, lambda row, moment: shown(row.assignee, 64), lambda row: row.assignee.casefold(),
        term=lambda row: ("assignee", row.assignee),
    ),
    Column(
        "tags", "Tags", 120, lambda row, moment: ", ".join(shown(tag, 32) for tag in row.tags), lambda row: row.tags,
        "tags",
    ),
)  # fmt: skip

NAMES = tuple(column.name for column in COLUMNS)
