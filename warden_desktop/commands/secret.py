"""`secret set|rotate|remove SOURCE`: webhook secrets, kept in the keychain."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.keychain import Keychain, KeychainError
from warden_desktop.adapters.sources import load_sources
from warden_desktop.adapters.sources.signature import problem_with
from warden_desktop.assets import resource
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain


def run(arguments: argparse.Namespace) -> int:
    """Change the secret of one source; it is read from the terminal or standard input, never from the command line."""
    keychain = Keychain()
    try:
        if arguments.do == "remove":
            keychain.remove(arguments.source)
        else:
            secret = _asked()
            if not secret:
                complain("an empty secret protects nothing")
                return USAGE
            if problem := _problem(arguments.data_dir, arguments.source, secret):
                complain(problem)
                return USAGE
            (keychain.set if arguments.do == "set" else keychain.rotate)(arguments.source, secret)
    except KeychainError as error:
        complain(str(error))
        return FAILED
    print(
        {"set": "set", "rotate": "rotated; the old one is accepted too until the next rotation", "remove": "removed"}[
            arguments.do
        ]
    )
    return DONE


def _problem(data_dir: Path, name: str, secret: str) -> str:
    """Why the source could never be verified with `secret`; "" when it could, or when no pack is called so."""
    source = load_sources(resource("sources"), DataDirectory(data_dir).packs / "sources").get(name)
    return problem_with(source.pack.verification, secret.encode()) if source else ""


def _asked() -> str:
    return getpass.getpass("Secret: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("secret", parents=[shared], help="set, rotate or remove a source's webhook secret")
    parser.add_argument("do", choices=("set", "rotate", "remove"))
    parser.add_argument("source")
    parser.set_defaults(run=run)
