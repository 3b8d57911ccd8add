"""The journal on disk: one SQLite file with the log, its hash chain, subscribers' cursors and the incident table."""

from __future__ import annotations

from warden_desktop.adapters.journal.chain import Verification
from warden_desktop.adapters.journal.condition import Condition, health
from warden_desktop.adapters.journal.journal import FILE_NAME, SqliteJournal
from warden_desktop.adapters.journal.read_model import SqliteReadModel
from warden_desktop.adapters.journal.reader import JournalReader, open_reader
from warden_desktop.adapters.journal.retention import Moved, archive, archive_regularly, compact
from warden_desktop.adapters.journal.signing import Checkpoint, parse
from warden_desktop.adapters.journal.stretches import Keep
from warden_desktop.adapters.journal.writer import Stats

__all__ = [
    "FILE_NAME",
    "Checkpoint",
    "Condition",
    "JournalReader",
    "Keep",
    "Moved",
    "SqliteJournal",
    "SqliteReadModel",
    "Stats",
    "Verification",
    "archive",
    "archive_regularly",
    "compact",
    "health",
    "open_reader",
    "parse",
]
