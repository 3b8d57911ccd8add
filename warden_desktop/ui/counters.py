"""The strip of numbers above the queue: how the morning goes, in one line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.ui.arrange import beside
from warden_desktop.ui.plain_text import PlainLabel, label, set_tooltip
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import percent, span

_DECIDED_COUNTED = 500
_NOTHING = "\u2013"


class Numbers(NamedTuple):
    """What the strip shows; seconds are None where there is nothing to measure yet."""

    open: int
    critical: int
    waiting: int
    median_decision: float | None
    oldest_waiting: float | None


def numbers(rows: Iterable[IncidentRow], now: datetime) -> Numbers:
    """Counted over all incidents; the median over the newest 500 decisions."""
    open_rows, decided = [], []
    for row in rows:
        if row.status.open:
            open_rows.append(row)
        if row.decided_at is not None:
            decided.append((row.decided_at, (row.decided_at - row.created_at).total_seconds()))
    newest = [seconds for _, seconds in sorted(decided)[-_DECIDED_COUNTED:]]
    waiting = [row for row in open_rows if row.waiting]
    oldest = min((row.created_at for row in waiting), default=None)
    return Numbers(
        open=len(open_rows),
        critical=sum(row.severity is Severity.CRITICAL for row in open_rows),
        waiting=sum(row.waiting for row in waiting),
        median_decision=median(newest) if newest else None,
        oldest_waiting=(now - oldest).total_seconds() if oldest else None,
    )


class Counters(QFrame):
    """The strip."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_role(self, "counters")
        self.setAccessibleName("Numbers of the queue")
        row = beside(gap=6)
        row.setContentsMargins(theme.space(4), theme.space(2), theme.space(4), theme.space(2))
        self._since: datetime | None = None
        self._values: dict[str, PlainLabel] = {}
        for name, words, hint in _SHOWN:
            value = label(_NOTHING, "number")
            value.setAccessibleName(words)
            caption = label(words, "caption")
            set_tooltip(caption, hint)
            pair = beside(value, caption, gap=1.5)
            pair.setAlignment(caption, Qt.AlignmentFlag.AlignVCenter)
            row.addLayout(pair)
            self._values[name] = value
        row.addStretch()
        self.setLayout(row)

    def show_numbers(self, found: Numbers, closed: int, closed_alone: int, at: datetime) -> None:
        """`closed` incidents were ended lately, `closed_alone` of them by the product itself; `at` is the moment."""
        self._since = None if found.oldest_waiting is None else at - timedelta(seconds=found.oldest_waiting)
        self._say("open", f"{found.open:,}")
        self._say("critical", f"{found.critical:,}", "danger" if found.critical else "")
        self._say("waiting", f"{found.waiting:,}", "warn" if found.waiting else "")
        self._say("median", _NOTHING if found.median_decision is None else span(found.median_decision))
        self._say("alone", percent(closed_alone / closed) if closed else _NOTHING)
        self.tick(at)

    def tick(self, at: datetime) -> None:
        """What waits grows older though nothing happens."""
        self._say("oldest", _NOTHING if self._since is None else span((at - self._since).total_seconds()))

    def said(self, name: str) -> str:
        """What the strip says of "open", "critical", "waiting", "median", "oldest" or "alone"."""
        return self._values[name].text()

    def _say(self, name: str, text: str, tone: str = "") -> None:
        self._values[name].setText(text)
        set_tone(self._values[name], tone)


_SHOWN = (
    ("open", "open", "Incidents that are not ended"),
    ("critical", "critical", "Open incidents of critical severity"),
    ("waiting", "awaiting you", "Actions that wait for a person's approval"),
    ("median", "median to decision", "From the first alert to the first decision by a person, newest 500"),
    ("oldest", "oldest waiting", "Age of the oldest incident with an action that waits"),
    ("alone", "auto-closed", "Share of the newest 1,000 endings that no person made"),
)
