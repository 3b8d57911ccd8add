"""`warden-desktop` without a command: the application, with its window or `--headless`."""

from __future__ import annotations

import argparse
from pathlib import Path


def run(arguments: argparse.Namespace) -> int:
    """Run until the analyst quits or the process is told to stop."""
    from warden_desktop.commands.launch import launch

    return launch(arguments)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the application's own options."""
    parser.add_argument("--config", type=Path, help="settings file (default: settings.toml in the data directory)")
    parser.add_argument("--host", help="address to listen on (default: the setting, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on; 0 picks one (default: the setting, 8787)")
    parser.add_argument("--demo", action="store_true", help="replay a morning's alerts with simulated responders")
    parser.add_argument("--headless", action="store_true", help="the same without a window")
    parser.add_argument("--ready-file", type=Path, help="write a JSON object here once alerts are accepted")
    parser.set_defaults(run=run)
