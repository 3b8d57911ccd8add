"""The search language of the queue: its text becomes a tree, and a wrong text says where.

    query    = either
    either   = both { "OR" both }
    both     = one { ["AND"] one }
    one      = ("NOT" | "-") one | "(" either ")" | [field ":"] value
    value    = '"' text '"' | word | comparison word | word ".." word

AND, OR and NOT are written in capitals. `*` stands for anything, but not inside quotes, where a quote is written twice.
A word without a field is looked for in titles, targets, sources and observables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import NamedTuple

from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.query_terms import (
    COMPARISONS,
    FIELDS,
    NAMES,
    And,
    Choice,
    Elapsed,
    Field,
    FieldType,
    Not,
    Number,
    Or,
    Pattern,
    Text,
    Tree,
    folded,
)
from warden_desktop.domain.status import Status

__all__ = ["FIELDS", "Field", "FieldType", "Query", "QuerySyntaxError", "parse", "quoted"]

MOST_CHARACTERS = 4096
MOST_TERMS = 100
DEEPEST = 30


class QuerySyntaxError(ValueError):
    """`position` counts characters from 0; `detail` says what is wrong there and what would be right."""

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(f"at character {position + 1}: {detail}")
        self.position = position
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Query:
    """A search, compiled. `text` is what was typed."""

    text: str
    tree: Tree

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        """Whether the query finds `row`; `now` is what ages are counted to."""
        return self.tree.matches(row, now)


def parse(text: str) -> Query:
    """The query that `text` says; an empty one finds everything. Raises QuerySyntaxError."""
    if len(text) > MOST_CHARACTERS:
        raise QuerySyntaxError(MOST_CHARACTERS, f"a query has at most {MOST_CHARACTERS} characters")
    tokens = _tokens(text)
    if sum(token.kind == "value" for token in tokens) > MOST_TERMS:
        raise QuerySyntaxError(0, f"a query has at most {MOST_TERMS} terms")
    return Query(text, _Parser(tokens, len(text)).whole())


def quoted(value: str) -> str:
    """`value` so that it stands for exactly itself in a query, whatever an attacker put into it."""
    return '"' + value.replace('"', '""') + '"'


class _Token(NamedTuple):
    """`kind` is "(", ")", "AND", "OR", "NOT" or "value"; a value has its field, if any, and whether it was quoted."""

    kind: str
    position: int
    value: str = ""
    field: Field | None = None
    quoted: bool = False


_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_WORD = re.compile(r'[^\s()"]+')
_NAMED = re.compile(r"([A-Za-z][A-Za-z_]*):(.*)", re.DOTALL)
_NEGATED = re.compile(r"-(?=[^\s)])")
_NOT_A_FIELD = ("//", "\\", ":")
"""What follows the colon in addresses, Windows paths and IPv6: people paste those."""


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = _space(text, 0)
    while at < len(text):
        token, at = _token(text, at)
        tokens.append(token)
        at = _space(text, at)
    return tokens


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _token(text: str, at: int) -> tuple[_Token, int]:
    if text[at] in "()":
        return _Token(text[at], at), at + 1
    if text[at] == '"':
        return _quotation(text, at, at, None)
    if _NEGATED.match(text, at):
        return _Token("NOT", at), at + 1
    found = _WORD.match(text, at)
    word, end = (found.group(), found.end()) if found else (text[at], at + 1)
    if word in ("AND", "OR", "NOT"):
        return _Token(word, at), end
    field, rest = _named(word, at)
    if field and not rest and text[end : end + 1] == '"':
        return _quotation(text, end, at, field)
    return _Token("value", at + len(word) - len(rest), rest, field), end


def _quotation(text: str, at: int, start: int, field: Field | None) -> tuple[_Token, int]:
    found = _QUOTED.match(text, at)
    if not found:
        raise QuerySyntaxError(at, "this quotation mark has no partner")
    return _Token("value", start, found.group(1).replace('""', '"'), field, quoted=True), found.end()


def _named(word: str, at: int) -> tuple[Field | None, str]:
    found = _NAMED.fullmatch(word)
    if not found or (found.group(1).lower() not in NAMES and found.group(2).startswith(_NOT_A_FIELD)):
        return None, word
    name = found.group(1).lower()
    if name not in NAMES:
        raise QuerySyntaxError(at, f'there is no field "{name}"; {_suggestion(name, NAMES)}')
    return NAMES[name], found.group(2)


def _suggestion(wrong: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    near = get_close_matches(wrong, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._end = end
        self._at = 0
        self._depth = 0

    def whole(self) -> Tree:
        if not self._tokens:
            return And(())
        tree = self._either()
        if self._at < len(self._tokens):
            raise QuerySyntaxError(self._tokens[self._at].position, "this parenthesis closes nothing")
        return tree

    def _kind(self) -> str:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else ""

    def _next(self) -> _Token:
        if self._at == len(self._tokens):
            raise QuerySyntaxError(self._end, "something is missing here")
        self._at += 1
        return self._tokens[self._at - 1]

    def _either(self) -> Tree:
        parts = [self._both()]
        while self._kind() == "OR":
            self._next()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self) -> Tree:
        parts = [self._one()]
        while self._kind() not in ("", "OR", ")"):
            if self._kind() == "AND":
                self._next()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Tree:
        token = self._next()
        if token.kind == "value":
            return _term(token)
        if token.kind in ("AND", "OR", ")"):
            raise QuerySyntaxError(token.position, f"something is missing before {token.kind}")
        self._depth += 1
        if self._depth > DEEPEST:
            raise QuerySyntaxError(token.position, f"at most {DEEPEST} levels")
        tree = Not(self._one()) if token.kind == "NOT" else self._inside(token)
        self._depth -= 1
        return tree

    def _inside(self, opening: _Token) -> Tree:
        tree = self._either()
        if self._kind() != ")":
            raise QuerySyntaxError(opening.position, "this parenthesis is never closed")
        self._next()
        return tree


def _term(token: _Token) -> Tree:
    if token.field is None:
        return Text("text", _pattern(token, contains=True))
    if not token.value and not token.quoted:
        raise QuerySyntaxError(token.position, f'"{token.field.name}:" needs a value')
    return _TERMS[token.field.type](token, token.field)


def _pattern(token: _Token, *, contains: bool) -> Pattern:
    value = folded(token.value)
    pieces = (value,) if token.quoted else tuple(re.sub(r"\*+", "*", value).split("*"))
    return Pattern(("", *pieces, "")) if contains else Pattern(pieces)


def _text(token: _Token, field: Field) -> Tree:
    if not token.quoted and token.value.startswith((">", "<", "=")):
        raise QuerySyntaxError(token.position, f"{field.name} is text, which has no {token.value[0]}; use * or quotes")
    pattern = _pattern(token, contains=field.contains)
    return Text(field.column, _id_pattern(pattern) if field.name == "id" else pattern)


def _id_pattern(pattern: Pattern) -> Pattern:
    """An id is compared without its hyphens, and its beginning is enough."""
    return Pattern((*(piece.replace("-", "") for piece in pattern.pieces), ""))


def _flag(token: _Token, field: Field) -> Tree:
    value = folded(token.value)
    if value == "waiting":
        return Number("waiting", ">", 0)
    if value not in field.values:
        raise QuerySyntaxError(token.position, f'"is:" takes {", ".join(field.values)}')
    return Choice("status", frozenset(status.value for status in Status if status.open == (value == "open")))


def _choice(token: _Token, field: Field) -> Tree:
    comparison, low, high = _compared(token, field.ordered)
    names = [str(value) for value in field.values]
    if comparison == "..":
        first, last = _place(token, low, names), _place(token, high, names)
        return Choice(field.column, frozenset(names[first : last + 1]))
    if comparison:
        than, holds = _place(token, low, names), COMPARISONS[comparison]
        return Choice(field.column, frozenset(name for at, name in enumerate(names) if holds(at, than)))
    pattern = _pattern(token._replace(value=_choice_word(low)), contains=False)
    chosen = frozenset(name for name in names if pattern.fits(name))
    return Choice(field.column, chosen or frozenset({names[_place(token, low, names)]}))


def _choice_word(value: str) -> str:
    return folded(value).replace("-", "_").replace(" ", "_")


def _place(token: _Token, value: str, names: list[str]) -> int:
    word = _choice_word(value)
    if word not in names:
        raise QuerySyntaxError(token.position, f'there is no "{value}"; {_suggestion(word, tuple(names))}')
    return names.index(word)


def _compared(token: _Token, ordered: bool) -> tuple[str, str, str]:
    """(comparison, value, "") or ("..", low, high) or ("", value, "") when the value is compared with nothing."""
    value = token.value
    if token.quoted or not ordered:
        return "", value, ""
    for comparison in COMPARISONS:
        if value.startswith(comparison):
            return comparison, value.removeprefix(comparison), ""
    low, dots, high = value.partition("..")
    return ("..", low, high) if dots else ("", value, "")


def _number(token: _Token, field: Field) -> Tree:
    comparison, low, high = _compared(token, ordered=True)
    if comparison == "..":
        between = (Number(field.column, ">=", _figure(token, low)), Number(field.column, "<=", _figure(token, high)))
        return And(between)
    return Number(field.column, comparison or "=", _figure(token, low))


_FIGURE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(%?)")


def _figure(token: _Token, value: str) -> float:
    found = _FIGURE.fullmatch(value)
    if not found:
        raise QuerySyntaxError(token.position, f'"{value}" is not a number such as 5, 0.8 or 80%')
    return float(found.group(1)) / (100 if found.group(2) else 1)


def _duration(token: _Token, field: Field) -> Tree:
    comparison, low, high = _compared(token, ordered=True)
    if comparison == "..":
        between = (Elapsed(field.column, ">=", _time(token, low)), Elapsed(field.column, "<=", _time(token, high)))
        return And(between)
    if comparison in ("", "="):
        raise QuerySyntaxError(token.position, f"say {field.name}:<2h, {field.name}:>2h or {field.name}:1h..2h")
    return Elapsed(field.column, comparison, _time(token, low))


_TIME = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhdw])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def _time(token: _Token, value: str) -> timedelta:
    found = _TIME.fullmatch(value.lower())
    if not found:
        raise QuerySyntaxError(token.position, f'"{value}" is not a time such as 90s, 15m, 2h, 3d or 1w')
    return float(found.group(1)) * _UNITS[found.group(2)]


_TERMS: Mapping[FieldType, Callable[[_Token, Field], Tree]] = {
    FieldType.TEXT: _text,
    FieldType.WORDS: _text,
    FieldType.CHOICE: _choice,
    FieldType.NUMBER: _number,
    FieldType.DURATION: _duration,
    FieldType.FLAG: _flag,
}
