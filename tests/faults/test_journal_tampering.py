"""Ten thousand changes to a log, by somebody who knows how it is made: every one is seen, and the first entry named."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import apsw

from tests.journal.stories import comment, faults
from tests.journal.test_chain import ENTRIES, TAMPERINGS
from tests.samples_of_events import INCIDENT, SAMPLES
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal, audit, chain
from warden_desktop.adapters.journal.signing import public_key

SHORT, LONG = 200, 10_000


async def log(path: Path) -> bytes:
    """A closed log with checkpoints of its middle and its end; returns the key that signed them."""
    for events in ([*SAMPLES, comment(INCIDENT, "seen")], faults(ENTRIES - len(SAMPLES) - 1)):
        journal = SqliteJournal.open(path, asyncio.get_running_loop())
        await journal.append(events)
        await journal.close()
    key = public_key(path)
    assert key is not None
    return key


def cut(connection: apsw.Connection, dice: random.Random, entries: int) -> int:
    """The end, and nothing else."""
    last = dice.randint(1, entries - 1)
    connection.execute("DELETE FROM event WHERE seq > ?", (last,))
    return last + 1


def write_anew(connection: apsw.Connection, dice: random.Random, entries: int) -> int:
    """One entry and every hash after it: what is in doubt begins after the last checkpoint that fits."""
    seq = dice.randint(1, entries)
    connection.execute("UPDATE event SET body = ? WHERE seq = ?", (b'{"forged": %d}' % dice.randrange(9), seq))
    head = chain.hash_of(connection, seq - 1) or chain.GENESIS
    for row in list(chain.rows(connection, seq - 1)):
        head = chain.link(head, *row[:7])
        connection.execute("UPDATE event SET hash = ? WHERE seq = ?", (head, row[0]))
    middle = len(SAMPLES) + 1
    return 1 if seq <= middle else middle + 1


async def test_every_change_is_seen_and_named(tmp_path: Path, long: bool) -> None:
    path = tmp_path / FILE_NAME
    key, dice, seen = await log(path), random.Random(29), Counter[str]()
    connection = apsw.Connection(str(path))
    for _ in range(LONG if long else SHORT):
        tamper = dice.choice((*TAMPERINGS, cut, write_anew))
        connection.execute("BEGIN")
        first_bad = tamper(connection, dice, ENTRIES)
        found = audit.verify(connection, tmp_path, {key})
        connection.execute("ROLLBACK")
        assert not found.ok, tamper.__name__
        assert found.first_bad is not None
        assert found.first_bad <= first_bad if tamper.__name__ == "rewrite" else found.first_bad == first_bad, found
        seen[tamper.__name__] += 1
    assert len(seen) == len(TAMPERINGS) + 2
    assert audit.verify(connection, tmp_path, {key}).ok
    connection.close()
