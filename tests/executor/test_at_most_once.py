"""Whatever people, time, the switch, crashes and restarts do: no action is sent twice, and none unapproved."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication

from tests.executor.room import ALICE, BOB, Clock, Room, proposal, room
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.domain.action import ActionState, Level, Outcome, ProposedAction, RequestPreview, Result
from warden_desktop.domain.events import ActionApproved, ActionExecuted, ActionStarted
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.ports import Recorded
from warden_desktop.loop import make_loop

STEPS = (
    "propose",
    "approve",
    "approve again",
    "deny",
    "change",
    "expire",
    "stop",
    "release",
    "crash",
    "restart",
    "wait",
)
steps = st.lists(st.sampled_from(STEPS), min_size=4, max_size=24)


class CountingVendor(SimulatedResponder):
    """A vendor that counts, is slow at times, and can change what it would be sent."""

    simulated = False

    def __init__(self, pace: Random) -> None:
        super().__init__()
        self.sent: Counter[UUID] = Counter()
        self.sent_requests: dict[UUID, RequestPreview] = {}
        self.version = 0
        self._pace = pace

    def preview(self, action: ProposedAction) -> RequestPreview:
        return super().preview(action).model_copy(update={"simulated": False, "url": f"/v{self.version}"})

    async def act(self, action: ProposedAction, gate: Callable[[], None]) -> Outcome:
        await asyncio.sleep(self._pace.choice((0, 0, 0.002)))
        gate()
        self.sent[action.id] += 1
        self.sent_requests[action.id] = self.preview(action)
        await asyncio.sleep(self._pace.choice((0, 0.001, 0.02)))
        return Outcome(result=Result.SUCCEEDED, detail="done")


class World:
    """One life of the application after the other, over one data directory."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.pace = Random(seed)
        self.vendor = CountingVendor(self.pace)
        self.clock = Clock()
        self.proposed: list[UUID] = []

    async def live(self, script: list[str]) -> list[str]:
        """Run steps until the script ends this life; the rest of the script."""
        async with room(self.directory, {"simulated": self.vendor}, clock=self.clock) as desk:
            while script:
                step = script.pop(0)
                if step in ("crash", "restart"):
                    if step == "restart":
                        await desk.settled()
                    desk.crash()
                    return script
                await self.take(desk, step)
            await desk.settled()
            await self.check(desk)
        return []

    async def take(self, desk: Room, step: str) -> None:
        match step:
            case "propose":
                incident_id = await desk.incident()
                made = [proposal(incident_id, connector="simulated", minutes=60) for _ in range(2)]
                made = [one.model_copy(update={"expires_at": one.expires_at + self.clock.ahead}) for one in made]
                self.proposed += [one.id for one in made]
                await desk.propose(incident_id, *made)
                await desk.settled()
            case "change":
                self.vendor.version += 1
            case "expire":
                self.clock.ahead += timedelta(minutes=61)
                await desk.approvals.expire()
            case "stop":
                desk.kill_switch.engage(reason="drill", actor=ALICE)
            case "wait":
                await asyncio.sleep(self.pace.choice((0, 0.003, 0.03)))
            case _:
                await self.decide(desk, step)

    async def decide(self, desk: Room, step: str) -> None:
        try:
            if step == "release":
                await desk.kill_switch.release(reason="fine", actor=BOB)
                return
            for action_id in self.pace.sample(self.proposed, k=min(3, len(self.proposed))):
                await self.decide_on(desk, step, action_id)
        except DeskError:
            return

    async def decide_on(self, desk: Room, step: str, action_id: UUID) -> None:
        digest = desk.action(action_id).digest
        if step == "deny":
            await desk.approvals.deny(action_id, reason="no", actor=BOB)
        elif step == "approve":
            await desk.approvals.approve(action_id, digest=digest, actor=ALICE, level=Level.SENIOR)
        else:
            work = [
                desk.approvals.approve(action_id, digest=digest, actor=who, level=Level.SENIOR) for who in (ALICE, BOB)
            ]
            await asyncio.gather(*work, return_exceptions=True)

    async def check(self, desk: Room) -> None:
        assert all(count == 1 for count in self.vendor.sent.values())
        log: list[Recorded] = await desk.bus.read(0, 100_000)
        approved = [one.event for one in log if isinstance(one.event, ActionApproved)]
        started = Counter(one.event.action_id for one in log if isinstance(one.event, ActionStarted))
        ended = Counter(one.event.action_id for one in log if isinstance(one.event, ActionExecuted))
        for action_id in self.vendor.sent:
            assert started[action_id] == 1, "sent without an intent"
            requests = [one.request for one in approved if one.action_id == action_id]
            assert self.vendor.sent_requests[action_id] in requests, "what was sent is not what was approved"
        for action_id in started:
            assert ended[action_id] == 1, "an attempt without exactly one outcome"
            assert desk.action(action_id).state in (ActionState.DONE, ActionState.FAILED, ActionState.UNKNOWN)


async def whole_story(script: list[str], seed: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory), seed)
        rest = ["propose", *script]
        while rest:
            rest = await world.live(rest)
        await world.live(["wait"])  # every story ends with a restart and a look at the whole log


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps, seed=st.integers(0, 2**32))
def test_nothing_is_sent_twice_or_unapproved(application: QCoreApplication, script: list[str], seed: int) -> None:
    with asyncio.Runner(loop_factory=lambda: make_loop(application)) as runner:
        runner.run(whole_story(script, seed))
