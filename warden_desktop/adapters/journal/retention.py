"""Keeping the log within bounds while the application runs: the steps of stretches.py, without holding anybody up."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from warden_desktop.adapters.journal import schema, stretches
from warden_desktop.adapters.journal.faults import UNREADABLE, explain
from warden_desktop.adapters.journal.journal import SqliteJournal
from warden_desktop.adapters.journal.stretches import Keep, Plan, Written
from warden_desktop.engine.ports import JournalError

log = logging.getLogger(__name__)

LOOK_EVERY = 3_600.0
"""Seconds between two looks at whether something is old enough."""


class Moved(NamedTuple):
    """Entries `first` to `last` are in `file`, of `size` bytes. Without a file nothing could be moved: see `held`."""

    first: int
    last: int
    file: Path | None
    size: int
    held: str


async def archive(journal: SqliteJournal, keep: Keep) -> Moved:
    """Move the next stretch, if there is one, and clear away what an interrupted run left. Raises JournalError."""
    await _sweep(journal)
    interrupted = threading.Event()
    try:
        planned, written = await asyncio.to_thread(_prepare, journal, keep, interrupted)
    finally:
        interrupted.set()  # Whoever is cancelled does not wait for the thread, but the end of the process would.
    if written is None:
        return Moved(planned.begin.seq + 1, planned.begin.seq, None, 0, planned.held)
    await journal.write(partial(stretches.settle, written=written, signer=journal.signer))
    await _sweep(journal)
    log.info("entries %d to %d are archived in %s", planned.begin.seq + 1, planned.last, written.path)
    return Moved(planned.begin.seq + 1, planned.last, written.path, written.size, planned.held)


async def archive_regularly(journal: SqliteJournal, keep: Keep, every: float = LOOK_EVERY) -> None:
    """Without end. What goes wrong is logged, and nothing is removed."""
    while True:
        try:
            moved = await archive(journal, keep)
            while moved.file is not None:
                moved = await archive(journal, keep)
        except JournalError as error:
            log.error("the log is not archived: %s", error)
        await asyncio.sleep(every)


def compact(path: Path) -> None:
    """Give the space of removed entries back to the disk. Wants the journal closed; takes as long as copying it."""
    with closing(schema.open_writer(path)) as connection:
        try:
            connection.execute("VACUUM")
        except UNREADABLE as error:
            raise explain(path, error) from error


async def _sweep(journal: SqliteJournal) -> None:
    while await journal.write(stretches.sweep):
        pass


def _prepare(journal: SqliteJournal, keep: Keep, interrupted: threading.Event) -> tuple[Plan, Written | None]:
    """In a thread, with a connection of its own, in one view of the log."""
    path, key = journal.path, journal.signer.public
    with closing(schema.open_reader(path)) as connection:
        try:
            connection.execute("BEGIN")
            planned = stretches.plan(connection, keep)
            if planned.last <= planned.begin.seq:
                return planned, None
            folder = stretches.archives(path)
            return planned, stretches.write(connection, planned, folder, key, lambda: not interrupted.is_set())
        except UNREADABLE as error:
            raise explain(path, error) from error
