"""Exit codes of every command."""

from __future__ import annotations

DONE = 0
FAILED = 1
USAGE = 2
ALREADY_RUNNING = 3
INTEGRITY = 4
