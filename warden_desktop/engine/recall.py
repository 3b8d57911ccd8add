"""What earlier incidents had in common with this one: an index of observables over the newest incidents.

A fold of the log, like the incident store: attach `apply` to the bus, and `learn` the rows that were there before.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple
from uuid import UUID

from warden_desktop.domain.events import AlertCorrelated, IncidentCreated
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict
from warden_desktop.engine.ports import Recorded

INCIDENTS_KEPT = 20_000
KEYS_PER_INCIDENT = 64
INCIDENTS_PER_KEY = 64

_CLEARED = frozenset({Status.FALSE_POSITIVE, Status.DISMISSED})
_MALICIOUS = frozenset({Verdict.TRUE_POSITIVE, Verdict.LIKELY_TRUE_POSITIVE})


class Past(NamedTuple):
    """Earlier incidents that share an observable: how many, how many of the same category and how those ended, and how
    many (of any category) are open now and judged malicious."""

    incidents: int = 0
    same_category: int = 0
    false_positive: int = 0
    confirmed: int = 0
    malicious_open: int = 0


class Recall:
    """Remembers which of the newest INCIDENTS_KEPT incidents had which observable values."""

    def __init__(self, row: Callable[[UUID], IncidentRow | None]) -> None:
        """`row` gives the current row of an incident, for how it ended."""
        self._row = row
        self._keys: OrderedDict[UUID, dict[str, None]] = OrderedDict()
        self._incidents: dict[str, dict[UUID, None]] = {}

    def apply(self, recorded: Recorded) -> None:
        """Fold one more event of the log."""
        event = recorded.event
        if isinstance(event, IncidentCreated | AlertCorrelated):
            self._add(event.incident_id, (seen.value for seen in event.alert.observables))

    def learn(self, rows: Iterable[IncidentRow]) -> None:
        """Take in the rows of incidents that were there before, oldest first; their words stand for observables."""
        for row in deque(rows, INCIDENTS_KEPT):
            self._add(row.id, row.text.removeprefix(row.title.casefold()).split())

    def past(self, value: str, incident_id: UUID, category: str) -> Past:
        """What is known of `value` from other incidents than `incident_id`."""
        others = [one for one in self._incidents.get(value.casefold(), ()) if one != incident_id]
        rows = [row for row in map(self._row, others) if row is not None]
        alike = [row for row in rows if row.category == category]
        return Past(
            incidents=len(rows),
            same_category=len(alike),
            false_positive=sum(row.status in _CLEARED for row in alike),
            confirmed=sum(row.status is Status.RESOLVED and row.verdict in _MALICIOUS for row in alike),
            malicious_open=sum(row.status.open and row.verdict in _MALICIOUS for row in rows),
        )

    def _add(self, incident_id: UUID, values: Iterable[str]) -> None:
        keys = self._keys.setdefault(incident_id, {})
        for value in values:
            if len(keys) >= KEYS_PER_INCIDENT:
                break
            key = value.casefold()
            keys[key] = None
            sharing = self._incidents.setdefault(key, {})
            sharing[incident_id] = None
            if len(sharing) > INCIDENTS_PER_KEY:
                del sharing[next(iter(sharing))]
        if len(self._keys) > INCIDENTS_KEPT:
            self._forget(*self._keys.popitem(last=False))

    def _forget(self, incident_id: UUID, keys: Iterable[str]) -> None:
        for key in keys:
            sharing = self._incidents[key]
            sharing.pop(incident_id, None)
            if not sharing:
                del self._incidents[key]
