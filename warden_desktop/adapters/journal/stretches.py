"""Retention: the oldest stretch of the log moves to a file, and the log goes on from where it ended.

Theory of operation: `plan` finds the end of the stretch, `write` makes the file and reads it back, `settle` makes the
log begin after it, in one transaction of the writer, and `sweep` removes the entries a few at a time. A crash between
any two of them leaves a log that is whole: before `settle` there is a file too many, after it there are entries too
many, which the next `sweep` removes. Entries are never removed before a file that was read back has them.

The file is an audit export, compressed. What incidents had become by the end of the stretch is kept beside the log, so
that they stay as they are, and can be reopened, while their history is in the file.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import apsw

from warden_desktop.adapters.journal import chain, export, reading
from warden_desktop.adapters.journal.notary import add
from warden_desktop.adapters.journal.rows import micros
from warden_desktop.adapters.journal.signing import Signer
from warden_desktop.adapters.journal.writing import end
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.record import now
from warden_desktop.domain.status import ENDED
from warden_desktop.engine.ports import JournalError

FOLDER = "archive"
STRETCH = 100_000
"""Entries of one file at most: what is taken out of the log in one go."""

SWEPT = 1_000
"""Entries removed in one transaction, so that publishers do not wait for more than that."""

_OPEN = f"status NOT IN ({', '.join(repr(status.value) for status in sorted(ENDED))})"


class Keep(NamedTuple):
    """What stays: entries younger than `age`, at most `size` bytes of them, and the newest `entries` in any case."""

    age: timedelta | None = None
    size: int | None = None
    entries: int = 1


class Plan(NamedTuple):
    """The stretch after `begin` up to entry `last`; none when that is not after `begin`. `held` says what keeps it from
    being longer."""

    begin: chain.Beginning
    last: int
    held: str = ""


class Written(NamedTuple):
    """A file that was read back, and the incidents of its stretch as they were at its end: (id, compressed JSON)."""

    begin: chain.Beginning
    end: chain.Beginning
    path: Path
    size: int
    digest: bytes
    incidents: tuple[tuple[bytes, bytes], ...]


def archives(database: Path) -> Path:
    """Where the files of a database's archive are."""
    return database.with_name(FOLDER)


def plan(connection: apsw.Connection, keep: Keep) -> Plan:
    """The next stretch to move."""
    begin, last = chain.beginning(connection), end(connection)[0]
    wanted = max(_aged(connection, begin.seq, last, keep.age), _oversized(connection, begin.seq, last, keep.size))
    wanted = min(wanted, last - max(1, keep.entries))
    held = ""
    for limit, why in _holds(connection):
        if limit < wanted:
            wanted, held = limit, why
    return Plan(begin, min(wanted, begin.seq + STRETCH), held)


def _aged(connection: apsw.Connection, first: int, last: int, age: timedelta | None) -> int:
    """The last entry that is older than `age`; entries are in the order of time, give or take a moment."""
    if age is None:
        return 0
    before = micros(now() - age)
    while first < last:
        middle = (first + last + 1) // 2
        at: int = connection.execute("SELECT at FROM event WHERE seq = ?", (middle,)).get
        first, last = (middle, last) if at < before else (first, middle - 1)
    return first


def _oversized(connection: apsw.Connection, first: int, last: int, size: int | None) -> int:
    used = used_bytes(connection)
    if size is None or used <= size or last <= first:
        return 0
    return first + (used - size) * (last - first) // used


def used_bytes(connection: apsw.Connection) -> int:
    """Bytes of the file that hold something; freed pages are used again before the file grows."""
    pages = connection.pragma("page_count") - connection.pragma("freelist_count")
    size: int = pages * connection.pragma("page_size")
    return size


def _holds(connection: apsw.Connection) -> Iterator[tuple[int, str]]:
    """What must stay: (the last entry that may go, why)."""
    for name, seq in connection.execute("SELECT name, seq FROM cursor"):
        yield seq, f"the subscriber {name} has got no further than entry {seq}"
    first: int | None = connection.execute("SELECT min(seq) FROM dead_letter").get
    if first is not None:
        yield first - 1, f"entry {first} is a dead letter that waits for a person"
    oldest = _oldest_of_open(connection)
    if oldest is not None:
        yield oldest - 1, f"entry {oldest} belongs to an incident that is open"


def _oldest_of_open(connection: apsw.Connection) -> int | None:
    """The first entry of any open incident, or the delivery that led to it."""
    opened = f"SELECT id FROM incident WHERE {_OPEN}"
    owned: int | None = connection.execute(f"SELECT min(seq) FROM event WHERE incident_id IN ({opened})").get
    alerts = (
        "SELECT unhex(replace(json_extract(CAST(body AS TEXT), '$.alert.id'), '-', '')) FROM event "
        f"WHERE incident_id IN ({opened}) AND +kind IN ('incident_created', 'alert_correlated')"
    )
    received: int | None = connection.execute(f"SELECT min(seq) FROM event WHERE id IN ({alerts})").get
    return min((seq for seq in (owned, received) if seq is not None), default=None)


def write(
    connection: apsw.Connection,
    planned: Plan,
    folder: Path,
    key: bytes,
    wanted: Callable[[], bool] = lambda: True,
) -> Written:
    """Make the file and read it back, while it is `wanted`. Raises JournalError when it is not what it should be."""
    begin, last = planned.begin, planned.last
    path = folder / f"entries-{begin.seq + 1:012d}-{last:012d}.jsonl.gz"
    draft = path.with_name(f"{path.name}.new")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        draft.unlink(missing_ok=True)
        _compress(draft, _while(wanted, export.lines(connection, begin, last, key)))
        with gzip.open(draft) as content:
            found = export.check(_while(wanted, content), begin)
    except (OSError, EOFError, zlib.error, export.ExportError) as error:
        raise JournalError(f"{draft}: no archive was made, and nothing is removed from the log: {error}") from error
    sealed = chain.hash_of(connection, last)
    if (found.last, found.head) != (last, sealed):
        raise JournalError(f"{draft}: the archive ends at entry {found.last}, not {last}; nothing is removed")
    draft.replace(path)
    incidents = tuple(_incidents(connection, begin.seq, last))
    return Written(begin, chain.Beginning(last, found.head), path, path.stat().st_size, _digest(path), incidents)


def _while(wanted: Callable[[], bool], lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        if not wanted():
            raise JournalError("archiving was interrupted; nothing is removed from the log")
        yield line


def _compress(path: Path, lines: Iterator[bytes]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            packed.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()


def _incidents(connection: apsw.Connection, after: int, upto: int) -> Iterator[tuple[bytes, bytes]]:
    """Each incident of the stretch as its entries up to there made it, in the order of their first entries."""
    stretch = "SELECT incident_id FROM event NOT INDEXED WHERE seq > ? AND seq <= ? AND incident_id IS NOT NULL"
    touched: list[tuple[bytes]] = list(connection.execute(f"{stretch} GROUP BY 1 ORDER BY min(seq)", (after, upto)))
    for (id,) in touched:
        incident = folded(connection, UUID(bytes=id), upto)
        if incident is not None:
            yield id, zlib.compress(incident.model_dump_json().encode())


def settle(connection: apsw.Connection, written: Written, signer: Signer) -> None:
    """Inside a transaction of the writer: from now on the log begins after the stretch."""
    if chain.beginning(connection) != written.begin:
        raise JournalError("the log was archived by somebody else meanwhile; nothing was changed")
    last, head = written.end
    at = micros(now())
    connection.execute(
        "INSERT INTO archive (last, first, head, at, file, bytes, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (last, written.begin.seq + 1, head, at, written.path.name, written.size, written.digest),
    )
    connection.executemany(
        "INSERT INTO archived_incident (id, upto, body) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (id) DO UPDATE SET upto = ?2, body = ?3",
        [(id, last, body) for id, body in written.incidents],
    )
    add(connection, signer.sign(last, head, at))
    connection.execute("DELETE FROM checkpoint WHERE size < ?", (last,))


def sweep(connection: apsw.Connection) -> int:
    """Inside a transaction of the writer: remove some entries that are archived; returns how many."""
    begin = chain.beginning(connection).seq
    oldest = "SELECT seq FROM event WHERE seq <= ? ORDER BY seq LIMIT ?"
    connection.execute(f"DELETE FROM event WHERE seq IN ({oldest})", (begin, SWEPT))
    return connection.changes()


def folded(connection: apsw.Connection, incident_id: UUID, upto: int) -> Incident | None:
    """The incident as its entries up to `upto` make it, those that are archived included."""
    row = connection.execute("SELECT body, upto FROM archived_incident WHERE id = ?", (incident_id.bytes,)).fetchone()
    before, since = (_unpacked(row[0]), row[1]) if row else (None, 0)
    events = reading.of_incident(connection, incident_id, since, upto)
    return Incident.folded((recorded.event for recorded in events), before)


def archived_ids(connection: apsw.Connection, after: int, limit: int) -> list[tuple[int, UUID]]:
    """Up to `limit` incidents with archived entries, numbered above `after`, in the order of their first ones."""
    sql = "SELECT number, id FROM archived_incident WHERE number > ? ORDER BY number LIMIT ?"
    return [(number, UUID(bytes=id)) for number, id in connection.execute(sql, (after, limit))]


def created_ids(connection: apsw.Connection, after: int, limit: int) -> list[tuple[int, UUID]]:
    """Up to `limit` incidents that begin in the log after entry `after`, each with the entry it begins at."""
    after = max(after, chain.beginning(connection).seq)
    sql = "SELECT seq, incident_id FROM event WHERE kind = 'incident_created' AND seq > ? ORDER BY seq LIMIT ?"
    return [(seq, UUID(bytes=id)) for seq, id in connection.execute(sql, (after, limit))]


def _unpacked(body: bytes) -> Incident:
    return Incident.model_validate_json(zlib.decompress(body))
