"""What was acknowledged is there after a kill at any instant, and what was published together is there together."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import apsw

from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal, open_reader

KILLS, LONG_TURNS = 30, 34
LONGEST_LIFE = 0.15
"""Seconds after the first acknowledgement."""


def publish_until_killed(path: Path, dice: random.Random) -> list[list[UUID]]:
    """The ids of every acknowledged publish."""
    command = [sys.executable, "-m", "tests.faults.journal_publisher", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(dice.uniform(0, LONGEST_LIFE))
        process.kill()
        lines = [first, *process.stdout]
    return [[UUID(id) for id in line.split()] for line in lines if line.endswith("\n")]


async def check(path: Path, acknowledged: list[list[UUID]]) -> None:
    """Through the journal, as the next start of the application would."""
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    for ids in acknowledged:
        found = [await journal.find(id) for id in ids]
        assert None not in found
        seqs = [one.seq for one in found if one is not None]
        assert seqs == list(range(seqs[0], seqs[0] + len(ids)))
    await journal.close()


def assert_sound(path: Path) -> None:
    with open_reader(path) as reader:
        verification = reader.verify()
    assert verification.ok, verification.problem
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    connection.close()


async def test_no_acknowledged_event_is_lost_by_kills(tmp_path: Path, turn: int) -> None:
    path, dice = tmp_path / FILE_NAME, random.Random(turn)
    total = 0
    for _ in range(KILLS):
        acknowledged = publish_until_killed(path, dice)
        assert acknowledged
        await check(path, acknowledged)
        total += sum(map(len, acknowledged))
    assert_sound(path)
    with open_reader(path) as reader:
        assert reader.last_seq >= total
