"""`audit`: whether the log was tampered with, and what somebody else needs to find that out.

`verify` recomputes the chain from the first event on; `checkpoint` prints the newest signed checkpoint, to be kept on
another machine; `export` writes the log as a file that can be checked without this program.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import Checkpoint, JournalReader, Verification, open_reader, parse
from warden_desktop.commands.codes import DONE, FAILED, INTEGRITY, USAGE
from warden_desktop.commands.output import complain, print_json, printable


def verify(arguments: argparse.Namespace) -> int:
    """Exit 0 when everything holds, 4 with the first bad entry when not."""
    try:
        kept = [one for path in arguments.checkpoint for one in _checkpoints(path)]
        keys = [bytes.fromhex(key) for key in arguments.key]
    except (OSError, ValueError) as error:
        complain(str(error))
        return USAGE
    with _log(arguments) as log:
        found = log.verify(keys, kept)
    if arguments.json:
        said = {"ok": found.ok, "entries": found.entries, "head": found.head.hex(), "first_bad": found.first_bad}
        further = {"checkpoints": found.checkpoints, "archived": found.archived, "notes": found.notes}
        print_json([{**said, "problem": found.problem, **further}])
    else:
        _tell(found)
    return DONE if found.ok else INTEGRITY


def _tell(found: Verification) -> None:
    if found.ok:
        print(f"the chain holds: {found.entries} entries, head {found.head.hex()}, {found.checkpoints} checkpoints fit")
    else:
        print(printable(f"BROKEN at entry {found.first_bad}: {found.problem}"))
    for note in found.notes:
        print(printable(f"note: {note}"))


def _checkpoints(path: Path) -> list[Checkpoint]:
    """The checkpoints in a file, one a line. Raises OSError and ValueError."""
    try:
        return [parse(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def checkpoint(arguments: argparse.Namespace) -> int:
    """Print the newest one as a line of JSON; exit 1 when nothing was signed yet."""
    with _log(arguments) as log:
        newest = log.checkpoint()
    if newest is None:
        complain(
            "nothing is signed yet: the first checkpoint is written after ten minutes, or when the application stops"
        )
        return FAILED
    print_json([newest.as_fields()])
    return DONE


def export(arguments: argparse.Namespace) -> int:
    """Write the file, for its owner only; it holds every event as it is in the log."""
    draft = arguments.file.with_name(f"{arguments.file.name}.new")
    try:
        with _log(arguments) as log, open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            entries = log.export(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(arguments.file)
    except OSError as error:
        complain(f"{arguments.file}: cannot be written: {error.strerror}")
        return FAILED
    print(printable(f"{entries} entries exported to {arguments.file}; how to check it: resources/help/audit.md"))
    return DONE


def _log(arguments: argparse.Namespace) -> JournalReader:
    return open_reader(DataDirectory(arguments.data_dir).database)


def _where_there_is_a_log(command: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    if not DataDirectory(arguments.data_dir).database.exists():
        complain(f"there is no log in {arguments.data_dir}")
        return USAGE
    return command(arguments)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("audit", parents=[shared], help="check that the log was not tampered with")
    parts = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    one = parts.add_parser("verify", parents=[shared], help="check the chain, the checkpoints and the archives")
    one.add_argument("--checkpoint", type=Path, action="append", default=[], help="file of checkpoints kept elsewhere")
    one.add_argument("--key", action="append", default=[], help="further public key that may have signed, in hex")
    one.set_defaults(run=partial(_where_there_is_a_log, verify))
    one = parts.add_parser("checkpoint", parents=[shared], help="print the newest checkpoint, to be kept elsewhere")
    one.set_defaults(run=partial(_where_there_is_a_log, checkpoint))
    one = parts.add_parser("export", parents=[shared], help="write the log as a file that anybody can check")
    one.add_argument("file", type=Path)
    one.set_defaults(run=partial(_where_there_is_a_log, export))
