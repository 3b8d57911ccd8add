"""Runs CPython's own asyncio tests on the product's loop: `python -m tests.loop.cpython_suite MODULE[:CLASSES]...`.

The tests are those of the interpreter at hand, unchanged. What is changed is what they ask for a loop: asyncio's
default policy and `asyncio.SelectorEventLoop` make ours. Tests that make no loop, or one of their own, run as well and
are counted apart. One JSON object is printed: see `Report`.
"""

from __future__ import annotations

import asyncio
import fnmatch
import importlib
import json
import os
import sys
import unittest
from asyncio import unix_events
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

os.environ["QT_API"] = "pyside6"

from PySide6.QtCore import QCoreApplication

from warden_desktop.loop import WardenLoop

PACKAGE = "test.test_asyncio"


class Exclusion(NamedTuple):
    """Tests that do not apply, by a pattern of "module.class.test", and why. `since`: the first Python with them."""

    pattern: str
    reason: str
    since: tuple[int, int] = (3, 11)


SELECTORS = "which selector it uses is the loop's own business; EPollEventLoopTests has the same tests"
NOT_APPLICABLE = (
    Exclusion("test_events.SelectEventLoopTests.*", SELECTORS),
    Exclusion("test_events.PollEventLoopTests.*", SELECTORS),
    Exclusion("test_sendfile.SelectEventLoopTests.*", SELECTORS),
    Exclusion("test_sendfile.PollEventLoopTests.*", SELECTORS),
    Exclusion("test_sock_lowlevel.SelectEventLoopTests.*", SELECTORS),
    Exclusion("test_sock_lowlevel.PollEventLoopTests.*", SELECTORS),
    Exclusion(
        "test_events.Test*GetEventLoop.test_get_event_loop_new_process",
        "runs a loop in a process forked from a thread; Qt does not survive a fork, and the loop says so",
    ),
    Exclusion(
        "test_subprocess.GenericWatcherTests.test_create_subprocess_with_pidfd",
        "runs a second loop in a second thread; Qt runs one application in one thread, and the loop says so",
        since=(3, 12),
    ),
)

NOT_ASKED = {
    "test_futures": "futures on a mocked loop; none of its tests makes a real one",
    "test_pep492": "coroutine syntax on a mocked loop",
    "test_proactor_events": "the Windows loop's inside, mocked",
    "test_protocols": "abstract classes, without a loop",
    "test_runners": "asyncio.run with a mocked policy; tests/loop/test_lifecycle.py runs ours in asyncio.Runner",
    "test_selector_events": "asyncio's selector loop's inside, mocked; ours inherits it",
    "test_transports": "abstract classes, without a loop",
    "test_windows_events": "Windows",
    "test_windows_utils": "Windows",
}
"""Modules that are not run, and why."""


@dataclass
class Report:
    """`passed` includes `on_loop`, the tests in which the product's loop ran. By test: `skipped` (by CPython itself)
    and `not_applicable` (by us) with reasons, `failed` with tracebacks, and `again`: those that were tried twice, for
    CPython's tests have limits of time that a busy machine breaks. `unused`: exclusions that exclude nothing."""

    passed: int = 0
    on_loop: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


class Loops:
    """Makes the product's loops where CPython's tests ask asyncio for one, and counts how often one ran."""

    def __init__(self) -> None:
        self.runs = 0
        self._asyncio_loop = asyncio.SelectorEventLoop
        loops, application = self, QCoreApplication.instance() or QCoreApplication([])

        class CountedLoop(WardenLoop):
            def __init__(self, selector: Any = None) -> None:
                if selector is not None:
                    selector.close()
                loops._put(loops._asyncio_loop)  # which qasync looks up, to build on it
                super().__init__(application)
                loops._put(CountedLoop)

            def run_forever(self) -> None:
                loops.runs += 1
                super().run_forever()

        self._put(CountedLoop)
        policy: Any = unix_events._UnixDefaultEventLoopPolicy
        policy._loop_factory = CountedLoop

    def _put(self, loop: type[Any]) -> None:
        asyncio.SelectorEventLoop = loop


class Suite:
    """Runs modules and gathers the report."""

    def __init__(self) -> None:
        self.report = Report()
        self._loops = Loops()
        self._used: set[str] = set()

    def run(self, name: str, classes: str = "*") -> None:
        """Run the tests of `name` whose class matches one of `classes`, patterns separated by commas."""
        module = importlib.import_module(f"{PACKAGE}.{name}")
        loaded = [*_flat(unittest.defaultTestLoader.loadTestsFromModule(module))]
        wanted = [test for test in loaded if any(_matches(type(test).__name__, one) for one in classes.split(","))]
        self._run_all(module, [test for test in wanted if not self._excluded(test)])
        present = [rule for rule in NOT_APPLICABLE if rule.pattern.startswith(f"{name}.")]
        known = [_name(test) for test in loaded]
        self.report.unused += [
            rule.pattern
            for rule in present
            if rule.since <= sys.version_info[:2] and not fnmatch.filter(known, rule.pattern)
        ]

    def _excluded(self, test: unittest.TestCase) -> bool:
        name = _name(test)
        reason = next((rule.reason for rule in NOT_APPLICABLE if _matches(name, rule.pattern)), None)
        if reason is not None:
            self.report.not_applicable[name] = reason
        return reason is not None

    def _run_all(self, module: Any, tests: list[unittest.TestCase]) -> None:
        getattr(module, "setUpModule", bool)()
        try:
            for test in tests:
                self._run(test)
        finally:
            getattr(module, "tearDownModule", bool)()

    def _run(self, test: unittest.TestCase) -> None:
        before = self._loops.runs
        result = _outcome(test)
        if not result.wasSuccessful():
            result = _outcome(type(test)(test._testMethodName))
            self.report.again.append(_name(test))
        problems = [text for _, text in (*result.errors, *result.failures)]
        if problems:
            self.report.failed[_name(test)] = "\n".join(problems)
        elif result.skipped:
            self.report.skipped[_name(test)] = result.skipped[0][1]
        else:
            self.report.passed += 1
            self.report.on_loop += self._loops.runs > before


def _outcome(test: unittest.TestCase) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.TestSuite([test])._handleClassSetUp(test, result)  # type: ignore[attr-defined]
    test.run(result)
    type(test).doClassCleanups()
    return result


def _flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one


def _name(test: unittest.TestCase) -> str:
    return test.id().removeprefix(f"{PACKAGE}.")


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)


def main(modules: list[str]) -> None:
    """Run `modules`, each a name or "name:classes", and print the report."""
    suite = Suite()
    for one in modules:
        name, _, classes = one.partition(":")
        suite.run(name, classes or "*")
    sys.stdout.write(json.dumps(asdict(suite.report)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # whatever CPython's tests have left behind
