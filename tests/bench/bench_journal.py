"""What the journal costs beside a bare writer thread: `python -m tests.bench.bench_journal [FOLDER]`.

Ratios within one run, the two taking turns, medians of `ROUNDS`. The bare thread does the same inserts of rows made
beforehand, with the same group commit, and nothing else: no encoding, no hash chain, no look for known ids.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from typing import Any
from uuid import uuid4

import apsw

from tests.samples_of_events import alert
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal, open_reader, schema
from warden_desktop.adapters.journal.chain import COLUMNS
from warden_desktop.adapters.journal.rows import encode
from warden_desktop.domain.events import Event, IncidentCreated
from warden_desktop.domain.incident import Incident

ROUNDS = 5
SECONDS = 1.0
IN_FLIGHT = (1, 32, 512)
EVENT_BYTES = 2048
VERIFIED = 1_000_000
DECODED = 50_000

Row = tuple[object, ...]


def story() -> Event:
    """An event of EVENT_BYTES."""
    plain = IncidentCreated(actor="intake", incident_id=uuid4(), alert=alert())
    missing = EVENT_BYTES - len(plain.model_dump_json())
    padded = plain.alert.model_copy(update={"description": plain.alert.description + "x" * missing})
    return plain.model_copy(update={"alert": padded})


STORY = story()


def events() -> Iterator[Event]:
    """Without end, each with an id of its own."""
    while True:
        yield STORY.model_copy(update={"id": uuid4()})


class Bare:
    """The peer."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = schema.open_writer(path)
        self._loop = loop
        self._seq = 0
        self._queue: SimpleQueue[tuple[asyncio.Future[None], Row] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def append(self, row: Row) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((future, row))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            batch = [job]
            try:
                while (more := self._queue.get_nowait()) is not None:
                    batch.append(more)
            except Empty:
                pass
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                f"INSERT INTO event ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._numbered(batch)
            )
            self._connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_resolve, [future for future, _ in batch])

    def _numbered(self, batch: list[tuple[asyncio.Future[None], Row]]) -> Iterator[Any]:
        for _, row in batch:
            self._seq += 1
            yield (self._seq, *row)


def _resolve(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


async def rate(in_flight: int, publish: Callable[[], Awaitable[object]]) -> float:
    """Publishes a second with so many waiting at a time."""
    done, end = 0, time.perf_counter() + SECONDS

    async def publisher() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await publish()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(publisher() for _ in range(in_flight)))
    return done / (time.perf_counter() - began)


async def journal_rate(folder: Path, in_flight: int) -> float:
    journal = SqliteJournal.open(folder / FILE_NAME, asyncio.get_running_loop())
    fresh = events()
    try:
        return await rate(in_flight, lambda: journal.append([next(fresh)]))
    finally:
        await journal.close()


async def bare_rate(folder: Path, in_flight: int) -> float:
    bare = Bare(folder / FILE_NAME, asyncio.get_running_loop())
    fresh, columns = events(), encode(STORY).columns
    try:
        return await rate(in_flight, lambda: bare.append((next(fresh).id.bytes, *columns[1:], bytes(32))))
    finally:
        bare.close()


async def compare(folder: Path) -> None:
    for in_flight in IN_FLIGHT:
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(ROUNDS):
            for rates, measure in ((ours, journal_rate), (bare, bare_rate)):
                with tempfile.TemporaryDirectory(dir=folder) as own:
                    rates.append(await measure(Path(own), in_flight))
        print(
            f"durable publishes, {in_flight:4} in flight: {median(ours):9,.0f}/s, bare thread {median(bare):9,.0f}/s,"
            f" ratio {median(ours) / median(bare):.2f}"
        )


async def fill(path: Path, count: int) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    fresh = events()
    for start in range(0, count, 5000):
        await journal.append([next(fresh) for _ in range(min(5000, count - start))])
    await journal.close()


def read_back(path: Path) -> None:
    with open_reader(path) as reader:
        began = time.perf_counter()
        verification = reader.verify()
        seconds = time.perf_counter() - began
        assert verification.ok
        print(f"verification of {verification.entries:,} entries: {seconds:.1f} s, {VERIFIED / seconds:,.0f}/s")
        began, after = time.perf_counter(), 0
        while after < DECODED:
            page = reader.read(after, 500)
            after = page[-1].seq
            folded = [Incident.folded([recorded.event]) for recorded in page]
            assert None not in folded
        print(f"decode and fold: {after / (time.perf_counter() - began):,.0f} events/s")


async def main(folder: Path) -> None:
    print(f"SQLite {apsw.sqlite_lib_version()}, events of {len(STORY.model_dump_json())} bytes")
    await compare(folder)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own) / FILE_NAME
        await fill(path, VERIFIED)
        read_back(path)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())))
