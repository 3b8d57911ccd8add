"""Enrich, analyse, propose: what happens to an incident before a person sees it.

Theory of operation: each step answers one event with further events, published as one, whose ids derive from it. So a
step that is repeated after a crash records nothing twice, and one that never finished is repeated. Each step first
looks whether the incident still waits for it: a person may have decided meanwhile, and is not overruled.

    IncidentCreated          -> StatusChanged(enriching); then all at once: EnrichmentComplete and EnrichmentFailed per
                                enricher, EnrichmentPhaseComplete, StatusChanged(analyzing)
    EnrichmentPhaseComplete  -> AnalysisComplete, or AnalysisFailed and StatusChanged(pending_review)
    AnalysisComplete         -> ActionsProposed, or StatusChanged(pending_review) when there is nothing to propose
    AlertCorrelated          -> AnalysisComplete once more, when the alert is worse than what was judged
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from warden_desktop.domain.action import ProposedAction
from warden_desktop.domain.events import (
    ActionsProposed,
    AlertCorrelated,
    AnalysisComplete,
    AnalysisFailed,
    EnrichmentComplete,
    EnrichmentFailed,
    EnrichmentPhaseComplete,
    Event,
    IncidentCreated,
    IncidentEvent,
    StatusChanged,
)
from warden_desktop.domain.facts import facts_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import EnrichmentStatus, TriageAnalysis
from warden_desktop.engine.bus import Bus, Recorded
from warden_desktop.engine.enrichment import Answer, EnrichmentPhase
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.ports import Analyst, Conditions, Enricher

log = logging.getLogger(__name__)

ACTOR = "triage"
_WAITS = (Status.NEW, Status.ENRICHING)
_DECIDABLE = (Status.PENDING_REVIEW, Status.PENDING_APPROVAL, Status.EXECUTING)


class Propose(Protocol):
    """The playbooks, bound to their connectors and the clock: domain.playbook.propose."""

    def __call__(
        self, incident: Incident, holds: Callable[[str], bool], cause_id: UUID
    ) -> tuple[str, tuple[ProposedAction, ...]]: ...


class Triage:
    """The named subscriber "triage": many incidents at once, the events of one in order."""

    def __init__(
        self,
        bus: Bus,
        incidents: Incidents,
        enrichers: Sequence[Enricher],
        analyst: Analyst,
        propose: Propose,
        conditions: Conditions,
        *,
        timeout: float = 5.0,
        deadline: float = 10.0,
        concurrency: int = 32,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout` seconds for one enricher, `deadline` for all of them; create it before the bus starts."""
        self._bus = bus
        self._incidents = incidents
        self._phase = EnrichmentPhase(enrichers, timeout=timeout, deadline=deadline, clock=clock)
        self._analyst = analyst
        self._propose = propose
        self._conditions = conditions
        kinds = (IncidentCreated, EnrichmentPhaseComplete, AnalysisComplete, AlertCorrelated)
        bus.subscribe(ACTOR, self._handle, kinds=kinds, concurrency=concurrency)

    async def _handle(self, recorded: Recorded) -> None:
        event = recorded.event
        if not isinstance(event, IncidentEvent):
            return
        incident = await self._incidents.load(event.incident_id)
        if incident is None:
            return
        if isinstance(event, IncidentCreated):
            await self._enrich(event, incident)
        elif isinstance(event, EnrichmentPhaseComplete):
            await self._analyse(event, incident)
        elif isinstance(event, AnalysisComplete):
            await self._act(event, incident)
        elif isinstance(event, AlertCorrelated):
            await self._reconsider(event, incident)

    async def _enrich(self, event: IncidentCreated, incident: Incident) -> None:
        if incident.status not in _WAITS:
            return
        if incident.status is Status.NEW:
            await self._bus.publish(_moved(event, Status.NEW, Status.ENRICHING))
        answers = await self._phase.ask(incident)
        told = [_told(event, answer) for answer in answers]
        await self._bus.publish(*told, _complete(event, answers), _moved(event, Status.ENRICHING, Status.ANALYZING))

    async def _analyse(self, event: EnrichmentPhaseComplete, incident: Incident) -> None:
        if incident.status is not Status.ANALYZING or incident.analysis is not None:
            return
        try:
            analysis = await self._analyst.analyse(incident)
        except Exception as error:
            log.exception("the analyst %s failed on incident %s", self._analyst.name, incident.id)
            await self._bus.publish(*_failed(event, self._analyst.name, error))
        else:
            await self._bus.publish(AnalysisComplete.because(event, actor=_actor(self._analyst), analysis=analysis))

    async def _act(self, event: AnalysisComplete, incident: Incident) -> None:
        waits = incident.status is Status.ANALYZING
        if not waits and incident.status not in _DECIDABLE:
            return
        try:
            playbook, actions = self._proposals(event, incident)
        except Exception:
            log.exception("no proposals for incident %s", incident.id)
            playbook, actions = "", ()
        if actions:
            await self._bus.publish(
                ActionsProposed.because(event, actor=f"playbook:{playbook}", playbook=playbook, actions=actions)
            )
        elif waits:
            reason = f"playbook {playbook} proposes nothing" if playbook else "no playbook fits"
            await self._bus.publish(_moved(event, Status.ANALYZING, Status.PENDING_REVIEW, reason))

    def _proposals(self, event: AnalysisComplete, incident: Incident) -> tuple[str, tuple[ProposedAction, ...]]:
        """What the playbook proposes and nobody proposed before: a second analysis repeats no question."""
        holds = self._conditions.on(facts_of(incident))
        playbook, actions = self._propose(incident, holds, event.id)
        known = {(one.verb, one.target) for one in incident.actions}
        return playbook, tuple(action for action in actions if (action.verb, action.target) not in known)

    async def _reconsider(self, event: AlertCorrelated, incident: Incident) -> None:
        judged = incident.analysis
        if judged is None or incident.status not in _DECIDABLE or not _worse(event, judged):
            return
        analysis = await self._analyst.analyse(incident)
        await self._bus.publish(AnalysisComplete.because(event, actor=_actor(self._analyst), analysis=analysis))


def _worse(event: AlertCorrelated, judged: TriageAnalysis) -> bool:
    alert = event.alert
    return alert.severity.rank > judged.severity.rank or not set(alert.techniques) <= set(judged.techniques)


def _told(event: IncidentCreated, answer: Answer) -> Event:
    name = answer.provider
    if answer.enrichment is None:
        return EnrichmentFailed.because(event, actor=f"enricher:{name}", part=name, provider=name, error=answer.error)
    return EnrichmentComplete.because(event, actor=f"enricher:{name}", part=name, enrichment=answer.enrichment)


def _complete(event: IncidentCreated, answers: Sequence[Answer]) -> Event:
    def named(status: EnrichmentStatus) -> tuple[str, ...]:
        return tuple(one.provider for one in answers if one.enrichment and one.enrichment.status is status)

    return EnrichmentPhaseComplete.because(
        event,
        actor=ACTOR,
        complete=named(EnrichmentStatus.COMPLETE),
        failed=tuple(one.provider for one in answers if one.enrichment is None),
        not_configured=named(EnrichmentStatus.NOT_CONFIGURED),
    )


def _failed(event: EnrichmentPhaseComplete, analyst: str, error: Exception) -> tuple[Event, Event]:
    said = f"{type(error).__name__}: {error}"[:500]
    return (
        AnalysisFailed.because(event, actor=f"analysis:{analyst}", analyst=analyst, error=said),
        _moved(event, Status.ANALYZING, Status.PENDING_REVIEW, "the analysis failed; a person must look"),
    )


def _moved(cause: Event, old: Status, new: Status, reason: str = "") -> Event:
    return StatusChanged.because(cause, actor=ACTOR, part=new.value, old=old, new=new, reason=reason)


def _actor(analyst: Analyst) -> str:
    return f"analysis:{analyst.name}"
