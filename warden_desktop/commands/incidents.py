"""`incidents`: what the queue shows, in the window's search language."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from warden_desktop.commands.client import Client, NotRunning
from warden_desktop.commands.codes import DONE, USAGE
from warden_desktop.commands.output import complain, print_json, print_table
from warden_desktop.commands.recorded import RecordedIncidents
from warden_desktop.domain.query import Query, QuerySyntaxError, parse
from warden_desktop.domain.record import now
from warden_desktop.domain.shape import incident_json

PAGE = 200
COLUMNS = ("id", "severity", "status", "title", "target", "source", "verdict", "alert_count")
SHORT = 8
"""Characters of an id that are shown; the beginning of an id is enough wherever one is wanted."""


def run(arguments: argparse.Namespace) -> int:
    """List incidents, from the running application or from the log."""
    try:
        query = parse(arguments.query)
    except QuerySyntaxError as error:
        complain(f"the query is wrong at character {error.position + 1}: {error.detail}")
        return USAGE
    found = _found(arguments, query)
    if arguments.json:
        print_json(found)
    else:
        print_table(COLUMNS, ([_shown(row, column) for column in COLUMNS] for row in found))
    return DONE


def _shown(row: dict[str, Any], column: str) -> str:
    value = row[column]
    return "" if value is None else str(value)[: SHORT if column == "id" else None]


def _found(arguments: argparse.Namespace, query: Query) -> list[dict[str, Any]]:
    try:
        return list(_asked(Client(arguments.data_dir), arguments))
    except NotRunning:
        return list(_read(arguments, query))


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


def _read(arguments: argparse.Namespace, query: Query) -> Iterator[dict[str, Any]]:
    with RecordedIncidents(arguments.data_dir) as recorded:
        asked_at = now()
        matching = [row for row in reversed(recorded.rows()) if query.matches(row, asked_at)]
        for row in matching[: max(arguments.limit, 0)]:
            incident = recorded.whole(row.id)
            if incident is not None:
                yield incident_json(incident)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("incidents", parents=[shared], help="list incidents")
    parser.add_argument("--query", default="", help="the search language of the window, for instance severity:>=high")
    parser.add_argument("--limit", type=int, default=1_000, help="at most this many, newest first (default 1000)")
    parser.set_defaults(run=run)
