from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from warden_desktop.loop import WardenLoop


@pytest.fixture
async def fixture_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def test_async_tests_run_on_the_product_loop() -> None:
    assert isinstance(asyncio.get_running_loop(), WardenLoop)


async def test_async_fixtures_share_the_loop_of_their_test(fixture_loop: asyncio.AbstractEventLoop) -> None:
    assert fixture_loop is asyncio.get_running_loop()


async def test_a_test_can_wait_for_a_signal_while_other_tasks_go_on(qtbot: QtBot) -> None:
    steps = 0

    async def count() -> None:
        nonlocal steps
        for _ in range(5):
            await asyncio.sleep(0.001)
            steps += 1

    timer = QTimer()
    timer.setSingleShot(True)
    async with asyncio.TaskGroup() as group:
        group.create_task(count())
        with qtbot.waitSignal(timer.timeout, timeout=2000):
            timer.start(10)
        qtbot.waitUntil(lambda: steps == 5, timeout=2000)
        await asyncio.sleep(0)
    assert steps == 5
