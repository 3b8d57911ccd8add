"""Retention: old entries leave the log for a file that was read back, and nothing else changes."""

from __future__ import annotations

import asyncio
import gzip
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from tests.journal import cases
from tests.journal.cases import EVENTS, case, incident_id
from tests.journal.stories import comment
from warden_desktop.adapters.journal import (
    Checkpoint,
    Keep,
    Moved,
    SqliteJournal,
    SqliteReadModel,
    archive,
    archive_regularly,
    chain,
    compact,
    export,
    health,
    open_reader,
    retention,
    stretches,
    tail,
)
from warden_desktop.adapters.journal.signing import open_signer
from warden_desktop.domain.events import Event, StatusChanged
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.record import now
from warden_desktop.domain.status import Status
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.ports import DeadLetter, JournalError

OLD = Keep(age=timedelta(days=1))
INCIDENTS, OPEN = 12, 3
OURS = EVENTS * (INCIDENTS - OPEN)
"""The entries of those that ended."""


@pytest.fixture
def log(path: Path) -> Path:
    """Twelve old incidents, the last three of them open; the table of incidents is not made yet."""
    cases.write(path, INCIDENTS, OPEN)
    return path


class Store:
    """The incidents of a journal, as the application holds them."""

    def __init__(self, path: Path) -> None:
        self.journal = SqliteJournal.open(path, asyncio.get_running_loop())
        self.read_model = SqliteReadModel(self.journal)
        self.incidents = Incidents(self.journal, self.read_model)
        self.journal.on_committed(self._deliver)

    def _deliver(self, batch: object) -> None:
        assert isinstance(batch, list)
        for recorded in batch:
            self.incidents.apply(recorded)

    async def restore(self) -> None:
        await self.incidents.restore(now(), timedelta(minutes=5))

    async def whole(self) -> dict[UUID, Incident]:
        found = [await self.incidents.load(one) for one in self.incidents.rows()]
        return {one.id: one for one in found if one is not None}

    async def append(self, *events: Event) -> None:
        await self.journal.append(events)

    async def close(self) -> None:
        await self.incidents.save()
        await self.journal.close()


async def prepared(path: Path) -> Store:
    store = Store(path)
    await store.restore()
    return store


def first_seq(path: Path) -> int:
    connection = apsw.Connection(str(path))
    first: int = connection.execute("SELECT min(seq) FROM event").get
    connection.close()
    return first


async def test_old_entries_move_to_a_file_and_the_chain_goes_on(log: Path) -> None:
    store = await prepared(log)
    with open_reader(log) as reader:
        before = reader.verify()
    moved = await archive(store.journal, OLD)
    assert (moved.first, moved.last) == (1, OURS)
    assert moved.file is not None and moved.file.exists()
    await store.append(comment(incident_id(INCIDENTS - 1)))
    await store.close()
    with open_reader(log) as reader:
        found = reader.verify()
    assert found.ok, found.problem
    assert (found.entries, found.archived) == (before.entries + 1, OURS)
    assert first_seq(log) == OURS + 1
    with gzip.open(moved.file) as content:
        told = export.check(content)
    assert (told.first, told.last) == (1, OURS)


async def test_what_is_in_use_stays_and_the_reason_is_told(log: Path) -> None:
    store = await prepared(log)
    await archive(store.journal, OLD)
    again = await archive(store.journal, OLD)
    assert again.file is None
    assert again.held == f"entry {OURS + 1} belongs to an incident that is open"
    await store.close()


async def test_nothing_a_subscriber_has_not_seen_is_moved(log: Path) -> None:
    store = await prepared(log)
    await store.journal.move_cursor("slow", 20)
    moved = await archive(store.journal, OLD)
    assert (moved.last, moved.held) == (20, "the subscriber slow has got no further than entry 20")
    await store.close()


async def test_nothing_that_waits_as_a_dead_letter_is_moved(log: Path) -> None:
    store = await prepared(log)
    (recorded,) = await store.journal.read(29, 1)
    await store.journal.bury(DeadLetter("triage", recorded, "it broke", 4))
    assert (await archive(store.journal, OLD)).last == 29
    await store.close()
    with open_reader(log) as reader:
        assert [one.recorded.seq for one in reader.dead_letters()] == [30]


async def test_young_entries_stay_and_so_do_as_many_as_wanted(path: Path) -> None:
    cases.write(path, 10, start=now() - timedelta(hours=1))
    store = await prepared(path)
    moved = await archive(store.journal, Keep(age=timedelta(hours=1) - timedelta(seconds=4.5)))
    assert 5 * EVENTS <= moved.last < 10 * EVENTS - 50
    assert (await archive(store.journal, Keep(age=timedelta(), entries=50))).last == 10 * EVENTS - 50
    await store.close()


async def test_a_log_that_is_too_large_is_brought_to_its_size(path: Path) -> None:
    cases.write(path, 400)
    store = await prepared(path)
    size = health(path).used_bytes // 2
    moved = await archive(store.journal, Keep(size=size))
    assert moved.file is not None
    await store.close()
    assert health(path).used_bytes < size * 1.3
    before = path.stat().st_size
    compact(path)
    assert path.stat().st_size < before * 0.8
    with open_reader(path) as reader:
        assert reader.verify().ok


async def test_several_stretches_follow_on_from_each_other(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH", 25)
    store = await prepared(log)
    moves: list[Moved] = []
    while (moved := await archive(store.journal, OLD)).file is not None:
        moves.append(moved)
    assert [one.last for one in moves] == [*range(25, OURS, 25), OURS]
    whole = await store.whole()
    await store.close()
    with open_reader(log) as reader:
        found = reader.verify()
    assert (found.ok, found.archived) == (True, OURS), found.problem
    assert len(whole) == INCIDENTS


async def test_incidents_are_what_they_were(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH", 25)
    store = await prepared(log)
    before, rows = await store.whole(), list(store.incidents.rows().values())
    while (await archive(store.journal, OLD)).file is not None:
        pass
    await store.close()
    store = await prepared(log)
    assert list(store.incidents.rows().values()) == rows
    assert await store.whole() == before
    await store.incidents.rebuild()
    assert list(store.incidents.rows().values()) == rows
    assert await store.whole() == before
    await store.close()


async def test_an_archived_incident_can_go_on(log: Path) -> None:
    store = await prepared(log)
    await archive(store.journal, OLD)
    await store.close()
    store = await prepared(log)
    id = incident_id(0)
    assert store.incidents.get(id) is None
    assert await store.incidents.load(id) is not None
    reopened = StatusChanged(actor="analyst:alice", incident_id=id, old=Status.RESOLVED, new=Status.PENDING_REVIEW)
    await store.append(reopened, comment(id, "once more"))
    await store.close()
    store = await prepared(log)
    incident = store.incidents.get(id)
    assert incident is not None
    assert (incident.status, len(incident.alerts), len(incident.comments)) == (Status.PENDING_REVIEW, 1, 1)
    await store.incidents.rebuild()
    assert store.incidents.get(id) == incident
    await store.close()


async def test_the_delivery_behind_an_open_incident_stays(path: Path) -> None:
    store = await prepared(path)
    received, created, *rest = case(0, ended=False)
    await store.append(received, *case(1, ended=True), created, *rest)
    await store.incidents.save()
    moved = await archive(store.journal, OLD)
    assert (moved.file, moved.held) == (None, "entry 1 belongs to an incident that is open")
    await store.close()


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"not gzip"])
async def test_nothing_is_removed_when_the_file_does_not_read_back(
    log: Path, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = stretches._compress

    def failing(path: Path, lines: object) -> None:
        plain(path, lines)  # type: ignore[arg-type]
        path.write_bytes(gzip.compress(damage) if damage == b"{}\n" else damage)

    monkeypatch.setattr(stretches, "_compress", failing)
    store = await prepared(log)
    with pytest.raises(JournalError, match="nothing is removed"):
        await archive(store.journal, OLD)
    await store.close()
    assert first_seq(log) == 1
    with open_reader(log) as reader:
        assert reader.verify().archived == 0


@pytest.mark.parametrize("step", ["settle", "sweep"])
async def test_an_interrupted_run_leaves_a_whole_log_and_the_next_one_finishes(
    log: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await prepared(log)
    before = await store.whole()

    async def killed(_: SqliteJournal) -> None:
        raise JournalError("killed")

    with monkeypatch.context() as patched:
        if step == "settle":
            patched.setattr(stretches, "settle", _refuse)
        else:
            patched.setattr(retention, "_sweep", _after_the_first(killed))
        with pytest.raises(JournalError):
            await archive(store.journal, OLD)
    await store.close()
    with open_reader(log) as reader:
        assert reader.verify().ok
    store = await prepared(log)
    await store.incidents.rebuild()
    assert await store.whole() == before
    await archive(store.journal, OLD)
    await store.close()
    assert first_seq(log) == OURS + 1
    with open_reader(log) as reader:
        assert reader.verify().ok


def _refuse(*_: object, **__: object) -> None:
    raise JournalError("killed")


def _after_the_first(killed: object) -> object:
    calls = 0

    async def sweep(journal: SqliteJournal) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise JournalError("killed")

    return sweep


async def archived(log: Path) -> Path:
    store = await prepared(log)
    moved = await archive(store.journal, OLD)
    await store.close()
    assert moved.file is not None
    return moved.file


async def test_a_changed_archive_is_seen(log: Path) -> None:
    file = await archived(log)
    content = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(content.replace(b"cleaned", b"cleaneD", 1)))
    with open_reader(log) as reader:
        found = reader.verify()
    assert (found.ok, found.first_bad) == (False, EVENTS - 1)
    assert file.name in found.problem


async def test_an_archive_kept_elsewhere_is_noted_and_no_fault(log: Path) -> None:
    file = await archived(log)
    file.rename(log.with_name("elsewhere"))
    with open_reader(log) as reader:
        found = reader.verify()
    assert found.ok
    assert file.name in found.notes[0]
    assert health(log).missing == (file.name,)


async def test_a_beginning_that_is_cut_off_is_no_archive(log: Path) -> None:
    await archived(log)
    connection = apsw.Connection(str(log))
    connection.execute("DELETE FROM event WHERE seq <= ?", (OURS + 5,))
    connection.close()
    with open_reader(log) as reader:
        found = reader.verify()
    assert (found.ok, found.first_bad) == (False, OURS + 1)
    with pytest.raises(JournalError, match=f"instead of beginning at {OURS + 1}"):
        SqliteJournal.open(log, asyncio.get_running_loop())


async def test_an_archive_that_was_never_made_is_seen(log: Path) -> None:
    """Somebody removes the beginning of the log and says that it was archived."""
    await (await prepared(log)).close()
    connection = apsw.Connection(str(log))
    head = chain.hash_of(connection, 40)
    connection.execute("INSERT INTO archive VALUES (40, 1, ?, 0, 'gone.jsonl.gz', 1, x'')", (head,))
    connection.execute("DELETE FROM event WHERE seq <= 40")
    connection.close()
    with open_reader(log) as reader:
        found = reader.verify()
    assert (found.ok, found.first_bad) == (False, 40)
    assert "nothing signed" in found.problem


async def test_a_checkpoint_kept_elsewhere_is_checked_against_the_archive(log: Path) -> None:
    store = await prepared(log)
    await store.close()
    with open_reader(log) as reader:
        kept = reader.checkpoint()
    assert kept is not None
    good = kept._replace(size=40, head=_hash(log, 40))
    bad = kept._replace(size=40, head=bytes(32))
    await archived(log)
    with open_reader(log) as reader:
        assert reader.verify(kept=[_signed(log, good.size, good.head)]).ok
        found = reader.verify(kept=[_signed(log, bad.size, bad.head)])
    assert not found.ok
    assert "kept elsewhere" in found.problem


def _hash(path: Path, seq: int) -> bytes:
    connection = apsw.Connection(str(path))
    found = chain.hash_of(connection, seq)
    connection.close()
    assert found is not None
    return found


def _signed(path: Path, size: int, head: bytes) -> Checkpoint:
    return open_signer(path).sign(size, head, 0)


async def test_publishers_go_on_while_the_log_is_archived(path: Path) -> None:
    cases.write(path, 1_500)
    store = await prepared(path)

    async def publish() -> int:
        done = 0
        while not finished.is_set():
            await store.append(comment(incident_id(1_499), f"note {done}"))
            done += 1
        return done

    finished = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        publisher = group.create_task(publish())
        await archive(store.journal, OLD)
        finished.set()
    await store.close()
    assert publisher.result() > 0
    with open_reader(path) as reader:
        found = reader.verify()
    assert (found.ok, found.entries) == (True, 1_500 * EVENTS + publisher.result()), found.problem
    assert tail.noted(path) is not None


async def test_whoever_is_interrupted_leaves_the_log_as_it_was(path: Path) -> None:
    cases.write(path, 3_000)
    store = await prepared(path)
    task = asyncio.get_running_loop().create_task(archive(store.journal, OLD))
    while not (path.with_name("archive")).exists():
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.get_running_loop().shutdown_default_executor()
    await store.close()
    assert first_seq(path) == 1
    assert health(path).archives == 0
    assert not list(path.with_name("archive").glob("*.gz"))


async def test_the_running_application_keeps_its_log_within_bounds(log: Path) -> None:
    store = await prepared(log)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(archive_regularly(store.journal, OLD))
        while health(log).first == 1:
            await asyncio.sleep(0.01)
        keeping.cancel()
    await store.close()
    with open_reader(log) as reader:
        assert reader.verify().archived == OURS


async def test_the_write_ahead_log_is_cut_back_after_a_long_reader(path: Path) -> None:
    cases.write(path, 10)
    store = await prepared(path)
    with open_reader(path) as reader:
        reader._ask(lambda connection: connection.execute("BEGIN; SELECT count(*) FROM event").fetchall())
        for number in range(48):
            await store.append(*(comment(incident_id(9), f"{number} " + "x" * 60_000) for _ in range(16)))
        assert health(path).wal_bytes > 40 * 2**20
    for _ in range(3):
        await store.append(comment(incident_id(9), "y"))
    await asyncio.sleep(0)
    assert health(path).wal_bytes <= 33 * 2**20
    assert health(path).wal_bounded
    await store.close()
