"""Attacks on approvals: limits walked around, deciders who are one person, facts that changed after the click."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.executor.room import ALICE, Clock, proposal, room
from tests.executor.test_executor import connector
from tests.executor.vendor import Vendor, vendor_at_work
from warden_desktop.domain.action import ActionState, Level, Verb
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.events import ActionApproved, ActionStarted, IncidentResolved, StatusChanged
from warden_desktop.domain.policy import Guardrails, Protected, ProtectedTargets
from warden_desktop.domain.status import Status
from warden_desktop.engine.bus import PublishError
from warden_desktop.engine.errors import DeskError


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_at_work() as running:
        yield running


def limited(per_hour: int, beyond: str = "senior") -> Guardrails:
    return Guardrails.model_validate(
        {
            "approval_levels": {"isolate_host": "analyst"},
            "limits": {"isolate_host": {"per_hour": per_hour, "beyond": beyond}},
        }
    )


async def refusal(work: Any) -> str:
    try:
        await work
    except DeskError as error:
        return error.code
    return ""


async def test_many_that_waited_together_do_not_walk_around_the_limit(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor), guardrails=limited(2)) as desk:
        waiting = [await desk.waiting(target=f"web-{number}") for number in range(6)]
        codes = await asyncio.gather(*(refusal(desk.approve(one, level=Level.ANALYST)) for one in waiting))
        await desk.settled()
        assert sorted(codes) == ["", "", *["level_too_low"] * 4]
        assert len(vendor.received) == 2
        left = next(one for one in waiting if desk.state(one.id) is ActionState.WAITING)
        await desk.approve(left, level=Level.SENIOR)
        await desk.until(lambda: desk.state(left.id) is ActionState.DONE)


async def test_a_limit_that_nobody_may_exceed_is_not_exceeded_by_clicking(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor), guardrails=limited(1, "never")) as desk:
        waiting = [await desk.waiting(target=f"web-{number}") for number in range(3)]
        codes = await asyncio.gather(*(refusal(desk.approve(one)) for one in waiting))
        await desk.settled()
        assert sorted(codes) == ["", "denied_by_policy", "denied_by_policy"]
        assert len(vendor.received) == 1


async def test_a_later_approval_beyond_the_limit_stops_none_that_was_within(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor), guardrails=limited(1), started=False) as desk:
        incidents = [await desk.incident() for _ in range(2)]
        actions = [proposal(one) for one in incidents]
        for action in actions:
            await desk.propose(action.incident_id, action)
        desk.bus.start(desk.spawn)
        await desk.settled()
        vendor.manner = "hang"
        await desk.approve(desk.action(actions[0].id), level=Level.ANALYST)
        await desk.approve(desk.action(actions[1].id), level=Level.SENIOR)
        vendor.go_on.set()
        await desk.until(lambda: all(desk.state(one.id) is ActionState.DONE for one in actions))


async def test_one_person_at_two_places_is_one_person(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor), guardrails=Guardrails(forbid_self_approval=True)) as desk:
        incident_id = await desk.incident()
        action = proposal(incident_id, proposed_by=ALICE)
        await desk.propose(incident_id, action)
        await desk.settled()
        for actor in ("cli:alice", "analyst:Alice", "analyst: alice", ALICE):
            assert await refusal(desk.approve(desk.action(action.id), actor=actor)) == "self_approval"
        await desk.approve(desk.action(action.id), actor="cli:bob")


async def test_an_approval_whose_level_is_too_low_by_now_is_not_carried_out(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor), guardrails=limited(9)) as desk:
        action = await desk.waiting()
        await desk.bus.unsubscribe("executor")
        await desk.approve(action, level=Level.ANALYST)
    careful = ProtectedTargets(assets=(Protected(match="web-*", reason="precious", needs=Level.MANAGER),))
    async with room(tmp_path, connector(vendor), guardrails=Guardrails(protected=careful)) as desk:
        await desk.until(lambda: desk.state(action.id) is ActionState.STALE)
        assert "manager" in desk.action(action.id).reason
        assert vendor.received == []


async def test_an_approval_recorded_after_its_refusal_was_told_is_held(
    tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path, connector(vendor)) as desk:
        action = await desk.waiting()
        publish = desk.bus.publish

        async def too_late(*events: Any) -> Any:
            desk.spawn(after_all(events))
            raise PublishError("the disk hangs")

        async def after_all(events: Any) -> None:
            await publish(*events)

        with monkeypatch.context() as patch:
            patch.setattr(desk.bus, "publish", too_late)
            assert await refusal(desk.approve(action)) == "not_recorded"
        await desk.until(lambda: desk.state(action.id) is ActionState.HELD)
        assert vendor.received == []
        await desk.approve(desk.action(action.id))
        await desk.until(lambda: desk.state(action.id) is ActionState.DONE)
        assert len(vendor.received) == 1


async def test_what_was_for_nothing_does_not_begin(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor)) as desk:
        vendor.manner = "hang"
        incident_id = await desk.incident()
        first, second = proposal(incident_id, target="web-1"), proposal(incident_id, target="web-2")
        await desk.propose(incident_id, first, second)
        await desk.settled()
        for one in (first, second):
            await desk.approve(desk.action(one.id))
        await vendor.arrived.wait()
        resolved = IncidentResolved(
            incident_id=incident_id, actor=ALICE, resolution=Status.FALSE_POSITIVE, reason="a test of ours"
        )
        moved = StatusChanged(
            incident_id=incident_id, actor=ALICE, old=Status.EXECUTING, new=Status.FALSE_POSITIVE, reason=""
        )
        await desk.bus.publish(resolved, moved)
        await desk.until(lambda: desk.state(second.id) is ActionState.DENIED)
        vendor.go_on.set()
        await desk.until(lambda: desk.state(first.id) is ActionState.DONE)
        await desk.settled()
        assert len(vendor.received) == 1


async def test_what_was_approved_and_never_begun_does_not_stay_approved_for_ever(
    tmp_path: Path, vendor: Vendor
) -> None:
    clock = Clock()
    async with room(tmp_path, connector(vendor), clock=clock) as desk:
        action = await desk.waiting(minutes=5)
        await desk.bus.unsubscribe("executor")
        await desk.approve(action)
        clock.ahead = timedelta(minutes=6)
        await desk.approvals.expire()
        assert desk.state(action.id) is ActionState.STALE
        assert vendor.received == []


async def test_every_decision_names_who_as_what_and_why(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor)) as desk:
        action = await desk.waiting(verb=Verb.BLOCK_IP, target="203.0.113.9", kind=ObservableType.IP)
        await desk.approve(action, level=Level.SENIOR)
        (approved,) = await desk.events(ActionApproved)
        assert isinstance(approved, ActionApproved)
        assert (approved.actor, approved.level, approved.rule) == (ALICE, Level.SENIOR, "approval_levels.block_ip")


async def test_without_a_recorded_intent_nothing_starts(
    tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path, connector(vendor)) as desk:
        action = await desk.waiting()
        publish, tries = desk.bus.publish, []

        async def full(*events: Any) -> Any:
            if any(isinstance(one, ActionStarted) for one in events):
                tries.append(events)
                raise PublishError("the disk is full", retry_after=0.01)
            return await publish(*events)

        with monkeypatch.context() as patch:
            patch.setattr(desk.bus, "publish", full)
            await desk.approve(action)
            await desk.until(lambda: len(tries) >= 3)
            assert vendor.received == []
            assert desk.state(action.id) is ActionState.APPROVED
        await desk.until(lambda: desk.state(action.id) is ActionState.DONE)
        assert len(vendor.received) == 1
