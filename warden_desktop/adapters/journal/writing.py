"""What is written, as plain functions that run inside a transaction of the writer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import apsw

from warden_desktop.adapters.journal import chain
from warden_desktop.adapters.journal.rows import STORED, Entry, Stored, decode
from warden_desktop.engine.ports import DeadLetter, Recorded

_INSERT = f"INSERT INTO event ({chain.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def end(connection: apsw.Connection) -> tuple[int, bytes]:
    """(seq, hash) of the newest entry."""
    newest = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return (newest[0], newest[1]) if newest else chain.beginning(connection)


class Appended(NamedTuple):
    """All entries as they are in the log, by id; the fresh ones in log order; and the hash of the newest."""

    recorded: dict[bytes, Recorded]
    fresh: list[Recorded]
    head: bytes


def append(connection: apsw.Connection, entries: Sequence[Entry]) -> Appended:
    """Add those of `entries` that are new."""
    seq, head = end(connection)
    recorded = _known(connection, entries)
    fresh: list[Recorded] = []
    rows: list[chain.Row] = []
    for event, columns in entries:
        if columns.id not in recorded:
            seq += 1
            head = chain.link(head, seq, *columns)
            rows.append((seq, *columns, head))
            recorded[columns.id] = Recorded(seq, event)
            fresh.append(recorded[columns.id])
    connection.executemany(_INSERT, rows)
    return Appended(recorded, fresh, head)


def _known(connection: apsw.Connection, entries: Sequence[Entry]) -> dict[bytes, Recorded]:
    """Those of `entries` that the log already has, by id."""
    if not entries:
        return {}
    ids = apsw.carray(tuple(entry.columns.id for entry in entries))
    select = f"SELECT id, {STORED} FROM event WHERE id IN (SELECT value FROM carray(?))"
    return {id: decode(Stored(*stored)) for id, *stored in connection.execute(select, (ids,))}


def move_cursor(connection: apsw.Connection, name: str, seq: int) -> None:
    """Remember how far the subscriber `name` has got."""
    connection.execute("INSERT OR REPLACE INTO cursor (name, seq) VALUES (?, ?)", (name, seq))


def bury(connection: apsw.Connection, letter: DeadLetter) -> None:
    """Keep a dead letter, in the place of an earlier one of the same subscriber and event. What an exception says may
    be text that is not Unicode, which SQLite refuses."""
    error = letter.error.encode("utf-8", "replace").decode()
    values = (error, letter.attempts, letter.subscriber, letter.recorded.seq)
    connection.execute("UPDATE dead_letter SET error = ?, attempts = ? WHERE subscriber = ? AND seq = ?", values)
    if not connection.changes():
        connection.execute("INSERT INTO dead_letter (error, attempts, subscriber, seq) VALUES (?, ?, ?, ?)", values)


def remove_dead_letter(connection: apsw.Connection, subscriber: str, seq: int) -> bool:
    """Forget a dead letter; whether there was one."""
    connection.execute("DELETE FROM dead_letter WHERE subscriber = ? AND seq = ?", (subscriber, seq))
    return connection.changes() > 0
