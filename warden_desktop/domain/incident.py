"""What the events mean: an incident is the fold of its events, and `Incident.after(event)` is the only way it changes.

Theory of operation: the log is the truth; an Incident is a value computed from it. `after` is total and deterministic:
an event that no longer fits (a status step the table forbids, an outcome for an action that was never started) changes
nothing, so replaying a log always gives the same incident, whatever raced when it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime

from warden_desktop.domain import events as ev
from warden_desktop.domain.action import (
    ActionState,
    Level,
    Outcome,
    ProposedAction,
    RequestPreview,
    Result,
    Target,
    Verb,
)
from warden_desktop.domain.alert import Alert, Observable, Severity
from warden_desktop.domain.record import Record
from warden_desktop.domain.status import Status, may_follow
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, TriageAnalysis, Verdict

ALERTS_KEPT = 100
"""An incident keeps its first alert and its newest ones up to this many; all are in the log, and all are counted."""

OBSERVABLES_KEPT = 500


class Action(Record):
    """One proposed action and what became of it."""

    proposed: ProposedAction
    state: ActionState = ActionState.PROPOSED
    level: Level | None = None
    digest: str = ""
    request: RequestPreview | None = None
    rule: str = ""
    asked_at: AwareDatetime | None = None
    decided_by: str = ""
    decided_as: Level | None = None
    decided_at: AwareDatetime | None = None
    reason: str = ""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    outcome: Outcome | None = None
    simulated: bool = False

    @property
    def id(self) -> UUID:
        return self.proposed.id

    @property
    def verb(self) -> Verb:
        return self.proposed.verb

    @property
    def target(self) -> Target:
        return self.proposed.target


class Comment(Record):
    at: AwareDatetime
    actor: str
    text: str


class IncidentRow(NamedTuple):
    """What tables, search and counters need of an incident; small, flat, and cheap to keep a million of."""

    id: UUID
    title: str
    severity: Severity
    status: Status
    target: str
    source: str
    category: str
    verdict: Verdict | None
    confidence: float
    assignee: str
    alerts: int
    waiting: int
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None
    techniques: tuple[str, ...]
    tags: tuple[str, ...]
    text: str


class Incident(Record):
    """The current state of one incident."""

    id: UUID
    title: str
    severity: Severity
    status: Status = Status.NEW
    source: str
    target: str
    category: str = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    decided_at: AwareDatetime | None = None
    alerts: tuple[Alert, ...]
    alert_count: int = 1
    last_seen: AwareDatetime
    observables: tuple[Observable, ...] = ()
    techniques: tuple[str, ...] = ()
    enrichments: tuple[Enrichment, ...] = ()
    analysis: TriageAnalysis | None = None
    analysis_error: str = ""
    playbook: str = ""
    actions: tuple[Action, ...] = ()
    comments: tuple[Comment, ...] = ()
    assignee: str = ""
    level: Level | None = None
    resolution: str = ""
    tickets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()

    @classmethod
    def opened_by(cls, event: ev.IncidentCreated) -> Incident:
        """The incident as its first event makes it."""
        alert = event.alert
        return cls(
            id=event.incident_id,
            title=alert.title,
            severity=alert.severity,
            source=alert.source,
            target=alert.target,
            category=alert.category,
            created_at=event.at,
            updated_at=event.at,
            alerts=(alert,),
            last_seen=alert.received_at,
            observables=alert.observables[:OBSERVABLES_KEPT],
            techniques=alert.techniques,
            tags=() if alert.signed else ("unsigned",),
        )

    @classmethod
    def folded(cls, events: Iterable[ev.Event], incident: Incident | None = None) -> Incident | None:
        """The incident its events (in log order) add up to, from its creation on or from what it was before them; None
        when there is neither."""
        events = iter(events)
        for event in events:
            if isinstance(event, ev.IncidentCreated) and incident is None:
                return cls.opened_by(event)._and_then(events)
            if incident is not None:
                return incident.after(event)._and_then(events)
        return incident

    def _and_then(self, events: Iterable[ev.Event]) -> Incident:
        """As `after` each of `events`, but with one copy for all of them: nobody has seen this one yet."""
        incident = self.model_copy()
        fields = incident.__dict__
        for event in events:
            change = _CHANGES.get(type(event))
            changed = change(incident, event) if change else {}
            if changed:
                fields["updated_at"] = event.at
                fields.update(changed)
        return incident

    def after(self, event: ev.Event) -> Incident:
        """The incident after one more of its events; `self` when the event changes nothing."""
        change = _CHANGES.get(type(event))
        changed = change(self, event) if change else {}
        if not changed:
            return self
        return self.model_copy(update={"updated_at": event.at, **changed})

    def action(self, action_id: UUID) -> Action | None:
        """The action of that id, or None."""
        return next((action for action in self.actions if action.id == action_id), None)

    @property
    def waiting(self) -> int:
        """How many actions wait for a person."""
        return sum(action.state is ActionState.WAITING for action in self.actions)

    @property
    def row(self) -> IncidentRow:
        """What the incident table shows and the search looks at."""
        analysis = self.analysis
        return IncidentRow(
            self.id, self.title, self.severity, self.status, self.target, self.source, self.category,
            analysis.verdict if analysis else None, analysis.confidence if analysis else 0.0,
            self.assignee, self.alert_count, self.waiting, self.created_at, self.updated_at, self.decided_at,
            self.techniques, self.tags, _searchable(self),
        )  # fmt: skip


def _searchable(incident: Incident) -> str:
    values = (incident.title, incident.target, incident.source, *(seen.value for seen in incident.observables))
    return " ".join(values)[:4096].casefold()


def _correlated(incident: Incident, event: ev.AlertCorrelated) -> dict[str, object]:
    alert = event.alert
    first, rest = incident.alerts[0], (*incident.alerts[1:], alert)
    known = {seen.key for seen in incident.observables}
    fresh = tuple(seen for seen in alert.observables if seen.key not in known)
    return {
        "alerts": (first, *rest[-(ALERTS_KEPT - 1) :]),
        "alert_count": incident.alert_count + 1,
        "last_seen": max(incident.last_seen, alert.received_at),
        "severity": max(incident.severity, alert.severity, key=lambda severity: severity.rank),
        "observables": (incident.observables + fresh)[:OBSERVABLES_KEPT],
        "techniques": _union(incident.techniques, alert.techniques),
    }


def _enriched(incident: Incident, event: ev.EnrichmentComplete) -> dict[str, object]:
    return {"enrichments": _replacing(incident.enrichments, event.enrichment)}


def _enrichment_failed(incident: Incident, event: ev.EnrichmentFailed) -> dict[str, object]:
    failed = Enrichment(provider=event.provider, status=EnrichmentStatus.FAILED, detail=event.error, as_of=event.at)
    return {"enrichments": _replacing(incident.enrichments, failed)}


def _analysed(incident: Incident, event: ev.AnalysisComplete) -> dict[str, object]:
    analysis = event.analysis
    return {
        "analysis": analysis,
        "analysis_error": "",
        "category": analysis.category or incident.category,
        "severity": max(incident.severity, analysis.severity, key=lambda severity: severity.rank),
        "techniques": _union(incident.techniques, analysis.techniques),
    }


def _analysis_failed(incident: Incident, event: ev.AnalysisFailed) -> dict[str, object]:
    return {"analysis_error": f"{event.analyst}: {event.error}"}


def _proposed(incident: Incident, event: ev.ActionsProposed) -> dict[str, object]:
    known = {action.id for action in incident.actions}
    fresh = tuple(Action(proposed=proposed) for proposed in event.actions if proposed.id not in known)
    return {"actions": incident.actions + fresh, "playbook": event.playbook or incident.playbook}


def _status(incident: Incident, event: ev.StatusChanged) -> dict[str, object]:
    return {"status": event.new} if may_follow(incident.status, event.new) else {}


def _resolved(incident: Incident, event: ev.IncidentResolved) -> dict[str, object]:
    return {"resolution": event.reason, "decided_at": incident.decided_at or event.at}


def _escalated(incident: Incident, event: ev.IncidentEscalated) -> dict[str, object]:
    return {"level": event.level, "decided_at": incident.decided_at or event.at}


def _assigned(incident: Incident, event: ev.IncidentAssigned) -> dict[str, object]:
    return {"assignee": event.assignee}


def _commented(incident: Incident, event: ev.CommentAdded) -> dict[str, object]:
    return {"comments": (*incident.comments, Comment(at=event.at, actor=event.actor, text=event.text))}


def _ticketed(incident: Incident, event: ev.TicketCreated) -> dict[str, object]:
    return {"tickets": _union(incident.tickets, (event.key,))}


def _judged(incident: Incident, event: ev.FeedbackReceived) -> dict[str, object]:
    word = "right" if event.right else "wrong"
    return {"feedback": (*incident.feedback, f"{event.actor}: {event.verdict} is {word}. {event.why}".strip())}


_A = ActionState
ACTION_MOVES: Mapping[type[ev.ActionEvent], tuple[frozenset[ActionState], ActionState]] = {
    ev.ApprovalRequested: (frozenset({_A.PROPOSED}), _A.WAITING),
    ev.ActionApproved: (frozenset({_A.PROPOSED, _A.WAITING, _A.HELD}), _A.APPROVED),
    ev.ActionDenied: (frozenset({_A.PROPOSED, _A.WAITING, _A.HELD, _A.APPROVED}), _A.DENIED),
    ev.ApprovalExpired: (frozenset({_A.WAITING, _A.HELD}), _A.EXPIRED),
    ev.ActionHeld: (frozenset({_A.APPROVED}), _A.HELD),
    ev.ActionStale: (frozenset({_A.APPROVED, _A.HELD}), _A.STALE),
    ev.ActionStarted: (frozenset({_A.APPROVED}), _A.RUNNING),
    ev.ActionExecuted: (frozenset({_A.RUNNING, _A.UNKNOWN}), _A.DONE),
}
"""From which states an event moves an action, and where to. ActionExecuted's goal is refined by its outcome."""


def _acted(incident: Incident, event: ev.ActionEvent) -> dict[str, object]:
    action = incident.action(event.action_id)
    origins, goal = ACTION_MOVES[type(event)]
    if action is None or action.state not in origins:
        return {}
    moved = action.model_copy(update={"state": goal, **_ACTION_DETAILS[type(event)](event)})
    actions = tuple(moved if one.id == moved.id else one for one in incident.actions)
    return {"actions": actions, **_decided(incident, event)}


def _decided(incident: Incident, event: ev.ActionEvent) -> dict[str, object]:
    by_a_person = event.actor.startswith("analyst:") and isinstance(event, ev.ActionApproved | ev.ActionDenied)
    return {"decided_at": event.at} if by_a_person and incident.decided_at is None else {}


def _asked(event: ev.ApprovalRequested) -> dict[str, object]:
    return {
        "level": event.level,
        "digest": event.digest,
        "request": event.request,
        "rule": event.rule,
        "reason": event.reason,
        "asked_at": event.at,
        "simulated": event.request.simulated,
    }


def _approved(event: ev.ActionApproved) -> dict[str, object]:
    return {
        "digest": event.digest,
        "request": event.request,
        "decided_by": event.actor,
        "decided_as": event.level,
        "decided_at": event.at,
        "reason": event.reason,
        "rule": event.rule,
        "simulated": event.request.simulated,
    }


def _denied(event: ev.ActionDenied) -> dict[str, object]:
    return {"decided_by": event.actor, "decided_at": event.at, "reason": event.reason, "rule": event.rule}


def _executed(event: ev.ActionExecuted) -> dict[str, object]:
    return {
        "state": _state_of(event.outcome.result, event.simulated),
        "outcome": event.outcome,
        "finished_at": event.at,
        "simulated": event.simulated,
    }


def _state_of(result: Result, simulated: bool) -> ActionState:
    if result is Result.SUCCEEDED:
        return ActionState.SIMULATED if simulated else ActionState.DONE
    return ActionState.FAILED if result is Result.FAILED else ActionState.UNKNOWN


_ACTION_DETAILS: Mapping[type[ev.ActionEvent], Callable[[Any], dict[str, object]]] = {
    ev.ApprovalRequested: _asked,
    ev.ActionApproved: _approved,
    ev.ActionDenied: _denied,
    ev.ApprovalExpired: lambda event: {"decided_by": event.actor, "decided_at": event.at},
    ev.ActionHeld: lambda event: {"reason": event.reason},
    ev.ActionStale: lambda event: {"reason": event.reason, "finished_at": event.at},
    ev.ActionStarted: lambda event: {"started_at": event.at, "simulated": event.simulated},
    ev.ActionExecuted: _executed,
}

_CHANGES: Mapping[type[ev.Event], Callable[[Incident, Any], dict[str, object]]] = {
    ev.AlertCorrelated: _correlated,
    ev.EnrichmentComplete: _enriched,
    ev.EnrichmentFailed: _enrichment_failed,
    ev.AnalysisComplete: _analysed,
    ev.AnalysisFailed: _analysis_failed,
    ev.ActionsProposed: _proposed,
    ev.StatusChanged: _status,
    ev.IncidentResolved: _resolved,
    ev.IncidentEscalated: _escalated,
    ev.IncidentAssigned: _assigned,
    ev.CommentAdded: _commented,
    ev.TicketCreated: _ticketed,
    ev.FeedbackReceived: _judged,
    **dict.fromkeys(ACTION_MOVES, _acted),
}


def _replacing(enrichments: tuple[Enrichment, ...], fresh: Enrichment) -> tuple[Enrichment, ...]:
    return (*(one for one in enrichments if one.provider != fresh.provider), fresh)


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
