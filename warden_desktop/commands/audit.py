"""`audit verify`: recompute the hash chain of the log from its first event on."""

from __future__ import annotations

import argparse

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import open_reader
from warden_desktop.commands.codes import DONE, INTEGRITY, USAGE
from warden_desktop.commands.output import complain, print_json, printable


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when the chain holds, 4 with the first bad entry when not."""
    database = DataDirectory(arguments.data_dir).database
    if not database.exists():
        complain(f"there is no log in {arguments.data_dir}")
        return USAGE
    found = open_reader(database).verify()
    if arguments.json:
        said = {"ok": found.ok, "entries": found.entries, "head": found.head.hex()}
        print_json([{**said, "first_bad": found.first_bad, "problem": found.problem}])
    elif found.ok:
        print(f"the chain holds: {found.entries} entries, head {found.head.hex()}")
    else:
        print(printable(f"BROKEN at entry {found.first_bad}: {found.problem}"))
    return DONE if found.ok else INTEGRITY


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("audit", parents=[shared], help="check that the log was not tampered with")
    parser.add_argument("do", choices=("verify",))
    parser.set_defaults(run=run)
