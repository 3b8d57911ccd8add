"""Small files, small functions, and names that say what a file is about."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import PRODUCT, sources, write_tree

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
SAYS_NOTHING = {"base", "common", "const", "constants", "helper", "helpers", "manager", "misc", "util", "utils"}


def size_findings(root: Path) -> Iterator[str]:
    for source in sources(root):
        lines = len(source.text.splitlines())
        if lines > LONGEST_FILE:
            yield source.at(lines, f"more than {LONGEST_FILE} lines: it asks to be two files")
        for node in source.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    yield source.at(node.lineno, f"{node.name} has {length} lines, more than {LONGEST_FUNCTION}")


def name_findings(root: Path) -> Iterator[str]:
    for source in sources(root):
        for part in Path(source.name).with_suffix("").parts:
            if SAYS_NOTHING & {part, *part.strip("_").split("_")}:
                yield f"{source.name}: {part} does not say what it is about"


def test_files_and_functions_stay_small() -> None:
    assert list(size_findings(PRODUCT)) == []


def test_every_module_is_named_for_what_it_does() -> None:
    assert list(name_findings(PRODUCT)) == []


def test_a_long_file_is_found(tmp_path: Path) -> None:
    write_tree(tmp_path, {"long.py": "x = 1\n" * (LONGEST_FILE + 1), "right.py": "x = 1\n" * LONGEST_FILE})
    assert list(size_findings(tmp_path)) == ["long.py:401: more than 400 lines: it asks to be two files"]


def test_a_long_function_is_found(tmp_path: Path) -> None:
    body = "    x = 1\n" * LONGEST_FUNCTION
    write_tree(tmp_path, {"long.py": f"async def f():\n{body}", "right.py": f"def g():\n{body[10:]}"})
    assert list(size_findings(tmp_path)) == ["long.py:1: f has 51 lines, more than 50"]


@pytest.mark.parametrize("name", ["utils.py", "ui/common/table.py", "engine/bus_manager.py", "_helpers.py"])
def test_a_name_that_says_nothing_is_found(name: str, tmp_path: Path) -> None:
    assert len(list(name_findings(write_tree(tmp_path, {name: "", "database.py": ""})))) == 1
