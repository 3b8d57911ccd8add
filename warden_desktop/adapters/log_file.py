"""The log file: rotated, private, and with control characters escaped, because alerts end up in messages."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

SIZE = 5_000_000
KEPT = 5


class _Escaping(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).splitlines() or [""]
        return "\n    ".join(
            "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in line) for line in lines
        )


def log_to(folder: Path, *, to_terminal: bool) -> None:
    """Write everything from INFO on to `folder`/warden.log, and warnings to the terminal if wanted."""
    os.umask(0o077)
    file = RotatingFileHandler(folder / "warden.log", maxBytes=SIZE, backupCount=KEPT, encoding="utf-8")
    file.setFormatter(_Escaping("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(file)
    if to_terminal:
        terminal = logging.StreamHandler()
        terminal.setLevel(logging.WARNING)
        terminal.setFormatter(_Escaping("warden-desktop: %(levelname)s: %(message)s"))
        root.addHandler(terminal)
