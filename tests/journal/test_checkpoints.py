"""Signed checkpoints: when they are written, and what they show that a chain alone cannot."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import apsw
import pytest
import pytest_asyncio

from tests.journal.stories import fault, faults
from warden_desktop.adapters.journal import SqliteJournal, Verification, chain, open_reader, parse, signing, tail
from warden_desktop.adapters.journal.notary import Notary, checkpoints
from warden_desktop.adapters.journal.signing import Checkpoint, open_signer
from warden_desktop.engine.ports import JournalError


async def session(path: Path, *counts: int) -> None:
    """Run once for each count: append so many events, stop cleanly."""
    for count in counts:
        journal = SqliteJournal.open(path, asyncio.get_running_loop())
        await journal.append(faults(count))
        await journal.close()


@pytest_asyncio.fixture
async def log(path: Path) -> Path:
    """Closed, with checkpoints of entries 20, 40 and 60."""
    await session(path, 20, 20, 20)
    return path


def verified(path: Path, kept: tuple[Checkpoint, ...] = (), keys: tuple[bytes, ...] = ()) -> Verification:
    with open_reader(path) as reader:
        return reader.verify(keys, kept)


def newest(path: Path) -> Checkpoint:
    with open_reader(path) as reader:
        found = reader.checkpoint()
    assert found is not None
    return found


def edit(path: Path, sql: str, *bindings: apsw.SQLiteValue) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(sql, bindings)
    connection.close()


def write_anew(path: Path, seq: int) -> None:
    """Change one entry and compute every later hash again, and the note beside the file: a chain that holds."""
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE event SET body = ? WHERE seq = ?", (b'{"forged": true}', seq))
    head = chain.hash_of(connection, seq - 1) or chain.GENESIS
    rows: list[chain.Row] = list(chain.rows(connection, seq - 1))
    for row in rows:
        head = chain.link(head, *row[:7])
        connection.execute("UPDATE event SET hash = ? WHERE seq = ?", (head, row[0]))
    connection.close()
    note = tail.Tail(path)
    note.note(rows[-1][0], head)
    note.close()


def test_a_clean_stop_leaves_a_checkpoint_of_everything(log: Path) -> None:
    connection = apsw.Connection(str(log))
    assert [one.size for one in checkpoints(connection)] == [20, 40, 60]
    connection.close()
    found = verified(log)
    assert (found.ok, found.entries, found.checkpoints) == (True, 60, 3)
    assert (newest(log).size, newest(log).head) == (60, found.head)


async def test_stopping_without_new_entries_signs_nothing(log: Path) -> None:
    before = newest(log)
    await (SqliteJournal.open(log, asyncio.get_running_loop())).close()
    assert newest(log) == before


async def test_one_is_signed_every_so_many_entries(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warden_desktop.adapters.journal.notary.Notary.__init__", _every(entries=10, seconds=600.0))
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    for _ in range(25):
        await journal.append([fault()])
    assert newest(path).size == 20
    await journal.close()


async def test_one_is_signed_after_a_while_although_nothing_more_happens(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warden_desktop.adapters.journal.notary.Notary.__init__", _every(entries=1000, seconds=0.05))
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append([fault()])
    async with asyncio.timeout(20):
        while True:
            with open_reader(path) as reader:
                if reader.checkpoint() is not None:
                    break
            await asyncio.sleep(0.01)
    assert newest(path).size == 1
    await journal.close()


def _every(entries: int, seconds: float) -> object:
    plain = Notary.__init__

    def often(self: Notary, signer: signing.Signer, connection: apsw.Connection) -> None:
        plain(self, signer, connection, entries=entries, seconds=seconds)

    return often


@pytest.mark.parametrize(("seq", "first_bad"), [(1, 1), (15, 1), (20, 1), (21, 21), (45, 41), (60, 41)])
def test_a_chain_computed_anew_no_longer_fits(log: Path, seq: int, first_bad: int) -> None:
    write_anew(log, seq)
    found = verified(log)
    assert (found.ok, found.first_bad) == (False, first_bad)
    assert "written anew" in found.problem


@pytest.mark.parametrize("column", ["head", "at", "signature", "key"])
def test_a_forged_checkpoint_is_seen(log: Path, column: str) -> None:
    change = "at + 1" if column == "at" else f"zeroblob(length({column}))"
    edit(log, f"UPDATE checkpoint SET {column} = {change} WHERE size = 40")
    found = verified(log)
    assert (found.ok, found.first_bad) == (False, 21)


def test_one_kept_elsewhere_shows_a_tail_cut_with_all_its_traces(log: Path) -> None:
    kept = newest(log)
    edit(log, "DELETE FROM event WHERE seq > 50")
    edit(log, "DELETE FROM checkpoint WHERE size > 50")
    tail.beside(log).unlink()
    assert verified(log).ok
    found = verified(log, (kept,))
    assert (found.ok, found.entries, found.first_bad) == (False, 50, 51)


def test_one_kept_elsewhere_shows_a_log_signed_anew_by_whoever_has_the_key(log: Path) -> None:
    kept = newest(log)
    write_anew(log, 30)
    edit(log, "DELETE FROM checkpoint")
    forged = open_signer(log).sign(60, verified(log).head, 0)
    edit(log, "INSERT INTO checkpoint (size, head, at, key, signature) VALUES (?, ?, ?, ?, ?)", *forged)
    assert verified(log).ok
    found = verified(log, (kept,))
    assert (found.ok, found.first_bad) == (False, 1)


def test_another_key_is_not_trusted_unless_told(log: Path) -> None:
    old = newest(log).key
    for name in (signing.PRIVATE, signing.PUBLIC):
        log.with_name(name).unlink()
    open_signer(log)
    found = verified(log)
    assert not found.ok
    assert "another key" in found.problem
    assert verified(log, keys=(old,)).ok


def test_a_checkpoint_survives_being_written_down(log: Path) -> None:
    import json

    one = newest(log)
    assert parse(json.dumps(one.as_fields())) == one
    assert one.genuine


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "x"}', '{"format": "warden-desktop checkpoint 1"}'])
def test_what_is_no_checkpoint_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_only_its_owner_can_read_the_key_and_a_key_others_can_read_is_refused(log: Path) -> None:
    key = log.with_name(signing.PRIVATE)
    if os.name == "posix":  # Windows goes by the folder's owner
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        key.chmod(0o644)
        with pytest.raises(JournalError, match="chmod 600"):
            open_signer(log)
    else:
        assert open_signer(log).public == newest(log).key


def test_a_damaged_key_is_an_error_that_says_what_to_do(log: Path) -> None:
    log.with_name(signing.PRIVATE).write_bytes(b"no key")
    with pytest.raises(JournalError, match="a new key is made"):
        open_signer(log)


async def test_a_file_of_the_first_format_is_brought_up_to_date(path: Path) -> None:
    await session(path, 5)
    for table in ("checkpoint", "archive", "archived_incident"):
        edit(path, f"DROP TABLE {table}")
    edit(path, "PRAGMA user_version = 1")
    with pytest.raises(JournalError, match="start the application once"):
        open_reader(path)
    await session(path, 1)
    assert (verified(path).ok, verified(path).entries, newest(path).size) == (True, 6, 6)
