"""Who decides: policy first, a person where policy asks for one, and time when nobody does.

Theory of operation: a proposal is decided by policy as soon as it is recorded. What it allows is approved, what it
denies is denied, and the rest waits with exactly the request that would be sent. A person's approval names the digest
they were shown; anything that differs by then is refused here, and again by the executor.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID, uuid4

from pydantic import JsonValue

from warden_desktop.domain import events as ev
from warden_desktop.domain.action import (
    VERBS,
    ActionState,
    Level,
    ProposedAction,
    RequestPreview,
    Target,
    Verb,
)
from warden_desktop.domain.actor import person_of
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.policy import Allow, Ask, Deny
from warden_desktop.domain.status import Status
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.judge import Judge
from warden_desktop.engine.ledger import Ledger
from warden_desktop.engine.ports import JournalError, Recorded, Responder, Stopped

log = logging.getLogger(__name__)

POLICY = "policy"
LOOK_AGAIN = timedelta(minutes=1)
_DECIDABLE = frozenset({ActionState.WAITING, ActionState.HELD})
_NOTHING_THERE = frozenset({Status.FALSE_POSITIVE, Status.DISMISSED})


class _Due(NamedTuple):
    at: datetime
    action_id: UUID
    incident_id: UUID


class Approvals:
    """Decides on proposals. `stopped` raises Stopped while the kill switch forbids an action."""

    def __init__(
        self,
        bus: Bus,
        incidents: Incidents,
        ledger: Ledger,
        judge: Judge,
        responders: Mapping[str, Responder],
        stopped: Callable[[ProposedAction], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._bus = bus
        self._incidents = incidents
        self._ledger = ledger
        self._judge = judge
        self._responders = responders
        self._stopped = stopped
        self._clock = clock
        self._due: list[_Due] = []
        bus.subscribe("approvals", self._on_event, kinds=(ev.ActionsProposed, ev.IncidentResolved))

    # --- policy -------------------------------------------------------------------------------------------------

    async def _on_event(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, ev.ActionsProposed):
            await self._ledger.record(event.incident_id, lambda incident: self._decided(event, incident))
        elif isinstance(event, ev.IncidentResolved):
            await self._ledger.record(event.incident_id, lambda incident: _withdrawn(event, incident))

    def _decided(self, cause: ev.ActionsProposed, incident: Incident) -> list[ev.Event]:
        found = (incident.action(proposed.id) for proposed in cause.actions)
        return [
            self._decision(cause, action.proposed, incident)
            for action in found
            if action is not None and action.state is ActionState.PROPOSED
        ]

    def _decision(self, cause: ev.Event, action: ProposedAction, incident: Incident) -> ev.Event:
        try:
            self._possible(action, incident)
            request = self._preview(action)
        except DeskError as refusal:
            return _denial(cause, action, rule=refusal.code, reason=refusal.detail)
        return self._by_policy(cause, action, incident, request)

    def _by_policy(
        self, cause: ev.Event, action: ProposedAction, incident: Incident, request: RequestPreview
    ) -> ev.Event:
        decision = self._judge.decide(action, incident)
        if isinstance(decision, Deny):
            return _denial(cause, action, rule=decision.rule, reason=decision.reason)
        self._remember(action)
        asked = {"level": decision.level} if isinstance(decision, Ask) else {}
        kind = ev.ActionApproved if isinstance(decision, Allow) else ev.ApprovalRequested
        return kind.because(
            cause, actor=POLICY, part=str(action.id), action_id=action.id, digest=action.digest, request=request,
            rule=decision.rule, reason=decision.reason, **asked,
        )  # fmt: skip

    def _possible(self, action: ProposedAction, incident: Incident) -> None:
        if action.expires_at <= self._clock():
            raise DeskError("expired", "The proposal had expired before it could be decided.")
        if not incident.status.open and not _is_person(action.proposed_by):
            raise DeskError("incident_ended", f"The incident is {incident.status}; only a person may still act on it.")

    def _preview(self, action: ProposedAction) -> RequestPreview:
        label = VERBS[action.verb].label
        responder = self._responders.get(action.connector)
        if responder is None or action.verb not in responder.verbs:
            raise DeskError("connector", f"No connector is configured for {label!r} (wanted {action.connector!r}).")
        try:
            return responder.preview(action)
        except Exception as error:
            raise DeskError("connector", f"{action.connector} cannot build the request: {error}") from error

    # --- a person -----------------------------------------------------------------------------------------------

    async def approve(self, action_id: UUID, *, digest: str, actor: str, level: Level) -> None:
        """Approve the waiting or held action that was shown as `digest`. Raises DeskError."""

        event_id = uuid4()

        def approved(incident: Incident) -> list[ev.Event]:
            action = self._decidable(incident, action_id)
            self._check_approval(incident, action, digest, actor, level)
            assert action.request is not None  # what waits or is held was asked or approved with its request
            self._judge.reserve(action.proposed)
            return [
                ev.ActionApproved(
                    id=event_id, incident_id=incident.id, action_id=action.id, actor=actor, digest=action.digest,
                    level=level, request=action.request, rule=action.rule, reason=f"approved as {level}",
                )
            ]  # fmt: skip

        try:
            await self._record(self._incident_of(action_id), approved)
        except DeskError as refusal:
            if refusal.code == "not_recorded":
                self._ledger.disown(event_id)
            raise
        finally:
            self._judge.unreserve(action_id)

    async def deny(self, action_id: UUID, *, reason: str, actor: str) -> None:
        """Deny the waiting or held action. Raises DeskError."""
        if not reason.strip():
            raise DeskError("reason_required", "Say why it is denied; whoever asked will read it.")

        def denied(incident: Incident) -> list[ev.Event]:
            action = self._decidable(incident, action_id)
            return [ev.ActionDenied(incident_id=incident.id, action_id=action.id, actor=actor, reason=reason.strip())]

        await self._record(self._incident_of(action_id), denied)

    async def propose(
        self,
        incident_id: UUID,
        verb: Verb,
        target: Target,
        *,
        parameters: Mapping[str, JsonValue],
        reason: str,
        actor: str,
        connector: str | None = None,
    ) -> UUID:
        """Propose an action by hand, through `connector` or the first that knows the verb; returns the action's id.

        Policy and approval apply as to any other. Raises DeskError.
        """
        proposed = ProposedAction(
            id=uuid4(), incident_id=incident_id, verb=verb, target=target, parameters=dict(parameters), reason=reason,
            proposed_by=actor, connector=connector or self._connector_for(verb),
            expires_at=self._clock() + self._judge.guardrails.time_to_decide(verb),
        )  # fmt: skip
        self._preview(proposed)
        event = ev.ActionsProposed(incident_id=incident_id, actor=actor, playbook="", actions=(proposed,))
        await self._record(incident_id, lambda _: [event])
        return proposed.id

    def _connector_for(self, verb: Verb) -> str:
        name = connector_for(self._responders, verb)
        if not name:
            raise DeskError("not_possible", f"No connector is configured for {VERBS[verb].label!r}; see Settings.")
        return name

    def _incident_of(self, action_id: UUID) -> UUID:
        found = self._incidents.action(action_id)
        if found is None:
            raise DeskError("not_found", "There is no such action in memory; open its incident and try again.")
        return found[0].id

    def _decidable(self, incident: Incident, action_id: UUID) -> Action:
        action = incident.action(action_id)
        if action is None:
            raise DeskError("not_found", "There is no such action.")
        if action.state is ActionState.EXPIRED or self._is_late(action):
            raise DeskError("expired", "The time to decide is over; propose it again if it is still wanted.")
        if action.state is ActionState.PROPOSED:
            raise DeskError("not_waiting", "Policy has not decided on this action yet; try again in a moment.")
        if action.state not in _DECIDABLE:
            by = f" by {action.decided_by}" if action.decided_by else ""
            raise DeskError("already_decided", f"This action was already decided{by}: it is {action.state}.")
        return action

    def _is_late(self, action: Action) -> bool:
        return action.state in _DECIDABLE and action.proposed.expires_at <= self._clock()

    def _check_approval(self, incident: Incident, action: Action, digest: str, actor: str, level: Level) -> None:
        if digest != action.digest or digest != action.proposed.digest:
            raise DeskError("changed", "The action is not the one that was shown. Look at it again, then decide.")
        if self._preview(action.proposed) != action.request:
            raise DeskError("changed", "What would be sent is no longer what was shown. Deny it and propose it again.")
        needed = self._needed(incident, action)
        if level.rank < needed.rank:
            raise DeskError("level_too_low", f"This needs the approval of a {needed}; you decide as {level}.")
        if self._judge.guardrails.forbid_self_approval and _same(actor, action.proposed.proposed_by):
            raise DeskError("self_approval", "You proposed this yourself; another person must approve it.")
        if action.state is ActionState.HELD:
            self._check_released(action)

    def _needed(self, incident: Incident, action: Action) -> Level:
        """Policy is asked again: since it asked for a person, limits may have been used up and targets protected."""
        decision = self._judge.decide(action.proposed, incident)
        if isinstance(decision, Deny):
            raise DeskError("denied_by_policy", f"Policy denies it now ({decision.rule}): {decision.reason}")
        asked = action.level or self._judge.guardrails.level_of(action.verb)
        now = decision.level if isinstance(decision, Ask) else asked
        return max(asked, now, key=lambda level: level.rank)

    def _check_released(self, action: Action) -> None:
        try:
            self._stopped(action.proposed)
        except Stopped as stop:
            raise DeskError("stopped", f"{stop} Release it first; held actions do not resume by themselves.") from stop

    async def _record(self, incident_id: UUID, decide: Callable[[Incident], Sequence[ev.Event]]) -> None:
        try:
            await self._ledger.record(incident_id, decide)
        except (PublishError, JournalError) as error:
            raise DeskError("not_recorded", f"Not done: it could not be recorded. {error}") from error
        except LookupError as error:
            raise DeskError("not_found", "There is no such incident.") from error

    # --- time ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Expire what nobody decides on in time, for as long as the application runs."""
        for _, action in self._incidents.actions():
            if not action.state.final:
                self._remember(action.proposed)
        while True:
            try:
                await self.expire()
            except (PublishError, JournalError) as error:
                log.error("expired approvals are not recorded yet: %s", error)
            await asyncio.sleep(1.0)

    async def expire(self) -> None:
        """Expire what is due now. Raises PublishError or JournalError; what it could not record stays due."""
        now = self._clock()
        while self._due and self._due[0].at <= now:
            due = heapq.heappop(self._due)
            try:
                await self._ledger.record(due.incident_id, partial(_expired, action_id=due.action_id))
            except (PublishError, JournalError):
                heapq.heappush(self._due, due)
                raise
            self._look_again(due, now)

    def _look_again(self, due: _Due, now: datetime) -> None:
        """What runs may still be held before that is recorded, and then waits again."""
        found = self._incidents.action(due.action_id)
        if found is not None and not found[1].state.final:
            heapq.heappush(self._due, due._replace(at=now + LOOK_AGAIN))

    def _remember(self, action: ProposedAction) -> None:
        heapq.heappush(self._due, _Due(action.expires_at, action.id, action.incident_id))


def connector_for(responders: Mapping[str, Responder], verb: Verb) -> str:
    """The name of the first connector that knows `verb`; "" when none does."""
    return next((name for name, responder in responders.items() if verb in responder.verbs), "")


def _is_person(actor: str) -> bool:
    return bool(person_of(actor))


def _same(actor: str, other: str) -> bool:
    return actor == other or (_is_person(actor) and person_of(actor) == person_of(other))


def _denial(cause: ev.Event, action: ProposedAction, *, rule: str, reason: str) -> ev.ActionDenied:
    return ev.ActionDenied.because(
        cause, actor=POLICY, part=str(action.id), action_id=action.id, rule=rule, reason=reason
    )


def _withdrawn(cause: ev.IncidentResolved, incident: Incident) -> list[ev.Event]:
    """What still waits when its incident is resolved is not done; what a person proposes later is another matter."""
    reason = f"The incident ended as {cause.resolution} before anybody decided on this action."
    waiting = [
        _denial(cause, action.proposed, rule="incident_ended", reason=reason)
        for action in incident.actions
        if action.state in _DECIDABLE and (action.asked_at is None or action.asked_at <= cause.at)
    ]
    return [*waiting, *_called_off(cause, incident)]


def _called_off(cause: ev.IncidentResolved, incident: Incident) -> list[ev.Event]:
    """What was approved and has not begun is not done either, when there was nothing to act on after all."""
    reason = f"The incident ended as {cause.resolution} before this action began."
    return [
        _denial(cause, action.proposed, rule="incident_ended", reason=reason)
        for action in incident.actions
        if action.state is ActionState.APPROVED and _was_for_nothing(action, cause)
    ]


def _was_for_nothing(action: Action, cause: ev.IncidentResolved) -> bool:
    before = action.decided_at is not None and action.decided_at <= cause.at
    return before and (cause.resolution in _NOTHING_THERE or action.decided_by == POLICY)


def _expired(incident: Incident, action_id: UUID) -> list[ev.Event]:
    action = incident.action(action_id)
    if action is not None and action.state is ActionState.APPROVED:
        reason = "its time was over before it could start"
        return [ev.ActionStale(incident_id=incident.id, action_id=action_id, actor=POLICY, reason=reason)]
    if action is None or action.state not in _DECIDABLE:
        return []
    return [ev.ApprovalExpired(incident_id=incident.id, action_id=action_id, actor=POLICY)]
