"""One press, and nothing more is sent: whatever is queued, in flight, broken, or pressed by another process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.executor.room import ALICE, BOB, Room, proposal, room
from tests.executor.test_executor import connector
from tests.executor.vendor import Vendor, vendor_at_work
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.domain.action import ActionState, Verb
from warden_desktop.domain.events import (
    ActionHeld,
    FaultRaised,
    KillSwitchActivated,
    KillSwitchReceipt,
    KillSwitchReleased,
)
from warden_desktop.domain.incident import Action
from warden_desktop.domain.status import Status
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.kill_switch import EVERYTHING, covers
from warden_desktop.engine.ports import Engagement, Stopped


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_at_work() as running:
        yield running


@pytest_asyncio.fixture
async def desk(tmp_path: Path, vendor: Vendor) -> AsyncIterator[Room]:
    async with room(tmp_path, connector(vendor)) as opened:
        yield opened


async def receipt_of(desk: Room) -> KillSwitchReceipt:
    receipts: list[KillSwitchReceipt] = []

    async with asyncio.timeout(20):
        while not receipts:
            await asyncio.sleep(0.005)
            receipts = [one for one in await desk.events(KillSwitchReceipt) if isinstance(one, KillSwitchReceipt)]
    return receipts[0]


async def in_flight_and_queued(desk: Room, vendor: Vendor) -> tuple[Action, list[Action]]:
    """One action that hangs at the vendor, and three approved behind it in the same incident."""
    vendor.manner = "hang"
    incident_id = await desk.incident()
    proposals = [proposal(incident_id, target=f"web-0{number}") for number in range(4)]
    await desk.propose(incident_id, *proposals)
    await desk.settled()
    actions = [desk.action(one.id) for one in proposals]
    for action in actions:
        await desk.approve(action)
    await vendor.arrived.wait()
    return actions[0], actions[1:]


async def test_with_three_queued_and_one_in_flight_nothing_more_arrives_and_the_receipt_is_right(
    desk: Room, vendor: Vendor
) -> None:
    flying, queued = await in_flight_and_queued(desk, vendor)
    desk.kill_switch.engage(reason="looks wrong", actor=ALICE)
    receipt = await receipt_of(desk)
    vendor.go_on.set()
    await desk.settled()
    assert len(vendor.received) == 1
    assert desk.state(flying.id) is ActionState.UNKNOWN
    assert {desk.state(action.id) for action in queued} == {ActionState.HELD}
    assert (set(receipt.held), receipt.unknown, receipt.already_sent) == ({one.id for one in queued}, (flying.id,), ())
    assert receipt.milliseconds > 0
    assert desk.status(flying.proposed.incident_id) is Status.PENDING_APPROVAL


async def test_it_stands_after_a_restart_and_nothing_resumes_by_itself(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor)) as desk:
        _, queued = await in_flight_and_queued(desk, vendor)
        desk.kill_switch.engage(reason="looks wrong", actor=ALICE)
        await receipt_of(desk)
    vendor.manner = "answer"
    async with room(tmp_path, connector(vendor)) as desk:
        assert desk.kill_switch.engaged[EVERYTHING].by == ALICE
        with pytest.raises(DeskError) as caught:
            await desk.approve(queued[0])
        assert caught.value.code == "stopped"
        await desk.kill_switch.release(reason="understood", actor=BOB)
        await desk.settled()
        assert {desk.state(action.id) for action in queued} == {ActionState.HELD}
        assert len(vendor.received) == 1
        await desk.approve(queued[0], actor=BOB)
        await desk.until(lambda: desk.state(queued[0].id) is ActionState.DONE)
        await desk.approvals.deny(queued[1].id, reason="not any more", actor=BOB)
        assert desk.state(queued[1].id) is ActionState.DENIED
    assert [one.body["target"]["value"] for one in vendor.received] == ["web-00", "web-01"]


async def test_what_is_approved_while_it_stands_is_held(desk: Room, vendor: Vendor) -> None:
    desk.kill_switch.engage(reason="drill", actor=ALICE)
    action = await desk.waiting()
    await desk.approve(action)
    await desk.until(lambda: desk.state(action.id) is ActionState.HELD)
    assert vendor.received == []
    assert "by analyst:alice" in desk.action(action.id).reason


@pytest.mark.parametrize("scope", ["connector:generic_http", "verb:isolate_host", "incident"])
async def test_a_scope_stops_what_it_names_and_nothing_else(desk: Room, vendor: Vendor, scope: str) -> None:
    action, other = await desk.waiting(), await desk.waiting(verb=Verb.COLLECT_FORENSICS)
    named = f"incident:{action.proposed.incident_id}" if scope == "incident" else scope
    desk.kill_switch.engage(named, reason="drill", actor=ALICE)
    await desk.approve(action)
    await desk.approve(other)
    await desk.until(lambda: desk.state(action.id) is ActionState.HELD)
    expected = ActionState.HELD if scope.startswith("connector") else ActionState.DONE
    await desk.until(lambda: desk.state(other.id) is expected)
    assert len(vendor.received) == (0 if scope.startswith("connector") else 1)


async def test_a_scope_of_no_known_form_is_refused_and_one_in_the_latch_stops_everything(desk: Room) -> None:
    for scope in ("verb:isolate", "host:web-01", "incident:7", "connector:", ""):
        with pytest.raises(DeskError) as caught:
            desk.kill_switch.engage(scope, reason="", actor=ALICE)
        assert caught.value.code == "unknown_scope"
        assert covers(scope, proposal(uuid4()))


ELSEWHERE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.engine.ports import Engagement
latch = FileLatch(Path(sys.argv[1]))
latch.read()
stop = Engagement("everything", "cli:carol", "from a terminal", datetime.now(UTC).isoformat())
latch.write({"everything": stop} if sys.argv[2] == "engage" else {})
"""


def another_process(directory: Path, does: str) -> None:
    subprocess.run([sys.executable, "-c", ELSEWHERE, str(directory / "latch"), does], check=True, timeout=60)


async def test_a_stop_by_another_process_holds_at_once_even_before_it_is_noticed(
    tmp_path: Path, desk: Room, vendor: Vendor
) -> None:
    action = await desk.waiting()
    another_process(tmp_path, "engage")
    await desk.approve(action)  # nobody watches the latch here
    await desk.until(lambda: desk.state(action.id) is ActionState.HELD)
    assert vendor.received == []
    assert "cli:carol" in desk.action(action.id).reason


async def test_a_stop_and_a_release_by_another_process_are_followed(tmp_path: Path, desk: Room, vendor: Vendor) -> None:
    desk.spawn(desk.kill_switch.watch())
    flying, _ = await in_flight_and_queued(desk, vendor)
    another_process(tmp_path, "engage")
    receipt = await receipt_of(desk)
    assert (receipt.actor, receipt.unknown) == ("cli:carol", (flying.id,))
    another_process(tmp_path, "release")
    await desk.until(lambda: not desk.kill_switch.engaged)
    await desk.settled()
    (released,) = await desk.events(KillSwitchReleased)
    assert released.actor == "latch"
    assert len(vendor.received) == 1


async def test_the_gate_is_checked_again_between_the_intent_and_the_send(desk: Room, tmp_path: Path) -> None:
    action = proposal(uuid4())
    with desk.kill_switch.flight(action) as flight:
        another_process(tmp_path, "engage")
        with pytest.raises(Stopped, match="from a terminal"):
            flight.gate()
    assert not flight.sent


async def test_it_stands_when_nothing_can_be_recorded(tmp_path: Path, vendor: Vendor) -> None:
    async with room(tmp_path, connector(vendor)) as desk:
        await desk.bus.stop()
        await desk.journal.close()
        desk.kill_switch.engage(reason="disk is gone", actor=ALICE)
        with pytest.raises(Stopped):
            desk.kill_switch.check(proposal(uuid4()))
        with pytest.raises(DeskError) as caught:
            await desk.kill_switch.release(reason="no", actor=ALICE)
    assert caught.value.code == "not_recorded"
    assert EVERYTHING in FileLatch(tmp_path / "latch").read()


class BrokenLatch(FileLatch):
    def write(self, engaged: Mapping[str, Engagement], released: Engagement | None = None) -> None:
        raise OSError("read-only file system")


async def test_it_stands_when_the_latch_cannot_be_written_and_says_so(desk: Room, tmp_path: Path) -> None:
    desk.kill_switch._latch = BrokenLatch(tmp_path / "latch")
    desk.kill_switch.engage(reason="stop", actor=ALICE)
    desk.kill_switch.look()
    with pytest.raises(Stopped):
        desk.kill_switch.check(proposal(uuid4()))
    await receipt_of(desk)
    (fault,) = await desk.events(FaultRaised)
    assert isinstance(fault, FaultRaised)
    assert "read-only file system" in fault.detail


async def test_pressing_again_only_explains(desk: Room, tmp_path: Path) -> None:
    desk.kill_switch.engage(reason="", actor=ALICE)
    desk.kill_switch.engage(reason="", actor=BOB)
    desk.kill_switch.engage(reason="wrong hosts", actor=BOB)
    await receipt_of(desk)
    standing = desk.kill_switch.engaged[EVERYTHING]
    assert (standing.by, standing.reason) == (ALICE, "wrong hosts")
    assert FileLatch(tmp_path / "latch").read()[EVERYTHING].reason == "wrong hosts"
    told = [(one.actor, one.model_dump()["reason"]) for one in await desk.events(KillSwitchActivated)]
    assert told == [(ALICE, ""), (BOB, "wrong hosts")]
    assert len(await desk.events(KillSwitchReceipt)) == 1


async def test_releasing_what_does_not_stand_is_refused(desk: Room) -> None:
    desk.kill_switch.engage(reason="first", actor=ALICE)
    await receipt_of(desk)
    await desk.kill_switch.release(reason="fine", actor=ALICE)
    with pytest.raises(DeskError) as caught:
        await desk.kill_switch.release(reason="fine", actor=ALICE)
    assert caught.value.code == "not_engaged"


async def test_a_press_during_a_release_wins(desk: Room) -> None:
    desk.kill_switch.engage(reason="first", actor=ALICE)
    releasing = asyncio.get_running_loop().create_task(desk.kill_switch.release(reason="fine", actor=ALICE))
    await asyncio.sleep(0)
    desk.kill_switch.engage(reason="again", actor=BOB)
    with pytest.raises(DeskError, match="pressed again"):
        await releasing
    assert EVERYTHING in desk.kill_switch.engaged
    await desk.until(lambda: desk.bus.last_seq >= 4)
    log = await desk.events(KillSwitchActivated, KillSwitchReleased)
    assert isinstance(log[-1], KillSwitchActivated)


async def test_a_held_action_is_recorded_once(desk: Room, vendor: Vendor) -> None:
    await in_flight_and_queued(desk, vendor)
    desk.kill_switch.engage(reason="stop", actor=ALICE)
    await receipt_of(desk)
    await desk.settled()
    assert len(await desk.events(ActionHeld)) == 3


async def test_two_stops_are_released_one_by_one(desk: Room, tmp_path: Path) -> None:
    desk.kill_switch.engage(reason="all", actor=ALICE)
    desk.kill_switch.engage("verb:isolate_host", reason="one", actor=ALICE)
    await desk.kill_switch.release(reason="ok", actor=ALICE)
    with pytest.raises(Stopped, match="verb:isolate_host"):
        desk.kill_switch.check(proposal(uuid4()))
    desk.kill_switch.check(proposal(uuid4(), Verb.COLLECT_FORENSICS))
    assert list(FileLatch(tmp_path / "latch").read()) == ["verb:isolate_host"]


async def test_a_stop_by_another_process_is_not_overwritten_by_one_here(tmp_path: Path, desk: Room) -> None:
    another_process(tmp_path, "engage")
    desk.kill_switch.engage("verb:isolate_host", reason="one", actor=ALICE)
    found = FileLatch(tmp_path / "latch").read()
    assert set(found) == {EVERYTHING, "verb:isolate_host"}
    assert isinstance(found[EVERYTHING], Engagement)
