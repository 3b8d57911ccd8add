"""A damaged file is refused or reported, or the damage did not matter: nothing acknowledged is ever lost in silence."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.journal.stories import comment, faults
from tests.samples_of_events import INCIDENT, SAMPLES
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal, open_reader
from warden_desktop.domain.events import Event
from warden_desktop.engine.ports import JournalError, Recorded

SHORT, LONG = 80, 500


async def crashed(folder: Path) -> list[Recorded]:
    """Leaves the files as a crash leaves them: some of the log in the database, some in the write-ahead log."""
    path = folder / "running" / FILE_NAME
    path.parent.mkdir()
    loop = asyncio.get_running_loop()
    journal = SqliteJournal.open(path, loop)
    await journal.append([*SAMPLES, *faults(100)])
    await journal.close()
    journal = SqliteJournal.open(path, loop)
    for number in range(40):
        await journal.append([comment(INCIDENT, f"note {number} " + "x" * 500)])
    recorded = await journal.read(0, 1000)
    (folder / "crashed").mkdir()
    for file in path.parent.iterdir():
        if not file.name.endswith("-shm"):
            shutil.copy(file, folder / "crashed")
    await journal.close()
    return recorded


def flip(file: Path, dice: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(dice.choice((1, 1, 1, 8))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    file.write_bytes(content)


def truncate(file: Path, dice: random.Random) -> None:
    file.write_bytes(file.read_bytes()[: dice.randrange(file.stat().st_size)])


def zero(file: Path, dice: random.Random) -> None:
    content = bytearray(file.read_bytes())
    start = dice.randrange(len(content) // 512) * 512
    content[start : start + 512] = bytes(512)
    file.write_bytes(content)


async def fate(path: Path, recorded: list[Recorded]) -> str:
    """Of a log that was damaged: refused at the start, reported by the check, or unharmed."""
    try:
        journal = SqliteJournal.open(path, asyncio.get_running_loop())
    except JournalError:
        return "refused"
    try:
        stored = await journal.read(0, 1000)
        with open_reader(path) as reader:
            if not reader.verify().ok:
                return "reported"
        (fresh,) = await journal.append(fresh_event())
    except JournalError:
        return "reported"
    finally:
        await journal.close()
    assert stored == recorded
    assert fresh.seq == len(recorded) + 1
    return "unharmed"


def fresh_event() -> list[Event]:
    return faults(1)


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_damage_is_noticed_or_harmless(tmp_path: Path, long: bool, suffix: str) -> None:
    recorded = await crashed(tmp_path)
    dice = random.Random(11)
    fates: Counter[str] = Counter()
    for number in range((LONG if long else SHORT) // 2):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "crashed", folder)
        dice.choice((flip, flip, truncate, zero))(Path(f"{folder / FILE_NAME}{suffix}"), dice)
        fates[await fate(folder / FILE_NAME, recorded)] += 1
        shutil.rmtree(folder)
    assert fates["refused"] > fates["reported"]


async def test_what_a_crash_left_is_all_there(tmp_path: Path) -> None:
    recorded = await crashed(tmp_path)
    assert await fate(tmp_path / "crashed" / FILE_NAME, recorded) == "unharmed"


async def test_a_refusal_changes_nothing_that_could_still_be_saved(tmp_path: Path) -> None:
    await crashed(tmp_path)
    path = tmp_path / "crashed" / FILE_NAME
    wal = Path(f"{path}-wal")
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 1
    wal.write_bytes(content)
    with pytest.raises(JournalError, match="its end is lost"):
        SqliteJournal.open(path, asyncio.get_running_loop())
    assert wal.read_bytes() == content
