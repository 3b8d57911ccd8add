"""The hash chain: what makes a change to the log visible, and how anybody can check it.

Every row of table `event` carries `hash`, 32 bytes:

    hash(0) = SHA-256("warden-desktop journal 1")
    hash(n) = SHA-256(hash(n-1) || header(n) || SHA-256(body(n)))

    header  = seq      8 bytes, unsigned, big-endian
              version  4 bytes, unsigned, big-endian
              at       8 bytes, signed, big-endian: microseconds since 1970-01-01T00:00:00Z
              id       16 bytes
              owner    1 byte: 1 when the event belongs to an incident, else 0
              incident 16 bytes when owner is 1, else nothing
              kind     UTF-8, the rest

`body` is the stored JSON to the byte. All columns are under the hash, so what is searched is what was recorded; and
since only its digest is, an auditor can check a log whose bodies must stay secret.

A bare chain cannot see that its end was cut off, nor that somebody computed it anew from some row on: tail.py notes the
end beside the file, and whoever fears the one who can write both compares `head` with one noted elsewhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple, cast

import apsw

from warden_desktop.adapters.journal.faults import UNREADABLE

GENESIS = sha256(b"warden-desktop journal 1").digest()
COLUMNS = "seq, id, kind, at, incident_id, version, body, hash"

_HEADER = struct.Struct(">QIq16s")
Row = tuple[int, bytes, str, int, bytes | None, int, bytes, bytes]


class Verification(NamedTuple):
    """All was good up to entry `entries`, whose hash is `head`; `first_bad` is the seq where it breaks. `checkpoints`
    signatures fit, and entries up to `archived` are no longer in the log; what of them was not looked at, `notes` says.
    """

    ok: bool
    entries: int
    head: bytes
    first_bad: int | None = None
    problem: str = ""
    checkpoints: int = 0
    archived: int = 0
    notes: tuple[str, ...] = ()


class Beginning(NamedTuple):
    """What the log follows on from: the last archived entry, or nothing."""

    seq: int
    head: bytes


def link(
    before: bytes, seq: int, id: bytes, kind: str, at: int, incident: bytes | None, version: int, body: bytes
) -> bytes:
    """The hash of the entry that follows the one whose hash is `before`."""
    owner = b"\0" if incident is None else b"\1" + incident
    header = _HEADER.pack(seq, version, at, id) + owner + kind.encode()
    return sha256(before + header + sha256(body).digest()).digest()


def beginning(connection: apsw.Connection) -> Beginning:
    """Where the log begins. Entries before it may still be there, on their way out."""
    newest = connection.execute("SELECT last, head FROM archive ORDER BY last DESC LIMIT 1").fetchone()
    return Beginning(*newest) if newest else Beginning(0, GENESIS)


def verify(connection: apsw.Connection) -> Verification:
    """Check the whole log, in one pass."""
    begin = beginning(connection)
    return check(rows(connection, begin.seq), *begin)


def rows(connection: apsw.Connection, after: int, upto: int | None = None) -> Iterator[Row]:
    """The entries after `after`, up to entry `upto`."""
    sql = f"SELECT {COLUMNS} FROM event WHERE seq > ?1 AND (?2 IS NULL OR seq <= ?2) ORDER BY seq"
    return cast("Iterator[Row]", connection.execute(sql, (after, upto)))


def hash_of(connection: apsw.Connection, seq: int) -> bytes | None:
    """The stored hash of one entry."""
    found: bytes | None = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).get
    return found


def check(rows: Iterable[Row], seq: int, head: bytes) -> Verification:
    """Whether `rows` follow on from entry `seq` with hash `head`, without a hole. What cannot be read is bad."""
    try:
        for row in rows:
            problem = _problem(row, seq + 1, head)
            if problem:
                return Verification(False, seq, head, seq + 1, problem)
            seq, head = row[0], row[7]
    except UNREADABLE as error:
        return Verification(False, seq, head, seq + 1, f"entry {seq + 1} cannot be read: {error}")
    return Verification(True, seq, head)


def _problem(row: Row, expected: int, head: bytes) -> str:
    if row[0] != expected:
        return f"entry {expected} is missing: {row[0]} follows {expected - 1}"
    try:
        computed = link(head, *row[:7])
    except (struct.error, TypeError, AttributeError, UnicodeError) as error:
        return f"entry {expected} is not in the form the journal writes: {error}"
    return "" if computed == row[7] else f"entry {expected} was changed, or the one before it was"
