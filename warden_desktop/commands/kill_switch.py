"""`kill-switch status|engage|release`: works while the application runs, hangs, or is down, because it is a file."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from datetime import UTC, datetime

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.commands.client import Client, NotRunning
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, printable
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.kill_switch import check_scope
from warden_desktop.engine.ports import Engagement


def run(arguments: argparse.Namespace) -> int:
    """Read or change the latch. The running application notices within a fraction of a second."""
    try:
        check_scope(arguments.scope)
    except DeskError as error:
        complain(error.detail)
        return USAGE
    directory = DataDirectory(arguments.data_dir)
    latch = FileLatch(directory.latch)
    try:
        code = _DOES[arguments.do](arguments, directory, latch)
    except OSError as error:
        complain(f"{directory.latch} cannot be written: {error.strerror}; nothing has changed")
        return FAILED
    if code == DONE:
        _show(latch.read(), arguments.json)
    return code


def _status(arguments: argparse.Namespace, directory: DataDirectory, latch: FileLatch) -> int:
    return DONE


def _engage(arguments: argparse.Namespace, directory: DataDirectory, latch: FileLatch) -> int:
    directory.prepare()
    moment = datetime.now(UTC).isoformat()
    stop = Engagement(arguments.scope, f"cli:{getpass.getuser()}", arguments.reason, moment)
    latch.write({**latch.read(), arguments.scope: stop})
    return DONE


def _release(arguments: argparse.Namespace, directory: DataDirectory, latch: FileLatch) -> int:
    if not arguments.reason.strip():
        complain("releasing wants a reason: --reason 'why it is safe to go on'")
        return USAGE
    engaged = dict(latch.read())
    if engaged.pop(arguments.scope, None) is None:
        complain(f"the kill switch is not engaged for {arguments.scope}")
        return FAILED
    if not _released_there(arguments):
        moment = datetime.now(UTC).isoformat()
        latch.write(engaged, Engagement(arguments.scope, f"cli:{getpass.getuser()}", arguments.reason, moment))
    return DONE


def _released_there(arguments: argparse.Namespace) -> bool:
    """The running application records who released it and why, then lifts it; a hanging one is not waited for."""
    wanted = {"engage": False, "scope": arguments.scope, "reason": arguments.reason}
    try:
        Client(arguments.data_dir).post("/api/kill-switch", wanted)
    except NotRunning:
        return False
    return True


_DOES = {"status": _status, "engage": _engage, "release": _release}


def _show(engaged: Mapping[str, Engagement], as_json: bool) -> None:
    if as_json:
        print_json([{"engaged": bool(engaged), "scopes": [one._asdict() for one in engaged.values()]}])
        return
    if not engaged:
        print("released: actions may run")
    for one in engaged.values():
        print(printable(f"ENGAGED {one.scope}: by {one.by} at {one.at}: {one.reason or 'no reason given'}"))


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("kill-switch", parents=[shared], help="stop everything, or see what is stopped")
    parser.add_argument("do", choices=tuple(_DOES))
    parser.add_argument("--reason", default="", help="why")
    parser.add_argument(
        "--scope",
        default="everything",
        help="everything, connector:NAME, verb:NAME or incident:ID (default: everything)",
    )
    parser.set_defaults(run=run)
