"""What a vendor told us, normalised. Field names follow OCSF's Detection Finding where it has the word."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field

from warden_desktop.domain.record import Record


class Severity(StrEnum):
    """How bad it would be if true, least first. `rank` is 0 (info) to 4 (critical)."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class ObservableType(StrEnum):
    """What kind of thing an observable is, after STIX's cyber-observable objects."""

    IP = "ip"
    DOMAIN = "domain"
    URL = "url"
    EMAIL = "email"
    MESSAGE_ID = "message_id"
    HASH = "hash"
    HOST = "host"
    USER = "user"
    FILE = "file"
    PROCESS = "process"
    COMMAND = "command"


class Role(StrEnum):
    """What part an observable plays in the story the alert tells."""

    ACTOR = "actor"
    VICTIM = "victim"
    INFRASTRUCTURE = "infrastructure"
    UNKNOWN = "unknown"


class Observable(Record):
    """One thing the alert names. `path` says where in the delivery it was found, in JMESPath notation."""

    type: ObservableType
    value: str = Field(min_length=1, max_length=4096)
    role: Role = Role.UNKNOWN
    path: str = ""

    @property
    def key(self) -> str:
        """`type:value`, the name by which findings and evidence refer to this observable."""
        return f"{self.type}:{self.value}"


class Alert(Record):
    """One alert of one vendor.

    `category` is the product's own kind of alert in snake_case ("web_shell", "brute_force", "phishing", ...), as the
    source pack maps it, or "" when unknown; `attributes` are further named values the pack lifted out of the delivery
    (for instance `spf`, `sender_domain_age_days`, `process_name`), for rules and people; `unmapped` lists the top-level
    fields that were kept in raw only.
    """

    id: UUID
    source: str
    external_id: str = ""
    title: str = Field(min_length=1, max_length=1024)
    description: str = Field(default="", max_length=65536)
    severity: Severity
    category: str = ""
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    target: str = ""
    observables: tuple[Observable, ...] = ()
    techniques: tuple[str, ...] = ()
    rule_id: str = ""
    rule_name: str = ""
    link: str = ""
    attributes: dict[str, str | int | float | bool] = Field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    dedupe_key: str
    signed: bool = False

    def observed(self, type: ObservableType) -> tuple[str, ...]:
        """The values of all observables of one type, in the order found."""
        return tuple(seen.value for seen in self.observables if seen.type is type)
