"""The kill switch on the real application: pressed at any instant, nothing reaches a vendor more than 250 ms later."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest

from tests.journeys.deliveries import web_shell
from tests.safety.console import Console, Witness, at_work, running, warden

LONG_TURNS = 20
PRESSES = 25
"""Of one turn in the long form, which makes 500; the short form has SHORT."""

SHORT = 5
QUEUED = 50
WITHIN = 0.25
"""Seconds after a press in which the last call may still arrive."""


async def queue(console: Console, turn: int) -> list[dict[str, Any]]:
    """At least fifty actions that wait or are held."""
    found = await console.undecided()
    missing = QUEUED - len(found)
    if missing > 0:
        hosts = [f"web-{turn:04}-{number:02}" for number in range(missing // 3 + 1)]
        await console.post("wazuh", *(web_shell(turn * 100 + one, host) for one, host in enumerate(hosts)))
        async with asyncio.timeout(30):
            while len(found := await console.undecided()) < QUEUED:
                await asyncio.sleep(0.02)
    return found


async def approve_all(console: Console, actions: list[dict[str, Any]]) -> None:
    await asyncio.gather(*(console.approve(action) for action in actions))


def after(vendor: Witness, press: float) -> float:
    """Seconds from a press to the last arrival after it; 0 when nothing arrived any more."""
    return max((at - press for at, _ in vendor.arrivals if at > press), default=0.0)


def told(lags: list[float]) -> str:
    ordered = sorted(lags)
    p50, p99 = (ordered[min(len(ordered) - 1, round(len(ordered) * one))] for one in (0.5, 0.99))
    return (
        f"{len(lags)} presses: last call p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f}, worst {ordered[-1] * 1e3:.1f} ms"
    )


async def test_nothing_arrives_after_a_press_at_any_instant(
    turn: int, long: bool, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance, lags, presses = Random(turn), [], PRESSES if long else SHORT
    async with (
        at_work(Witness(Random(turn))) as vendor,
        running(tmp_path / "data", vendor, WARDEN_ACTIONS_AT_ONCE="16") as console,
    ):
        for press in range(presses):
            waiting = await queue(console, turn * PRESSES + press)
            async with asyncio.TaskGroup() as group:
                group.create_task(approve_all(console, waiting))
                await asyncio.sleep(chance.random() * 0.4)
                pressed = monotonic()
                status, _ = await console.switch(True)
                assert status == 200
            vendor.go_on.set()
            await asyncio.sleep(0.5)
            vendor.go_on.clear()
            lags.append(after(vendor, pressed))
            before = len(vendor.arrivals)
            await console.switch(False)
            await asyncio.sleep(0.1)
            assert len(vendor.arrivals) == before, "a release resumed something"
    record_property("last call after a press", told(lags))
    sys.stdout.write(f"\nturn {turn}: {told(lags)}; {len(vendor.arrivals)} calls\n")  # shown with -s
    assert vendor.more_than_once == {}
    assert vendor.arrivals, "the vendor was never reached, so nothing was tried"
    assert max(lags) <= WITHIN


@pytest.fixture
async def vendor() -> AsyncIterator[Witness]:
    async with at_work(Witness()) as running_vendor:
        yield running_vendor


async def test_a_stop_by_file_while_the_application_is_stopped_lets_nothing_out(
    tmp_path: Path, vendor: Witness
) -> None:
    data = tmp_path / "data"
    vendor.manner = "hang"
    async with running(data, vendor) as console:
        await approve_all(console, await queue(console, 0))
        await vendor.arrived.wait()
        await asyncio.sleep(0.2)
        console.process.send_signal(signal.SIGSTOP)
        assert await warden("kill-switch", "engage", "--reason", "it hangs", "--data-dir", str(data)) == 0
        before = len(vendor.arrivals)
        vendor.manner = "answer"
        vendor.go_on.set()
        await asyncio.sleep(0.3)
        console.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(1.5)
        assert len(vendor.arrivals) == before
        _, state = await console.ask("GET", "/api/kill-switch")
        assert state["scopes"][0]["reason"] == "it hangs"
        assert state["scopes"][0]["by"].startswith("cli:")
    async with running(data, vendor) as console:
        _, state = await console.ask("GET", "/api/kill-switch")
        assert state["engaged"]
        await asyncio.sleep(0.3)
        assert len(vendor.arrivals) == before, "a restart resumed something"


@pytest.mark.parametrize("content", ["", "garbage", '{"engaged": [{"scope": "everything"}]}', "\x00" * 4096])
async def test_a_latch_that_cannot_be_understood_lets_nothing_out(
    content: str, tmp_path: Path, vendor: Witness
) -> None:
    data = tmp_path / "data"
    async with running(data, vendor) as console:
        waiting = await queue(console, 0)
        (data / "latch").write_text(content)
        await approve_all(console, waiting)
        await console.in_states({"held"}, [one["id"] for one in waiting])
        assert vendor.arrivals == []


async def test_two_processes_that_press_and_release_lose_no_stop(tmp_path: Path, vendor: Witness) -> None:
    """The window presses one scope while the command line presses and releases another, over and over."""
    data = tmp_path / "data"
    async with running(data, vendor) as console:
        for number in range(3):
            engaging = warden("kill-switch", "engage", "--scope", "verb:notify", "--data-dir", str(data))
            release = ("--scope", "verb:notify", "--reason", "enough", "--data-dir", str(data))
            await asyncio.gather(engaging, *(console.switch(True, scope="everything") for _ in range(10)))
            await asyncio.gather(
                warden("kill-switch", "release", *release), console.switch(True, scope="verb:block_ip")
            )
            _, state = await console.ask("GET", "/api/kill-switch")
            assert {one["scope"] for one in state["scopes"]} == {"everything", "verb:block_ip"}, number
            for scope in ("everything", "verb:block_ip"):
                assert (await console.switch(False, scope=scope))[0] == 200
