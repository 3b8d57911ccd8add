"""`events`: the log, its history and its live tail."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import open_reader
from warden_desktop.commands.client import Client, NotRunning
from warden_desktop.commands.codes import DONE, FAILED
from warden_desktop.commands.output import complain, print_json, printable
from warden_desktop.domain.events import EVENT_TYPES, kind_of
from warden_desktop.domain.shape import event_json

PAGE = 1_000


def run(arguments: argparse.Namespace) -> int:
    """Print the log from `--since` on, and go on with `--follow` until the application ends, or Ctrl+C."""
    last = arguments.since
    try:
        for event in _recorded(arguments):
            last = event["seq"]
            _print(event, arguments.json)
        if arguments.follow:
            _follow(arguments, last)
    except NotRunning as error:
        complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        return DONE if arguments.follow else FAILED
    return DONE


def _follow(arguments: argparse.Namespace, last: int) -> None:
    for event in Client(arguments.data_dir).follow(last):
        if _wanted(event, arguments):
            _print(event, arguments.json)


def _recorded(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    database = DataDirectory(arguments.data_dir).database
    if arguments.follow and not database.exists():
        return
    with open_reader(database) as reader:
        after = arguments.since
        while page := reader.read(after, PAGE, kinds=arguments.kind or None, incident_id=arguments.incident):
            for recorded in page:
                yield event_json(recorded.seq, recorded.event)
            after = page[-1].seq


def _wanted(event: dict[str, Any], arguments: argparse.Namespace) -> bool:
    kind = not arguments.kind or event["kind"] in arguments.kind
    return kind and (arguments.incident is None or event.get("incident_id") == str(arguments.incident))


def _print(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json([event])
    else:
        incident = str(event.get("incident_id") or "")[:8]
        line = f"{event['seq']:>8}  {event['at']}  {event['kind']:<26} {incident:<8}  {event['actor']}"
        print(printable(line), flush=True)


def _kind(name: str) -> str:
    known = {kind_of(event_type): event_type.__name__ for event_type in EVENT_TYPES}
    for kind, class_name in known.items():
        if name in (kind, class_name):
            return kind
    raise argparse.ArgumentTypeError(f"no event is called {name}; known are {', '.join(known.values())}")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("events", parents=[shared], help="the log: history and live tail")
    parser.add_argument("--follow", action="store_true", help="go on with what happens")
    parser.add_argument("--since", type=int, default=0, metavar="SEQ", help="only events after this number")
    parser.add_argument("--kind", action="append", type=_kind, help="only this kind, for instance AlertReceived")
    parser.add_argument("--incident", type=UUID, help="only this incident's")
    parser.set_defaults(run=run)
