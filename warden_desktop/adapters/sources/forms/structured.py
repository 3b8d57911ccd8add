"""JSON, and JSON lines."""

from __future__ import annotations

from typing import Any

from warden_desktop.adapters.sources.forms.errors import BadForm
from warden_desktop.adapters.strict_json import BadJson, parse

CODE = "bad_json"
MOST_LINES = 2_000


def json_text(body: bytes) -> Any:
    """The value of a JSON text. Raises BadForm."""
    try:
        return parse(body)
    except BadJson as wrong:
        raise BadForm(CODE, str(wrong)) from None


def json_lines(body: bytes) -> Any:
    """The values of a text with one a line; of one line, or one array, or one object over many lines, its value.

    Raises BadForm."""
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(lines) < 2 or lines[0][1].lstrip()[:1] == b"[" or lines[0][1].strip() == b"{":
        return json_text(body)
    if len(lines) > MOST_LINES:
        raise BadForm(CODE, f"{len(lines)} lines, and {MOST_LINES} is the most")
    return [_line(number, line) for number, line in lines]


def _line(number: int, line: bytes) -> Any:
    try:
        return parse(line)
    except BadJson as wrong:
        raise BadForm(CODE, f"line {number}: {wrong}") from None
