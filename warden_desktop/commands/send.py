"""`send`: post a recorded delivery to the running application's webhook, as its vendor would."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from uuid import uuid4

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.keychain import Keychain, KeychainError
from warden_desktop.adapters.sources import load_sources
from warden_desktop.adapters.sources.signature import signed_headers
from warden_desktop.assets import resource
from warden_desktop.commands.client import Client
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain, print_json, printable


def run(arguments: argparse.Namespace) -> int:
    """Post the file, signed as its vendor would when the source has a secret. Exit 1 when it is refused."""
    try:
        body = arguments.file.read_bytes()
    except OSError as error:
        complain(f"{arguments.file}: {error.strerror}")
        return USAGE
    headers = _headers(arguments.data_dir, arguments.source, body)
    status, said = Client(arguments.data_dir).deliver(arguments.source, body, headers)
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


def _headers(data_dir: Path, name: str, body: bytes) -> dict[str, str]:
    """What the vendor would send beside the body: its content type, and its signature when there is a secret."""
    source = load_sources(resource("sources"), DataDirectory(data_dir).packs / "sources").get(name)
    if source is None:
        return {}
    try:
        secrets = Keychain().get(name)
    except KeychainError as error:
        complain(f"sent unsigned: {error}")
        secrets = ()
    said = {"Content-Type": source.pack.content_types[0]}
    if not secrets:
        return said
    return {**said, **signed_headers(source.pack.verification, secrets[0], body, time.time(), str(uuid4()))}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("send", parents=[shared], help="post a recorded delivery to the webhook")
    parser.add_argument("file", type=Path)
    parser.add_argument("--source", required=True, help="the source pack, for instance wazuh")
    parser.set_defaults(run=run)
