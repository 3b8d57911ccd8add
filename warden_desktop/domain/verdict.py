"""What we believe about an incident and why: findings of enrichers, evidence, and the analysis that cites it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field, JsonValue

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.record import Record

Confidence = Annotated[float, Field(ge=0.0, le=1.0)]


class Verdict(StrEnum):
    """What the incident turned out to be, most malicious first."""

    TRUE_POSITIVE = "true_positive"
    LIKELY_TRUE_POSITIVE = "likely_true_positive"
    SUSPICIOUS = "suspicious"
    LIKELY_FALSE_POSITIVE = "likely_false_positive"
    FALSE_POSITIVE = "false_positive"
    INCONCLUSIVE = "inconclusive"


class Finding(Record):
    """One fact an enricher adds.

    `name` is the machine's word ("address_class", "lookalike_of", "spf", "block_list", "asset", "user",
    "seen_before"); `value` its value; `detail` the sentence an analyst reads; `observable` the key (`type:value`) of
    what it is about, or "" when it is about the alert; `path` the field of the delivery it rests on.
    """

    name: str
    value: JsonValue
    detail: str
    observable: str = ""
    path: str = ""


class EnrichmentStatus(StrEnum):
    COMPLETE = "complete"
    NOT_CONFIGURED = "not_configured"
    FAILED = "failed"


class Enrichment(Record):
    """One enricher's answer for one incident. `as_of` is the age of the knowledge, not of the question."""

    provider: str
    status: EnrichmentStatus
    findings: tuple[Finding, ...] = ()
    detail: str = ""
    as_of: AwareDatetime


class Evidence(Record):
    """One reason for or against. `weight` is in log-odds (natural logarithm): positive speaks for malicious."""

    id: str
    statement: str
    weight: float
    source: str
    path: str = ""
    value: str = ""


class TriageAnalysis(Record):
    """What an analyst, of rules or a model, made of an incident.

    `confidence` is the probability that the verdict is right; `malice` the probability that the incident is malicious,
    from which both follow; `considered` names what was weighed and rejected; `missing` what could not be asked.
    """

    analyst: str
    category: str
    verdict: Verdict
    confidence: Confidence
    malice: Confidence
    severity: Severity
    summary: str
    evidence: tuple[Evidence, ...] = ()
    considered: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
