"""Every fact the product records, once. Names are ADR-001's; additions follow its style.

An event is immutable and says who caused it (`actor`) and which event led to it (`cause`). Events that a worker derives
from another take a UUIDv5 of their cause, so doing the work twice records it once.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, get_args
from uuid import UUID, uuid4, uuid5

from pydantic import AwareDatetime, Field, JsonValue, TypeAdapter

from warden_desktop.domain.action import Level, Outcome, ProposedAction, RequestPreview
from warden_desktop.domain.alert import Alert, Severity
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.record import Record, now
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Enrichment, TriageAnalysis, Verdict


def derived_id(cause: UUID, *parts: str) -> UUID:
    """The id of what follows from `cause`: the same cause and parts always give the same id."""
    return uuid5(cause, "/".join(parts))


class Event(Record):
    """What all events have. `kind` is the class name in snake_case and tells the union's members apart."""

    VERSION: ClassVar[int] = 1

    kind: str
    id: UUID = Field(default_factory=uuid4)
    at: AwareDatetime = Field(default_factory=now)
    actor: str
    cause: UUID | None = None
    incident_id: UUID | None = None

    @classmethod
    def because(cls, cause: Event, *, actor: str, part: str = "", **fields: Any) -> Self:
        """The event that follows from `cause`; `part` tells several of one kind apart (a provider, an action id)."""
        if "incident_id" not in fields and cause.incident_id is not None:
            fields["incident_id"] = cause.incident_id
        kind: str = cls.model_fields["kind"].default
        return cls(id=derived_id(cause.id, kind, part), cause=cause.id, actor=actor, **fields)


class IncidentEvent(Event):
    """A fact about one incident."""

    incident_id: UUID


class ActionEvent(IncidentEvent):
    """A fact about one action of one incident."""

    action_id: UUID


class AlertReceived(Event):
    """A delivery was accepted. `id` is the alert's id; `raw` the delivery as it came, to the byte; a `data:` URL
    when it was not UTF-8.

    When one delivery brought several alerts, the first holds `raw` and the others name it in `raw_in`.
    """

    kind: Literal["alert_received"] = "alert_received"
    alert: Alert
    raw: str
    raw_in: UUID | None = None


class IncidentCreated(IncidentEvent):
    kind: Literal["incident_created"] = "incident_created"
    alert: Alert


class AlertCorrelated(IncidentEvent):
    """An alert joined an incident. `rule` and `fields` answer "why grouped?"."""

    kind: Literal["alert_correlated"] = "alert_correlated"
    alert: Alert
    rule: str
    fields: dict[str, str] = Field(default_factory=dict)


class EnrichmentComplete(IncidentEvent):
    kind: Literal["enrichment_complete"] = "enrichment_complete"
    enrichment: Enrichment


class EnrichmentFailed(IncidentEvent):
    kind: Literal["enrichment_failed"] = "enrichment_failed"
    provider: str
    error: str


class EnrichmentPhaseComplete(IncidentEvent):
    kind: Literal["enrichment_phase_complete"] = "enrichment_phase_complete"
    complete: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    not_configured: tuple[str, ...] = ()


class AnalysisComplete(IncidentEvent):
    kind: Literal["analysis_complete"] = "analysis_complete"
    analysis: TriageAnalysis


class AnalysisFailed(IncidentEvent):
    kind: Literal["analysis_failed"] = "analysis_failed"
    analyst: str
    error: str


class ActionsProposed(IncidentEvent):
    kind: Literal["actions_proposed"] = "actions_proposed"
    playbook: str
    actions: tuple[ProposedAction, ...]


class ApprovalRequested(ActionEvent):
    """A person must decide. `digest` and `request` are what is shown, and what an approval binds."""

    kind: Literal["approval_requested"] = "approval_requested"
    level: Level
    digest: str
    request: RequestPreview
    rule: str
    reason: str


class ActionApproved(ActionEvent):
    """By policy or by a person, who decided as `level`. `request` is what was approved: nothing else can run."""

    kind: Literal["action_approved"] = "action_approved"
    level: Level | None = None
    digest: str
    request: RequestPreview
    rule: str = ""
    reason: str = ""


class ActionDenied(ActionEvent):
    kind: Literal["action_denied"] = "action_denied"
    reason: str
    rule: str = ""


class ApprovalExpired(ActionEvent):
    kind: Literal["approval_expired"] = "approval_expired"


class ActionHeld(ActionEvent):
    """Approved, but not started: the kill switch stands. Nothing resumes by itself."""

    kind: Literal["action_held"] = "action_held"
    reason: str


class ActionStale(ActionEvent):
    """Not executed: what would run is no longer what was approved."""

    kind: Literal["action_stale"] = "action_stale"
    reason: str


class ActionStarted(ActionEvent):
    """The intent, durable before the first byte is sent."""

    kind: Literal["action_started"] = "action_started"
    digest: str
    connector: str
    simulated: bool


class ActionExecuted(ActionEvent):
    """The attempt ended: see `outcome.result`. A simulated attempt never counts as executed."""

    kind: Literal["action_executed"] = "action_executed"
    outcome: Outcome
    simulated: bool


class StatusChanged(IncidentEvent):
    """The only event that changes an incident's status; one the transition table forbids changes nothing."""

    kind: Literal["status_changed"] = "status_changed"
    old: Status
    new: Status
    reason: str = ""


class TicketCreated(IncidentEvent):
    kind: Literal["ticket_created"] = "ticket_created"
    system: str
    key: str
    url: str = ""
    simulated: bool


class IncidentEscalated(IncidentEvent):
    kind: Literal["incident_escalated"] = "incident_escalated"
    level: Level
    reason: str


class IncidentResolved(IncidentEvent):
    kind: Literal["incident_resolved"] = "incident_resolved"
    resolution: Status
    reason: str


class IncidentAssigned(IncidentEvent):
    kind: Literal["incident_assigned"] = "incident_assigned"
    assignee: str


class CommentAdded(IncidentEvent):
    kind: Literal["comment_added"] = "comment_added"
    text: str = Field(min_length=1, max_length=65536)


class FeedbackReceived(IncidentEvent):
    """A person's word on a verdict."""

    kind: Literal["feedback_received"] = "feedback_received"
    verdict: Verdict
    right: bool
    why: str = ""


class KillSwitchActivated(Event):
    """Scope is "everything", "connector:NAME", "verb:NAME" or "incident:ID"."""

    kind: Literal["kill_switch_activated"] = "kill_switch_activated"
    scope: str
    reason: str


class KillSwitchReceipt(Event):
    """What a stop did: actions held, cancelled in flight (now unknown), already sent before it, and how fast."""

    kind: Literal["kill_switch_receipt"] = "kill_switch_receipt"
    scope: str
    held: tuple[UUID, ...] = ()
    unknown: tuple[UUID, ...] = ()
    already_sent: tuple[UUID, ...] = ()
    milliseconds: float


class KillSwitchReleased(Event):
    kind: Literal["kill_switch_released"] = "kill_switch_released"
    scope: str
    reason: str


class ModeChanged(Event):
    kind: Literal["mode_changed"] = "mode_changed"
    old: Mode
    new: Mode


class FaultRaised(Event):
    """Something of ours does not work. `component` names it; `detail` says what, whose fault, and what to do."""

    kind: Literal["fault_raised"] = "fault_raised"
    component: str
    severity: Severity
    detail: str
    context: dict[str, JsonValue] = Field(default_factory=dict)


class ApplicationStarted(Event):
    kind: Literal["application_started"] = "application_started"
    version: str
    mode: Mode


TriageEvent = Annotated[
    AlertReceived
    | AlertCorrelated
    | IncidentCreated
    | EnrichmentComplete
    | EnrichmentFailed
    | EnrichmentPhaseComplete
    | AnalysisComplete
    | AnalysisFailed
    | ActionsProposed
    | ApprovalRequested
    | ActionApproved
    | ActionDenied
    | ApprovalExpired
    | ActionHeld
    | ActionStale
    | ActionStarted
    | ActionExecuted
    | StatusChanged
    | TicketCreated
    | IncidentEscalated
    | IncidentResolved
    | IncidentAssigned
    | CommentAdded
    | FeedbackReceived
    | KillSwitchActivated
    | KillSwitchReceipt
    | KillSwitchReleased
    | ModeChanged
    | FaultRaised
    | ApplicationStarted,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[TriageEvent] = TypeAdapter(TriageEvent)
"""Reads any event from JSON by its kind."""

EVENT_TYPES: tuple[type[Event], ...] = get_args(get_args(TriageEvent)[0])
"""Every event class, in the order of the union."""


def kind_of(event_type: type[Event]) -> str:
    """The `kind` of an event class."""
    kind: str = event_type.model_fields["kind"].default
    return kind
