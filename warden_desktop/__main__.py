"""The command line. Imports the window only when one is wanted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from warden_desktop import __version__
from warden_desktop.adapters.data_directory import DataDirectoryError, default_data_directory
from warden_desktop.commands import application, audit, doctor, events, incidents, kill_switch, rebuild, secret
from warden_desktop.commands.codes import FAILED, USAGE
from warden_desktop.commands.output import complain
from warden_desktop.engine.ports import JournalError
from warden_desktop.settings import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (see commands/codes.py)."""
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        return code
    except (DataDirectoryError, SettingsError) as error:
        complain(str(error))
        return USAGE
    except JournalError as error:
        complain(str(error))
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data-dir", type=Path, default=argparse.SUPPRESS, help="where everything is kept")
    shared.add_argument("--json", action="store_true", help="one JSON object a line")
    parser = argparse.ArgumentParser(
        "warden-desktop", description="Alerts in, decisions by people, actions that are safe."
    )
    parser.add_argument("--version", action="version", version=f"warden-desktop {__version__}")
    parser.add_argument("--data-dir", type=Path, default=default_data_directory(), help="where everything is kept")
    application.add(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in (incidents, events, kill_switch, audit, secret, rebuild, doctor):
        command.add(commands, shared)
    return parser


if __name__ == "__main__":
    sys.exit(main())
