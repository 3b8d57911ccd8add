"""Whatever somebody does to the log, the first entry it touches is named."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import apsw
import pytest
import pytest_asyncio

from tests.journal.stories import comment, fault, faults
from tests.samples_of_events import SAMPLES
from warden_desktop.adapters.journal import SqliteJournal, chain, open_reader

Tampering = Callable[[apsw.Connection, random.Random, int], int]
"""Changes the log, and returns the seq of the first entry that is no longer as it was."""

ENTRIES = 60
FORGED = b'{"forged": true}'
COLUMNS = ("id", "kind", "at", "incident_id", "version", "body", "hash")


@pytest_asyncio.fixture
async def log(path: Path) -> Path:
    """A closed log of ENTRIES events, some of incidents."""
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append([*SAMPLES, *(comment(uuid4(), f"note {n}") for n in range(ENTRIES - len(SAMPLES)))])
    await journal.close()
    return path


def pick(random: random.Random, entries: int) -> int:
    return random.randint(1, entries)


def flip(connection: apsw.Connection, random: random.Random, entries: int) -> int:
    """One bit of one value."""
    seq, column = pick(random, entries), random.choice(COLUMNS)
    value = connection.execute(f"SELECT {column} FROM event WHERE seq = ?", (seq,)).get
    changed = uuid4().bytes if value is None else _flipped(value, random)
    connection.execute(f"UPDATE event SET {column} = ? WHERE seq = ?", (changed, seq))
    return seq


def _flipped(value: str | int | bytes, random: random.Random) -> str | int | bytes:
    if isinstance(value, int):
        return value ^ (1 << random.randrange(32))
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    raw[random.randrange(len(raw))] ^= 1 << random.randrange(7)
    return raw.decode() if isinstance(value, str) else bytes(raw)


def delete(connection: apsw.Connection, random: random.Random, entries: int) -> int:
    seq = random.randint(1, entries - 1)
    connection.execute("DELETE FROM event WHERE seq = ?", (seq,))
    return seq


def delete_and_close_ranks(connection: apsw.Connection, random: random.Random, entries: int) -> int:
    seq = delete(connection, random, entries)
    for later in range(seq + 1, entries + 1):
        connection.execute("UPDATE event SET seq = seq - 1 WHERE seq = ?", (later,))
    return seq


def swap(connection: apsw.Connection, random: random.Random, entries: int) -> int:
    first, second = sorted(random.sample(range(1, entries + 1), 2))
    for old, new in ((first, 0), (second, first), (0, second)):
        connection.execute("UPDATE event SET seq = ? WHERE seq = ?", (new, old))
    return first


def insert(connection: apsw.Connection, random: random.Random, entries: int) -> int:
    seq = pick(random, entries)
    for later in range(entries, seq - 1, -1):
        connection.execute("UPDATE event SET seq = seq + 1 WHERE seq = ?", (later,))
    event = fault("never happened")
    values = (seq, event.id.bytes, event.kind, 0, None, 1, event.model_dump_json().encode(), b"\0" * 32)
    connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    return seq


def rewrite(connection: apsw.Connection, random: random.Random, entries: int) -> int:
    """Another body, with the hash it would have; the next entry gives it away."""
    seq = random.randint(1, entries - 1)
    before = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq - 1,)).get or chain.GENESIS
    columns = "id, kind, at, incident_id, version"
    for id, kind, at, incident, version in connection.execute(f"SELECT {columns} FROM event WHERE seq = ?", (seq,)):
        forged = chain.link(before, seq, id, kind, at, incident, version, FORGED)
        connection.execute("UPDATE event SET body = ?, hash = ? WHERE seq = ?", (FORGED, forged, seq))
    return seq + 1


def take_from_its_incident(connection: apsw.Connection, random: random.Random, entries: int) -> int:
    owned = [seq for (seq,) in connection.execute("SELECT seq FROM event WHERE incident_id IS NOT NULL")]
    seq: int = random.choice(owned)
    connection.execute("UPDATE event SET incident_id = NULL WHERE seq = ?", (seq,))
    return seq


TAMPERINGS: tuple[Tampering, ...] = (
    flip, delete, delete_and_close_ranks, swap, insert, rewrite, take_from_its_incident,
)  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_every_change_is_seen_and_named(log: Path, tamper: Tampering) -> None:
    dice = random.Random(tamper.__name__)
    connection = apsw.Connection(str(log))
    for _ in range(60):
        connection.execute("BEGIN")
        first_bad = tamper(connection, dice, ENTRIES)
        found = chain.verify(connection)
        connection.execute("ROLLBACK")
        assert (found.ok, found.first_bad) == (False, first_bad), found.problem
        assert found.entries == first_bad - 1
        assert str(first_bad) in found.problem
    assert chain.verify(connection).ok
    connection.close()


async def test_an_untouched_log_holds(log: Path) -> None:
    with open_reader(log) as reader:
        verification = reader.verify()
    assert (verification.ok, verification.entries, verification.first_bad) == (True, ENTRIES, None)


def cut(log: Path, last: int) -> None:
    connection = apsw.Connection(str(log))
    connection.execute("DELETE FROM event WHERE seq > ?", (last,))
    connection.close()


async def test_a_cut_tail_is_seen(log: Path) -> None:
    cut(log, 50)
    with open_reader(log) as reader:
        found = reader.verify()
    assert (found.ok, found.entries, found.first_bad) == (False, 50, 51)
    assert "a checkpoint says that it had 60" in found.problem


async def test_a_tail_cut_together_with_its_checkpoint_is_seen(log: Path) -> None:
    cut(log, 50)
    connection = apsw.Connection(str(log))
    connection.execute("DELETE FROM checkpoint")
    connection.close()
    with open_reader(log) as reader:
        found = reader.verify()
    assert (found.ok, found.entries, found.first_bad) == (False, 50, 51)
    assert "entry 60 was acknowledged" in found.problem


async def test_a_log_written_anew_is_seen(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    journal = SqliteJournal.open(other, asyncio.get_running_loop())
    await journal.append(faults(ENTRIES + 1))
    await journal.close()
    other.replace(log)
    with open_reader(log) as reader:
        found = reader.verify()
    assert (found.ok, found.first_bad) == (False, ENTRIES)
    assert "written anew" in found.problem


async def test_a_page_that_cannot_be_read_is_a_bad_entry_and_not_a_crash(path: Path) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append(faults(5000))
    await journal.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096 * 20)
    with open_reader(path) as reader:
        found = reader.verify()
    assert not found.ok
    assert found.first_bad == found.entries + 1


async def test_anybody_can_compute_the_chain_from_its_description(log: Path) -> None:
    head = sha256(b"warden-desktop journal 1").digest()
    connection = apsw.Connection(str(log))
    for seq, id, kind, at, incident, version, body, stored in connection.execute(
        "SELECT seq, id, kind, at, incident_id, version, body, hash FROM event ORDER BY seq"
    ):
        header = struct.pack(">QIq", seq, version, at) + id + (b"\1" + incident if incident else b"\0") + kind.encode()
        head = sha256(head + header + sha256(body).digest()).digest()
        assert head == stored
    connection.close()
