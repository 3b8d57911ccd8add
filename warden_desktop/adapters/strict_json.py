"""JSON as RFC 8259 has it and one meaning only: what two parsers could read differently is refused.

orjson decides what is JSON (UTF-8 without a mark, no NaN, no lone surrogates, no number past a double). Three things it
lets pass are refused here: duplicate keys, integers it would round because they need more than 64 bits, and depth. Most
deliveries have no run of 19 digits and fewer than 64 brackets, and pay for these two no more than a search of their
bytes; duplicate keys need a second parser, which tells them as it builds the result.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

DEEPEST = 64
"""Levels of lists and objects."""

_LARGEST = 2**64 - 1
_SMALLEST = -(2**63)
_LONG_NUMBER = re.compile(rb"\d{19}")


class BadJson(Exception):
    """Not JSON, or JSON that could be read in more than one way; the text says what is wrong."""


def parse(raw: bytes) -> Any:
    """The value of a JSON text. Raises BadJson."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadJson(f"not JSON: {error}"[:300]) from None
    if raw.count(b"[") + raw.count(b"{") > DEEPEST:
        _refuse_depth(value)
    decoder = _CAREFUL if _LONG_NUMBER.search(raw) else _PLAIN
    return decoder.decode(raw.decode())


def _refuse_depth(value: Any) -> None:
    level, depth = [value], 0
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        if depth > DEEPEST:
            raise BadJson(f"nested deeper than {DEEPEST} levels")
        level = [inner for one in level for inner in _members(one)]


def _members(value: dict[str, Any] | list[Any]) -> Any:
    return value.values() if isinstance(value, dict) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadJson(f"the key {twice[:64]!r} is there twice in one object")
    return members


def _integer(digits: str) -> int:
    if len(digits) > 20 or not _SMALLEST <= int(digits) <= _LARGEST:
        raise BadJson("an integer needs more than 64 bits")
    return int(digits)


_PLAIN = json.JSONDecoder(object_pairs_hook=_object)
_CAREFUL = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)
