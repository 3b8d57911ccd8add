"""The journal on disk: one SQLite file with the log, its hash chain, subscribers' cursors and the incident table."""

from __future__ import annotations

from warden_desktop.adapters.journal.chain import Verification
from warden_desktop.adapters.journal.journal import FILE_NAME, SqliteJournal
from warden_desktop.adapters.journal.read_model import SqliteReadModel
from warden_desktop.adapters.journal.reader import JournalReader, open_reader
from warden_desktop.adapters.journal.writer import Stats

__all__ = [
    "FILE_NAME",
    "JournalReader",
    "SqliteJournal",
    "SqliteReadModel",
    "Stats",
    "Verification",
    "open_reader",
]
