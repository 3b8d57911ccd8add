"""A morning of made-up incidents, as events with their own times: for pictures and for tests of full tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from warden_desktop.domain import events as ev
from warden_desktop.domain.action import ProposedAction, Target, Verb
from warden_desktop.domain.alert import Alert, Observable, ObservableType, Role, Severity
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Evidence, Finding, TriageAnalysis, Verdict

T = ObservableType


class Story(NamedTuple):
    """One incident of the morning; `minutes` is how long ago it was opened."""

    title: str
    severity: Severity
    target: str
    source: str
    category: str
    verdict: Verdict | None
    sure: float
    alerts: int
    minutes: int


_TABLE = """
Cobalt Strike beacon from web server | critical | web-01 | suricata | beaconing | true_positive | 0.96 | 6 | 2
Web shell written to web root | critical | web-01 | wazuh | web_shell | likely_true_positive | 0.94 | 3 | 9
Impossible travel: Lisbon to Jakarta in 41 min | high | j.doe | okta | impossible_travel | suspicious | 0.61 | 1 | 14
Credential phishing reported by 4 | high | it@corp.example | email_gateway | phishing | true_positive | 0.91 | 4 | 22
Mimikatz command line | high | ws-fin-07 | wazuh | credential_access | likely_true_positive | 0.88 | 1 | 31
SSH brute force against the jump host | medium | jump-02 | wazuh | brute_force | suspicious | 0.72 | 148 | 38
Mail from a lookalike domain | medium | m.keller | email_gateway | phishing | likely_true_positive | 0.83 | 2 | 44
DNS tunnel suspected: 3,000 TXT queries | medium | dev-build-3 | suricata | dns_tunnel | inconclusive | 0.5 | 12 | 52
New admin account outside change window | medium | dc-01 | wazuh | account_created | | 0 | 1 | 57
Antivirus signature out of date | low | ws-hr-12 | alertmanager | hygiene | likely_false_positive | 0.9 | 1 | 66
TLS certificate expires in 6 days | low | shop.corp.example | alertmanager | hygiene | false_positive | 0.97 | 1 | 71
Port scan from the scanner's own address | low | 10.20.0.5 | suricata | port_scan | false_positive | 0.99 | 31 | 80
Login from a new device | info | a.wong | okta | new_device | likely_false_positive | 0.86 | 1 | 88
Backup job took longer than usual | info | nas-02 | alertmanager | hygiene | false_positive | 0.93 | 2 | 95
"""


def _story(line: str) -> Story:
    title, severity, target, source, category, *rest = (part.strip() for part in line.split("|"))
    verdict, sure, alerts, minutes = rest
    believed = Verdict(verdict) if verdict else None
    return Story(title, Severity(severity), target, source, category, believed, float(sure), int(alerts), int(minutes))


STORIES: tuple[Story, ...] = tuple(_story(line) for line in _TABLE.strip().splitlines())

HOSTILE: tuple[tuple[str, str], ...] = (
    ("<img src='file:///dev/zero'><b>Bold</b> claim & \"quotes\"", "web-01<script>"),
    ("Invoice \u202efdp.exe opened", "p\u0430ypal.example"),
    ("zero\u200bwidth and \x1b[31mcontrol\x07 characters\r\nsecond line", "ws\u2028-01"),
    ("Ｆｕｌｌｗｉｄｔｈ ｔｉｔｌｅ and عنوان بالعربية", "админ"),
    ("A very long title " + "that goes on and on " * 40, "host-" + "x" * 3000),
)


def raw_of(title: str, target: str) -> str:
    """A delivery as a vendor would send it."""
    return json.dumps(
        {
            "timestamp": "2026-11-23T08:14:07.120+0100",
            "rule": {"level": 12, "description": title, "id": "100201", "mitre": {"id": ["T1505.003"]}},
            "agent": {"id": "004", "name": target, "ip": "10.20.4.11"},
            "data": {"srcip": "203.0.113.7", "url": "/uploads/a.php?cmd=id"},
            "syscheck": {"path": "/var/www/html/uploads/a.php", "event": "added", "uname_after": "www-data"},
        }
    )


def alert_of(told: Story, at: datetime) -> Alert:
    """The alert of a story."""
    title, target, source = told.title, told.target, told.source
    kind = T.USER if "." in target and not target[0].isdigit() else T.HOST
    return Alert(
        id=uuid4(), source=source, title=title[:1024], severity=told.severity, category=told.category, occurred_at=at,
        received_at=at, target=target, techniques=("T1505.003", "T1071.001"), dedupe_key=title[:200], signed=True,
        description=f"{title}. Reported by {source}.",
        observables=(
            Observable(type=kind, value=target, role=Role.VICTIM, path="agent.name"),
            Observable(type=T.IP, value="203.0.113.7", role=Role.ACTOR, path="data.srcip"),
            Observable(type=T.FILE, value="/var/www/html/uploads/a.php", path="syscheck.path"),
            Observable(type=T.URL, value="https://cdn-paypa1.example/uploads/a.php?cmd=id", path="data.url"),
        ),
    )  # fmt: skip


def story(told: Story, opened: datetime) -> tuple[UUID, list[ev.Event]]:
    """The id of an incident and its events up to its verdict."""
    incident_id = uuid4()
    alert = alert_of(told, opened)
    received = ev.AlertReceived(
        id=alert.id, at=opened, actor=f"webhook:{told.source}", alert=alert, raw=raw_of(told.title, told.target)
    )
    events: list[ev.Event] = [
        received,
        ev.IncidentCreated(at=opened, actor="intake", incident_id=incident_id, alert=alert, cause=received.id),
        *_joined(incident_id, alert, told.alerts, opened),
        _status(incident_id, opened, Status.NEW, Status.ENRICHING),
        *_enriched(incident_id, opened + timedelta(seconds=1)),
        _status(incident_id, opened, Status.ENRICHING, Status.ANALYZING),
    ]
    if told.verdict is not None:
        at = opened + timedelta(seconds=2)
        events.append(_analysed(incident_id, told, told.verdict, at))
        events.append(_status(incident_id, at, Status.ANALYZING, Status.PENDING_REVIEW))
    return incident_id, events


def _joined(incident_id: UUID, alert: Alert, alerts: int, opened: datetime) -> Iterator[ev.Event]:
    for number in range(1, alerts):
        at = opened + timedelta(seconds=number)
        again = alert.model_copy(update={"id": uuid4(), "received_at": at})
        yield ev.AlertCorrelated(
            at=at, actor="intake", incident_id=incident_id, alert=again, rule="same key", fields={"host": alert.target}
        )


def _status(incident_id: UUID, at: datetime, old: Status, new: Status) -> ev.Event:
    return ev.StatusChanged(at=at, actor="triage", incident_id=incident_id, old=old, new=new)


def _enriched(incident_id: UUID, at: datetime) -> Iterator[ev.Event]:
    found = (
        Finding(name="address_class", value="public", observable="ip:203.0.113.7", path="data.srcip",
                detail="A public address, not one of ours."),
        Finding(name="block_list", value=True, observable="ip:203.0.113.7", path="data.srcip",
                detail="On the local block list since 2026-11-20."),
        Finding(name="lookalike_of", value="paypal.example", path="data.url",
                observable="url:https://cdn-paypa1.example/uploads/a.php?cmd=id",
                detail="cdn-paypa1.example looks like paypal.example: 1 for l."),
    )  # fmt: skip
    for provider, findings in (("address_class", found[:1]), ("block_list", found[1:2]), ("lookalike", found[2:])):
        yield ev.EnrichmentComplete(
            at=at, actor=f"enricher:{provider}", incident_id=incident_id,
            enrichment=Enrichment(
                provider=provider, status=EnrichmentStatus.COMPLETE, findings=findings, as_of=at - timedelta(hours=5)
            ),
        )  # fmt: skip
    missing = Enrichment(
        provider="inventory", status=EnrichmentStatus.NOT_CONFIGURED, as_of=at,
        detail="Name a CSV of assets in the settings.",
    )  # fmt: skip
    yield ev.EnrichmentComplete(at=at, actor="enricher:inventory", incident_id=incident_id, enrichment=missing)
    yield ev.EnrichmentFailed(
        at=at, actor="enricher:seen_before", incident_id=incident_id, provider="seen_before", error="no answer in 5 s"
    )


def _analysed(incident_id: UUID, told: Story, verdict: Verdict, at: datetime) -> ev.Event:
    benign = verdict in (Verdict.FALSE_POSITIVE, Verdict.LIKELY_FALSE_POSITIVE)
    sign = -1 if benign else 1
    evidence = (
        Evidence(id="e1", weight=sign * 2.6, source="rule:upload", path="syscheck.path",
                 value="/var/www/html/uploads/a.php",
                 statement="A PHP file was written into an upload folder by the web server's own account."),
        Evidence(id="e2", weight=sign * 1.4, source="block_list", path="data.srcip", value="203.0.113.7",
                 statement="The address that requested it is on the local block list."),
        Evidence(id="e3", weight=sign * 0.8, source="lookalike", path="data.url",
                 statement="The URL's host imitates a payment service."),
        Evidence(id="e4", weight=-0.5 * sign, source="rule:office_hours", path="timestamp",
                 statement="It happened within office hours, when deployments are usual."),
    )  # fmt: skip
    analysis = TriageAnalysis(
        analyst="rules", category=told.category, verdict=verdict, confidence=told.sure, severity=told.severity,
        malice=1 - told.sure if benign else told.sure, evidence=evidence, techniques=("T1505.003", "T1071.001"),
        summary=f"{told.title}: a PHP file appeared in the upload folder of {told.target[:64]} and was requested 40 "
        "seconds later from an address on the block list.",
        considered=("A deployment: none was running, and deployments do not write to uploads/.",
                    "A scanner: the request carried a command, which scanners of ours do not."),
        missing=("Inventory: not configured, so the owner of the host is unknown.",),
    )  # fmt: skip
    return ev.AnalysisComplete(at=at, actor="analyst_rules", incident_id=incident_id, analysis=analysis)


def proposals(incident_id: UUID, target: str, at: datetime) -> ev.ActionsProposed:
    """What a playbook proposes for a web shell."""

    def one(verb: Verb, kind: ObservableType, value: str, connector: str, reason: str) -> ProposedAction:
        return ProposedAction(
            id=uuid4(), incident_id=incident_id, verb=verb, target=Target(type=kind, value=value), reason=reason,
            evidence=("e1", "e2"), proposed_by="playbook:web_shell", connector=connector,
            expires_at=at + timedelta(hours=4),
        )  # fmt: skip

    return ev.ActionsProposed(
        actor="triage", incident_id=incident_id, playbook="web_shell", actions=(
            one(Verb.ISOLATE_HOST, T.HOST, target, "acme_edr", "A web shell gives its owner commands on the host."),
            one(Verb.BLOCK_IP, T.IP, "203.0.113.7", "acme_edr", "It commands the web shell."),
            one(Verb.COLLECT_FORENSICS, T.HOST, target, "simulated", "Keep the evidence before anything is cleaned."),
        ),
    )  # fmt: skip
