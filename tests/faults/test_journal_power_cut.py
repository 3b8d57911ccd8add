"""What was acknowledged survives a power cut at any instant, also in the middle of folding the log into the file."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from tests.faults.power_cut import NAME, Disk
from tests.journal.stories import fault
from warden_desktop.adapters.journal import FILE_NAME, chain, schema, tail
from warden_desktop.adapters.journal.reading import find
from warden_desktop.adapters.journal.rows import encode
from warden_desktop.adapters.journal.writer import Writer
from warden_desktop.engine.ports import JournalError

CUTS, LONG_TURNS = 100, 20
EVERY = 12
"""A cut at every so many changes of the disk, on average."""

PUBLISHERS = 4


class Cuts:
    """Publishes on a disk whose power is cut again and again, each time into a folder of its own."""

    def __init__(self, folder: Path, count: int, settings: str = "", seed: int = 0) -> None:
        self.folder = folder
        self.count = count
        self.settings = settings
        self.acknowledged: list[UUID] = []
        self.known_at: list[int] = []
        self._dice = random.Random(seed)
        self._disk = Disk(self._perhaps_cut)

    async def run(self) -> None:
        path = self.folder / "running" / FILE_NAME
        path.parent.mkdir()
        schema.open_writer(path).close()
        connection = apsw.Connection(str(path), vfs=NAME, flags=apsw.SQLITE_OPEN_READWRITE)
        connection.pragma("locking_mode", "exclusive")
        schema.ready_to_write(path, connection)
        connection.wal_autocheckpoint(15)
        connection.execute(self.settings)
        writer = Writer(path, connection, tail.Tail(path), asyncio.get_running_loop())
        await asyncio.gather(*(self._publish(writer) for _ in range(PUBLISHERS)))
        await writer.close()

    async def _publish(self, writer: Writer) -> None:
        while len(self.known_at) < self.count:
            event = fault("x" * self._dice.randrange(6000))
            await writer.append([encode(event)])
            self.acknowledged.append(event.id)

    def _perhaps_cut(self) -> None:
        if self.acknowledged and len(self.known_at) < self.count and self._dice.randrange(EVERY) == 0:
            folder = self.folder / str(len(self.known_at))
            self.known_at.append(len(self.acknowledged))
            folder.mkdir()
            self._disk.cut(folder, self._dice)
            shutil.copy(tail.beside(self.folder / "running" / FILE_NAME), folder)

    def lost(self, number: int) -> str:
        """What is wrong after one of the cuts; "" when nothing is."""
        try:
            connection = schema.open_writer(self.folder / str(number) / FILE_NAME)
        except JournalError as error:
            return str(error)
        try:
            missing = [id for id in self.acknowledged[: self.known_at[number]] if find(connection, id) is None]
            return f"{len(missing)} lost" if missing else chain.verify(connection).problem
        finally:
            connection.close()
            shutil.rmtree(self.folder / str(number))


async def test_no_acknowledged_event_is_lost_by_power_cuts(tmp_path: Path, turn: int) -> None:
    cuts = Cuts(tmp_path, CUTS, seed=turn)
    await cuts.run()
    problems = [problem for number in range(cuts.count) if (problem := cuts.lost(number))]
    assert problems == []
    assert max(cuts.known_at) > 20


@pytest.mark.parametrize("settings", ["PRAGMA synchronous = normal", "PRAGMA synchronous = off"])
async def test_with_less_syncing_the_cuts_would_lose_events(tmp_path: Path, settings: str) -> None:
    cuts = Cuts(tmp_path, 50, settings)
    await cuts.run()
    assert any(cuts.lost(number) for number in range(cuts.count))
