"""`dead-letters list|show|retry|discard`: events that could not be handled, and what a person decides about them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import open_reader
from warden_desktop.commands.client import Client, NotRunning, part
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, print_table, printable
from warden_desktop.engine.letter_shape import letter_json

COLUMNS = ("id", "kind", "incident_id", "attempts", "error")
PATH = "/api/dead-letters"
PATIENCE = 120.0
"""Seconds a retry may take: it waits its turn, then does what could not be done before."""


def run(arguments: argparse.Namespace) -> int:
    """List or show them, from the application or from the log; retry or discard one while the application runs."""
    try:
        return _DOES[arguments.do](arguments)
    except NotRunning as error:
        complain(f"{error}; start it, for instance with --headless, then decide")
        return FAILED


def _list(arguments: argparse.Namespace) -> int:
    found = _found(arguments)
    if arguments.json:
        print_json(found)
    else:
        print_table(COLUMNS, ([row[column] or "" for column in COLUMNS] for row in found))
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    letter = next((one for one in _found(arguments) if one["id"] == arguments.id), None)
    if letter is None:
        complain(f"there is no dead letter {arguments.id}; it may have been dealt with")
        return FAILED
    if arguments.json:
        print_json([letter])
        return DONE
    print(printable(f"{letter['id']}: {letter['kind']}, given up after {letter['attempts']} attempts"))
    print(printable(f"error: {letter['error']}"))
    for line in json.dumps(letter["event"], indent=2, ensure_ascii=False).splitlines():
        print(printable(line))
    return DONE


def _found(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = Client(arguments.data_dir).get(PATH)["dead_letters"]
        return found
    except NotRunning:
        with open_reader(DataDirectory(arguments.data_dir).database) as reader:
            return [letter_json(letter) for letter in reader.dead_letters()]


def _retry(arguments: argparse.Namespace) -> int:
    answer = Client(arguments.data_dir).post(f"{PATH}/{part(arguments.id)}/retry", {}, PATIENCE)
    if arguments.json:
        print_json([answer])
    elif answer["handled"]:
        print("handled")
    else:
        complain(f"it failed again: {answer['dead_letter']['error']}")
    return DONE if answer["handled"] else FAILED


def _discard(arguments: argparse.Namespace) -> int:
    if not arguments.reason.strip():
        complain("discarding wants a reason: --reason 'why it need not be handled'")
        return USAGE
    answer = Client(arguments.data_dir).post(f"{PATH}/{part(arguments.id)}/discard", {"reason": arguments.reason})
    if arguments.json:
        print_json([answer])
    else:
        print("discarded")
    return DONE


_DOES = {"list": _list, "show": _show, "retry": _retry, "discard": _discard}
_ABOUT = {"show": "the event and why it failed", "retry": "handle it once more", "discard": "never handle it"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("dead-letters", parents=[shared], help="events that could not be handled")
    parser.set_defaults(run=run)
    does = parser.add_subparsers(dest="do", required=True, metavar="list|show|retry|discard")
    does.add_parser("list", parents=[shared], help="all of them, oldest first")
    for name, about in _ABOUT.items():
        one = does.add_parser(name, parents=[shared], help=about)
        one.add_argument("id", help="as list shows it, for instance triage-12")
        if name == "discard":
            one.add_argument("--reason", default="", help="why it need not be handled; must be given")
