"""A task that nobody owns is lost with its exception: tasks are started in a TaskGroup."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import PRODUCT, called_name, sources, write_tree

STARTS_A_TASK = {"create_task", "ensure_future", "asyncSlot", "asyncClose"}
A_LOOP = re.compile(r"(^|[._])(asyncio|loop|get_event_loop\(\)|get_running_loop\(\))$")


def task_findings(root: Path) -> Iterator[str]:
    for source in sources(root):
        for call in source.calls():
            owner = ast.unparse(call.func).rpartition(".")[0]
            bare = not owner or A_LOOP.search(owner) or called_name(call) != "create_task"
            if called_name(call) in STARTS_A_TASK and bare:
                yield source.at(call.lineno, f"{ast.unparse(call.func)}: start it in a TaskGroup")


def test_no_task_is_started_outside_a_task_group() -> None:
    assert list(task_findings(PRODUCT)) == []


@pytest.mark.parametrize(
    "bad",
    [
        "asyncio.create_task(work())",
        "create_task(work())",
        "asyncio.ensure_future(work())",
        "asyncio.get_running_loop().create_task(work())",
        "self._loop.create_task(work())",
        "loop.create_task(work())",
        "asyncSlot()(work)",
    ],
)
def test_an_unowned_task_is_found(bad: str, tmp_path: Path) -> None:
    good = "self._tasks.create_task(work())\nasync with asyncio.TaskGroup() as group:\n    group.create_task(work())\n"
    root = write_tree(tmp_path, {"engine/bad.py": f"{bad}\n", "engine/good.py": good})
    (finding,) = task_findings(root)
    assert finding.startswith("engine/bad.py:1: ")
