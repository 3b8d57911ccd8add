"""What SQLite's errors mean to a person: what happened and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import apsw

from warden_desktop.engine.ports import JournalError

_CAUSES: Mapping[type[apsw.Error], str] = {
    apsw.FullError: "the disk is full; free some space",
    apsw.ReadOnlyError: "the file or its folder is read-only; check its permissions and how the disk is mounted",
    apsw.IOError: "the disk reported an error; check the disk and the system log",
    apsw.CorruptError: "the file is damaged; stop, keep a copy, and restore the last backup",
    apsw.NotADBError: "the file is not a database, or its beginning is damaged; restore the last backup",
    apsw.CantOpenError: "the file cannot be opened; check that its folder exists and may be written to",
    apsw.BusyError: "another program holds the file; close it",
    apsw.LockedError: "another program holds the file; close it",
    apsw.PermissionsError: "access is denied; check the permissions of the file and its folder",
    apsw.AuthError: "access is denied; check the permissions of the file and its folder",
    apsw.NoMemError: "memory ran out",
}

DISK_ERRORS = tuple(_CAUSES)
"""Errors of the file or the disk, which concern everything in the transaction and not one statement."""

UNREADABLE = (apsw.Error, UnicodeError)
"""What reading rows may raise; text that is not UTF-8 can only be damage."""


def explain(path: Path, error: Exception) -> JournalError:
    """The JournalError to raise for `error`; a JournalError is passed through as a copy of itself."""
    if isinstance(error, JournalError):
        return JournalError(str(error))
    if isinstance(error, UnicodeError):
        return explain(path, apsw.CorruptError(str(error)))
    cause = next((text for kind, text in _CAUSES.items() if isinstance(error, kind)), "unexpected")
    return JournalError(f"{path}: {cause} ({type(error).__name__}: {error})")
