"""The log of the application, as the engine sees it: a writer, a lane that reads, and a lane that searches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import apsw

from warden_desktop.adapters.journal import reading, schema
from warden_desktop.adapters.journal.lane import Lane
from warden_desktop.adapters.journal.notary import Notary
from warden_desktop.adapters.journal.rows import encode
from warden_desktop.adapters.journal.signing import Signer, open_signer
from warden_desktop.adapters.journal.writer import Stats, Writer
from warden_desktop.adapters.journal.writing import bury, move_cursor, remove_dead_letter
from warden_desktop.domain.events import Event
from warden_desktop.engine.ports import DeadLetter, JournalBusy, JournalError, Recorded

T = TypeVar("T")

FILE_NAME = "warden.db"
"""The file's name inside the data directory."""


class SqliteJournal:
    """The Journal port on one SQLite file. Searches have their own thread, so a long one delays no reader."""

    def __init__(
        self,
        path: Path,
        signer: Signer,
        writer: Writer,
        reads: Lane,
        searches: Lane,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.path = path
        self.signer = signer
        self._writer = writer
        self._reads = reads
        self._searches = searches
        self._loop = loop

    @classmethod
    def open(cls, path: Path, loop: asyncio.AbstractEventLoop) -> SqliteJournal:
        """Opens or creates `path`. Blocks for some milliseconds. Raises JournalError for a file that is damaged, not a
        journal, or of a newer version."""
        with ExitStack() as opened:
            write, read, search = (
                opened.enter_context(closing(connect(path)))
                for connect in (schema.open_writer, schema.open_reader, schema.open_reader)
            )
            signer = open_signer(path)
            tail = schema.open_tail(path)
            opened.pop_all()
        reads, searches = Lane("journal reader", path, read, loop), Lane("journal search", path, search, loop)
        return cls(path, signer, Writer(path, write, tail, loop, Notary(signer, write)), reads, searches, loop)

    @property
    def last_seq(self) -> int:
        return self._writer.last_seq

    @property
    def stats(self) -> Stats:
        """How the journal is doing, for the self-check and the metrics."""
        return self._writer.stats

    def on_committed(self, deliver: Callable[[Sequence[Recorded]], None]) -> None:
        self._writer.on_committed(deliver)

    def append(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]]:
        try:
            return self._writer.append([encode(event) for event in events])
        except JournalError as error:
            if isinstance(error, JournalBusy):
                raise
            failed: asyncio.Future[tuple[Recorded, ...]] = self._loop.create_future()
            failed.set_exception(error)
            return failed

    async def read(
        self, after: int, limit: int, *, kinds: Collection[str] | None = None, incident_id: UUID | None = None
    ) -> list[Recorded]:
        return await self._reads.ask(
            partial(reading.read, after=after, limit=limit, kinds=kinds, incident_id=incident_id)
        )

    async def history(
        self,
        before: int | None,
        limit: int,
        *,
        kinds: Collection[str] | None = None,
        incident_id: UUID | None = None,
        text: str = "",
    ) -> list[Recorded]:
        lane = self._searches if text else self._reads
        return await lane.ask(
            partial(reading.history, before=before, limit=limit, kinds=kinds, incident_id=incident_id, text=text)
        )

    async def find(self, event_id: UUID) -> Recorded | None:
        return await self._reads.ask(partial(reading.find, event_id=event_id))

    async def cursor(self, name: str) -> int:
        return await self._reads.ask(partial(reading.cursor, name=name))

    async def move_cursor(self, name: str, seq: int) -> None:
        await self.write(partial(move_cursor, name=name, seq=seq))

    async def bury(self, letter: DeadLetter) -> None:
        await self.write(partial(bury, letter=letter))

    async def dead_letters(self, subscriber: str | None = None) -> list[DeadLetter]:
        return await self._reads.ask(partial(reading.dead_letters, subscriber=subscriber))

    async def remove_dead_letter(self, subscriber: str, seq: int) -> bool:
        return await self.write(partial(remove_dead_letter, subscriber=subscriber, seq=seq))

    async def write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run `work` in a transaction of the writer; raises JournalError when it was undone."""
        return await self._writer.do(work)

    async def search(self, question: Callable[[apsw.Connection], T]) -> T:
        """Ask something that may take long."""
        return await self._searches.ask(question)

    async def close(self) -> None:
        await self._reads.close()
        await self._searches.close()
        await self._writer.close()  # Last, because the last connection folds the write-ahead log into the file.
