r"""IBM QRadar's Log Event Extended Format, from "LEEF overview" in IBM's QRadar documentation.

    [syslog header] LEEF:1.0|vendor|product|version|event id|key=value<tab>key=value ...
    [syslog header] LEEF:2.0|vendor|product|version|event id|delimiter|key=value<delimiter>key=value ...

The delimiter is one character, or its number in hexadecimal (`x5E`, `0x5E`); without it, a tab. There are no escapes:
a backslash is a backslash.
"""

from __future__ import annotations

import re
from typing import Any

from warden_desktop.adapters.sources.forms.cef import gathered
from warden_desktop.adapters.sources.forms.lines import NotThatForm, syslog

MOST_KEYS = 500
_START = re.compile(r"LEEF: ?([12])(?:\.0)?\|", re.ASCII)
_HEADER = ("vendor", "product", "productVersion", "eventId")
_HEX = re.compile(r"0?[xX]([0-9A-Fa-f]{1,4})", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_][\w.:-]{0,127}", re.ASCII)


def leef(line: str) -> dict[str, Any]:
    """An event: `version` (1 or 2), the four header fields, `attributes` by key, `syslog`; `repeated` keys' further
    values and what is no key's as `unparsed`, when there is such. Raises NotThatForm."""
    start = _START.search(line)
    if start is None:
        raise NotThatForm("has no LEEF header (LEEF:1.0|vendor|product|version|event id|)")
    parts = line[start.end() :].split("|", len(_HEADER))
    if len(parts) < len(_HEADER):
        raise NotThatForm(f"ends within the LEEF header, after {len(parts)} of its {len(_HEADER)} fields")
    version, rest = int(start[1]), parts[len(_HEADER)] if len(parts) > len(_HEADER) else ""
    delimiter, rest = _delimiter(rest) if version == 2 else ("\t", rest)
    header = zip(_HEADER, (part.strip() for part in parts), strict=False)
    return {"version": version, **dict(header), "syslog": syslog(line[: start.start()]), **_attributes(rest, delimiter)}


def _delimiter(rest: str) -> tuple[str, str]:
    """The delimiter and the attributes after it; some senders of 2.0 leave it out with its `|`."""
    given, bar, attributes = rest.partition("|")
    if not bar or len(given) > 6:
        return "\t", rest
    number = _HEX.fullmatch(given)
    if number and len(given) > 1:
        return chr(int(number[1], 16)), attributes
    return (given, attributes) if len(given) == 1 else ("\t", attributes if not given else rest)


def _attributes(text: str, delimiter: str) -> dict[str, Any]:
    parts = [part for part in text.split(delimiter) if part.strip()]
    if len(parts) > MOST_KEYS:
        raise NotThatForm(f"has {len(parts)} attributes, and {MOST_KEYS} is the most")
    pairs, others = list[tuple[str, str]](), list[str]()
    for part in parts:
        key, equals, value = part.partition("=")
        if equals and _KEY.fullmatch(key.strip()):
            pairs.append((key.strip(), value.strip()))
        else:
            others.append(part.strip())
    return gathered(pairs, " ".join(others), "attributes")
