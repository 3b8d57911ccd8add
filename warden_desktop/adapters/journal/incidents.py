"""The incident table: one row per incident, and an index of every three letters of its text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import apsw

from warden_desktop.adapters.journal.rows import instant, micros
from warden_desktop.adapters.journal.search import compile_tree
from warden_desktop.adapters.journal.stretches import folded as folded_incident
from warden_desktop.adapters.journal.writing import move_cursor
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import Incident, IncidentRow
from warden_desktop.domain.query import Query
from warden_desktop.domain.query_terms import NO_VERDICT, folded
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict
from warden_desktop.engine.collector import collector_at_rest

_SHOWN = IncidentRow._fields
_KEYS = ("title", "target", "source", "category", "assignee", "techniques", "tags")
_COLUMNS = (*_SHOWN, *(f"{name}_key" for name in _KEYS))
_UPSERT = (
    f"INSERT INTO incident ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)
_SELECT = f"SELECT {', '.join(_SHOWN)} FROM incident ORDER BY created_at, number"
_SEVERITIES = tuple(Severity)
_STATUSES = {status.value: status for status in Status}
_VERDICTS: dict[str, Verdict | None] = {NO_VERDICT: None, **{verdict.value: verdict for verdict in Verdict}}


def rows(connection: apsw.Connection) -> list[IncidentRow]:
    """All rows, oldest first."""
    with collector_at_rest():
        return [_row(*values) for values in connection.execute(_SELECT)]


def search(connection: apsw.Connection, query: Query, now: datetime, limit: int, offset: int) -> list[UUID]:
    """The incidents that `query` finds, newest first."""
    where, bindings = compile_tree(query.tree, micros(now))
    sql = f"SELECT id FROM incident WHERE {where} ORDER BY created_at DESC, number DESC LIMIT ? OFFSET ?"
    return [UUID(bytes=id) for (id,) in connection.execute(sql, (*bindings, limit, offset))]


def update(connection: apsw.Connection, rows: Sequence[IncidentRow], cursor: str, seq: int) -> None:
    """Insert or replace `rows`, and move the cursor with them."""
    connection.executemany(_UPSERT, [_values(row) for row in rows])
    move_cursor(connection, cursor, seq)


def clear(connection: apsw.Connection, cursor: str) -> None:
    """Throw everything away."""
    connection.execute("DELETE FROM incident")
    move_cursor(connection, cursor, 0)


def touched(connection: apsw.Connection, after: int) -> list[UUID]:
    """The incidents that have entries after entry `after`, in the order of the first of these."""
    found = "SELECT seq, incident_id FROM event NOT INDEXED WHERE seq > ? AND incident_id IS NOT NULL"
    sql = f"SELECT incident_id FROM ({found}) GROUP BY 1 ORDER BY min(seq)"
    return [UUID(bytes=id) for (id,) in connection.execute(sql, (after,))]


def whole(connection: apsw.Connection, incident_ids: Sequence[UUID], upto: int) -> list[Incident]:
    """These incidents as their entries up to `upto` make them."""
    with collector_at_rest():
        found = [folded_incident(connection, one, upto) for one in incident_ids]
    return [incident for incident in found if incident is not None]


def _values(row: IncidentRow) -> tuple[str | int | float | bytes | None, ...]:
    """In the order of _COLUMNS. `text` is kept folded, as it is only ever searched."""
    return (
        row.id.bytes, row.title, row.severity.rank, row.status.value, row.target, row.source, row.category,
        NO_VERDICT if row.verdict is None else row.verdict.value, row.confidence, row.assignee, row.alerts,
        row.waiting, micros(row.created_at), micros(row.updated_at),
        None if row.decided_at is None else micros(row.decided_at), _list(row.techniques), _list(row.tags),
        folded(row.text), *(_key(getattr(row, name)) for name in _KEYS),
    )  # fmt: skip


def _key(value: str | Iterable[str]) -> str:
    return folded(value) if isinstance(value, str) else _list(folded(one) for one in value)


def _list(values: Iterable[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _row(
    id: bytes, title: str, severity: int, status: str, target: str, source: str, category: str, verdict: str,
    confidence: float, assignee: str, alerts: int, waiting: int, created: int, updated: int, decided: int | None,
    techniques: str, tags: str, text: str,
) -> IncidentRow:  # fmt: skip
    return IncidentRow(
        UUID(bytes=id), title, _SEVERITIES[severity], _STATUSES[status], target, source, category, _VERDICTS[verdict],
        confidence, assignee, alerts, waiting, instant(created), instant(updated),
        None if decided is None else instant(decided), _words(techniques), _words(tags), text,
    )  # fmt: skip


@lru_cache(maxsize=4_096)
def _words(stored: str) -> tuple[str, ...]:
    """The same few lists come again and again."""
    return tuple(json.loads(stored))
