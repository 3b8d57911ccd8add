"""Stopping ends, whatever hangs or fails on the way, and says what it was."""

from __future__ import annotations

import asyncio

import pytest

from warden_desktop.engine import stages
from warden_desktop.engine.stages import Stage, stop_in_stages


async def hang() -> None:
    await asyncio.Event().wait()


async def test_stages_end_in_order() -> None:
    ended: list[str] = []

    def stage(name: str) -> Stage:
        async def end() -> None:
            await asyncio.sleep(0.001)
            ended.append(name)

        return Stage(name, end, 5)

    assert await stop_in_stages([stage("door"), stage("workers"), stage("journal")]) == []
    assert ended == ["door", "workers", "journal"]


async def test_what_still_runs_after_the_deadline_is_named_and_the_next_stage_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed = asyncio.Event()

    async def close() -> None:
        closed.set()

    async with asyncio.TaskGroup() as group:
        stuck = group.create_task(hang(), name="triage: incident 7")
        failed = await stop_in_stages([Stage("workers", lambda: stuck, 0.05), Stage("journal", close, 5)])
    assert failed == ["workers"]
    assert closed.is_set() and stuck.cancelled()
    (line,) = caplog.messages
    assert line.startswith("stopping: workers has not ended after 0.05 s and is cancelled. Still running:")
    assert "triage: incident 7 (hang at test_stages.py:" in line


async def test_a_stage_can_name_what_keeps_it(caplog: pytest.LogCaptureFixture) -> None:
    assert await stop_in_stages([Stage("journal", hang, 0.01, lambda: ("journal writer",))]) == ["journal"]
    assert caplog.messages[0].endswith("Still running: journal writer")


@pytest.mark.parametrize("error", [OSError("the disk is gone"), TimeoutError("of its own"), asyncio.CancelledError()])
async def test_a_stage_that_fails_is_logged_and_the_next_one_goes_on(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[str] = []

    async def fail() -> None:
        raise error

    async def close() -> None:
        closed.append("journal")

    assert await stop_in_stages([Stage("table", fail, 5), Stage("journal", close, 5)]) == ["table"]
    assert closed == ["journal"]
    assert "stopping: table failed" in caplog.messages[0]


async def test_one_that_ignores_being_cancelled_is_named_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "STUBBORN", 0.03)
    enough = asyncio.Event()

    async def stubborn() -> None:
        while not enough.is_set():
            try:
                await enough.wait()
            except asyncio.CancelledError:
                asyncio.get_running_loop().call_later(0.1, enough.set)

    assert await stop_in_stages([Stage("door", stubborn, 0.01)]) == ["door"]
    assert "door has not ended after 0.01 s and does not let itself be cancelled" in caplog.messages[1]


async def test_whoever_stops_can_itself_be_cancelled() -> None:
    async with asyncio.TaskGroup() as group:
        stopping = group.create_task(stop_in_stages([Stage("door", hang, 60)]))
        await asyncio.sleep(0.01)
        stopping.cancel()
    assert stopping.cancelled()
