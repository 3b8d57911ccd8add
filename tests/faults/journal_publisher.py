"""A process that publishes without end and says which ids were acknowledged: what the kill test kills.

Run as `python -m tests.faults.journal_publisher FILE`. Each line is the ids, in hex, of one acknowledged publish.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from tests.journal.stories import fault
from warden_desktop.adapters.journal import SqliteJournal

PUBLISHERS = 8


async def publish(journal: SqliteJournal, dice: random.Random) -> None:
    while True:
        events = [fault("x" * dice.randrange(5000)) for _ in range(dice.randint(1, 4))]
        recorded = await journal.append(events)
        line = " ".join(one.event.id.hex for one in recorded) + "\n"
        os.write(sys.stdout.fileno(), line.encode())


async def main(path: Path) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    async with asyncio.TaskGroup() as group:
        for number in range(PUBLISHERS):
            group.create_task(publish(journal, random.Random(number)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
