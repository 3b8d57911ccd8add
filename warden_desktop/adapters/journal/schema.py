"""The file: how it is made, opened, and recognised."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import apsw

from warden_desktop.adapters.journal import chain, tail
from warden_desktop.adapters.journal.faults import UNREADABLE, explain
from warden_desktop.adapters.journal.reading import contains
from warden_desktop.adapters.journal.tail import Tail
from warden_desktop.engine.ports import JournalError

APPLICATION_ID = 0x5752444E
"""`WRDN` in the header of every journal file."""

SCHEMA_VERSION = 2

_MAGIC = b"SQLite format 3\0"
_BUSY_MILLISECONDS = 10_000
_STATEMENTS = 256
_CHECKED_WHOLE = 16 * 2**20
"""Bytes up to which the file is checked page by page at every start; beyond, that would delay the window."""

_CHECKED_ENTRIES = 200

WAL_KEPT = 32 * 2**20
"""Bytes to which the write-ahead log is cut back once a large transaction, or a long reader, made it grow."""

_SINCE_2 = """
CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY, head BLOB NOT NULL, at INTEGER NOT NULL, key BLOB NOT NULL, signature BLOB NOT NULL
) STRICT;
CREATE TABLE archive (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    head BLOB NOT NULL,
    at INTEGER NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE TABLE archived_incident (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, upto INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
"""

_UPGRADES: Mapping[int, str] = {1: _SINCE_2}
"""What turns a file of that format into one of the next; run in one transaction when the writer opens it."""

_SCHEMA = f"""{_SINCE_2}
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    incident_id BLOB,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX event_kind ON event (kind);
CREATE INDEX event_incident ON event (incident_id) WHERE incident_id IS NOT NULL;
CREATE TABLE cursor (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letter (
    number INTEGER PRIMARY KEY,
    subscriber TEXT NOT NULL,
    seq INTEGER NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;
CREATE TABLE incident (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    title TEXT NOT NULL,
    severity INTEGER NOT NULL,
    status TEXT NOT NULL,
    target TEXT NOT NULL,
    source TEXT NOT NULL,
    category TEXT NOT NULL,
    verdict TEXT NOT NULL,
    confidence REAL NOT NULL,
    assignee TEXT NOT NULL,
    alerts INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    decided_at INTEGER,
    techniques TEXT NOT NULL,
    tags TEXT NOT NULL,
    text TEXT NOT NULL,
    title_key TEXT NOT NULL,
    target_key TEXT NOT NULL,
    source_key TEXT NOT NULL,
    category_key TEXT NOT NULL,
    assignee_key TEXT NOT NULL,
    techniques_key TEXT NOT NULL,
    tags_key TEXT NOT NULL
) STRICT;
CREATE INDEX incident_created ON incident (created_at);
CREATE VIRTUAL TABLE incident_text USING fts5 (
    text, content = 'incident', content_rowid = 'number', tokenize = 'trigram case_sensitive 1'
);
CREATE TRIGGER incident_added AFTER INSERT ON incident BEGIN
    INSERT INTO incident_text (rowid, text) VALUES (new.number, new.text);
END;
CREATE TRIGGER incident_removed AFTER DELETE ON incident BEGIN
    INSERT INTO incident_text (incident_text, rowid, text) VALUES ('delete', old.number, old.text);
END;
CREATE TRIGGER incident_reworded AFTER UPDATE OF text ON incident WHEN old.text IS NOT new.text BEGIN
    INSERT INTO incident_text (incident_text, rowid, text) VALUES ('delete', old.number, old.text);
    INSERT INTO incident_text (rowid, text) VALUES (new.number, new.text);
END;
"""


def open_writer(path: Path) -> apsw.Connection:
    """The connection that may write; creates the file, readable by its owner only, when there is none.

    Raises JournalError for a file that is damaged, not a journal, or of a newer version.
    """
    try:
        if not path.exists():
            _create(path)
        return _opened(path, apsw.SQLITE_OPEN_READWRITE, ready_to_write)
    except (*UNREADABLE, OSError) as error:
        raise explain(path, error) from error


def open_reader(path: Path) -> apsw.Connection:
    """A connection that cannot write, beside or without a running application. Raises JournalError."""
    try:
        if not path.exists():
            raise JournalError(f"{path}: there is no journal here; has the application been started once?")
        return _opened(path, apsw.SQLITE_OPEN_READONLY, _ready_to_read)
    except (*UNREADABLE, OSError) as error:
        raise explain(path, error) from error


def open_tail(path: Path) -> Tail:
    """The note of how far the log has got, for the writer. Raises JournalError."""
    try:
        return Tail(path)
    except OSError as error:
        raise explain(path, error) from error


def _create(path: Path) -> None:
    """Made aside and moved into place whole, so that a file that exists and is empty is damage, not a first start."""
    wal = Path(f"{path}-wal")
    if tail.noted(path) or (wal.exists() and wal.stat().st_size):
        raise JournalError(
            f"{path}: the file is gone, but what is beside it says that it held events; restore the last backup, or "
            f"delete {wal.name} and {tail.beside(path).name} to begin an empty log"
        )
    fresh = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = apsw.Connection(str(fresh), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", SCHEMA_VERSION)
        connection.execute(f"BEGIN; {_SCHEMA} COMMIT")
        connection.pragma("journal_mode", "wal")
    finally:
        connection.close()
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """So that a power cut cannot take back the file's name; Windows has no such call and does it by itself."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _opened(path: Path, flags: int, prepare: Callable[[Path, apsw.Connection], None]) -> apsw.Connection:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise JournalError(f"{path}: not a journal, or its beginning is damaged; restore the last backup")
    connection = apsw.Connection(str(path), flags=flags, statementcachesize=_STATEMENTS)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # A refusal must leave the evidence as it is.
    try:
        _identify(path, connection)
        prepare(path, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _identify(path: Path, connection: apsw.Connection) -> None:
    connection.set_busy_timeout(_BUSY_MILLISECONDS)
    if connection.pragma("application_id") != APPLICATION_ID:
        raise JournalError(f"{path}: a database of another program, not a journal; choose another --data-dir")
    version = connection.pragma("user_version")
    if version != SCHEMA_VERSION and version not in _UPGRADES:
        raise JournalError(
            f"{path}: its format is {version}, and this version reads {SCHEMA_VERSION}; install the newer version"
        )
    if version != SCHEMA_VERSION and connection.readonly("main"):
        raise JournalError(f"{path}: its format is {version}, of an older version; start the application once, which "
                           f"brings it to {SCHEMA_VERSION}")  # fmt: skip


def _ready_to_read(path: Path, connection: apsw.Connection) -> None:
    connection.create_scalar_function("contains", contains, 2, deterministic=True)


def ready_to_write(path: Path, connection: apsw.Connection) -> None:
    """Set up durability, then check the file. Raises JournalError, or apsw.Error."""
    if connection.readonly("main"):
        raise JournalError(f"{path}: the file is read-only; the journal must be able to write")
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("foreign_keys", False)
    connection.pragma("journal_size_limit", WAL_KEPT)
    _upgrade(connection)
    _check(path, connection)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)


def _upgrade(connection: apsw.Connection) -> None:
    version: int = connection.pragma("user_version")
    while version in _UPGRADES:
        connection.execute(f"BEGIN IMMEDIATE; {_UPGRADES[version]} PRAGMA user_version = {version + 1}; COMMIT")
        version += 1


def _check(path: Path, connection: apsw.Connection) -> None:
    """Cheap: the pages of a small file, the ends of the log always."""
    if path.stat().st_size <= _CHECKED_WHOLE:
        verdict = connection.execute("PRAGMA integrity_check(1)").get
        if verdict != "ok":
            raise JournalError(f"{path}: the file is damaged ({verdict}); keep a copy and restore the last backup")
    begin = chain.beginning(connection)
    first = connection.execute("SELECT min(seq) FROM event").get
    if (begin.seq or first) and (first is None or first > begin.seq + 1):
        there = "is empty" if first is None else f"begins at entry {first}"
        raise JournalError(f"{path}: the log {there} instead of beginning at {begin.seq + 1}; restore the last backup")
    found = _newest(connection, begin)
    if not found.ok:
        raise JournalError(f"{path}: {found.problem}; keep a copy and run `warden-desktop audit verify`")
    lost = tail.loss(tail.noted(path), found.entries, lambda seq: chain.hash_of(connection, seq))
    if lost:
        raise JournalError(
            f"{path}: {lost}. Keep a copy, then restore the last backup; to go on without what is lost, "
            f"delete {tail.beside(path).name}"
        )


def _newest(connection: apsw.Connection, begin: chain.Beginning) -> chain.Verification:
    where = f"seq > {begin.seq:d} ORDER BY seq DESC LIMIT {_CHECKED_ENTRIES + 1}"
    rows: list[chain.Row] = list(connection.execute(f"SELECT {chain.COLUMNS} FROM event WHERE {where}"))[::-1]
    if not rows or rows[0][0] == begin.seq + 1:
        return chain.check(rows, begin.seq, begin.head)
    before = rows.pop(0)
    return chain.check(rows, before[0], before[7])
