"""What is not a sound journal of ours is refused in words, and never replaced by an empty one."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.journal.stories import fault, faults
from warden_desktop.adapters.journal import SqliteJournal, open_reader
from warden_desktop.engine.ports import JournalError


async def filled(path: Path, count: int = 50) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append(faults(count))
    await journal.close()


def change(path: Path, sql: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(sql)
    connection.close()


async def refusal(path: Path) -> str:
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(JournalError) as refused:
        SqliteJournal.open(path, asyncio.get_running_loop())
    assert before is None or path.read_bytes() == before
    return str(refused.value)


async def test_only_its_owner_can_read_the_log(path: Path) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append([fault()])
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    await journal.close()
    assert set(modes) == {"warden.db", "warden.db-wal", "warden.db-shm", "warden.db-tail", "audit.key", "audit.pub"}
    assert set(modes.values()) == {0o600 if os.name == "posix" else 0o666}  # Windows goes by the folder's owner


@pytest.mark.parametrize("content", [b"", b"hello", b"{}" * 5000, b"SQLite format 3\0" + b"\0" * 5000])
async def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert str(path) in await refusal(path)
    with pytest.raises(JournalError):
        open_reader(path)


async def test_another_programs_database_is_refused(path: Path) -> None:
    change(path, "CREATE TABLE bookmarks (url TEXT)")
    assert "another program" in await refusal(path)


async def test_a_newer_format_is_refused(path: Path) -> None:
    await filled(path)
    change(path, "PRAGMA user_version = 99")
    assert "newer version" in await refusal(path)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM event WHERE seq = 1", "begins at entry 2"),
        ("DELETE FROM event WHERE seq = 20", "entry 20 is missing"),
        ("UPDATE event SET body = x'7b7d' WHERE seq = 50", "entry 50 was changed"),
    ],
)
async def test_a_log_that_was_changed_is_refused(path: Path, sql: str, says: str) -> None:
    await filled(path)
    change(path, sql)
    assert says in await refusal(path)


async def test_a_damaged_page_is_refused(path: Path) -> None:
    await filled(path, 500)
    with path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)
    assert "damaged" in await refusal(path)


async def test_a_file_cut_short_is_refused(path: Path) -> None:
    await filled(path, 500)
    os.truncate(path, path.stat().st_size // 2)
    assert "damaged" in await refusal(path)


@pytest.mark.parametrize("left", ["-wal", "-tail"])
async def test_a_log_that_lost_its_file_is_not_begun_anew(path: Path, left: str) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append(faults(5))
    content = Path(f"{path}{left}").read_bytes()
    await journal.close()
    for file in path.parent.iterdir():
        file.unlink()
    Path(f"{path}{left}").write_bytes(content)
    assert "the file is gone" in await refusal(path)
    assert not path.exists()


@pytest.mark.parametrize("note", [b"", b"torn", bytes(48)])
async def test_a_note_torn_by_a_power_cut_is_no_obstacle(path: Path, note: bytes) -> None:
    await filled(path)
    path.with_name("warden.db-tail").write_bytes(note)
    await filled(path)
    with open_reader(path) as reader:
        assert reader.verify().entries == 100


async def test_an_old_backup_in_place_of_the_log_is_refused_until_that_is_wanted(path: Path) -> None:
    await filled(path)
    backup = path.read_bytes()
    await filled(path)
    path.write_bytes(backup)
    assert "entry 100 was acknowledged" in await refusal(path)
    path.with_name("warden.db-tail").unlink()
    await filled(path)
    with open_reader(path) as reader:
        assert reader.verify().entries == 100


async def test_a_first_start_that_died_half_way_is_started_again(path: Path) -> None:
    path.with_name("warden.db.new").write_bytes(b"half")
    await filled(path, 3)
    assert {file.name for file in path.parent.iterdir()} == {"warden.db", "warden.db-tail", "audit.key", "audit.pub"}


async def test_a_missing_folder_is_said_so(path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        SqliteJournal.open(path.parent / "nowhere" / path.name, asyncio.get_running_loop())


@pytest.mark.parametrize("gone", [Path.unlink, lambda path: path.rename(path.with_name("moved"))])
async def test_a_file_taken_away_while_open_takes_no_more_events(path: Path, gone: Callable[[Path], object]) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append([fault()])
    gone(path)
    with pytest.raises(JournalError):
        await journal.append([fault()])
    await journal.close()
