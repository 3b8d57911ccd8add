"""`kill-switch status|engage|release`: works while the application runs, hangs, or is down, because it is a file."""

from __future__ import annotations

import argparse
import getpass
from datetime import UTC, datetime

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, printable
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.kill_switch import check_scope
from warden_desktop.engine.ports import Engagement


def run(arguments: argparse.Namespace) -> int:
    """Read or change the latch. The running application notices within a fraction of a second."""
    directory = DataDirectory(arguments.data_dir)
    directory.prepare()
    latch = FileLatch(directory.latch)
    try:
        check_scope(arguments.scope)
    except DeskError as error:
        complain(error.detail)
        return USAGE
    engaged = dict(latch.read())
    if arguments.do == "engage":
        engaged[arguments.scope] = Engagement(
            arguments.scope, f"cli:{getpass.getuser()}", arguments.reason, datetime.now(UTC).isoformat()
        )
    elif arguments.do == "release":
        if not arguments.reason.strip():
            complain("releasing wants a reason: --reason 'why it is safe to go on'")
            return FAILED
        if engaged.pop(arguments.scope, None) is None:
            complain(f"the kill switch is not engaged for {arguments.scope}")
            return FAILED
    if arguments.do != "status":
        latch.write(engaged)
    _show(engaged, arguments.json)
    return DONE


def _show(engaged: dict[str, Engagement], as_json: bool) -> None:
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
    parser.add_argument("do", choices=("status", "engage", "release"))
    parser.add_argument("--reason", default="", help="why")
    parser.add_argument(
        "--scope",
        default="everything",
        help="everything, connector:NAME, verb:NAME or incident:ID (default: everything)",
    )
    parser.set_defaults(run=run)
