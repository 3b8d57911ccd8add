"""`archive`: move the oldest part of the log to a file, and give the space back."""

from __future__ import annotations

import argparse
import asyncio
import re
from datetime import timedelta

from warden_desktop.adapters.data_directory import AlreadyRunning, DataDirectory
from warden_desktop.adapters.journal import Keep, Moved, SqliteJournal, archive, compact
from warden_desktop.commands.codes import ALREADY_RUNNING, DONE, USAGE
from warden_desktop.commands.output import complain, print_json, printable

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def run(arguments: argparse.Namespace) -> int:
    """Archive; wants the application stopped (which, while it runs, does the same by its settings)."""
    directory = DataDirectory(arguments.data_dir)
    if not directory.database.exists():
        complain(f"there is no log in {directory.root}")
        return USAGE
    directory.prepare()
    try:
        directory.hold()
    except AlreadyRunning:
        complain(f"the application is running for {directory.root}; stop it first, or set journal.keep_days")
        return ALREADY_RUNNING
    try:
        asyncio.run(_archive(directory, Keep(arguments.older_than, None, arguments.keep), arguments.json))
        compact(directory.database)
    finally:
        directory.release()
    return DONE


async def _archive(directory: DataDirectory, keep: Keep, as_json: bool) -> None:
    journal = SqliteJournal.open(directory.database, asyncio.get_running_loop())
    try:
        moved = await archive(journal, keep)
        while moved.file is not None:
            _tell(moved, as_json)
            moved = await archive(journal, keep)
        _tell(moved, as_json)
    finally:
        await journal.close()


def _tell(moved: Moved, as_json: bool) -> None:
    if as_json:
        print_json([moved._asdict()])
    elif moved.file is not None:
        print(printable(f"entries {moved.first} to {moved.last}: {moved.file}, {moved.size >> 10:,} KiB"))
    else:
        print(printable(f"nothing further to archive{': ' if moved.held else ''}{moved.held}"))


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 90d, 12w or 36h")
    return int(found[1]) * _UNITS[found[2]]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("archive", parents=[shared], help="move old events to a file, and give the space back")
    parser.add_argument("--older-than", type=_age, required=True, metavar="AGE", help="90d, 12w, 36h")
    parser.add_argument("--keep", type=int, default=1, metavar="N", help="newest events that stay in any case")
    parser.set_defaults(run=run)
