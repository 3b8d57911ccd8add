"""What the journal costs beside a bare writer thread, and how fast a large log is read back:
`python -m tests.bench.bench_journal [FOLDER] [--large]`; with `--large` on 10 instead of 1 million entries.

Ratios within one run, the two taking turns, medians of `ROUNDS`. The bare thread does the same inserts of rows made
beforehand, with the same group commit, and nothing else: no encoding, no hash chain, no look for known ids.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from typing import Any
from uuid import uuid4

import apsw

from tests.journal import cases
from tests.samples_of_events import alert
from warden_desktop.adapters.journal import (
    FILE_NAME,
    SqliteJournal,
    SqliteReadModel,
    incidents,
    open_reader,
    schema,
    stretches,
)
from warden_desktop.adapters.journal.chain import COLUMNS
from warden_desktop.adapters.journal.rows import encode
from warden_desktop.domain.events import Event, IncidentCreated
from warden_desktop.domain.record import now
from warden_desktop.engine.incidents import Incidents

ROUNDS = 5
SECONDS = 1.0
IN_FLIGHT = (1, 32, 512)
EVENT_BYTES = 2048
LATENCIES = 2_000
INCIDENTS, OPEN = 56_000, 2_000
"""Of the large log: a million entries."""
REPLAYED = 5_000

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


async def latencies(folder: Path, path: Path | None = None) -> list[float]:
    """Milliseconds of LATENCIES durable publishes, one after the other, sorted; into the log at `path` or a new one."""
    journal = SqliteJournal.open(path or folder / FILE_NAME, asyncio.get_running_loop())
    fresh, took = events(), []
    for _ in range(LATENCIES):
        event = next(fresh)
        began = time.perf_counter()
        await journal.append([event])
        took.append((time.perf_counter() - began) * 1000)
    await journal.close()
    return sorted(took)


def tell_latencies(what: str, took: list[float]) -> None:
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"{what}: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def verify(path: Path) -> None:
    with open_reader(path) as reader:
        began = time.perf_counter()
        found = reader.verify()
        seconds = time.perf_counter() - began
        assert found.ok
        print(f"verification of {found.entries:,} entries: {seconds:.1f} s, {found.entries / seconds:,.0f}/s")


def replay(path: Path) -> None:
    """All incidents decoded from the log and folded, without the table."""
    with closing(schema.open_reader(path)) as connection:
        ids = [id for _, id in stretches.created_ids(connection, 0, REPLAYED)]
        rates = []
        for _ in range(ROUNDS):
            began, cpu = time.perf_counter(), time.thread_time()
            for start in range(0, len(ids), 500):
                whole = incidents.whole(connection, ids[start : start + 500], 2**62)
                assert len(whole) == len(ids[start : start + 500])
            events = len(ids) * cases.EVENTS
            rates.append((events / (time.perf_counter() - began), events / (time.thread_time() - cpu)))
        wall, processor = (median(one) for one in zip(*rates, strict=True))
        print(f"decoded and folded: {wall:,.0f} events/s; {processor:,.0f} per second of processor time")


async def rebuild(path: Path) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    store = Incidents(journal, SqliteReadModel(journal))
    began = time.perf_counter()
    await store.rebuild()
    seconds = time.perf_counter() - began
    print(f"rebuild of {len(store.rows()):,} incidents from {journal.last_seq:,} events: {seconds:.1f} s, {memory()}")
    await journal.close()


async def cold_start(path: Path) -> None:
    """The engine's share: opening the file and restoring the incidents, the table being current."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        journal = SqliteJournal.open(path, asyncio.get_running_loop())
        store = Incidents(journal, SqliteReadModel(journal))
        await store.restore(now(), timedelta(minutes=240))
        took.append(time.perf_counter() - began)
        opened = sum(1 for _ in store.open())
        rows, last = len(store.rows()), journal.last_seq
        await journal.close()
    print(f"cold start, {last:,} events, {rows:,} incidents, {opened:,} open: {median(took):.2f} s, {memory()}")


def memory() -> str:
    """The most this process has had so far."""
    scale = 1 if sys.platform == "darwin" else 1024
    return f"RSS at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale >> 20} MiB"


async def main(folder: Path, large: bool) -> None:
    print(f"SQLite {apsw.sqlite_lib_version()}, events of {len(STORY.model_dump_json())} bytes")
    with tempfile.TemporaryDirectory(dir=folder) as own:
        tell_latencies("one publish at a time, empty log", await latencies(Path(own)))
    await compare(folder)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own) / FILE_NAME
        cases.write(path, INCIDENTS * (10 if large else 1), OPEN)
        verify(path)
        replay(path)
        tell_latencies(
            f"one publish at a time, {path.stat().st_size >> 20:,} MiB of log", await latencies(Path(own), path)
        )
        if not large:
            await rebuild(path)
            await cold_start(path)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--large"]
    asyncio.run(main(Path(words[0] if words else tempfile.gettempdir()), "--large" in sys.argv))
