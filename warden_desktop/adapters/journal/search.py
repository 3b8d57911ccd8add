"""A query's tree as a WHERE clause on table `incident`. It finds exactly the rows that `Query.matches` accepts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import assert_never

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.query_terms import And, Choice, Elapsed, Not, Number, Or, Pattern, Text, Tree

Binding = str | int | float
Compiled = tuple[str, list[Binding]]

_LISTS = frozenset({"techniques", "tags"})
_SHORTEST_INDEXED = 3
"""Characters a text must have to be found in an index of every three letters."""


def compile_tree(tree: Tree, now: int) -> Compiled:
    """The condition and its bindings. `now` is in microseconds since 1970; values are bound, never spliced in."""
    match tree:
        case And(parts):
            return _joined(" AND ", parts, now, empty="1")
        case Or(parts):
            return _joined(" OR ", parts, now, empty="0")
        case Not(part):
            condition, bindings = compile_tree(part, now)
            return f"NOT {condition}", bindings
        case Text(column, pattern):
            return _text(column, pattern)
        case Choice(column, values):
            return _choice(column, values)
        case Number(column, comparison, value):
            return f"({column} {comparison} ?)", [value]
        case Elapsed(column, comparison, duration):
            return f"(? - {column} {comparison} ?)", [now, duration // timedelta(microseconds=1)]
        case _:
            assert_never(tree)


def _joined(word: str, parts: Iterable[Tree], now: int, empty: str) -> Compiled:
    compiled = [compile_tree(part, now) for part in parts]
    conditions = word.join(condition for condition, _ in compiled)
    return f"({conditions or empty})", [binding for _, bindings in compiled for binding in bindings]


def _choice(column: str, values: frozenset[str]) -> Compiled:
    stored: list[Binding] = [Severity(value).rank if column == "severity" else value for value in sorted(values)]
    return f"({column} IN ({', '.join('?' * len(stored))}))", stored


def _text(column: str, pattern: Pattern) -> Compiled:
    if column == "text":
        return _anywhere(pattern)
    if column in _LISTS:
        condition, bindings = _fits("value", pattern)
        return f"EXISTS (SELECT 1 FROM json_each({column}_key) WHERE {condition})", bindings
    return _fits("lower(hex(id))" if column == "id" else f"{column}_key", pattern)


def _anywhere(pattern: Pattern) -> Compiled:
    """The index finds candidates fast; the text itself decides."""
    condition, bindings = _fits("text", pattern)
    longest = max(pattern.pieces, key=len)
    if len(longest) < _SHORTEST_INDEXED:
        return condition, bindings
    phrase = '"' + longest.replace('"', '""') + '"'
    indexed = "number IN (SELECT rowid FROM incident_text WHERE incident_text MATCH ?)"
    return f"({indexed} AND {condition})", [phrase, *bindings]


def _fits(value: str, pattern: Pattern) -> Compiled:
    match pattern.pieces:
        case (whole,):
            return f"({value} = ?)", [whole]
        case ("", part, ""):
            return f"(instr({value}, ?) > 0)", [part]
        case pieces:
            return f"({value} GLOB ?)", ["*".join(_literal(piece) for piece in pieces)]


def _literal(piece: str) -> str:
    """GLOB's own signs stand for themselves inside brackets."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in piece)
