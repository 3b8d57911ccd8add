"""Who decides, in time, once, and on exactly what they were shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.executor.room import ALICE, BOB, Clock, Room, proposal, room
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.domain.action import ActionState, Level, Target, Verb
from warden_desktop.domain.alert import ObservableType, Severity
from warden_desktop.domain.events import (
    ActionApproved,
    ActionDenied,
    ApprovalExpired,
    IncidentResolved,
    StatusChanged,
    TicketCreated,
)
from warden_desktop.domain.incident import Action
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.policy import AutoApprove, AutoClose, Guardrails, Limit
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict
from warden_desktop.engine.errors import DeskError

AUTO = AutoApprove(name="tickets", verbs=(Verb.CREATE_TICKET, Verb.COLLECT_FORENSICS), when="true")


def simulated(delay: float = 0.0) -> dict[str, SimulatedResponder]:
    return {"simulated": SimulatedResponder(delay)}


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path, simulated()) as opened:
        yield opened


async def refused(
    desk: Room, action: Action, *, actor: str = ALICE, level: Level = Level.MANAGER, digest: str = ""
) -> str:
    with pytest.raises(DeskError) as caught:
        await desk.approvals.approve(action.id, digest=digest or action.digest, actor=actor, level=level)
    return caught.value.code


async def test_a_proposal_waits_with_its_request_digest_level_and_reason(desk: Room) -> None:
    action = await desk.waiting("simulated")
    assert action.state is ActionState.WAITING
    assert action.digest == action.proposed.digest
    assert action.request is not None
    assert (action.level, action.rule) == (Level.SENIOR, "approval_levels.isolate_host")
    assert desk.status(action.proposed.incident_id) is Status.PENDING_APPROVAL


async def test_what_policy_allows_runs_without_a_person_and_leaves_a_ticket(tmp_path: Path) -> None:
    async with room(tmp_path, simulated(), guardrails=Guardrails(auto_approve=(AUTO,)), mode=Mode.SUPERVISED) as desk:
        action = await desk.waiting("simulated", verb=Verb.CREATE_TICKET, target="x", kind=None)
        await desk.until(lambda: desk.state(action.id) is ActionState.SIMULATED)
        await desk.settled()
        incident = desk.incidents.get(action.proposed.incident_id)
        (ticket,) = await desk.events(TicketCreated)
    assert isinstance(ticket, TicketCreated)
    assert ticket.simulated
    assert incident is not None
    assert incident.tickets == (ticket.key,)
    assert desk.action(action.id).decided_by == "policy"


async def test_without_a_connector_it_is_denied_saying_so(desk: Room) -> None:
    action = await desk.waiting("falcon")
    assert (action.state, action.decided_by) == (ActionState.DENIED, "policy")
    assert "No connector is configured for 'Isolate host'" in action.reason
    assert desk.status(action.proposed.incident_id) is Status.PENDING_REVIEW


async def test_a_denial_needs_a_reason_and_keeps_it(desk: Room) -> None:
    action = await desk.waiting("simulated")
    with pytest.raises(DeskError, match="why") as caught:
        await desk.approvals.deny(action.id, reason="  ", actor=ALICE)
    assert caught.value.code == "reason_required"
    await desk.approvals.deny(action.id, reason="known test machine", actor=ALICE)
    denied = desk.action(action.id)
    assert (denied.state, denied.decided_by, denied.reason) == (ActionState.DENIED, ALICE, "known test machine")
    assert desk.status(action.proposed.incident_id) is Status.PENDING_REVIEW


async def test_an_approval_of_something_else_than_was_shown_is_refused(desk: Room) -> None:
    action = await desk.waiting("simulated")
    assert await refused(desk, action, digest="0" * 64) == "changed"
    assert desk.state(action.id) is ActionState.WAITING


async def test_too_low_a_level_is_refused(desk: Room) -> None:
    action = await desk.waiting("simulated")
    assert await refused(desk, action, level=Level.ANALYST) == "level_too_low"


async def test_ones_own_proposal_is_refused_where_forbidden(tmp_path: Path) -> None:
    async with room(tmp_path, simulated(), guardrails=Guardrails(forbid_self_approval=True)) as desk:
        action = await desk.waiting("simulated", proposed_by=ALICE)
        assert await refused(desk, action, actor=ALICE) == "self_approval"
        await desk.approve(action, actor=BOB)
        assert desk.action(action.id).decided_by == BOB


async def test_an_unknown_action_is_refused(desk: Room) -> None:
    with pytest.raises(DeskError) as caught:
        await desk.approvals.approve(uuid4(), digest="", actor=ALICE, level=Level.MANAGER)
    assert caught.value.code == "not_found"


async def test_two_deciders_at_once_have_one_outcome_and_the_other_is_told(desk: Room) -> None:
    for _ in range(20):
        action = await desk.waiting("simulated")
        outcomes = await asyncio.gather(
            desk.approve(action, actor=ALICE),
            desk.approvals.deny(action.id, reason="no", actor=BOB),
            desk.approve(action, actor=BOB),
            return_exceptions=True,
        )
        refusals = [one.code for one in outcomes if isinstance(one, DeskError)]
        assert refusals == ["already_decided", "already_decided"]
    decisions = await desk.events(ActionApproved, ActionDenied)
    assert len(decisions) == 20


async def test_approving_twice_is_refused(desk: Room) -> None:
    action = await desk.waiting("simulated")
    await desk.approve(action)
    assert await refused(desk, action) == "already_decided"


async def test_what_nobody_decides_on_in_time_expires(tmp_path: Path) -> None:
    clock = Clock()
    async with room(tmp_path, simulated(), clock=clock) as desk:
        action = await desk.waiting("simulated", minutes=30)
        await desk.approvals.expire()
        assert desk.state(action.id) is ActionState.WAITING
        clock.ahead = timedelta(minutes=31)
        assert await refused(desk, action) == "expired"
        await desk.approvals.expire()
        assert desk.state(action.id) is ActionState.EXPIRED
        assert desk.status(action.proposed.incident_id) is Status.PENDING_REVIEW
        assert await refused(desk, action) == "expired"


async def test_what_waited_through_a_restart_expires_too(tmp_path: Path) -> None:
    clock = Clock()
    async with room(tmp_path, simulated()) as desk:
        action = await desk.waiting("simulated", minutes=30)
    clock.ahead = timedelta(minutes=31)
    async with room(tmp_path, simulated(), clock=clock) as desk:
        desk.spawn(desk.approvals.run())
        await desk.until(lambda: desk.state(action.id) is ActionState.EXPIRED)
        assert len(await desk.events(ApprovalExpired)) == 1


async def test_the_decisions_of_a_batch_stay_within_the_limit(tmp_path: Path) -> None:
    guardrails = Guardrails(auto_approve=(AUTO,), limits={Verb.COLLECT_FORENSICS: Limit(per_hour=2)})
    async with room(tmp_path, simulated(), guardrails=guardrails, mode=Mode.SUPERVISED) as desk:
        incident_id = await desk.incident()
        actions = [proposal(incident_id, Verb.COLLECT_FORENSICS, f"h{n}", connector="simulated") for n in range(5)]
        await desk.propose(incident_id, *actions)
        await desk.settled()
        states = [desk.state(action.id) for action in actions]
    assert states.count(ActionState.SIMULATED) == 2
    assert states.count(ActionState.WAITING) == 3
    async with room(tmp_path, simulated(), guardrails=guardrails, mode=Mode.SUPERVISED) as desk:
        after = await desk.waiting("simulated", verb=Verb.COLLECT_FORENSICS)
        assert after.state is ActionState.WAITING
        assert after.rule == "limits.collect_forensics"


async def test_a_person_can_propose_and_what_they_propose_is_asked(desk: Room) -> None:
    incident_id = await desk.incident()
    target = Target(type=ObservableType.HOST, value="web-01")
    action_id = await desk.approvals.propose(
        incident_id, Verb.UNISOLATE_HOST, target, parameters={}, reason="false alarm", actor=ALICE
    )
    await desk.settled()
    action = desk.action(action_id)
    assert (action.state, action.proposed.proposed_by, action.proposed.connector) == (
        ActionState.WAITING, ALICE, "simulated",
    )  # fmt: skip


async def test_proposing_where_there_is_no_incident_is_refused(desk: Room) -> None:
    with pytest.raises(DeskError) as caught:
        await desk.approvals.propose(
            uuid4(), Verb.NOTIFY, Target(type=None, value="x"), parameters={}, reason="", actor=ALICE
        )
    assert caught.value.code == "not_found"


async def test_what_waits_when_its_incident_is_resolved_is_denied_but_an_undo_afterwards_is_not(desk: Room) -> None:
    action = await desk.waiting("simulated")
    incident_id = action.proposed.incident_id
    await desk.bus.publish(
        IncidentResolved(incident_id=incident_id, actor=ALICE, resolution=Status.RESOLVED, reason="done"),
        StatusChanged(incident_id=incident_id, actor=ALICE, old=Status.PENDING_APPROVAL, new=Status.RESOLVED),
    )
    await desk.settled()
    assert desk.state(action.id) is ActionState.DENIED
    undo = await desk.approvals.propose(
        incident_id, Verb.UNISOLATE_HOST, action.target, parameters={}, reason="undo", actor=ALICE
    )
    await desk.settled()
    assert desk.state(undo) is ActionState.WAITING
    await desk.approve(desk.action(undo))
    await desk.until(lambda: desk.state(undo) is ActionState.SIMULATED)
    assert desk.status(incident_id) is Status.RESOLVED


async def test_an_escalated_incident_stays_escalated_while_its_actions_go_on(desk: Room) -> None:
    action = await desk.waiting("simulated")
    incident_id = action.proposed.incident_id
    await desk.bus.publish(
        StatusChanged(incident_id=incident_id, actor=ALICE, old=Status.PENDING_APPROVAL, new=Status.ESCALATED)
    )
    await desk.approve(action)
    await desk.until(lambda: desk.state(action.id) is ActionState.SIMULATED)
    assert desk.status(incident_id) is Status.ESCALATED


@pytest.mark.parametrize(
    ("mode", "confidence", "status"),
    [
        (Mode.AUTONOMOUS, 0.97, Status.FALSE_POSITIVE),
        (Mode.AUTONOMOUS, 0.9, Status.PENDING_REVIEW),
        (Mode.SUPERVISED, 0.97, Status.PENDING_REVIEW),
    ],
)
async def test_policy_closes_certain_false_positives_in_autonomous_mode_only(
    tmp_path: Path, mode: Mode, confidence: float, status: Status
) -> None:
    await closes(tmp_path, AutoClose(min_confidence=0.95, max_severity=Severity.CRITICAL), mode, confidence, status)


async def test_policy_never_closes_what_is_worse_than_it_may(tmp_path: Path) -> None:
    milder = AutoClose(min_confidence=0.95, max_severity=Severity.LOW)
    await closes(tmp_path, milder, Mode.AUTONOMOUS, 0.97, Status.PENDING_REVIEW)


async def closes(tmp_path: Path, rule: AutoClose, mode: Mode, confidence: float, status: Status) -> None:
    guardrails = Guardrails(auto_close=rule)
    async with room(tmp_path, simulated(), guardrails=guardrails, mode=mode) as desk:
        incident_id = await desk.incident(verdict=Verdict.FALSE_POSITIVE, confidence=confidence)
        await desk.bus.publish(
            StatusChanged(incident_id=incident_id, actor="triage", old=Status.ANALYZING, new=Status.PENDING_REVIEW)
        )
        await desk.settled()
        assert desk.status(incident_id) is status
