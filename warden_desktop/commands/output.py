"""How commands print: a table for people, a JSON object a line for programs, and nothing that steers a terminal."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

CELL = 60


def printable(text: object) -> str:
    """`text` with control, format and line characters as escapes, so that an alert cannot steer a terminal."""
    return "".join(_escaped(char) for char in str(text))


def _escaped(char: str) -> str:
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}:
        return f"\\u{ord(char):04x}"
    return char


def print_json(rows: Iterable[Mapping[str, object]]) -> None:
    """One JSON object a line, in printable ASCII only."""
    for row in rows:
        print(json.dumps(row, ensure_ascii=True, default=str).replace("\x7f", "\\u007f"), flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table; cells are cut at 60 characters."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(column), *(len(row[at]) for row in cells), 0) for at, column in enumerate(columns)]
    for row in ([*columns], *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    text = printable(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def complain(message: str) -> None:
    """To standard error, usually one line."""
    for line in message.splitlines() or [""]:
        print(f"warden-desktop: {printable(line)}", file=sys.stderr)
