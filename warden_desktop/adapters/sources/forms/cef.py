r"""ArcSight's Common Event Format, from "Implementing ArcSight Common Event Format (CEF)", version 26.

    [syslog header] CEF:0|vendor|product|version|event class|name|severity|key=value key=value ...

In the header `\|` and `\\` are escapes; in the extension `\=`, `\\`, `\n` and `\r`. A value goes on to the next
` key=`, and senders forget to escape: what cannot be told apart is kept as part of the value before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from warden_desktop.adapters.sources.forms.lines import NotThatForm, syslog

MOST_KEYS = 500
_START = re.compile(r"CEF: ?(\d{1,3})\|", re.ASCII)
_HEADER = ("deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")
_KEY = re.compile(r"(?<!\S)([A-Za-z0-9_][\w.,\[\]-]{0,127})=", re.ASCII)
_ESCAPED = re.compile(r"\\([\\=|nr])")
_MEANS = {"n": "\n", "r": "\r"}
_HEADER_ESCAPED = re.compile(r"\\([\\|])")


def cef(line: str) -> dict[str, Any]:
    """An event: `version`, the six header fields by their names in the format, `extension` by key, `labels` (the
    custom fields under the names their labels give them), `syslog`; `repeated` keys' further values and what in the
    extension is no key's as `unparsed`, when there is such. Raises NotThatForm."""
    start = _START.search(line)
    if start is None:
        raise NotThatForm("has no CEF header (CEF:0|vendor|product|version|event class|name|severity|)")
    fields, extension = _header(line, start.end())
    event: dict[str, Any] = {"version": int(start[1]), **dict(zip(_HEADER, fields, strict=True))}
    event |= {"syslog": syslog(line[: start.start()]), **_extension(extension)}
    return event


def _header(line: str, position: int) -> tuple[list[str], str]:
    """The six fields and what follows them. Of a line that ends without its last `|` there is no extension."""
    fields: list[str] = []
    while len(fields) < len(_HEADER):
        end = _end_of_field(line, position)
        if end < 0 and len(fields) < len(_HEADER) - 1:
            raise NotThatForm(f"ends within the CEF header, after {len(fields) + 1} of its {len(_HEADER)} fields")
        fields.append(_HEADER_ESCAPED.sub(r"\1", line[position : end if end >= 0 else None]).strip())
        position = end + 1 if end >= 0 else len(line)
    return fields, line[position:]


def _end_of_field(line: str, position: int) -> int:
    """Where the next `|` is that is not escaped; -1 when there is none."""
    while position < len(line):
        if line[position] == "|":
            return position
        position += 2 if line[position] == "\\" else 1
    return -1


def _extension(text: str) -> dict[str, Any]:
    keys = list(_KEY.finditer(text))
    if len(keys) > MOST_KEYS:
        raise NotThatForm(f"has {len(keys)} keys, and {MOST_KEYS} is the most")
    starts = [key.start() for key in keys] + [len(text)]
    pairs = [(key[1], _plain(text[key.end() : end])) for key, end in zip(keys, starts[1:], strict=True)]
    found = gathered(pairs, text[: starts[0]].strip(), "extension")
    return {**found, "labels": _labelled(found["extension"])}


def gathered(pairs: Sequence[tuple[str, str]], unparsed: str, name: str) -> dict[str, Any]:
    """Pairs by key under `name`. The first of a key counts: what an attacker slips into a later value does not hide
    it."""
    found: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for key, value in pairs:
        if key in found:
            repeated.setdefault(key, []).append(value)
        else:
            found[key] = value
    further = {"repeated": repeated, "unparsed": unparsed}
    return {name: found, **{label: value for label, value in further.items() if value}}


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda escape: _MEANS.get(escape[1], escape[1]), value.strip())


def _labelled(found: dict[str, str]) -> dict[str, str]:
    """cs1=x with cs1Label=Policy is Policy=x."""
    return {
        label: found[key.removesuffix("Label")]
        for key, label in found.items()
        if key.endswith("Label") and label and key.removesuffix("Label") in found
    }
