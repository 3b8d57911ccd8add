"""What a person can do. The window, the HTTP control API and the command line act through this and nothing else.

Every method names its `actor` ("analyst:alice"), refuses with DeskError, and returns once what was asked is durable.
What became of it arrives as events.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from warden_desktop.domain.action import VERBS, Level, Target, Verb
from warden_desktop.domain.events import (
    CommentAdded,
    Event,
    FeedbackReceived,
    IncidentAssigned,
    IncidentEscalated,
    IncidentResolved,
    KillSwitchReceipt,
    ModeChanged,
    StatusChanged,
)
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.status import ENDED, Status, may_follow
from warden_desktop.engine.approvals import Approvals
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.dead_letters import DeadLetters
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.kill_switch import KillSwitch
from warden_desktop.engine.operating_mode import OperatingMode
from warden_desktop.engine.ports import Engagement, Recorded


class Desk:
    """The analyst's desk."""

    def __init__(
        self,
        bus: Bus,
        incidents: Incidents,
        approvals: Approvals,
        kill_switch: KillSwitch,
        mode: OperatingMode,
        dead_letters: DeadLetters,
    ) -> None:
        self.bus = bus
        self.incidents = incidents
        self.dead_letters = dead_letters
        self._approvals = approvals
        self._kill_switch = kill_switch
        self._mode = mode
        self._receipt: KillSwitchReceipt | None = None
        bus.attach(self._remember_receipt)

    # --- deciding -----------------------------------------------------------------------------------------------

    async def approve(self, action_id: UUID, *, digest: str, actor: str, level: Level = Level.ANALYST) -> None:
        """Approve the action that was shown, known by its digest."""
        await self._approvals.approve(action_id, digest=digest, actor=actor, level=level)

    async def deny(self, action_id: UUID, *, reason: str, actor: str) -> None:
        """Deny an action that waits or is held."""
        await self._approvals.deny(action_id, reason=reason, actor=actor)

    async def propose(self, incident_id: UUID, verb: Verb, target: Target, *, reason: str, actor: str) -> None:
        """Propose an action by hand; policy and approval apply as to any other."""
        await self._approvals.propose(incident_id, verb, target, parameters={}, reason=reason, actor=actor)

    async def propose_undo(self, action_id: UUID, *, actor: str) -> None:
        """Propose the inverse of an action, as a new one."""
        found = self.incidents.action(action_id)
        if found is None:
            raise DeskError("not_found", "There is no such action in memory; open its incident first.")
        incident, action = found
        inverse = VERBS[action.verb].inverse
        if inverse is None:
            raise DeskError("irreversible", f"{VERBS[action.verb].label} cannot be undone.")
        await self.propose(incident.id, inverse, action.target, reason=f"undo of {action_id}", actor=actor)

    async def resolve(self, incident_id: UUID, *, resolution: Status, reason: str, actor: str) -> None:
        """End the incident as resolved, false positive, dismissed or closed."""
        if resolution not in ENDED:
            raise DeskError("not_an_ending", f"{resolution} does not end an incident.")
        incident = await self._incident(incident_id)
        resolved = IncidentResolved(incident_id=incident_id, actor=actor, resolution=resolution, reason=reason)
        await self._publish(resolved, self._step(incident, resolution, reason, actor))

    async def reopen(self, incident_id: UUID, *, reason: str, actor: str) -> None:
        """Put an ended incident back into review."""
        incident = await self._incident(incident_id)
        if incident.status.open:
            raise DeskError("already_open", "The incident is open.")
        await self._publish(self._step(incident, Status.PENDING_REVIEW, reason, actor))

    async def escalate(self, incident_id: UUID, *, reason: str, actor: str, level: Level = Level.SENIOR) -> None:
        """Hand the incident to a higher level."""
        incident = await self._incident(incident_id)
        escalated = IncidentEscalated(incident_id=incident_id, actor=actor, level=level, reason=reason)
        await self._publish(escalated, self._step(incident, Status.ESCALATED, reason, actor))

    async def assign(self, incident_id: UUID, *, assignee: str, actor: str) -> None:
        """Assign the incident; an empty `assignee` takes the assignment back."""
        await self._incident(incident_id)
        await self._publish(IncidentAssigned(incident_id=incident_id, actor=actor, assignee=assignee))

    async def comment(self, incident_id: UUID, *, text: str, actor: str) -> None:
        """Add a comment."""
        if not text.strip():
            raise DeskError("empty", "An empty comment says nothing; write one or leave it.")
        await self._incident(incident_id)
        await self._publish(CommentAdded(incident_id=incident_id, actor=actor, text=text))

    async def feedback(self, incident_id: UUID, *, right: bool, why: str, actor: str) -> None:
        """Say whether the verdict is right."""
        incident = await self._incident(incident_id)
        if incident.analysis is None:
            raise DeskError("no_verdict", "There is no verdict to judge yet.")
        verdict = incident.analysis.verdict
        await self._publish(
            FeedbackReceived(incident_id=incident_id, actor=actor, verdict=verdict, right=right, why=why)
        )

    async def _incident(self, incident_id: UUID) -> Incident:
        incident = await self.incidents.load(incident_id)
        if incident is None:
            raise DeskError("not_found", "There is no such incident.")
        return incident

    def _step(self, incident: Incident, new: Status, reason: str, actor: str) -> Event:
        if not may_follow(incident.status, new):
            raise DeskError("not_allowed", f"An incident that is {incident.status} cannot become {new}.")
        return StatusChanged(incident_id=incident.id, actor=actor, old=incident.status, new=new, reason=reason)

    async def _publish(self, *events: Event) -> None:
        try:
            await self.bus.publish(*events)
        except PublishError as error:
            raise DeskError("not_recorded", f"Not done: it could not be recorded. {error}") from error

    # --- mode and kill switch -----------------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """How much the product decides by itself just now."""
        return self._mode.current

    async def set_mode(self, mode: Mode, *, actor: str) -> None:
        """Change the mode."""
        if mode is not self.mode:
            await self._publish(ModeChanged(actor=actor, old=self.mode, new=mode))

    @property
    def engaged(self) -> Mapping[str, Engagement]:
        """Which scopes the kill switch holds, by scope."""
        return self._kill_switch.engaged

    @property
    def receipt(self) -> KillSwitchReceipt | None:
        """What the last stop did, once it is known."""
        return self._receipt

    def engage(self, scope: str = "everything", *, reason: str, actor: str) -> None:
        """Stop. On return nothing new can start and what was in flight is cancelled; the events follow."""
        self._kill_switch.engage(scope, reason=reason, actor=actor)

    async def release(self, scope: str = "everything", *, reason: str, actor: str) -> None:
        """Release a stop; nothing resumes by itself."""
        if not reason.strip():
            raise DeskError("reason_required", "Say why it is safe to go on.")
        await self._kill_switch.release(scope, reason=reason, actor=actor)

    def _remember_receipt(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, KillSwitchReceipt):
            self._receipt = recorded.event
