"""What can be done about an incident: verbs, their risk and inverse, and one proposed use of a verb on a target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue

from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.record import Record


class Verb(StrEnum):
    """Every response the product knows; each is declared once, with its facts, in VERBS."""

    ISOLATE_HOST = "isolate_host"
    UNISOLATE_HOST = "unisolate_host"
    DISABLE_USER = "disable_user"
    ENABLE_USER = "enable_user"
    RESET_PASSWORD = "reset_password"
    REVOKE_SESSIONS = "revoke_sessions"
    BLOCK_IP = "block_ip"
    UNBLOCK_IP = "unblock_ip"
    BLOCK_DOMAIN = "block_domain"
    UNBLOCK_DOMAIN = "unblock_domain"
    QUARANTINE_EMAIL = "quarantine_email"
    RELEASE_EMAIL = "release_email"
    BLOCK_SENDER = "block_sender"
    UNBLOCK_SENDER = "unblock_sender"
    KILL_PROCESS = "kill_process"
    COLLECT_FORENSICS = "collect_forensics"
    CREATE_TICKET = "create_ticket"
    NOTIFY = "notify"
    RUN_SEARCH = "run_search"


class Risk(StrEnum):
    """What harm a mistaken use does: none (reads, tells), low, medium, high (stops somebody's work)."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return list(Risk).index(self)


class Level(StrEnum):
    """Who must approve, least first."""

    ANALYST = "analyst"
    SENIOR = "senior"
    MANAGER = "manager"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class VerbFacts(NamedTuple):
    """What is true of a verb wherever it is used. `inverse` is None when nothing can undo it."""

    label: str
    risk: Risk
    inverse: Verb | None
    targets: frozenset[ObservableType]

    @property
    def reversible(self) -> bool:
        return self.inverse is not None


def _facts(label: str, risk: Risk, inverse: Verb | None, *targets: ObservableType) -> VerbFacts:
    return VerbFacts(label, risk, inverse, frozenset(targets))


_T = ObservableType
VERBS: Mapping[Verb, VerbFacts] = {
    Verb.ISOLATE_HOST: _facts("Isolate host", Risk.HIGH, Verb.UNISOLATE_HOST, _T.HOST),
    Verb.UNISOLATE_HOST: _facts("Release host from isolation", Risk.MEDIUM, Verb.ISOLATE_HOST, _T.HOST),
    Verb.DISABLE_USER: _facts("Disable user", Risk.HIGH, Verb.ENABLE_USER, _T.USER),
    Verb.ENABLE_USER: _facts("Enable user", Risk.MEDIUM, Verb.DISABLE_USER, _T.USER),
    Verb.RESET_PASSWORD: _facts("Reset password", Risk.MEDIUM, None, _T.USER),
    Verb.REVOKE_SESSIONS: _facts("Revoke sessions", Risk.LOW, None, _T.USER),
    Verb.BLOCK_IP: _facts("Block address", Risk.MEDIUM, Verb.UNBLOCK_IP, _T.IP),
    Verb.UNBLOCK_IP: _facts("Unblock address", Risk.LOW, Verb.BLOCK_IP, _T.IP),
    Verb.BLOCK_DOMAIN: _facts("Block domain", Risk.MEDIUM, Verb.UNBLOCK_DOMAIN, _T.DOMAIN),
    Verb.UNBLOCK_DOMAIN: _facts("Unblock domain", Risk.LOW, Verb.BLOCK_DOMAIN, _T.DOMAIN),
    Verb.QUARANTINE_EMAIL: _facts("Quarantine e-mail", Risk.LOW, Verb.RELEASE_EMAIL, _T.MESSAGE_ID),
    Verb.RELEASE_EMAIL: _facts("Release e-mail", Risk.LOW, Verb.QUARANTINE_EMAIL, _T.MESSAGE_ID),
    Verb.BLOCK_SENDER: _facts("Block sender", Risk.LOW, Verb.UNBLOCK_SENDER, _T.EMAIL),
    Verb.UNBLOCK_SENDER: _facts("Unblock sender", Risk.LOW, Verb.BLOCK_SENDER, _T.EMAIL),
    Verb.KILL_PROCESS: _facts("Kill process", Risk.HIGH, None, _T.PROCESS),
    Verb.COLLECT_FORENSICS: _facts("Collect forensics", Risk.LOW, None, _T.HOST),
    Verb.CREATE_TICKET: _facts("Create ticket", Risk.NONE, None),
    Verb.NOTIFY: _facts("Notify", Risk.NONE, None),
    Verb.RUN_SEARCH: _facts("Run search", Risk.NONE, None),
}
"""Empty `targets` means the verb acts on the incident as a whole."""


class Target(Record):
    """What a verb is done to. For verbs that act on the incident as a whole, `type` is None and `value` its id."""

    type: ObservableType | None
    value: str = Field(min_length=1, max_length=4096)


class ProposedAction(Record):
    """One use of one verb on one target, as a playbook or a person proposed it.

    `evidence` are ids of the analysis' evidence; `connector` names the responder that would carry it out; `expires_at`
    is part of what an approval binds, so it is set here, once.
    """

    id: UUID
    incident_id: UUID
    verb: Verb
    target: Target
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    reason: str = ""
    evidence: tuple[str, ...] = ()
    proposed_by: str
    connector: str
    expires_at: AwareDatetime

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical {verb, target, parameters, evidence ids, expiry}: what an approval binds."""
        return _digest(self.verb, self.target, self.parameters, self.evidence, self.expires_at)


def _digest(
    verb: Verb, target: Target, parameters: Mapping[str, JsonValue], evidence: tuple[str, ...], expires_at: datetime
) -> str:
    bound = {
        "verb": verb.value,
        "target": target.model_dump(mode="json"),
        "parameters": dict(parameters),
        "evidence": list(evidence),
        "expires_at": expires_at.isoformat(),
    }
    canonical = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


class RequestPreview(Record):
    """Exactly what a connector would send, with secrets shown as `***`. `simulated` requests reach nothing."""

    connector: str
    simulated: bool
    method: str = ""
    url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = None
    undo: str = ""


class Result(StrEnum):
    """How an attempt ended. UNKNOWN: it may or may not have taken effect; only a person decides what follows."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Outcome(Record):
    """What a connector reports of one attempt. `response` is what came back, cut at 4,096 characters."""

    result: Result
    detail: str
    status_code: int | None = None
    response: str = Field(default="", max_length=4096)


class ActionState(StrEnum):
    """Where an action stands; which event leads to which state is declared in ACTION_MOVES of incident.py."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    SIMULATED = "simulated"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DENIED = "denied"
    EXPIRED = "expired"
    STALE = "stale"
    HELD = "held"

    @property
    def final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset(
    {
        ActionState.DONE,
        ActionState.SIMULATED,
        ActionState.FAILED,
        ActionState.UNKNOWN,
        ActionState.DENIED,
        ActionState.EXPIRED,
        ActionState.STALE,
    }
)
