"""`send`: post a recorded delivery to the running application's webhook, as its vendor would."""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
from pathlib import Path

from warden_desktop.commands.client import Client
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, printable


def run(arguments: argparse.Namespace) -> int:
    """Post the file, signed when the environment has the source's secret. Exit 1 when it is refused."""
    try:
        body = arguments.file.read_bytes()
    except OSError as error:
        complain(f"{arguments.file}: {error.strerror}")
        return USAGE
    status, said = Client(arguments.data_dir).deliver(arguments.source, body, _signature(arguments.source, body))
    if arguments.json:
        print_json([{"status": status, **_answer(said)}])
    else:
        print(printable(f"{status} {said}"))
    return DONE if status < 300 else FAILED


def _answer(said: str) -> dict[str, object]:
    try:
        answer = json.loads(said)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {"detail": said}


def _signature(source: str, body: bytes) -> dict[str, str]:
    secret = os.environ.get(f"WARDEN_SECRET_{source.upper().replace('-', '_')}", "")
    if not secret:
        return {}
    return {"X-Warden-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("send", parents=[shared], help="post a recorded delivery to the webhook")
    parser.add_argument("file", type=Path)
    parser.add_argument("--source", required=True, help="the source pack, for instance wazuh")
    parser.set_defaults(run=run)
