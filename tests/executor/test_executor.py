"""What is approved happens exactly once, exactly as shown, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.executor.room import ALICE, Clock, Room, room
from tests.executor.vendor import Vendor, vendor_at_work
from warden_desktop.adapters.packs import load_pack
from warden_desktop.adapters.responders.http import HttpResponder
from warden_desktop.adapters.responders.pack import ConnectorPack
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.assets import resource
from warden_desktop.domain.action import ActionState, Outcome, ProposedAction, Result, Verb
from warden_desktop.domain.events import ActionApproved, ActionExecuted, ActionStale, ActionStarted, StatusChanged
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.policy import AutoApprove, Guardrails
from warden_desktop.domain.status import Status
from warden_desktop.engine.ports import Responder


def connector(vendor: Vendor) -> dict[str, Responder]:
    pack = load_pack(resource("connectors", "generic_http.yaml"), ConnectorPack).with_base_url(vendor.url)
    return {"generic_http": HttpResponder(pack, lambda _: None)}


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_at_work() as running:
        yield running


@pytest_asyncio.fixture
async def desk(tmp_path: Path, vendor: Vendor) -> AsyncIterator[Room]:
    async with room(tmp_path, connector(vendor)) as opened:
        yield opened


async def test_an_approved_action_reaches_the_vendor_once_as_shown(desk: Room, vendor: Vendor) -> None:
    action = await desk.waiting()
    await desk.approve(action)
    await desk.until(lambda: desk.state(action.id) is ActionState.DONE)
    (request,) = vendor.received
    assert action.request is not None
    assert request.body == action.request.body
    assert vendor.url + request.path == action.request.url
    assert request.headers["Idempotency-Key"] == str(action.id)
    done = desk.action(action.id)
    assert done.outcome is not None
    assert (done.outcome.status_code, done.decided_by, done.simulated) == (200, ALICE, False)


async def test_the_intent_is_in_the_log_before_the_request_is_sent(desk: Room, vendor: Vendor) -> None:
    vendor.manner = "hang"
    action = await desk.waiting()
    await desk.approve(action)
    await vendor.arrived.wait()
    assert [event.action_id for event in await desk.events(ActionStarted) if isinstance(event, ActionStarted)] == [
        action.id
    ]
    vendor.go_on.set()
    await desk.until(lambda: desk.state(action.id) is ActionState.DONE)


async def test_the_incident_goes_through_executing_back_to_review(desk: Room) -> None:
    action = await desk.waiting()
    await desk.approve(action)
    await desk.until(lambda: desk.state(action.id) is ActionState.DONE)
    steps = [event.new for event in await desk.events(StatusChanged) if isinstance(event, StatusChanged)]
    assert steps[-3:] == [Status.PENDING_APPROVAL, Status.EXECUTING, Status.PENDING_REVIEW]


@pytest.mark.parametrize(
    ("manner", "state"),
    [
        ("drop", ActionState.UNKNOWN),
        ("fail", ActionState.UNKNOWN),
        ("refuse", ActionState.FAILED),
        ("redirect", ActionState.FAILED),
    ],
)
async def test_what_came_of_it_is_told_honestly_and_never_tried_again(
    desk: Room, vendor: Vendor, manner: str, state: ActionState
) -> None:
    vendor.manner = manner  # type: ignore[assignment]
    action = await desk.waiting()
    await desk.approve(action)
    await desk.until(lambda: desk.action(action.id).state.final)
    await desk.settled()
    assert desk.state(action.id) is state
    assert len(vendor.received) == 1


async def test_no_connection_is_a_failure_that_sent_nothing(tmp_path: Path) -> None:
    async with vendor_at_work() as gone:
        responders = connector(gone)
    async with room(tmp_path, responders) as desk:
        action = await desk.waiting()
        await desk.approve(action)
        await desk.until(lambda: desk.action(action.id).state.final)
        outcome = desk.action(action.id).outcome
    assert outcome is not None
    assert outcome.result is Result.FAILED
    assert outcome.detail.startswith("nothing was sent")


async def test_an_approval_delivered_again_sends_nothing_again(desk: Room, vendor: Vendor) -> None:
    action = await desk.waiting()
    await desk.approve(action)
    await desk.until(lambda: desk.state(action.id) is ActionState.DONE)
    (approval,) = await desk.events(ActionApproved)
    await desk.bus.publish(approval.model_copy(update={"id": action.id}))
    await desk.settled()
    assert len(vendor.received) == 1


async def test_a_simulated_action_is_never_done(tmp_path: Path) -> None:
    async with room(tmp_path, {"simulated": SimulatedResponder(delay=0)}) as desk:
        action = await desk.waiting(connector="simulated")
        await desk.approve(action)
        await desk.until(lambda: desk.action(action.id).state.final)
        assert desk.state(action.id) is ActionState.SIMULATED
        (executed,) = await desk.events(ActionExecuted)
    assert isinstance(executed, ActionExecuted)
    assert executed.simulated
    assert action.request is not None
    assert action.request.simulated


class Changing(SimulatedResponder):
    """A connector whose request changes once it is told to."""

    changed = False
    sent = 0

    def preview(self, action: ProposedAction):  # type: ignore[no-untyped-def]
        shown = super().preview(action)
        return shown.model_copy(update={"url": "https://elsewhere.example"}) if self.changed else shown

    async def act(self, action: ProposedAction, gate: Callable[[], None]) -> Outcome:
        gate()
        self.sent += 1
        return await super().act(action, gate)


async def stale_reason(desk: Room) -> str:
    await desk.until(lambda: desk.bus.last_seq > 0)
    await desk.settled()
    (stale,) = await desk.events(ActionStale)
    assert isinstance(stale, ActionStale)
    return stale.reason


async def test_a_request_that_changed_since_its_approval_is_not_sent(tmp_path: Path) -> None:
    responder = Changing(delay=0)
    async with room(tmp_path, {"simulated": responder}) as desk:
        action = await desk.waiting(connector="simulated")
    async with room(tmp_path, {"simulated": responder}, started=False) as desk:
        await desk.approve(action)
    responder.changed = True
    async with room(tmp_path, {"simulated": responder}) as desk:
        assert await stale_reason(desk) == "changed since approval: another request would be sent"
    assert responder.sent == 0


async def test_an_approval_that_outlived_its_time_is_not_carried_out(tmp_path: Path) -> None:
    responder, clock = Changing(delay=0), Clock()
    async with room(tmp_path, {"simulated": responder}, clock=clock) as desk:
        action = await desk.waiting(connector="simulated")
    async with room(tmp_path, {"simulated": responder}, started=False) as desk:
        await desk.approve(action)
    clock.ahead += action.proposed.expires_at - action.proposed.expires_at.replace(year=2000)
    async with room(tmp_path, {"simulated": responder}, clock=clock) as desk:
        assert "time was over" in await stale_reason(desk)
    assert responder.sent == 0


async def test_policy_is_asked_once_more_before_anything_is_sent(tmp_path: Path) -> None:
    responder = Changing(delay=0)
    async with room(tmp_path, {"simulated": responder}) as desk:
        action = await desk.waiting(connector="simulated")
    async with room(tmp_path, {"simulated": responder}, started=False) as desk:
        await desk.approve(action)
    denying = Guardrails(denied_verbs={Verb.ISOLATE_HOST: "not any more"})
    async with room(tmp_path, {"simulated": responder}, guardrails=denying) as desk:
        assert "not any more" in await stale_reason(desk)
    assert responder.sent == 0


async def test_what_policy_approved_does_not_run_when_the_mode_would_ask_now(tmp_path: Path) -> None:
    responder = Changing(delay=0)
    rule = AutoApprove(name="all", verbs=(Verb.COLLECT_FORENSICS,), when="true")
    guardrails = Guardrails(auto_approve=(rule,))
    async with room(tmp_path, {"simulated": responder}, guardrails=guardrails, mode=Mode.SUPERVISED) as desk:
        await desk.bus.unsubscribe("executor")
        action = await desk.waiting(connector="simulated", verb=Verb.COLLECT_FORENSICS)
        assert (action.state, action.decided_by) == (ActionState.APPROVED, "policy")
    async with room(tmp_path, {"simulated": responder}, guardrails=guardrails, mode=Mode.ASSISTED) as desk:
        assert "would ask a person now" in await stale_reason(desk)
    assert responder.sent == 0


async def test_after_a_crash_in_flight_it_is_unknown_and_not_sent_again(tmp_path: Path, vendor: Vendor) -> None:
    vendor.manner = "hang"
    async with room(tmp_path, connector(vendor)) as desk:
        action = await desk.waiting()
        await desk.approve(action)
        await vendor.arrived.wait()
        desk.crash()
    vendor.manner = "answer"
    for _ in range(2):
        async with room(tmp_path, connector(vendor)) as desk:
            await desk.settled()
            found = desk.action(action.id)
            assert found.state is ActionState.UNKNOWN
            assert found.outcome is not None
            assert "nothing was sent again" in found.outcome.detail
            assert desk.status(found.proposed.incident_id) is Status.PENDING_REVIEW
            assert len(await desk.events(ActionExecuted)) == 1
    assert len(vendor.received) == 1


async def test_a_crash_between_intent_and_sending_is_unknown_too(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor), started=False) as desk:
        incident_id = await desk.incident()
    async with room(tmp_path, connector(vendor)) as desk:
        action = await desk.waiting()
        await desk.bus.unsubscribe("executor")
        await desk.approve(action)
        await desk.bus.publish(
            ActionStarted(
                incident_id=action.proposed.incident_id, action_id=action.id, actor="executor", digest=action.digest,
                connector="generic_http", simulated=False,
            )
        )  # fmt: skip
    async with room(tmp_path, connector(vendor)) as desk:
        await desk.settled()
        assert desk.state(action.id) is ActionState.UNKNOWN
        assert desk.incidents.get(incident_id) is not None
    assert vendor.received == []


async def test_several_actions_run_and_none_twice(desk: Room, vendor: Vendor) -> None:
    actions = [await desk.waiting() for _ in range(8)]
    await asyncio.gather(*(desk.approve(action) for action in actions))
    await desk.until(lambda: all(desk.state(action.id) is ActionState.DONE for action in actions))
    assert sorted(one.headers["Idempotency-Key"] for one in vendor.received) == sorted(str(one.id) for one in actions)
