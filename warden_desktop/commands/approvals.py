"""`approvals list|approve|deny`: what waits for a person, and the person's word on it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from warden_desktop.commands.client import Client, NotRunning, part
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, print_table, printable
from warden_desktop.commands.recorded import RecordedIncidents
from warden_desktop.domain.action import ActionState, Level
from warden_desktop.domain.shape import action_json

COLUMNS = ("id", "verb", "target", "level", "state", "expires_at", "simulated")
_UNDECIDED = frozenset({ActionState.WAITING, ActionState.HELD})
_SAID = {"approve": "approved", "deny": "denied"}


def run(arguments: argparse.Namespace) -> int:
    """List what waits, or decide it (which wants the application running)."""
    if arguments.do == "list":
        return _list(arguments)
    if arguments.do == "deny" and not arguments.reason.strip():
        complain("denying wants a reason: --reason 'why not'")
        return USAGE
    return _decide(arguments)


def _decide(arguments: argparse.Namespace) -> int:
    path = f"/api/approvals/{part(arguments.id)}/{arguments.do}"
    try:
        client = Client(arguments.data_dir)
        action = client.post(path, {"reason": arguments.reason, **_as_listed(client, arguments)})
    except NotRunning as error:
        complain(f"{error}; start it, for instance with --headless, then decide")
        return FAILED
    if arguments.json:
        print_json([action])
    else:
        print(printable(f"{_SAID[arguments.do]}: {action['verb']} {action['target']}"))
    return DONE


def _as_listed(client: Client, arguments: argparse.Namespace) -> dict[str, str]:
    """The digest of the action as it is listed now, so that one that changes meanwhile is not approved unseen."""
    if arguments.do != "approve":
        return {}
    level = {"level": arguments.level} if arguments.level else {}
    alike = [one for one in client.get("/api/approvals")["approvals"] if one["id"].startswith(arguments.id)]
    return {"digest": alike[0]["digest"], **level} if len(alike) == 1 else level


def _list(arguments: argparse.Namespace) -> int:
    waiting = _waiting(arguments)
    if arguments.json:
        print_json(waiting)
    else:
        print_table(COLUMNS, ([row.get(column, "") for column in COLUMNS] for row in waiting))
    return DONE


def _waiting(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = Client(arguments.data_dir).get("/api/approvals")["approvals"]
        return found
    except NotRunning:
        return list(_read(arguments))


def _read(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with RecordedIncidents(arguments.data_dir) as recorded:
        for row in recorded.rows():
            incident = recorded.whole(row.id) if row.waiting else None
            for action in incident.actions if incident else ():
                if incident is not None and action.state in _UNDECIDED:
                    yield action_json(incident, action)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("approvals", parents=[shared], help="list, approve or deny actions that wait")
    parser.set_defaults(run=run)
    does = parser.add_subparsers(dest="do", required=True, metavar="list|approve|deny")
    does.add_parser("list", parents=[shared], help="what waits for a person")
    for name, about in (("approve", "let it be done"), ("deny", "it must not be done; wants a reason")):
        decides = does.add_parser(name, parents=[shared], help=about)
        decides.add_argument("id", help="the action's id, or its beginning")
        decides.add_argument("--reason", default="", help="why")
        if name == "approve":
            decides.add_argument("--level", choices=[*Level], help="decide as this level (default: analyst)")
