"""One sample of every event, telling the story of one incident: for tests of codecs, folds, timelines and pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from warden_desktop.domain import events as ev
from warden_desktop.domain.action import Level, Outcome, ProposedAction, RequestPreview, Result, Target, Verb
from warden_desktop.domain.alert import Alert, Observable, ObservableType, Role, Severity
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Evidence, Finding, TriageAnalysis, Verdict

ROOT = UUID("6f1f7d9a-37b8-4d5e-9a36-0d7c6b1f2a01")
START = datetime(2026, 11, 20, 9, 14, 7, tzinfo=UTC)
INCIDENT = uuid5(ROOT, "incident")
RAW = '{"rule":{"level":12,"description":"Web shell written to web root"},"agent":{"name":"web-01"}}'


def _id(name: str) -> UUID:
    return uuid5(ROOT, name)


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def alert(name: str = "alert", title: str = "Web shell written to web root") -> Alert:
    """A web shell alert about web-01."""
    return Alert(
        id=_id(name),
        source="wazuh",
        external_id="1795166047.1",
        title=title,
        description="File '/var/www/html/uploads/a.php' added",
        severity=Severity.HIGH,
        category="web_shell",
        occurred_at=START,
        received_at=_at(1),
        target="web-01",
        observables=(
            Observable(type=ObservableType.HOST, value="web-01", role=Role.VICTIM, path="agent.name"),
            Observable(type=ObservableType.FILE, value="/var/www/html/uploads/a.php", path="syscheck.path"),
            Observable(type=ObservableType.IP, value="203.0.113.7", role=Role.ACTOR, path="data.srcip"),
        ),
        techniques=("T1505.003",),
        rule_id="100201",
        rule_name="web shell",
        attributes={"syscheck_path": "/var/www/html/uploads/a.php", "level": 12},
        dedupe_key="100201/web-01/a.php",
        signed=True,
    )


def proposed(name: str, verb: Verb, type: ObservableType, value: str) -> ProposedAction:
    """A proposal of the web shell playbook."""
    return ProposedAction(
        id=_id(name),
        incident_id=INCIDENT,
        verb=verb,
        target=Target(type=type, value=value),
        reason="a web shell gives its owner commands on the host",
        evidence=("e1",),
        proposed_by="playbook:web_shell",
        connector="generic_http",
        expires_at=_at(3_600),
    )


ISOLATE = proposed("isolate", Verb.ISOLATE_HOST, ObservableType.HOST, "web-01")
BLOCK = proposed("block", Verb.BLOCK_IP, ObservableType.IP, "203.0.113.7")
COLLECT = proposed("collect", Verb.COLLECT_FORENSICS, ObservableType.HOST, "web-01")
QUARANTINE = proposed("expired", Verb.ISOLATE_HOST, ObservableType.HOST, "web-02")
STALE = proposed("stale", Verb.ISOLATE_HOST, ObservableType.HOST, "web-03")
REQUEST = RequestPreview(
    connector="generic_http",
    simulated=False,
    method="POST",
    url="http://127.0.0.1:9/actions",
    headers={"Authorization": "***", "Content-Type": "application/json"},
    body={"verb": "isolate_host", "target": "web-01"},
    undo="unisolate_host",
)
ANALYSIS = TriageAnalysis(
    analyst="rules",
    category="web_shell",
    verdict=Verdict.TRUE_POSITIVE,
    confidence=0.94,
    malice=0.94,
    severity=Severity.CRITICAL,
    summary="A web shell was written to the web root of web-01.",
    evidence=(Evidence(id="e1", statement="PHP file in an upload folder", weight=2.1, source="rule:php", path="x"),),
    considered=("a deployment: no deployment writes to uploads/",),
    techniques=("T1505.003",),
    missing=("inventory",),
)
ENRICHMENT = Enrichment(
    provider="address_class",
    status=EnrichmentStatus.COMPLETE,
    findings=(
        Finding(
            name="address_class", value="documentation", detail="a documentation address", observable="ip:203.0.113.7"
        ),
    ),
    as_of=_at(2),
)


def _incident(name: str, seconds: float, actor: str = "triage") -> dict[str, object]:
    return {"id": _id(name), "at": _at(seconds), "actor": actor, "incident_id": INCIDENT}


def _action(name: str, seconds: float, action: ProposedAction, actor: str = "executor") -> dict[str, object]:
    return {**_incident(name, seconds, actor), "action_id": action.id}


def _plain(name: str, seconds: float, actor: str = "analyst:alice") -> dict[str, object]:
    return {"id": _id(name), "at": _at(seconds), "actor": actor}


def _approved(name: str, seconds: float, action: ProposedAction) -> ev.ActionApproved:
    return ev.ActionApproved.model_validate(
        {**_action(name, seconds, action, "analyst:alice"), "digest": action.digest, "request": REQUEST}
    )


def _status(name: str, seconds: float, old: Status, new: Status) -> ev.StatusChanged:
    return ev.StatusChanged.model_validate({**_incident(name, seconds), "old": old, "new": new})


def _make(kind: type[ev.Event], base: dict[str, object], **fields: object) -> ev.Event:
    return kind.model_validate({**base, **fields})


_DONE = Outcome(result=Result.SUCCEEDED, detail="HTTP 200", status_code=200, response='{"ok":true}')

SAMPLES: tuple[ev.Event, ...] = (
    _make(ev.ApplicationStarted, _plain("start", 0, "application"), version="0.1.0", mode=Mode.ASSISTED),
    _make(ev.ModeChanged, _plain("mode", 0.5), old=Mode.ASSISTED, new=Mode.SUPERVISED),
    _make(ev.AlertReceived, _plain("alert", 1, "webhook:wazuh"), alert=alert(), raw=RAW),
    _make(ev.IncidentCreated, _incident("created", 1.1, "intake"), alert=alert()),
    _status("s1", 1.2, Status.NEW, Status.ENRICHING),
    _make(
        ev.AlertCorrelated, _incident("joined", 1.3, "intake"), alert=alert("again"), rule="same key", fields={"k": "v"}
    ),
    _make(ev.EnrichmentComplete, _incident("enriched", 2), enrichment=ENRICHMENT),
    _make(ev.EnrichmentFailed, _incident("failed", 2), provider="inventory", error="no file"),
    _make(ev.EnrichmentPhaseComplete, _incident("phase", 2.1), complete=("address_class",), failed=("inventory",)),
    _status("s2", 2.2, Status.ENRICHING, Status.ANALYZING),
    _make(ev.AnalysisFailed, _incident("no-analysis", 2.5), analyst="model", error="not configured"),
    _make(ev.AnalysisComplete, _incident("analysis", 3), analysis=ANALYSIS),
    _make(
        ev.ActionsProposed,
        _incident("proposed", 3.1),
        playbook="web_shell",
        actions=(ISOLATE, BLOCK, COLLECT, QUARANTINE, STALE),
    ),
    _make(
        ev.ApprovalRequested,
        _action("asked", 3.2, ISOLATE, "policy"),
        level=Level.ANALYST,
        digest=ISOLATE.digest,
        request=REQUEST,
        rule="high risk",
        reason="isolating stops the host's work",
    ),
    _make(
        ev.ApprovalRequested,
        _action("asked2", 3.2, QUARANTINE, "policy"),
        level=Level.SENIOR,
        digest=QUARANTINE.digest,
        request=REQUEST,
        rule="high risk",
        reason="isolating stops the host's work",
    ),
    _status("s3", 3.3, Status.ANALYZING, Status.PENDING_APPROVAL),
    _make(
        ev.ActionDenied,
        _action("denied", 3.4, BLOCK, "policy"),
        reason="documentation addresses are never blocked",
        rule="protected",
    ),
    _approved("approved", 30, ISOLATE),
    _make(
        ev.ActionStarted,
        _action("started", 30.1, ISOLATE),
        digest=ISOLATE.digest,
        connector="generic_http",
        simulated=False,
    ),
    _make(ev.ActionExecuted, _action("executed", 31, ISOLATE), outcome=_DONE, simulated=False),
    _approved("approved2", 31, COLLECT),
    _make(ev.KillSwitchActivated, _plain("stop", 31.1), scope="everything", reason="wrong host"),
    _make(ev.ActionHeld, _action("held", 31.2, COLLECT), reason="the kill switch stands"),
    _make(
        ev.KillSwitchReceipt,
        _plain("receipt", 31.3, "kill_switch"),
        scope="everything",
        held=(COLLECT.id,),
        milliseconds=3.2,
    ),
    _make(ev.KillSwitchReleased, _plain("released", 60), scope="everything", reason="checked"),
    _approved("approved3", 61, STALE),
    _make(ev.ActionStale, _action("staled", 61.1, STALE), reason="changed since approval"),
    _make(ev.TicketCreated, _incident("ticket", 62, "followup"), system="simulated", key="SIM-1", simulated=True),
    _make(ev.IncidentAssigned, _incident("assigned", 63, "analyst:alice"), assignee="alice"),
    _make(ev.CommentAdded, _incident("comment", 64, "analyst:alice"), text="Host isolated, owner told."),
    _make(
        ev.FeedbackReceived,
        _incident("feedback", 65, "analyst:alice"),
        verdict=Verdict.TRUE_POSITIVE,
        right=True,
        why="seen it",
    ),
    _make(ev.IncidentEscalated, _incident("escalated", 66, "analyst:alice"), level=Level.SENIOR, reason="second host"),
    _status("s4", 66, Status.PENDING_APPROVAL, Status.ESCALATED),
    _make(ev.ApprovalExpired, _action("expired-event", 3_700, QUARANTINE, "policy")),
    _make(
        ev.IncidentResolved, _incident("resolved", 3_800, "analyst:alice"), resolution=Status.RESOLVED, reason="cleaned"
    ),
    _status("s5", 3_800, Status.ESCALATED, Status.RESOLVED),
    _make(
        ev.FaultRaised,
        _plain("fault", 4_000, "journal"),
        component="journal",
        severity=Severity.HIGH,
        detail="the disk is full",
    ),
)
"""In the order they would happen."""
