"""What a source pack says: how to recognise, verify and map one vendor's deliveries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, field_validator

from warden_desktop.adapters.sources.challenge import Challenge
from warden_desktop.adapters.sources.expression import Expression
from warden_desktop.adapters.sources.forms import Form, content_types
from warden_desktop.adapters.sources.forms.envelopes import Envelope
from warden_desktop.adapters.sources.signature import HeaderName, Scheme
from warden_desktop.domain.alert import ObservableType, Role, Severity
from warden_desktop.domain.record import Record

V = TypeVar("V")

Category = Literal[
    "web_shell", "brute_force", "phishing", "malware", "ransomware", "command_and_control", "impossible_travel",
    "account_takeover", "privilege_escalation", "lateral_movement", "exfiltration", "web_attack", "cloud_misuse",
    "supply_chain", "policy_violation", "availability", "port_scan", "suspicious_activity",
]  # fmt: skip
"""The product's kinds of alert, shared with triage and playbooks."""


def _jmespath(text: str) -> str:
    Expression(text)
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text


Path = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_jmespath)]
"""A JMESPath expression; on a delivery that is split, on one element, with the whole delivery as `_delivery`."""

Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_pattern)]
"""A regular expression, searched for without regard to case."""

AttributeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Band(Record):
    """Numbers from `at_least` on are this severity."""

    at_least: float
    severity: Severity


class SeverityMap(Record):
    """`lookup` by word (in lower case) first; else, for a number, the first of `bands` it reaches; else `default`."""

    source: Path = Field(alias="from")
    lookup: dict[str, Severity] = Field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    default: Severity

    @field_validator("bands")
    @classmethod
    def _descending(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        limits = [band.at_least for band in bands]
        if limits != sorted(set(limits), reverse=True):
            raise ValueError("bands go from the highest to the lowest, each once")
        return bands

    @field_validator("lookup")
    @classmethod
    def _lower(cls, lookup: dict[str, Severity]) -> dict[str, Severity]:
        return _in_lower_case(lookup)


class CategoryTest(Record):
    """One attempt at the category: `lookup` finds a whole word, `match` searches text; of a list, each element."""

    source: Path = Field(alias="from")
    lookup: dict[str, Category] = Field(default_factory=dict)
    match: dict[Category, Pattern] = Field(default_factory=dict)

    @field_validator("lookup")
    @classmethod
    def _lower(cls, lookup: dict[str, Category]) -> dict[str, Category]:
        return _in_lower_case(lookup)


class CategoryMap(Record):
    """The first of `tests` that finds one wins; else `default`."""

    tests: tuple[CategoryTest, ...] = ()
    default: Category = "suspicious_activity"


class ObservableMap(Record):
    """Values that become observables. `role` is a role's name, or an expression that gives one."""

    type: ObservableType
    role: str = Role.UNKNOWN.value
    source: Path = Field(alias="from")
    path: str = ""

    @field_validator("role")
    @classmethod
    def _role(cls, role: str) -> str:
        return role if role in set(Role) else _jmespath(role)


class AlertMap(Record):
    """Where each field of an alert comes from."""

    title: Path
    description: Path | None = None
    severity: SeverityMap
    category: CategoryMap = CategoryMap()
    occurred_at: tuple[Path, ...] = ()
    target: Path | None = None
    external_id: Path | None = None
    rule_id: Path | None = None
    rule_name: Path | None = None
    link: Path | None = None
    techniques: Path | None = None
    attributes: dict[AttributeName, Path] = Field(default_factory=dict)
    attributes_of: Path | None = None
    """An object whose scalars become attributes too, under their own names."""
    observables: tuple[ObservableMap, ...] = ()
    dedupe_key: tuple[Path, ...] = Field(min_length=1)

    def paths(self) -> Iterator[str]:
        """Every expression that reads an alert."""
        single = (self.title, self.description, self.target, self.external_id, self.rule_id, self.rule_name)
        yield from (path for path in (*single, self.link, self.techniques, self.attributes_of) if path)
        yield from (*self.occurred_at, *self.attributes.values(), *self.dedupe_key, self.severity.source)
        yield from (test.source for test in self.category.tests)
        yield from (one.source for one in self.observables)
        yield from (one.role for one in self.observables if one.role not in set(Role))


class DeliveryId(Record):
    """What names a delivery, so that it counts once: the first of `headers` that is there, else `path` in the body."""

    headers: tuple[HeaderName, ...] = ()
    path: Path | None = None


class Requirement(Record):
    """What must be true of a delivery for this pack to understand it; `why` is told to the sender when it is not."""

    holds: Path
    why: str


class Expected(Record):
    """What an example must become. Only what is given is compared; observables as `role type value`."""

    title: str | None = None
    description: str | None = None
    severity: Severity | None = None
    category: Category | None = None
    occurred_at: str | None = None
    target: str | None = None
    external_id: str | None = None
    rule_id: str | None = None
    rule_name: str | None = None
    link: str | None = None
    dedupe_key: str | None = None
    techniques: tuple[str, ...] | None = None
    observables: tuple[str, ...] | None = None
    unmapped: tuple[str, ...] | None = None
    attributes: dict[str, str | int | float | bool] | None = None


class Example(Record):
    """A delivery and what it becomes, one `expect` for each alert. Of other forms than JSON, the body as text."""

    about: str
    delivery: Any
    expect: tuple[Expected, ...]


class SourcePack(Record):
    """One vendor's webhook.

    `docs` tells how to point the vendor at us. `form` is how its bodies are written, `content_types` as what they are
    sent (the form's usual ones unless given), `unwrap` where in them further JSON is wrapped as text, `challenge` how
    the vendor tries an address first. `split` gives the list of a delivery that holds several alerts.
    `resolved` holds for a delivery that says its alert is over: it is marked so and raises no severity.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    title: str
    vendor: str
    docs: str
    form: Form = "json"
    content_types: tuple[str, ...] = Field(default_factory=lambda given: content_types(given.get("form", "json")))
    unwrap: tuple[Envelope, ...] = Field(default=(), max_length=8)
    verification: tuple[Scheme, ...] = ()
    challenge: Challenge | None = None
    delivery_id: DeliveryId = DeliveryId()
    require: tuple[Requirement, ...] = ()
    split: Path | None = None
    resolved: Path | None = None
    map: AlertMap
    examples: tuple[Example, ...] = Field(min_length=1)

    def paths(self) -> Iterator[str]:
        """Every expression that reads an alert, wherever in the pack it stands."""
        yield from self.map.paths()
        yield from (path for path in (self.resolved, self.delivery_id.path) if path)
        if self.split is None:
            yield from (one.holds for one in self.require)


def _in_lower_case(lookup: dict[str, V]) -> dict[str, V]:
    return {word.lower(): meaning for word, meaning in lookup.items()}
