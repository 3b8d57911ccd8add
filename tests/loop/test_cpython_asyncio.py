"""CPython's own asyncio tests, those of the interpreter at hand, pass on the product's loop.

The short form leaves out what repeats the same tests with another implementation of futures or of child watchers, and
TLS; `pytest tests/loop --all-of-asyncio` runs everything. What does not apply, and why, is listed in `cpython_suite`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source_tree import CHECKOUT
from tests.loop.cpython_suite import NOT_APPLICABLE, NOT_ASKED, PACKAGE

RecordProperty = Callable[[str, object], None]
AVAILABLE = importlib.util.find_spec("test") is not None and importlib.util.find_spec(PACKAGE) is not None

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
"""They leave files where they run, so that is not the checkout."""

EVERYTHING = {
    "scheduling": ("base_events", "context", "eager_task_factory", "staggered", "threads", "timeouts", "waitfor"),
    "locks": ("locks", "queues", "futures2"),
    "sockets": ("buffered_proto", "sendfile", "server", "sock_lowlevel", "streams", "unix_events"),
    "events": ("events",),
    "subprocess": ("subprocess",),
    "taskgroups": ("taskgroups",),
    "tasks": ("tasks",),
    "sslproto": ("sslproto",),
    "ssl": ("ssl",),
}
SHORT = EVERYTHING | {
    "subprocess": ("subprocess:GenericWatcherTests,Subprocess[TP]*",),
    "tasks": ("tasks:CTask_CFuture_Tests,CTask_Future_Tests,[RS]*,*CurrentLoopTests",),
}
del SHORT["ssl"]


def modules() -> set[str]:
    """Those of the interpreter at hand."""
    package = importlib.import_module(PACKAGE)
    return {one.name for one in pkgutil.iter_modules(package.__path__) if one.name.startswith("test_")}


def run(names: Iterable[str], told: Path) -> dict[str, Any]:
    """What the tests print goes to a file: a child they left behind would keep a pipe open."""
    present = [f"test_{name}" for name in names if f"test_{name.partition(':')[0]}" in modules()]
    command = [sys.executable, "-W", "ignore", "-m", "tests.loop.cpython_suite", *present]
    with told.open("w") as file:
        done = subprocess.run(
            command, cwd=told.parent, env=ENVIRONMENT, stdout=file, stderr=file, timeout=200, check=False
        )
    lines = told.read_text().splitlines()
    assert done.returncode == 0, "\n".join(lines[-50:])
    report = json.loads(lines[-1])
    assert isinstance(report, dict)
    return report


def test_it_is_said_whether_this_interpreter_brings_the_tests(record_property: RecordProperty) -> None:
    said = f"Python at {sys.base_prefix}: asyncio's tests " + ("are run" if AVAILABLE else "are not installed with it")
    record_property("asyncio_tests", said)
    assert all(rule.reason for rule in NOT_APPLICABLE)
    assert all(NOT_ASKED.values())


if AVAILABLE:

    def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
        if "names" in metafunc.fixturenames:
            groups = EVERYTHING if metafunc.config.getoption("--all-of-asyncio", default=False) else SHORT
            metafunc.parametrize("names", groups.values(), ids=groups.keys())

    def test_asyncios_own_tests_pass(names: tuple[str, ...], record_property: RecordProperty, tmp_path: Path) -> None:
        report = run(names, tmp_path / "told")
        counts = {key: found if isinstance(found, int) else len(found) for key, found in report.items()}
        record_property("counts", counts)
        assert report["failed"] == {}
        assert report["unused"] == []

    def test_every_module_is_run_or_said_not_to_apply() -> None:
        run_here = {f"test_{name}" for names in EVERYTHING.values() for name in names}
        assert modules() <= run_here | NOT_ASKED.keys()
