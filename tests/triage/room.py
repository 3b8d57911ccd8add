"""Alerts and incidents of our own, and the offline enrichers and analyst as the application builds them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from warden_desktop.adapters.analysts.pack import AnalysisPack
from warden_desktop.adapters.analysts.rules import RuleAnalyst
from warden_desktop.adapters.conditions import CelConditions
from warden_desktop.adapters.enrichers.offline import offline_enrichers
from warden_desktop.adapters.enrichers.seen_before import Ask
from warden_desktop.adapters.packs import load_packs
from warden_desktop.assets import resource
from warden_desktop.domain.alert import Alert, Observable, ObservableType, Role, Severity
from warden_desktop.domain.events import AnalysisComplete, EnrichmentComplete, EnrichmentFailed, IncidentCreated
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.playbook import Playbook
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Finding
from warden_desktop.engine.enrichment import EnrichmentPhase
from warden_desktop.engine.ports import Enricher
from warden_desktop.engine.recall import Past

MORNING = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
CONDITIONS = CelConditions()
PACKS = load_packs(resource("analysis"), None, AnalysisPack)
PLAYBOOKS = load_packs(resource("playbooks"), None, Playbook)


def seen(type: str, value: str, role: str = "unknown", path: str = "") -> Observable:
    return Observable(type=ObservableType(type), value=value, role=Role(role), path=path)


def alert(
    title: str = "Something happened",
    *observables: Observable,
    category: str = "",
    severity: Severity = Severity.MEDIUM,
    description: str = "",
    target: str = "",
    techniques: tuple[str, ...] = (),
    **attributes: str | int | float | bool,
) -> Alert:
    return Alert(
        id=uuid4(), source="wazuh", title=title, description=description, severity=severity, category=category,
        occurred_at=MORNING, received_at=MORNING, target=target, observables=observables, techniques=techniques,
        attributes=attributes, dedupe_key=title, signed=True,
    )  # fmt: skip


def opened(one: Alert, id: UUID | None = None) -> Incident:
    return Incident.opened_by(IncidentCreated(actor="intake", at=MORNING, incident_id=id or uuid4(), alert=one))


def with_findings(incident: Incident, *findings: Finding, provider: str = "test") -> Incident:
    enrichment = Enrichment(provider=provider, status=EnrichmentStatus.COMPLETE, findings=findings, as_of=MORNING)
    return incident.after(EnrichmentComplete(actor="test", incident_id=incident.id, enrichment=enrichment))


def enrichers(data_dir: Path, inventory: Path | None = None, ask: Ask = lambda *_: Past()) -> tuple[Enricher, ...]:
    return offline_enrichers(
        lists=resource("lists"), data_dir=data_dir, inventory=inventory, own_domains=["example.test"], ask=ask
    )


async def enriched(incident: Incident, asked: Sequence[Enricher]) -> Incident:
    phase = EnrichmentPhase(asked, timeout=5.0, deadline=10.0, clock=time.monotonic)
    for answer in await phase.ask(incident):
        if answer.enrichment is not None:
            event = EnrichmentComplete(actor="test", incident_id=incident.id, enrichment=answer.enrichment)
            incident = incident.after(event)
        else:
            failed = EnrichmentFailed(
                actor="test", incident_id=incident.id, provider=answer.provider, error=answer.error
            )
            incident = incident.after(failed)
    return incident


def analyst() -> RuleAnalyst:
    return RuleAnalyst(PACKS, CONDITIONS)


def analysed(incident: Incident) -> Incident:
    analysis = analyst().judge(incident)
    return incident.after(AnalysisComplete(actor="test", incident_id=incident.id, analysis=analysis))


def findings_of(incident: Incident, name: str) -> list[Finding]:
    return [one for enrichment in incident.enrichments for one in enrichment.findings if one.name == name]
