from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from warden_desktop.loop import WardenLoop, make_loop


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-of-asyncio", action="store_true", help="CPython's own asyncio tests, all that apply")


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[WardenLoop]:
    """A loop that no test framework runs, for what concerns starting and ending one."""
    loop = make_loop(qapp)
    yield loop
    if not loop.is_closed():
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@pytest.fixture
async def running() -> WardenLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WardenLoop)
    return loop
