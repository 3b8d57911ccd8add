"""What conditions (CEL) see of an incident: plain data, the same for analysis, playbooks and policy.

    incident     {id, title, severity, severity_rank (0 info .. 4 critical), status, source, category, target,
                 alert_count, verdict, confidence, malice, techniques [..], tags [..], titles [..], rules [..]}
    alert        the first alert {title, description, text, severity, rule_id, rule_name, source, external_id, signed,
                 attributes {..}}; `text` is the case-folded words of all alerts, their commands included
    observables  [{type, value, role}]: of the alerts and those that enrichers extracted; those with a role first
    findings     [{provider, name, value, observable, role}]; `observable` is "type:value" or ""
    found        {name of a finding: its first value}; every name in FOUND is there, with its empty value when not found

What is missing is "", 0, false, [] or the empty value in FOUND, so conditions need `has()` only for alert.attributes
and for findings that are not in FOUND. Lists are cut at LISTED entries and texts at TEXT_KEPT characters, which bounds
the time an incident with thousands of observables takes; nothing that decides about one target relies on these lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from pydantic import JsonValue

from warden_desktop.domain.alert import Alert, Observable, ObservableType, Role
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

LISTED = 100
TEXT_KEPT = 16_384
_ALERTS_READ = 20

OBSERVABLE_FINDING = "observable"
"""The name of findings that are themselves observables: value {"type", "value", "role"}."""

FOUND: Mapping[str, JsonValue] = {
    "address_class": "",
    "actor_class": "",
    "lookalike_of": "",
    "same_name_as": "",
    "punycode": "",
    "well_known": "",
    "spf": "",
    "dkim": "",
    "dmarc": "",
    "reply_to_differs": "",
    "display_name_mismatch": "",
    "sender_domain_age_days": -1,
    "block_list": "",
    "allow_list": "",
    "asset": {"name": "", "owner": "", "criticality": "", "tags": []},
    "user": {"name": "", "department": "", "privileged": False, "manager": ""},
    "seen_before": {"incidents": 0, "same_category": 0, "false_positive": 0, "confirmed": 0, "malicious_open": 0},
    "decoded_command": "",
}
"""Every finding conditions may name without asking first, with its empty value (-1: an age that is not known)."""

_WORDY = frozenset(
    {ObservableType.COMMAND, ObservableType.PROCESS, ObservableType.FILE, ObservableType.URL, ObservableType.DOMAIN}
)
_ROLE_ORDER = {role: rank for rank, role in enumerate(Role)}


def facts_of(incident: Incident) -> dict[str, object]:
    """The facts of `incident`, shaped as the module says; only str, int, float, bool, list and dict."""
    seen = observables_of(incident)
    return {
        "incident": _incident(incident),
        "alert": _alert(incident),
        "observables": [
            {"type": one.type.value, "value": one.value, "role": one.role.value} for one in _by_role(seen)[:LISTED]
        ],
        "findings": _findings(incident, seen),
        "found": found_in(incident),
    }


def observables_of(incident: Incident) -> tuple[Observable, ...]:
    """The incident's observables and those that enrichers extracted, each once; the alerts' own word comes first."""
    merged = {one.key: one for one in incident.observables}
    for finding in _all_findings(incident):
        extracted = _as_observable(finding)
        if extracted is not None:
            merged.setdefault(extracted.key, extracted)
    return tuple(merged.values())


def found_in(incident: Incident) -> dict[str, JsonValue]:
    """The first value of each finding by name, over the empty values in FOUND."""
    first: dict[str, JsonValue] = {}
    for finding in _all_findings(incident):
        if finding.name != OBSERVABLE_FINDING:
            first.setdefault(finding.name, finding.value)
    return {**FOUND, **first}


def text_of(incident: Incident) -> str:
    """The case-folded words of the incident's first and newest alerts, cut at TEXT_KEPT characters."""
    alerts = (incident.alerts[0], *incident.alerts[1:][-_ALERTS_READ:])
    decoded = (str(one.value) for one in _all_findings(incident) if one.name == "decoded_command")
    words = dict.fromkeys(word for alert in alerts for word in _words(alert))
    return " \n".join((*words, *decoded))[:TEXT_KEPT].casefold()


def _words(alert: Alert) -> Iterable[str]:
    yield alert.title
    yield alert.rule_name
    yield from (seen.value for seen in alert.observables[:LISTED] if seen.type in _WORDY)
    yield from (value for value in alert.attributes.values() if isinstance(value, str))
    yield alert.description


def _incident(incident: Incident) -> dict[str, object]:
    analysis = incident.analysis
    return {
        "id": str(incident.id),
        "title": incident.title,
        "severity": incident.severity.value,
        "severity_rank": incident.severity.rank,
        "status": incident.status.value,
        "source": incident.source,
        "category": incident.category,
        "target": incident.target,
        "alert_count": incident.alert_count,
        "verdict": analysis.verdict.value if analysis else "",
        "confidence": analysis.confidence if analysis else 0.0,
        "malice": analysis.malice if analysis else 0.0,
        "techniques": list(incident.techniques[:LISTED]),
        "tags": list(incident.tags[:LISTED]),
        "titles": list(dict.fromkeys(alert.title for alert in incident.alerts))[:LISTED],
        "rules": list(dict.fromkeys(alert.rule_id for alert in incident.alerts if alert.rule_id))[:LISTED],
    }


def _alert(incident: Incident) -> dict[str, object]:
    first = incident.alerts[0]
    return {
        "title": first.title,
        "description": first.description[:TEXT_KEPT],
        "text": text_of(incident),
        "severity": first.severity.value,
        "rule_id": first.rule_id,
        "rule_name": first.rule_name,
        "source": first.source,
        "external_id": first.external_id,
        "signed": first.signed,
        "attributes": _attributes(incident),
    }


def _attributes(incident: Incident) -> dict[str, object]:
    merged: dict[str, object] = {}
    for alert in incident.alerts[:_ALERTS_READ]:
        for name, value in alert.attributes.items():
            merged.setdefault(name, _small(value))
    return dict(list(merged.items())[:LISTED])


def _small(value: str | int | float | bool) -> str | int | float | bool:
    """CEL's integers have 64 bits; a wider one becomes its digits."""
    if isinstance(value, str):
        return value[:TEXT_KEPT]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def _findings(incident: Incident, seen: tuple[Observable, ...]) -> list[dict[str, object]]:
    roles = {one.key: one.role.value for one in seen}
    told = (
        (enrichment.provider, finding)
        for enrichment in incident.enrichments
        for finding in enrichment.findings
        if finding.name != OBSERVABLE_FINDING
    )
    return [
        {
            "provider": provider,
            "name": finding.name,
            "value": finding.value,
            "observable": finding.observable,
            "role": roles.get(finding.observable, ""),
        }
        for provider, finding in list(told)[:LISTED]
    ]


def _by_role(seen: tuple[Observable, ...]) -> list[Observable]:
    return sorted(seen, key=lambda one: _ROLE_ORDER[one.role])


def _all_findings(incident: Incident) -> Iterable[Finding]:
    return (finding for enrichment in incident.enrichments for finding in enrichment.findings)


def _as_observable(finding: Finding) -> Observable | None:
    if finding.name != OBSERVABLE_FINDING or not isinstance(finding.value, dict):
        return None
    told = cast(dict[str, str], finding.value)
    try:
        return Observable(
            type=ObservableType(told["type"]), value=told["value"], role=Role(told["role"]), path=finding.path
        )
    except (KeyError, ValueError):
        return None
