"""What can be asked of the log, as plain functions on a connection that only reads."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import apsw

from warden_desktop.adapters.journal.rows import STORED, Stored, decode
from warden_desktop.engine.collector import collector_at_rest
from warden_desktop.engine.ports import DeadLetter, Recorded

_MERGED = 8
"""Kinds up to which their indexes are merged; of more kinds most events are wanted anyway, and all are looked at."""

_Bindings = list[int | str | bytes]


def read(
    connection: apsw.Connection, after: int, limit: int, kinds: Collection[str] | None, incident_id: UUID | None
) -> list[Recorded]:
    """Up to `limit` events with seq > `after`, oldest first."""
    if kinds is not None and incident_id is None and len(kinds) <= _MERGED:
        return _of_kinds(connection, kinds, f"seq > {after:d}", "ASC", limit)
    where, bindings = _conditions(kinds, incident_id, "")
    return _select(connection, [f"seq > {after:d}", *where], bindings, "ASC", limit)


def history(
    connection: apsw.Connection,
    before: int | None,
    limit: int,
    kinds: Collection[str] | None,
    incident_id: UUID | None,
    text: str,
) -> list[Recorded]:
    """Up to `limit` events with seq < `before`, newest first, whose JSON contains `text`."""
    bound = "1" if before is None else f"seq < {before:d}"
    if kinds is not None and incident_id is None and not text:
        return _of_kinds(connection, kinds, bound, "DESC", limit)
    where, bindings = _conditions(kinds, incident_id, text)
    return _select(connection, [bound, *where], bindings, "DESC", limit)


def of_incident(connection: apsw.Connection, incident_id: UUID, after: int, upto: int) -> Iterator[Recorded]:
    """All events of one incident with seq > `after` and <= `upto`, oldest first."""
    sql = f"SELECT {STORED} FROM event WHERE incident_id = ? AND seq > ? AND seq <= ? ORDER BY seq"
    return (decode(Stored(*row)) for row in connection.execute(sql, (incident_id.bytes, after, upto)))


def find(connection: apsw.Connection, event_id: UUID) -> Recorded | None:
    """The event of that id."""
    row = connection.execute(f"SELECT {STORED} FROM event WHERE id = ?", (event_id.bytes,)).fetchone()
    return decode(Stored(*row)) if row else None


def last_seq(connection: apsw.Connection) -> int:
    """The seq of the newest event, or 0."""
    newest: int = connection.execute("SELECT ifnull(max(seq), 0) FROM event").get
    return newest


def cursor(connection: apsw.Connection, name: str) -> int:
    """How far a named subscriber has got."""
    seq: int | None = connection.execute("SELECT seq FROM cursor WHERE name = ?", (name,)).get
    return seq or 0


def dead_letters(connection: apsw.Connection, subscriber: str | None = None) -> list[DeadLetter]:
    """All dead letters, or those of one subscriber, oldest first."""
    of = "dead_letter JOIN event USING (seq) WHERE ?1 IS NULL OR subscriber = ?1"
    rows = connection.execute(f"SELECT subscriber, error, attempts, {STORED} FROM {of} ORDER BY number", (subscriber,))
    return [DeadLetter(name, decode(Stored(*stored)), error, tries) for name, error, tries, *stored in rows]


def _conditions(kinds: Collection[str] | None, incident_id: UUID | None, text: str) -> tuple[list[str], _Bindings]:
    where: list[str] = []
    bindings: _Bindings = []
    if incident_id is not None:
        where.append("incident_id = ?")
        bindings.append(incident_id.bytes)
    if kinds is not None:  # The plus keeps SQLite from gathering every event of these kinds first.
        where.append(f"+kind IN ({_marks(kinds)})")
        bindings += kinds
    if text:
        condition, needle = _containing(text)
        where.append(condition)
        bindings.append(needle)
    return where, bindings


def _containing(text: str) -> tuple[str, str]:
    """ASCII is compared without case by SQLite alone, without holding up Python; other text goes through `casefold`."""
    needle = json.dumps(text, ensure_ascii=False)[1:-1]
    if not needle.isascii():
        return "contains(body, ?)", needle.casefold()
    escaped = needle.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return "CAST(body AS TEXT) LIKE ? ESCAPE '!'", f"%{escaped}%"


def contains(*arguments: Any) -> bool:
    """The SQL function `contains(body, needle)`."""
    body, needle = arguments
    return needle in body.decode(errors="replace").casefold()


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


def _of_kinds(
    connection: apsw.Connection, kinds: Collection[str], bound: str, order: str, limit: int
) -> list[Recorded]:
    """Each kind's own index gives its first rows in order; of those the first `limit` are taken."""
    if not kinds:
        return []
    one = f"SELECT seq FROM (SELECT seq FROM event WHERE kind = ? AND {bound} ORDER BY seq {order} LIMIT {limit:d})"
    merged = f"{' UNION ALL '.join([one] * len(kinds))} ORDER BY seq {order} LIMIT {limit:d}"
    return _select(connection, [f"seq IN (SELECT seq FROM ({merged}))"], list(kinds), order, limit)


def _select(
    connection: apsw.Connection, where: list[str], bindings: _Bindings, order: str, limit: int
) -> list[Recorded]:
    sql = f"SELECT {STORED} FROM event WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT {limit:d}"
    with collector_at_rest():
        return [decode(Stored(*row)) for row in connection.execute(sql, bindings)]
