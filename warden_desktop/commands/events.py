"""`events` and `send`: history and live tail of the log, and feeding a recorded delivery."""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.client
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import open_reader
from warden_desktop.commands.client import Client, NotRunning
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, printable
from warden_desktop.domain.events import EVENT_TYPES, kind_of
from warden_desktop.domain.shape import event_json

PAGE = 1_000


def run_events(arguments: argparse.Namespace) -> int:
    """Print the log from `--since` on, and go on with `--follow`."""
    last = arguments.since
    for event in _recorded(arguments):
        last = event["seq"]
        _print(event, arguments.json)
    if not arguments.follow:
        return DONE
    try:
        for event in Client(arguments.data_dir).follow(last):
            if _wanted(event, arguments):
                _print(event, arguments.json)
    except NotRunning as error:
        complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        pass
    return DONE


def _kind(name: str) -> str:
    known = {kind_of(event_type): event_type.__name__ for event_type in EVENT_TYPES}
    for kind, class_name in known.items():
        if name in (kind, class_name):
            return kind
    raise argparse.ArgumentTypeError(f"no event is called {name}; known are {', '.join(known.values())}")


def _recorded(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    database = DataDirectory(arguments.data_dir).database
    if not database.exists():
        return
    reader, after = open_reader(database), arguments.since
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
        print(
            printable(f"{event['seq']:>8}  {event['at']}  {event['kind']:<26} {incident:<8}  {event['actor']}"),
            flush=True,
        )


def run_send(arguments: argparse.Namespace) -> int:
    """Post a file to the running application's webhook, signed when the environment has the source's secret."""
    endpoint = DataDirectory(arguments.data_dir).endpoint()
    if endpoint is None:
        complain(f"no application is running for {arguments.data_dir}")
        return FAILED
    try:
        body = Path(arguments.file).read_bytes()
    except OSError as error:
        complain(f"{arguments.file}: {error.strerror}")
        return USAGE
    headers = {"Content-Type": "application/json", **_signature(arguments.source, body)}
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=30)
    try:
        connection.request("POST", f"/webhooks/{arguments.source}", body, headers)
        response = connection.getresponse()
        print(printable(f"{response.status} {response.read().decode('utf-8', 'replace')}"))
    except OSError as error:
        complain(f"the application does not answer: {error}")
        return FAILED
    return DONE if response.status < 300 else FAILED


def _signature(source: str, body: bytes) -> dict[str, str]:
    secret = os.environ.get(f"WARDEN_SECRET_{source.upper()}", "")
    if not secret:
        return {}
    return {"X-Warden-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare both commands."""
    events = commands.add_parser("events", parents=[shared], help="the log: history and live tail")
    events.add_argument("--follow", action="store_true", help="go on with what happens")
    events.add_argument("--since", type=int, default=0, metavar="SEQ", help="only events after this number")
    events.add_argument("--kind", action="append", type=_kind, help="only this kind, for instance AlertReceived")
    events.add_argument("--incident", type=UUID, help="only this incident's")
    events.set_defaults(run=run_events)
    send = commands.add_parser("send", parents=[shared], help="post a recorded delivery to the webhook")
    send.add_argument("file")
    send.add_argument("--source", required=True, help="the source pack, for instance wazuh")
    send.set_defaults(run=run_send)
