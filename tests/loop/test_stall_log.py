"""Slow callbacks are in the log by name, and do not fill it."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from warden_desktop.loop import WardenLoop
from warden_desktop.loop.stall_log import EVERY, NAMES, StallLog


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_name_is_told_at_once_and_then_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    stalls = StallLog(clock)
    for seconds in (0.010, 0.040, 0.020):
        stalls("triage [Work.run]", seconds)
    assert caplog.messages == ["triage [Work.run] held the thread for 10 ms"]
    clock.now = EVERY
    stalls.flush()
    assert caplog.messages[1:] == ["triage held the thread 2 times more within 60 s, at worst for 40 ms"]
    stalls("triage [Work.other]", 0.012)
    assert caplog.messages[2:] == ["triage [Work.other] held the thread for 12 ms"]
    assert stalls.count == 4


def test_names_are_told_apart_and_never_more_than_so_many_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    stalls = StallLog(Clock())
    for number in range(NAMES + 5):
        stalls(f"handler_{number}", 0.01)
        stalls(f"handler_{number}", 0.02)
    assert len([one for one in caplog.messages if "times more" in one]) == 5


def test_what_is_not_told_yet_is_told_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    stalls = StallLog(Clock())
    stalls("handler", 0.01)
    stalls("handler", 0.02)
    stalls.flush(everything=True)
    assert caplog.messages[-1].startswith("handler held the thread 1 times more")


async def test_a_callback_over_eight_milliseconds_is_logged_by_name(
    running: WardenLoop, caplog: pytest.LogCaptureFixture
) -> None:
    stalls = StallLog()
    running.on_slow_callback = stalls

    def reads_a_file_too_slowly() -> None:
        time.sleep(0.03)

    running.call_soon(reads_a_file_too_slowly)
    await asyncio.sleep(0.001)
    running.on_slow_callback = None
    assert any("reads_a_file_too_slowly held the thread for" in one for one in caplog.messages)
    assert running.take_longest()[1] >= 0.03
    assert running.longest == ("", 0.0)
