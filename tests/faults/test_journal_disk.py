"""A disk that is full, fails or may not be written to: an error that says so, nothing half, and no restart needed."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
import pytest_asyncio

from tests.journal.stories import fault, faults, row
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal, SqliteReadModel, open_reader
from warden_desktop.engine.ports import JournalError, Recorded

LARGE = "x" * 20_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


@pytest_asyncio.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal.open(path, asyncio.get_running_loop())
    yield opened
    await opened.close()


async def pragma(journal: SqliteJournal, sql: str) -> int:
    """Of the connection that writes."""
    value: int = await journal.write(lambda connection: connection.execute(f"PRAGMA {sql}").get)
    return value


async def assert_consistent(journal: SqliteJournal, path: Path, heard: list[Recorded]) -> None:
    stored = await journal.read(0, 10_000)
    assert [one.seq for one in stored] == list(range(1, len(stored) + 1))
    assert stored == heard
    assert journal.last_seq == len(stored)
    with open_reader(path) as reader:
        assert reader.verify().ok


async def test_a_full_disk_refuses_and_recovers(journal: SqliteJournal, path: Path) -> None:
    heard: list[Recorded] = []
    journal.on_committed(heard.extend)
    await journal.append(faults(3))
    roomy = await pragma(journal, "max_page_count")
    await pragma(journal, f"max_page_count = {await pragma(journal, 'page_count')}")
    for _ in range(3):
        with pytest.raises(JournalError, match="the disk is full; free some space"):
            await journal.append([fault(LARGE), fault()])
    await assert_consistent(journal, path, heard)
    assert journal.stats.queued == 0
    await pragma(journal, f"max_page_count = {roomy}")
    assert [one.seq for one in await journal.append([fault(LARGE), fault()])] == [4, 5]
    await assert_consistent(journal, path, heard)


async def test_everybody_in_the_failed_transaction_learns_of_it(journal: SqliteJournal, path: Path) -> None:
    heard: list[Recorded] = []
    journal.on_committed(heard.extend)
    await journal.append(faults(3))
    await pragma(journal, f"max_page_count = {await pragma(journal, 'page_count')}")
    futures = [journal.append([fault(LARGE)]) for _ in range(20)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert {type(result) for result in results} == {JournalError}
    assert len({id(result) for result in results}) == len(results)
    await assert_consistent(journal, path, heard)


async def test_a_read_only_disk_refuses_and_recovers(journal: SqliteJournal, path: Path) -> None:
    heard: list[Recorded] = []
    journal.on_committed(heard.extend)
    await journal.append(faults(3))
    held: list[apsw.Connection] = []
    await journal.write(held.append)
    held[0].execute("PRAGMA query_only = on")
    with pytest.raises(JournalError, match="read-only"):
        await journal.append([fault()])
    with pytest.raises(JournalError, match="read-only"):
        await journal.move_cursor("triage", 2)
    with pytest.raises(JournalError, match="read-only"):
        await SqliteReadModel(journal).update([row()], "projector", 2)
    assert len(await journal.read(0, 10)) == 3
    held[0].execute("PRAGMA query_only = off")
    assert (await journal.append([fault()]))[0].seq == 4
    await assert_consistent(journal, path, heard)


@contextmanager
def no_file_may_grow_beyond(size: int) -> Iterator[None]:
    """The operating system fails every write past `size` bytes of any file of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_fails_refuses_and_recovers(journal: SqliteJournal, path: Path) -> None:
    heard: list[Recorded] = []
    journal.on_committed(heard.extend)
    await journal.append(faults(3))
    with no_file_may_grow_beyond(Path(f"{path}-wal").stat().st_size + 10_000):
        for _ in range(3):
            with pytest.raises(JournalError, match="the disk reported an error"):
                await journal.append([fault(LARGE), fault()])
        await assert_consistent(journal, path, heard)
    assert [one.seq for one in await journal.append([fault(LARGE), fault()])] == [4, 5]
    await assert_consistent(journal, path, heard)


async def test_another_program_in_the_way_is_waited_for(journal: SqliteJournal, path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    waiting = journal.append([fault()])
    await asyncio.sleep(0.05)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    assert (await waiting)[0].seq == 1
