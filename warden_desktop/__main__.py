"""The command line. Imports what a command needs only when that command is given: some must be quick."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from warden_desktop import __version__
from warden_desktop.adapters.data_directory import default_data_directory
from warden_desktop.commands import application
from warden_desktop.commands.codes import FAILED

COMMANDS = {
    "incidents": "incidents",
    "approvals": "approvals",
    "events": "events",
    "send": "send",
    "replay": "replay",
    "dead-letters": "dead_letters",
    "kill-switch": "kill_switch",
    "audit": "audit",
    "secret": "secret",
    "rebuild": "rebuild",
    "archive": "archive",
    "doctor": "doctor",
}
"""Which module of commands/ has which command, in the order in which --help shows them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (see commands/codes.py)."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    _print_anything()
    parsed = _parser(given).parse_args(given)
    try:
        code: int = parsed.run(parsed)
        return code
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except Exception as error:
        from warden_desktop.commands.failures import explain

        return explain(error)


def _print_anything() -> None:
    """A title that the terminal's encoding lacks is escaped, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data-dir", type=Path, default=argparse.SUPPRESS, help="where everything is kept")
    shared.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object a line")
    parser = argparse.ArgumentParser(
        "warden-desktop", description="Alerts in, decisions by people, actions that are safe."
    )
    parser.add_argument("--version", action="version", version=f"warden-desktop {__version__}")
    parser.add_argument("--data-dir", type=Path, default=default_data_directory(), help="where everything is kept")
    parser.set_defaults(json=False)
    application.add(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in [name for name in COMMANDS if name in given] or COMMANDS:
        import_module(f"warden_desktop.commands.{COMMANDS[name]}").add(commands, shared)
    return parser


if __name__ == "__main__":
    sys.exit(main())
