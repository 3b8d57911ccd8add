"""One Qt application for the whole run, the product's own loop under every async test, and no lost errors."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

os.environ["QT_API"] = "pyside6"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # a real window: QT_QPA_PLATFORM=xcb under xvfb-run

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from warden_desktop.loop import WardenLoop, make_loop

LOST = pytest.StashKey[list[str]]()
"""What reached a loop's exception handler: errors of callbacks and of tasks nobody awaited."""


GRACE = 0.3
"""Seconds."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="as many kills and damages as the safety document promises")


@pytest.fixture
def long(pytestconfig: pytest.Config) -> bool:
    """Whether tests of faults and attacks run in their long form."""
    return bool(pytestconfig.getoption("--long"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `turn` runs once, and in the long form LONG_TURNS times: each stays short of a hang's limit."""
    if "turn" in metafunc.fixturenames:
        long_form = metafunc.config.getoption("--long")
        metafunc.parametrize("turn", range(metafunc.module.LONG_TURNS if long_form else 1))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LOST] = []


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # the collection after each async test then looks only at what the tests made


def pytest_asyncio_loop_factories(config: pytest.Config) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every async test and fixture runs on the loop the product runs on."""

    def record(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        config.stash[LOST].append(f"{context.get('message')}: {context.get('exception')!r}")

    def product_loop() -> WardenLoop:
        application = QCoreApplication.instance()
        assert application is not None
        loop = make_loop(application)
        loop.set_exception_handler(record)
        return loop

    return {"product": product_loop}


@pytest.fixture(scope="session", autouse=True)
def application(qapp: QApplication) -> QApplication:
    """pytest-qt's application, made before the first loop needs it."""
    qapp.setQuitOnLastWindowClosed(False)
    return qapp


def unfinished(loop: asyncio.AbstractEventLoop) -> set[asyncio.Task[Any]]:
    """Tasks that do not end by themselves; those a closed connection leaves behind get a moment to see it."""
    end = loop.time() + GRACE
    while (tasks := asyncio.all_tasks(loop)) and loop.time() < end:
        loop.run_until_complete(asyncio.sleep(0.001))
    return tasks


@pytest.fixture(autouse=True)
def nothing_lost(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[None]:
    """Fail a test that leaves a task running, or an error that nobody looked at."""
    runner = next((name for name in request.fixturenames if name.endswith("_scoped_runner")), None)
    if runner is None:
        yield
        return
    loop: asyncio.AbstractEventLoop = request.getfixturevalue(runner).get_loop()
    lost = pytestconfig.stash[LOST]
    lost.clear()
    yield
    lingering = sorted(f"{task.get_name()} {task.get_coro()!r}" for task in unfinished(loop))
    gc.collect()
    assert not lingering, f"tasks still running after the test: {lingering}"
    assert not lost, f"errors that nobody looked at: {lost}"
