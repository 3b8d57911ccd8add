"""`incidents` and `approvals`: the same as in the window."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import open_reader
from warden_desktop.commands.client import Client, NotRunning, Refused
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, print_table
from warden_desktop.domain.action import ActionState
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.query import QuerySyntaxError, parse
from warden_desktop.domain.record import now
from warden_desktop.domain.shape import action_json, incident_json

PAGE = 200


def run_incidents(arguments: argparse.Namespace) -> int:
    """List incidents, from the running application or from the log."""
    try:
        parse(arguments.query)
    except QuerySyntaxError as error:
        complain(f"the query is wrong at character {error.position + 1}: {error.detail}")
        return USAGE
    found = list(_incidents(arguments))
    if arguments.json:
        print_json(found)
    else:
        columns = ("id", "severity", "status", "title", "target", "source", "verdict", "alert_count")
        print_table(
            columns, ([str(row[column] or "")[: 8 if column == "id" else None] for column in columns] for row in found)
        )
    return DONE


def _incidents(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    try:
        yield from _asked(Client(arguments.data_dir), arguments)
    except NotRunning:
        yield from _read(arguments)


def _asked(client: Client, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    cursor, left = "", arguments.limit
    while left > 0:
        query = {"query": arguments.query, "limit": str(min(left, PAGE)), **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/incidents", query)
        yield from page["incidents"]
        left -= len(page["incidents"])
        cursor = page.get("cursor") or ""
        if not cursor:
            return


def _read(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    reader = open_reader(DataDirectory(arguments.data_dir).database)
    query = parse(arguments.query)
    matching = [row for row in reader.rows() if query.matches(row, now())]
    for row in sorted(matching, key=lambda one: one.created_at, reverse=True)[: arguments.limit]:
        incident = Incident.folded(recorded.event for recorded in reader.incident_events(row.id))
        if incident is not None:
            yield incident_json(incident)


def run_approvals(arguments: argparse.Namespace) -> int:
    """List what waits for a person, or decide it (which wants the application running)."""
    try:
        return _list(arguments) if arguments.do == "list" else _decide(Client(arguments.data_dir), arguments)
    except NotRunning as error:
        complain(f"{error}; start it, for instance with --headless, then decide")
    except Refused as error:
        complain(str(error))
    return FAILED


def _decide(client: Client, arguments: argparse.Namespace) -> int:
    if not arguments.id:
        complain(f"which action? approvals {arguments.do} ID")
        return USAGE
    client.post(f"/api/approvals/{arguments.id}/{arguments.do}", {"reason": arguments.reason})
    print({"approve": "approved", "deny": "denied"}[arguments.do])
    return DONE


def _list(arguments: argparse.Namespace) -> int:
    waiting = list(_waiting(arguments))
    if arguments.json:
        print_json(waiting)
    else:
        columns = ("id", "verb", "target", "level", "expires_at", "simulated")
        print_table(columns, ([row.get(column, "") for column in columns] for row in waiting))
    return DONE


def _waiting(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    try:
        yield from Client(arguments.data_dir).get("/api/approvals")["approvals"]
    except NotRunning:
        reader = open_reader(DataDirectory(arguments.data_dir).database)
        for row in reader.rows():
            incident = Incident.folded(one.event for one in reader.incident_events(row.id)) if row.waiting else None
            for action in incident.actions if incident else ():
                if incident is not None and action.state in {ActionState.WAITING, ActionState.HELD}:
                    yield action_json(incident, action)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare both commands."""
    incidents = commands.add_parser("incidents", parents=[shared], help="list incidents")
    incidents.add_argument(
        "--query", default="", help="the search language of the window, for instance severity:>=high"
    )
    incidents.add_argument("--limit", type=int, default=1_000, help="at most this many, newest first (default 1000)")
    incidents.set_defaults(run=run_incidents)
    approvals = commands.add_parser("approvals", parents=[shared], help="list, approve or deny actions that wait")
    approvals.add_argument("do", choices=("list", "approve", "deny"))
    approvals.add_argument("id", nargs="?", default="", help="the action's id, or its beginning")
    approvals.add_argument("--reason", default="", help="why; denying wants one")
    approvals.set_defaults(run=run_approvals)
