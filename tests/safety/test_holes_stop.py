"""Attacks on the kill switch: hurried releases, two hands on the latch, files that cannot be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest_asyncio

from tests.executor.room import ALICE, BOB, Room, proposal, room
from tests.executor.test_executor import connector
from tests.executor.vendor import Vendor, vendor_at_work
from warden_desktop.__main__ import main
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.domain.action import ActionState
from warden_desktop.domain.events import CommentAdded, KillSwitchReleased
from warden_desktop.domain.incident import Action
from warden_desktop.engine.kill_switch import EVERYTHING
from warden_desktop.engine.ports import Engagement

AT_ONCE = 4
VERB = Engagement("verb:block_ip", "cli:bob", "", "2026-01-01T00:00:00+00:00")
ALL = Engagement(EVERYTHING, "analyst:alice", "", "2026-01-01T00:00:00+00:00")


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_at_work() as running:
        yield running


@pytest_asyncio.fixture
async def desk(tmp_path: Path, vendor: Vendor) -> AsyncIterator[Room]:
    async with room(tmp_path, connector(vendor)) as opened:
        yield opened


async def queued(desk: Room, vendor: Vendor) -> list[Action]:
    vendor.manner = "hang"
    incidents = [await desk.incident() for _ in range(10)]
    proposals = [proposal(one, target=f"web-{number:02}") for one in incidents for number in range(4)]
    for one in proposals:
        await desk.propose(one.incident_id, one)
    await desk.settled()
    actions = [desk.action(one.id) for one in proposals]
    for action in actions:
        await desk.approve(action)
    await desk.until(lambda: len(vendor.received) == AT_ONCE)
    return [one for one in actions if desk.state(one.id) is ActionState.APPROVED]


async def test_a_hurried_release_resumes_nothing(desk: Room, vendor: Vendor) -> None:
    actions = await queued(desk, vendor)
    desk.kill_switch.engage(reason="wrong", actor=ALICE)
    await desk.kill_switch.release(reason="it was a mistake", actor=ALICE)
    vendor.manner = "answer"
    await desk.settled()
    await asyncio.sleep(0.2)
    assert len(vendor.received) == AT_ONCE
    assert all(desk.state(one.id) is ActionState.HELD for one in actions)
    again = desk.action(actions[0].id)
    await desk.approve(again)
    await desk.until(lambda: desk.state(again.id) is ActionState.DONE)
    assert len(vendor.received) == AT_ONCE + 1


async def test_a_hurried_release_by_another_process_resumes_nothing(tmp_path: Path, desk: Room, vendor: Vendor) -> None:
    actions = await queued(desk, vendor)
    other = FileLatch(tmp_path / "latch")
    other.write({EVERYTHING: ALL})
    desk.kill_switch.look()
    other.write({})
    desk.kill_switch.look()
    vendor.manner = "answer"
    await desk.settled()
    await asyncio.sleep(0.2)
    assert len(vendor.received) == AT_ONCE
    assert all(desk.state(one.id) is ActionState.HELD for one in actions)


def test_two_writers_lose_no_stop(tmp_path: Path) -> None:
    """The command line read the latch, then the window stopped everything, then the command line wrote."""
    ours, theirs = FileLatch(tmp_path / "latch"), FileLatch(tmp_path / "latch")
    meant = {**theirs.read(), VERB.scope: VERB}
    ours.read()
    ours.write({EVERYTHING: ALL})
    theirs.write(meant)
    assert set(ours.read()) == {EVERYTHING, VERB.scope}


def test_a_release_takes_back_only_the_stop_it_saw(tmp_path: Path) -> None:
    ours, theirs = FileLatch(tmp_path / "latch"), FileLatch(tmp_path / "latch")
    ours.write({EVERYTHING: ALL})
    assert theirs.read()
    ours.read()
    again = ALL._replace(at="2026-01-02T00:00:00+00:00")
    ours.write({EVERYTHING: again})
    theirs.write({})
    assert ours.read() == {EVERYTHING: again}


async def test_garbage_in_the_latch_lifts_no_other_stop(tmp_path: Path, desk: Room) -> None:
    desk.kill_switch.engage("verb:block_ip", reason="", actor=ALICE)
    (tmp_path / "latch").write_text("garbage")
    desk.kill_switch.look()
    assert set(desk.kill_switch.engaged) == {EVERYTHING, "verb:block_ip"}
    await desk.kill_switch.release(reason="repaired", actor=BOB)
    desk.kill_switch.look()
    assert set(desk.kill_switch.engaged) == {"verb:block_ip"}
    assert set(FileLatch(tmp_path / "latch").read()) == {"verb:block_ip"}


async def test_a_stop_that_could_not_be_written_is_written_as_soon_as_it_can(tmp_path: Path, desk: Room) -> None:
    (tmp_path / "latch").mkdir()
    (tmp_path / "latch" / "in the way").touch()
    desk.kill_switch.look()
    desk.kill_switch.engage("verb:block_ip", reason="", actor=ALICE)
    (tmp_path / "latch" / "in the way").unlink()
    (tmp_path / "latch").rmdir()
    desk.kill_switch.look()
    assert set(FileLatch(tmp_path / "latch").read()) == {EVERYTHING, "verb:block_ip"}


async def test_a_release_at_the_command_line_names_who_and_why(tmp_path: Path, desk: Room) -> None:
    tmp_path.chmod(0o700)
    assert main(["kill-switch", "engage", "--data-dir", str(tmp_path)]) == 0
    desk.kill_switch.look()
    assert main(["kill-switch", "release", "--reason", "drill is over", "--data-dir", str(tmp_path)]) == 0
    desk.kill_switch.look()
    assert not desk.kill_switch.engaged
    await desk.bus.publish(CommentAdded(incident_id=uuid4(), actor=ALICE, text="whatever comes after it"))
    released = [one for one in await desk.events(KillSwitchReleased) if isinstance(one, KillSwitchReleased)]
    assert [one.actor.split(":")[0] for one in released] == ["cli"]
    assert "drill is over" in released[0].reason


async def test_nothing_approved_before_a_stop_runs_when_it_was_released_while_the_application_was_down(
    tmp_path: Path, vendor: Vendor
) -> None:
    async with room(tmp_path, connector(vendor)) as desk:
        actions = await queued(desk, vendor)
        desk.kill_switch.engage(reason="", actor=ALICE)
        desk.crash()
    vendor.manner = "answer"
    latch = FileLatch(tmp_path / "latch")
    latch.read()
    latch.write({})
    async with room(tmp_path, connector(vendor)) as desk:
        await desk.settled()
        await asyncio.sleep(0.2)
        assert len(vendor.received) == AT_ONCE
        assert {desk.state(one.id) for one in actions} == {ActionState.HELD}
