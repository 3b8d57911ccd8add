"""What a query is made of: the fields it may name, and the tree its text becomes.

Everything here means the same in two places: `matches`, on a row in memory, and the SQL that the journal compiles. Text
is therefore compared folded (`folded`), and ordered words (severity) become plain sets when the query is read.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict


class FieldType(StrEnum):
    """TEXT and WORDS (any one of several texts) take wildcards; NUMBER and DURATION take comparisons and ranges."""

    TEXT = "text"
    WORDS = "words"
    CHOICE = "choice"
    NUMBER = "number"
    DURATION = "duration"
    FLAG = "flag"


class Field(NamedTuple):
    """One name before the colon. `column` is the attribute of IncidentRow; `values` what completion offers.

    `contains`: a value without wildcards is looked for anywhere in the text; otherwise it must be all of it.
    """

    name: str
    type: FieldType
    description: str
    column: str
    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ordered: bool = False
    contains: bool = False


NO_VERDICT = "none"

_T = FieldType
_DECLARED = (
    Field("id", _T.TEXT, "The incident's id, or its beginning", "id"),
    Field("title", _T.TEXT, "Words of the title", "title", contains=True),
    Field("severity", _T.CHOICE, "How bad it would be if true", "severity", tuple(Severity), ordered=True),
    Field("status", _T.CHOICE, "Where the incident stands", "status", tuple(Status)),
    Field("target", _T.TEXT, "The host, user or address hit", "target", aliases=("host", "user")),
    Field("source", _T.TEXT, "The product that sent the alert", "source"),
    Field("category", _T.TEXT, "The kind of alert, such as phishing", "category"),
    Field("verdict", _T.CHOICE, "What it turned out to be", "verdict", (*Verdict, NO_VERDICT)),
    Field("confidence", _T.NUMBER, "Of the verdict, 0 to 1 or in percent", "confidence"),
    Field("assignee", _T.TEXT, 'Who works on it; "" for nobody', "assignee"),
    Field("alerts", _T.NUMBER, "How many alerts it holds", "alerts"),
    Field("waiting", _T.NUMBER, "How many actions wait for a person", "waiting"),
    Field("age", _T.DURATION, "Time since it was opened: 90s, 15m, 2h, 3d, 1w", "created_at"),
    Field("updated", _T.DURATION, "Time since it last changed: 90s, 15m, 2h, 3d, 1w", "updated_at"),
    Field("technique", _T.WORDS, "A MITRE ATT&CK technique, such as T1059 or T1059*", "techniques"),
    Field("tag", _T.WORDS, "One of its tags", "tags"),
    Field("is", _T.FLAG, "open, closed, or waiting for a person", "", ("open", "closed", "waiting")),
)
FIELDS: Mapping[str, Field] = {field.name: field for field in _DECLARED}
"""Every field by its name."""

NAMES: Mapping[str, Field] = {name: field for field in _DECLARED for name in (field.name, *field.aliases)}
"""Every field by its name and its aliases."""


def folded(text: str) -> str:
    """How text is compared: without case, and without the code points SQLite cannot tell apart."""
    return text.casefold().replace("\0", "\ufffd").replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


class Pattern(NamedTuple):
    """Folded pieces with anything between: ("a",) is "a" itself, ("a", "") begins with it, ("", "a", "") has it."""

    pieces: tuple[str, ...]

    def fits(self, value: str) -> bool:
        """Whether the folded `value` is of this form; linear in its length."""
        first, *others = self.pieces
        if not others:
            return value == first
        *middle, last = others
        at, end = len(first), len(value) - len(last)
        if end < at or not value.startswith(first) or not value.endswith(last):
            return False
        for piece in middle:
            at = value.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Text:
    """Any of the texts of `column` fits `pattern`."""

    column: str
    pattern: Pattern

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        return any(self.pattern.fits(value) for value in _texts(row, self.column))


@dataclass(frozen=True, slots=True)
class Choice:
    """The word in `column` is one of `values`."""

    column: str
    values: frozenset[str]

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        value = getattr(row, self.column)
        return (NO_VERDICT if value is None else value.value) in self.values


@dataclass(frozen=True, slots=True)
class Number:
    column: str
    comparison: str
    value: float

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        return COMPARISONS[self.comparison](getattr(row, self.column), self.value)


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The time from the instant in `column` until now."""

    column: str
    comparison: str
    duration: timedelta

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        return COMPARISONS[self.comparison](now - getattr(row, self.column), self.duration)


@dataclass(frozen=True, slots=True)
class Not:
    part: Tree

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        return not self.part.matches(row, now)


@dataclass(frozen=True, slots=True)
class And:
    """Without parts: every row."""

    parts: tuple[Tree, ...]

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        return all(part.matches(row, now) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Tree, ...]

    def matches(self, row: IncidentRow, now: datetime) -> bool:
        return any(part.matches(row, now) for part in self.parts)


Tree = Text | Choice | Number | Elapsed | Not | And | Or


def _texts(row: IncidentRow, column: str) -> Iterable[str]:
    value = row.id.hex if column == "id" else getattr(row, column)
    return (folded(value),) if isinstance(value, str) else (folded(one) for one in value)
