"""Whatever instant the application is killed at, the vendor gets each action at most once and nothing unapproved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from tests.journeys.deliveries import web_shell
from tests.safety.console import Console, Witness, at_work, running
from tests.safety.mortal import STEPS

LONG_TURNS = 20
KILLS = 10
"""Of one turn: ten in the short form, two hundred in the long one."""

OVER = ("done", "failed", "unknown", "denied", "stale", "expired")
NOT_SENT = ("waiting", "approved", "held", *OVER)


def stories(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [web_shell(number, f"web-{number:04}") for number in numbers]


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_a_named_step_it_is_sent_once_at_most(step: str, tmp_path: Path) -> None:
    async with at_work(Witness()) as vendor:
        vendor.manner = "hang" if step == "sent" else "answer"
        async with running(tmp_path / "data", vendor, dies=step) as console:
            await console.post("wazuh", *stories([1]))
            action = next(one for one in await console.waiting(3) if one["verb"] == "isolate_host")
            with pytest.raises(aiohttp.ClientError):
                await _approved_until_it_dies(console, action)
            await console.process.wait()
        sent_before = len(vendor.arrivals)

        async with running(tmp_path / "data", vendor) as console:
            after = (await console.in_states((*OVER, "waiting"), [action["id"]]))[action["id"]]
            await asyncio.sleep(0.3)
            assert vendor.more_than_once == {}
            assert {key for _, key in vendor.arrivals} <= {action["id"]}
            if step == "before action_approved":
                assert (after["state"], vendor.arrivals) == ("waiting", [])
            if step in ("after action_started", "gate", "sent", "before action_executed"):
                assert (after["state"], len(vendor.arrivals)) == ("unknown", sent_before)
            if step == "after action_executed":
                assert (after["state"], len(vendor.arrivals)) == ("done", 1)


async def test_killed_at_random_between_approval_and_outcome_nothing_is_sent_twice(turn: int, tmp_path: Path) -> None:
    chance = Random(turn)
    approved: set[str] = set()
    async with at_work(Witness(Random(turn))) as vendor:
        for kill in range(KILLS):
            async with running(tmp_path / "data", vendor) as console:
                await console.post("wazuh", *stories(range(kill * 4, kill * 4 + 4)))
                waiting = await console.waiting(8)
                await _killed_while_approving(console, waiting, chance, approved)
        vendor.go_on.set()
        async with running(tmp_path / "data", vendor) as console:
            found = await console.in_states(NOT_SENT, (await console.actions()).keys())
            sent = {key for _, key in vendor.arrivals}
            assert vendor.more_than_once == {}
            assert sent <= approved
            assert all(found[one]["state"] in ("done", "failed", "unknown") for one in sent), "sent, but not told"
        assert sent, "the vendor was never reached, so nothing was tried"


async def _killed_while_approving(
    console: Console, waiting: list[dict[str, Any]], chance: Random, approved: set[str]
) -> None:
    """Approve all at once, and kill somewhere between the first click and the last outcome."""

    async def approve(action: dict[str, Any]) -> None:
        approved.add(action["id"])
        try:
            await console.approve(action)
        except aiohttp.ClientError:
            return  # killed before it could answer; it may have been recorded all the same

    async with asyncio.TaskGroup() as group:
        for action in waiting:
            group.create_task(approve(action))
        await asyncio.sleep(chance.random() * 0.15)
        await console.die()


async def _approved_until_it_dies(console: Console, action: dict[str, Any]) -> None:
    await console.approve(action)
    async with asyncio.timeout(20):
        while True:
            await console.undecided()
            await asyncio.sleep(0.01)
