"""Carries out what was approved: exactly that, at most once, and never while the kill switch forbids it.

Theory of operation: everything that could have changed since the approval is checked again in one turn of the ledger,
and the same turn records the intent (`ActionStarted`). Only once the intent is durable does the connector act; before
each send it passes the gate of the kill switch. The id of the intent is derived from the action's alone, so the journal
takes it once, whatever crashes, repeats or races: an attempt whose intent is not the recorded one does not happen. An
intent without an outcome is unknown, told to a person, and never tried again by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from warden_desktop.domain import events as ev
from warden_desktop.domain.action import ActionState, Outcome, Result
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.policy import Allow, Ask, Deny
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.judge import Judge
from warden_desktop.engine.kill_switch import Flight, KillSwitch
from warden_desktop.engine.ledger import Ledger
from warden_desktop.engine.ports import JournalError, Recorded, Responder, Stopped

log = logging.getLogger(__name__)

EXECUTOR = "executor"
LONGEST = 900.0
"""Seconds after which an attempt is given up whatever the connector says; connectors have shorter limits."""

STARTS_LOOKED_AT = 5_000
"""How many of the newest starts are looked at for an outcome when the application starts."""


class Executor:
    """Carries out approved actions, `at_once` incidents at a time and one action of an incident after the other."""

    def __init__(
        self,
        bus: Bus,
        incidents: Incidents,
        ledger: Ledger,
        judge: Judge,
        kill_switch: KillSwitch,
        responders: Mapping[str, Responder],
        clock: Callable[[], datetime],
        *,
        at_once: int = 4,
    ) -> None:
        self._bus = bus
        self._incidents = incidents
        self._ledger = ledger
        self._judge = judge
        self._kill_switch = kill_switch
        self._responders = responders
        self._clock = clock
        self._intents: dict[UUID, ev.ActionStarted] = {}
        bus.subscribe(EXECUTOR, self._on_approved, kinds=(ev.ActionApproved,), concurrency=at_once)

    async def _on_approved(self, recorded: Recorded) -> None:
        approved = recorded.event
        assert isinstance(approved, ev.ActionApproved)
        started = await self._begin(recorded.seq, approved)
        if started is None:
            return
        action = self._action(started.action_id)
        outcome = await self._attempt(action, self._responders[started.connector])
        await self._end(started, outcome)

    # --- the intent ---------------------------------------------------------------------------------------------

    async def _begin(self, seq: int, approved: ev.ActionApproved) -> ev.ActionStarted | None:
        """Record the intent. None when there is nothing to do, or another attempt has the intent."""
        recorded = await self._ledger.record(approved.incident_id, lambda one: self._next_step(one, seq, approved))
        intent = self._intents.pop(approved.action_id, None)
        ours = bool(recorded) and intent is not None and recorded[0].event == intent
        # A denial that was recorded late, after its publisher had given up, may have come first.
        return intent if ours and self._action(approved.action_id).state is ActionState.RUNNING else None

    def _next_step(self, incident: Incident, seq: int, approved: ev.ActionApproved) -> list[ev.Event]:
        action = incident.action(approved.action_id)
        if action is not None and action.state is ActionState.RUNNING and action.id in self._intents:
            return [_ended(self._intents.pop(action.id), _LATE)]
        if action is None or action.state is not ActionState.APPROVED:
            return []
        refusal = self._held(action, seq, approved) or self._stale(incident, action, approved)
        return [refusal or self._intent(action, approved)]

    def _intent(self, action: Action, approved: ev.ActionApproved) -> ev.ActionStarted:
        # The same object when recording is tried again, so that it is known for ours.
        return self._intents.setdefault(
            action.id,
            ev.ActionStarted(
                id=_intent_id(action.id), cause=approved.id, actor=EXECUTOR, incident_id=approved.incident_id,
                action_id=action.id, digest=action.digest, connector=action.proposed.connector,
                simulated=self._responders[action.proposed.connector].simulated,
            ),
        )  # fmt: skip

    def _held(self, action: Action, seq: int, approved: ev.ActionApproved) -> ev.ActionHeld | None:
        try:
            self._kill_switch.check_approval(action.proposed, seq)
        except Stopped as stop:
            return ev.ActionHeld.because(approved, actor=EXECUTOR, action_id=action.id, reason=str(stop))
        if self._ledger.disowned(approved.id):
            reason = "Its approval was recorded only after its approver had been told that it was not; decide again."
            return ev.ActionHeld.because(approved, actor=EXECUTOR, action_id=action.id, reason=reason)
        return None

    def _stale(self, incident: Incident, action: Action, approved: ev.ActionApproved) -> ev.ActionStale | None:
        reason = self._what_changed(incident, action)
        return ev.ActionStale.because(approved, actor=EXECUTOR, action_id=action.id, reason=reason) if reason else None

    def _what_changed(self, incident: Incident, action: Action) -> str:
        proposed = action.proposed
        if proposed.digest != action.digest:
            return "changed since approval: the action is not the one that was approved"
        if proposed.expires_at <= self._clock():
            return "its time was over before it could start"
        return self._what_changed_in_request(action) or self._what_changed_in_policy(incident, action)

    def _what_changed_in_request(self, action: Action) -> str:
        responder = self._responders.get(action.proposed.connector)
        if responder is None:
            return f"changed since approval: connector {action.proposed.connector!r} is not configured any more"
        try:
            request = responder.preview(action.proposed)
        except Exception as error:
            return f"changed since approval: the request cannot be built any more: {error}"
        return "" if request == action.request else "changed since approval: another request would be sent"

    def _what_changed_in_policy(self, incident: Incident, action: Action) -> str:
        decision = self._judge.decide(action.proposed, incident, starting=True)
        if isinstance(decision, Deny):
            return f"policy denies it now ({decision.rule}): {decision.reason}"
        if action.decided_by == "policy" and not isinstance(decision, Allow):
            return f"policy approved it, but would ask a person now ({decision.rule}): {decision.reason}"
        if isinstance(decision, Ask) and action.decided_as and decision.level.rank > action.decided_as.rank:
            return f"approved as {action.decided_as}, but it needs a {decision.level} now ({decision.rule})"
        return ""

    # --- the act ------------------------------------------------------------------------------------------------

    async def _attempt(self, action: Action, responder: Responder) -> Outcome:
        with self._kill_switch.flight(action.proposed) as flight:
            async with asyncio.TaskGroup() as group:
                attempt = group.create_task(_acted(responder, action, flight))
                flight.cancel = attempt.cancel
            outcome = _cut_off(flight) if attempt.cancelled() else attempt.result()
            flight.result = outcome.result
        return outcome

    async def _end(self, started: ev.ActionStarted, outcome: Outcome) -> None:
        """Record the outcome, however long the journal takes: what happened must not be forgotten."""
        ended = _ended(started, outcome)
        while True:
            try:
                await self._ledger.record(started.incident_id, lambda _: [ended])
                return
            except (PublishError, JournalError) as error:
                log.error("the outcome of action %s is not recorded yet: %s", started.action_id, error)
                await asyncio.sleep(getattr(error, "retry_after", 1.0))

    def _action(self, action_id: UUID) -> Action:
        found = self._incidents.action(action_id)
        assert found is not None  # the ledger has just brought its incident into memory
        return found[1]

    # --- after a crash ------------------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Call before the bus starts: what was in flight when the application last ended becomes unknown."""
        await self._kill_switch.recover()
        await self._load_unfinished()
        actions = list(self._incidents.actions())
        for incident_id in {incident.id for incident, action in actions if action.state is ActionState.RUNNING}:
            await self._ledger.record(incident_id, _lost)

    async def _load_unfinished(self) -> None:
        """Incidents that ended meanwhile are not in memory; their actions may still have been in flight."""
        kinds = ("action_started", "action_executed")
        newest = await self._bus.history(None, STARTS_LOOKED_AT, kinds=kinds)
        over = {one.event.action_id for one in newest if isinstance(one.event, ev.ActionExecuted)}
        for one in newest:
            if isinstance(one.event, ev.ActionStarted) and one.event.action_id not in over:
                await self._incidents.load(one.event.incident_id)


_LATE = Outcome(result=Result.FAILED, detail="not sent: its intent was recorded too late; propose it again")


async def _acted(responder: Responder, action: Action, flight: Flight) -> Outcome:
    def gate() -> None:
        if responder.preview(action.proposed) != action.request:
            raise ValueError("changed since approval: another request would be sent")
        flight.gate()

    try:
        async with asyncio.timeout(LONGEST):
            return await responder.act(action.proposed, gate)
    except Stopped as stop:
        return _failure(flight, f"kill switch. {stop}")
    except TimeoutError:
        return _failure(flight, f"no answer within {LONGEST:g} s")
    except Exception as error:
        log.exception("connector %s failed on action %s", responder.name, action.id)
        return _failure(flight, f"{type(error).__name__}: {error}")


def _cut_off(flight: Flight) -> Outcome:
    return _failure(flight, "kill switch" if flight.stopped else "the connector gave up")


def _failure(flight: Flight, why: str) -> Outcome:
    """Nothing sent is a plain failure; once something was sent, nobody here knows what it did."""
    if not flight.sent:
        return Outcome(result=Result.FAILED, detail=f"not sent: {why}")
    return Outcome(result=Result.UNKNOWN, detail=f"stopped while in flight, it may have taken effect: {why}")


def _intent_id(action_id: UUID) -> UUID:
    return ev.derived_id(action_id, "action_started")


def _ended(started: ev.ActionStarted, outcome: Outcome) -> ev.ActionExecuted:
    return ev.ActionExecuted.because(
        started, actor=EXECUTOR, action_id=started.action_id, outcome=outcome, simulated=started.simulated
    )


def _lost(incident: Incident) -> list[ev.Event]:
    detail = "the application stopped while this was in flight; nothing was sent again"
    return [
        ev.ActionExecuted(
            id=ev.derived_id(_intent_id(action.id), ev.kind_of(ev.ActionExecuted), ""), cause=_intent_id(action.id),
            actor=EXECUTOR, incident_id=incident.id, action_id=action.id, simulated=action.simulated,
            outcome=Outcome(result=Result.UNKNOWN, detail=detail),
        )
        for action in incident.actions
        if action.state is ActionState.RUNNING
    ]  # fmt: skip
