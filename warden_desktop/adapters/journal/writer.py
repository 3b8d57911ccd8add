"""The one thread that writes, and its group commit.

Theory of operation: the loop puts jobs into a queue; the thread takes everything that queued while its last transaction
was being made durable, and that is the next transaction. Nobody ever lingers for company. The end of the log (seq and
hash) is read from the database at the start of each transaction and kept nowhere else, so after an error of the disk
there is nothing to put right: the transaction is gone, its jobs fail, and the next one starts from what is durable.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar, cast

import apsw

from warden_desktop.adapters.journal.faults import DISK_ERRORS, explain
from warden_desktop.adapters.journal.notary import Notary
from warden_desktop.adapters.journal.rows import Entry
from warden_desktop.adapters.journal.tail import Tail
from warden_desktop.adapters.journal.writing import Appended, append, end
from warden_desktop.engine.ports import EventRefused, JournalBusy, JournalError, Recorded

T = TypeVar("T")

MOST_EVENTS = 20_000
MOST_BYTES = 64 * 2**20

_BATCH = 1_024
"""Events after which a transaction takes no further job; beyond it fsync is already spread thin."""

_SETTLED = 256
"""Events after which the loop may do something else, such as a frame, before it learns of the rest of a transaction."""


class Stats(NamedTuple):
    """`queued` events wait to become durable; sizes in bytes, the last transaction's duration in milliseconds."""

    queued: int
    committed_batches: int
    last_commit_ms: float
    db_bytes: int
    wal_bytes: int


@dataclass(slots=True, eq=False)
class _Job:
    """Either `entries` to append or `work` to do. `outcome` is the result, or the exception, for `future`."""

    future: asyncio.Future[Any]
    entries: Sequence[Entry] = ()
    size: int = 0
    work: Callable[[apsw.Connection], object] | None = None
    outcome: object = field(default=None)


class Writer:
    """Owns `connection`, `tail` and `notary` from now on; without a notary no checkpoints are signed."""

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        tail: Tail,
        loop: asyncio.AbstractEventLoop,
        notary: Notary | None = None,
    ) -> None:
        self._path = path
        self._notary = notary
        self._file = path.stat().st_ino
        self._connection = connection
        self._tail = tail
        self._loop = loop
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._events_queued = 0
        self._bytes_queued = 0
        self._batches = 0
        self._milliseconds = 0.0
        self._deliver: Callable[[Sequence[Recorded]], None] = _nobody
        self._closed = False
        self._ended: asyncio.Future[None] = loop.create_future()
        self.last_seq = end(connection)[0]
        self._thread = threading.Thread(target=self._run, name="journal writer", daemon=True)
        self._thread.start()

    def on_committed(self, deliver: Callable[[Sequence[Recorded]], None]) -> None:
        self._deliver = deliver

    def append(self, entries: Sequence[Entry]) -> asyncio.Future[tuple[Recorded, ...]]:
        """Raises JournalBusy, and EventRefused for what could never be queued."""
        size = sum(len(entry.columns.body) for entry in entries)
        if len(entries) > MOST_EVENTS or size > MOST_BYTES:
            raise EventRefused(f"{len(entries)} events of {size} bytes are more than the journal takes at once")
        if self._events_queued + len(entries) > MOST_EVENTS or self._bytes_queued + size > MOST_BYTES:
            raise JournalBusy(f"{self._events_queued} events wait for the disk; try again in a second")
        self._events_queued += len(entries)
        self._bytes_queued += size
        return self._queue(_Job(self._loop.create_future(), entries, size))

    def do(self, work: Callable[[apsw.Connection], T]) -> asyncio.Future[T]:
        """Run `work` inside a transaction of the writer; all of it becomes durable or nothing."""
        return cast("asyncio.Future[T]", self._queue(_Job(self._loop.create_future(), work=work)))

    async def close(self) -> None:
        """Commit what is queued, then close the connection."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    @property
    def stats(self) -> Stats:
        wal = Path(f"{self._path}-wal")
        return Stats(self._events_queued, self._batches, self._milliseconds, _size(self._path), _size(wal))

    def _queue(self, job: _Job) -> asyncio.Future[Any]:
        if self._closed:
            raise JournalError(f"{self._path}: the journal is closed")
        self._jobs.put(job)
        return job.future

    def _run(self) -> None:
        more = True
        while more:
            batch, more = self._next()
            if batch or self._notary:
                started = time.perf_counter()
                fresh = self._transact(batch, closing=not more)
                self._report(batch, fresh, (time.perf_counter() - started) * 1000)
            del batch
        self._connection.close()
        self._tail.close()
        self._tell(self._ended.set_result, None)

    def _next(self) -> tuple[list[_Job], bool]:
        """What has queued, and whether to go on after it. Waits for the first job only; nothing, when the notary has
        something to sign and no job came."""
        batch: list[_Job] = []
        events = 0
        try:
            job = self._jobs.get(timeout=self._notary.patience if self._notary else None)
        except Empty:
            return batch, True
        while job is not None:
            batch.append(job)
            events += len(job.entries)
            if events >= _BATCH:
                return batch, True
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _transact(self, batch: Sequence[_Job], closing: bool) -> list[Recorded]:
        try:
            self._assert_in_place()
            self._connection.execute("BEGIN IMMEDIATE")
            appended = self._append([job for job in batch if job.work is None])
            for job in batch:
                if job.work is not None:
                    self._attempt(job, job.work)
            signed = self._notary.witness(self._connection, closing=closing) if self._notary else None
            self._connection.execute("COMMIT")
        except Exception as error:
            self._undo()
            if self._notary:
                self._notary.put_off()
            for job in batch:
                job.outcome = explain(self._path, error)
            return []
        if appended.fresh:
            self._tail.note(appended.fresh[-1].seq, appended.head)
        if self._notary and signed:
            self._notary.sealed(signed)
        return appended.fresh

    def _append(self, jobs: Sequence[_Job]) -> Appended:
        appended = append(self._connection, [entry for job in jobs for entry in job.entries])
        for job in jobs:
            job.outcome = tuple(appended.recorded[entry.columns.id] for entry in job.entries)
        return appended

    def _assert_in_place(self) -> None:
        """An open file that was deleted or replaced takes writes as before, and they are lost with it."""
        if os.stat(self._path).st_ino != self._file:
            raise JournalError(f"{self._path}: the file was replaced while it was open; restart the application")

    def _attempt(self, job: _Job, work: Callable[[apsw.Connection], object]) -> None:
        """A job that is wrong in itself fails alone; what concerns the disk is raised."""
        connection = self._connection
        connection.execute("SAVEPOINT job")
        try:
            job.outcome = work(connection)
        except Exception as error:
            if isinstance(error, DISK_ERRORS) or not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO job")
            job.outcome = explain(self._path, error)
        connection.execute("RELEASE job")

    def _undo(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error:
            return  # SQLite has already rolled back, which is what was wanted.

    def _report(self, batch: Sequence[_Job], fresh: Sequence[Recorded], milliseconds: float) -> None:
        """Tell the loop, in portions that each have the events of their jobs."""
        self._tell(self._count, milliseconds)
        told, portion, events = 0, list[_Job](), 0
        for job in batch:
            portion.append(job)
            events += len(job.entries)
            if events >= _SETTLED:
                upto = told + _fresh_in(portion, fresh, told)
                self._tell(self._settle, portion, fresh[told:upto])
                told, portion, events = upto, [], 0
        self._tell(self._settle, portion, fresh[told:])

    def _count(self, milliseconds: float) -> None:
        self._milliseconds = milliseconds
        self._batches += 1

    def _settle(self, batch: Sequence[_Job], fresh: Sequence[Recorded]) -> None:
        """On the loop: first the log moves on, then the publishers learn of it."""
        self._events_queued -= sum(len(job.entries) for job in batch)
        self._bytes_queued -= sum(job.size for job in batch)
        try:
            if fresh:
                self.last_seq = fresh[-1].seq
                self._deliver(fresh)
        finally:
            for job in batch:
                _resolve(job)

    def _tell(self, callback: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            return  # The loop is gone, and with it everybody who waited.


def _fresh_in(portion: Sequence[_Job], fresh: Sequence[Recorded], told: int) -> int:
    """How many of `fresh` after the first `told` are events of these jobs; seqs are without holes."""
    if told == len(fresh):
        return 0
    recorded = (one.seq for job in portion if job.entries for one in cast("tuple[Recorded, ...]", job.outcome))
    return max(0, max(recorded, default=0) - fresh[told].seq + 1)


def _nobody(fresh: Sequence[Recorded]) -> None:
    """Before the bus listens."""


def _resolve(job: _Job) -> None:
    if job.future.done():
        return
    if isinstance(job.outcome, Exception):
        job.future.set_exception(job.outcome)
    else:
        job.future.set_result(job.outcome)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
