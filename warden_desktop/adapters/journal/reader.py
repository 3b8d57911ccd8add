"""The journal for a command line: no threads and no loop, whether or not the application runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar
from uuid import UUID

import apsw

from warden_desktop.adapters.journal import audit, chain, export, incidents, reading, schema, tail
from warden_desktop.adapters.journal.faults import UNREADABLE, explain
from warden_desktop.adapters.journal.notary import latest
from warden_desktop.adapters.journal.signing import Checkpoint, public_key
from warden_desktop.adapters.journal.stretches import archives, folded
from warden_desktop.adapters.journal.writing import end
from warden_desktop.domain.incident import Incident, IncidentRow
from warden_desktop.domain.query import Query
from warden_desktop.domain.record import now
from warden_desktop.engine.ports import DeadLetter, Recorded

T = TypeVar("T")


def open_reader(path: Path) -> JournalReader:
    """Raises JournalError when there is no journal at `path`."""
    return JournalReader(path, schema.open_reader(path))


class JournalReader:
    """Reads only. Methods block; they raise JournalError when the file cannot be read. A context manager."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @property
    def last_seq(self) -> int:
        """The seq of the newest event; 0 for an empty log."""
        return self._ask(reading.last_seq)

    def read(
        self, after: int, limit: int, *, kinds: Collection[str] | None = None, incident_id: UUID | None = None
    ) -> list[Recorded]:
        """Up to `limit` events with seq > `after`, oldest first."""
        return self._ask(partial(reading.read, after=after, limit=limit, kinds=kinds, incident_id=incident_id))

    def history(
        self,
        before: int | None,
        limit: int,
        *,
        kinds: Collection[str] | None = None,
        incident_id: UUID | None = None,
        text: str = "",
    ) -> list[Recorded]:
        """Up to `limit` events with seq < `before` (None: the end), newest first."""
        return self._ask(
            partial(reading.history, before=before, limit=limit, kinds=kinds, incident_id=incident_id, text=text)
        )

    def find(self, event_id: UUID) -> Recorded | None:
        """The event of that id."""
        return self._ask(partial(reading.find, event_id=event_id))

    def incident_events(self, incident_id: UUID) -> list[Recorded]:
        """All events of one incident that are in the log, oldest first; earlier ones may be archived."""
        return self._ask(partial(reading.read, after=0, limit=-1, kinds=None, incident_id=incident_id))

    def incident(self, incident_id: UUID) -> Incident | None:
        """The incident as all its events make it, archived ones included."""
        return self._ask(partial(folded, incident_id=incident_id, upto=self.last_seq))

    def rows(self) -> list[IncidentRow]:
        """The incident table, oldest first, as far as the projector has got."""
        return self._ask(incidents.rows)

    def search(self, query: Query, limit: int = -1, offset: int = 0) -> list[UUID]:
        """The ids of what `query` finds, newest incident first; a negative limit means all."""
        return self._ask(partial(incidents.search, query=query, now=now(), limit=limit, offset=offset))

    def cursor(self, name: str) -> int:
        """How far a named subscriber, or the projector of the incident table, has got."""
        return self._ask(partial(reading.cursor, name=name))

    def dead_letters(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        return self._ask(reading.dead_letters)

    def verify(self, keys: Collection[bytes] = (), kept: Sequence[Checkpoint] = ()) -> chain.Verification:
        """Check the hash chain, that its end is not lost, the signed checkpoints and the archives.

        `keys` may have signed beside this installation's; `kept` are checkpoints that were kept elsewhere.
        """
        note = tail.noted(self._path)  # Before the log is read, since that may be growing.
        trusted, folder = self._keys(keys), archives(self._path)
        found = self._in_one_view(partial(audit.verify, folder=folder, trusted=trusted, kept=kept))
        lost = tail.loss(note, found.entries, self._hash_of) if found.ok else ""
        if not note or not lost:
            return found
        return found._replace(ok=False, first_bad=min(note.seq, found.entries + 1), problem=lost)

    def _keys(self, further: Collection[bytes]) -> frozenset[bytes]:
        own = public_key(self._path)
        return frozenset(further) | ({own} if own else frozenset())

    def _hash_of(self, seq: int) -> bytes | None:
        return chain.hash_of(self._connection, seq) or dict([chain.beginning(self._connection)]).get(seq)

    def checkpoint(self) -> Checkpoint | None:
        """The newest signed checkpoint in the log."""
        return self._ask(latest)

    def export(self, file: IO[bytes]) -> int:
        """Write the log to `file` in the form of export.py; returns how many entries."""
        return self._in_one_view(partial(_export, file=file, key=public_key(self._path) or b""))

    def _in_one_view(self, question: Callable[[apsw.Connection], T]) -> T:
        """Ask while nothing changes, although the application may be writing."""
        self._ask(lambda connection: connection.execute("BEGIN"))
        try:
            return self._ask(question)
        finally:
            self._ask(lambda connection: connection.execute("ROLLBACK"))

    def _ask(self, question: Callable[[apsw.Connection], T]) -> T:
        try:
            return question(self._connection)
        except UNREADABLE as error:
            raise explain(self._path, error) from error


def _export(connection: apsw.Connection, file: IO[bytes], key: bytes) -> int:
    begin = chain.beginning(connection)
    file.writelines(export.lines(connection, begin, None, key))
    return end(connection)[0] - begin.seq
