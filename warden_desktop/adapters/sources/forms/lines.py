"""Text with an event a line, each perhaps behind a syslog header."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from warden_desktop.adapters.sources.forms.errors import BadForm

MOST_LINES = 2_000

_PRIORITY = re.compile(r"<(\d{1,3})>", re.ASCII)
_RFC_5424 = re.compile(r"1 (?P<timestamp>\S{1,64}) (?P<host>\S{1,255}) (?P<program>\S{1,64})(?: |$)")
_RFC_3164 = re.compile(
    r"(?P<timestamp>[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{1,40}) (?P<host>\S{1,255})"
)
_TWO_WORDS = re.compile(r"(?P<timestamp>\S{1,64}) (?P<host>\S{1,255})\s*")


class NotThatForm(ValueError):
    """One line is not what its form says; the text says why."""


def each_line(parse: Callable[[str], dict[str, Any]], code: str) -> Callable[[bytes], Any]:
    """A reader of many lines out of one of a line, which may raise NotThatForm. Of a single line it gives the event
    itself, of more a list."""

    def read(body: bytes) -> Any:
        lines = [(number, line) for number, line in enumerate(text_of(body).split("\n"), 1) if line.strip()]
        if not lines:
            raise BadForm(code, "there is no line")
        if len(lines) > MOST_LINES:
            raise BadForm(code, f"{len(lines)} lines, and {MOST_LINES} is the most")
        events = [_parsed(parse, code, number, line.rstrip("\r")) for number, line in lines]
        return events[0] if len(events) == 1 else events

    return read


def _parsed(parse: Callable[[str], dict[str, Any]], code: str, number: int, line: str) -> dict[str, Any]:
    try:
        return parse(line)
    except NotThatForm as wrong:
        raise BadForm(code, f"line {number}: {wrong}") from None


def text_of(body: bytes) -> str:
    """The text of bytes that are UTF-8, as they should be, or else an old eight-bit code, read as Latin-1."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def syslog(header: str) -> dict[str, Any]:
    """What a syslog header says: `priority`, `facility`, `severity` (numbers), `timestamp`, `host`, `program`; what of
    these is there, and the whole of it as `text`. Of no header, nothing."""
    header = header.strip()[:1024]
    if not header:
        return {}
    found: dict[str, Any] = {"text": header}
    priority = _PRIORITY.match(header)
    if priority and int(priority[1]) <= 191:
        number = int(priority[1])
        found |= {"priority": number, "facility": number // 8, "severity": number % 8}
    rest = header[priority.end() :] if priority else header
    parts = _RFC_5424.match(rest) or _RFC_3164.match(rest) or _TWO_WORDS.fullmatch(rest)
    return found | {name: word for name, word in (parts.groupdict() if parts else {}).items() if word != "-"}
