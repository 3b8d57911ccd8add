"""`rebuild`: throw the incident table away and make it again from the log."""

from __future__ import annotations

import argparse
import asyncio

from warden_desktop.adapters.data_directory import AlreadyRunning, DataDirectory
from warden_desktop.adapters.journal import SqliteJournal, SqliteReadModel
from warden_desktop.commands.codes import ALREADY_RUNNING, DONE
from warden_desktop.commands.output import complain
from warden_desktop.engine.incidents import Incidents


def run(arguments: argparse.Namespace) -> int:
    """Rebuild; wants the application stopped."""
    directory = DataDirectory(arguments.data_dir)
    directory.prepare()
    try:
        directory.hold()
    except AlreadyRunning:
        complain(f"the application is running for {directory.root}; stop it first")
        return ALREADY_RUNNING
    try:
        print(f"{asyncio.run(_rebuild(directory))} incidents rebuilt")
    finally:
        directory.release()
    return DONE


async def _rebuild(directory: DataDirectory) -> int:
    journal = SqliteJournal.open(directory.database, asyncio.get_running_loop())
    read_model = SqliteReadModel(journal)
    try:
        incidents = Incidents(journal, read_model)
        await incidents.rebuild()
        return len(incidents.rows())
    finally:
        await journal.close()


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("rebuild", parents=[shared], help="rebuild the incident table from the log")
    parser.set_defaults(run=run)
