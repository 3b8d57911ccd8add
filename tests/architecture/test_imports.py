"""Who may import whom: the contracts in pyproject.toml, and the libraries each room may use."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import CHECKOUT, PRODUCT, sources, write_tree

# Beyond the standard library. A room gets a library when it needs one, and that is a decision made here.
LIBRARIES = {
    "__init__": set[str](),
    "__main__": set[str](),
    "commands": {"aiohttp", "orjson", "pydantic", "yaml"},
    "app": {"PySide6", "aiohttp", "cel", "keyring", "orjson", "platformdirs", "pydantic"},
    "pipeline": set[str](),
    "loop": {"PySide6", "qasync", "shiboken6"},
    "ui": {"PySide6", "shiboken6", "pydantic", "orjson"},
    "adapters": {
        "aiohttp", "apsw", "cel", "cryptography", "filelock", "jmespath", "keyring", "multidict", "orjson",
        "platformdirs", "pydantic", "pydantic_core", "yaml", "yarl",
    },
    "settings": {"pydantic", "tomli_w"},
    "assets": set[str](),
    "engine": {"pydantic"},
    "domain": {"pydantic", "pydantic_core", "annotated_types"},
}  # fmt: skip

BAD_ROOMS = {
    "__init__.py": "",
    "__main__.py": "",
    "commands/__init__.py": "import warden_desktop.loop\n",
    "commands/replay.py": "import warden_desktop.adapters.keychain\n",
    "app.py": "import warden_desktop.loop\n",
    "pipeline.py": "",
    "loop.py": "import qasync\n",
    "ui/__init__.py": "import warden_desktop.adapters.journal\nimport aiohttp\n",
    "adapters/__init__.py": "",
    "adapters/journal.py": "import PySide6.QtCore\nimport qasync\n",
    "adapters/keychain.py": "",
    "adapters/replay.py": "",
    "adapters/responders.py": "",
    "adapters/webhook/__init__.py": "",
    "adapters/webhook/door.py": "",
    "settings.py": "",
    "assets.py": "",
    "engine/__init__.py": "import sqlite3\n",
    "domain/__init__.py": "import warden_desktop.engine\nimport logging\n",
}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the warden_desktop below `root`, in a process of its own so that it cannot see another one."""
    command = [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports as run; sys.exit(run())"]
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "300"}
    return subprocess.run(command, cwd=root, env=environment, text=True, capture_output=True)


def library_findings(root: Path) -> Iterator[str]:
    for source in sources(root):
        room = Path(source.name).with_suffix("").parts[0]
        allowed = sys.stdlib_module_names | LIBRARIES.get(room, set()) | {"warden_desktop"}
        for line, module in source.imports():
            if module.partition(".")[0] not in allowed:
                yield source.at(line, f"{room} does not use {module}")


def test_the_import_contracts_hold() -> None:
    checked = lint_imports(CHECKOUT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_contract_finds_its_violation(tmp_path: Path) -> None:
    write_tree(tmp_path / "warden_desktop", BAD_ROOMS)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    checked = lint_imports(tmp_path)
    assert checked.returncode == 1
    assert "8 broken" in checked.stdout
    assert "0 kept" in checked.stdout
    assert re.search(r"warden_desktop\.ui -> warden_desktop\.adapters\.journal", checked.stdout)


def test_a_room_outside_the_layers_is_found(tmp_path: Path) -> None:
    rooms = dict.fromkeys(BAD_ROOMS, "") | {"services/__init__.py": ""}
    write_tree(tmp_path / "warden_desktop", rooms)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    checked = lint_imports(tmp_path)
    assert checked.returncode == 1
    assert "services" in checked.stdout


def test_each_room_uses_only_its_libraries() -> None:
    assert list(library_findings(PRODUCT)) == []


def test_a_library_in_the_wrong_room_is_found(tmp_path: Path) -> None:
    files = {"engine/bus.py": "import asyncio\n\ndef f():\n    from yaml import load\n", "loop.py": "import qasync\n"}
    assert list(library_findings(write_tree(tmp_path, files))) == ["engine/bus.py:4: engine does not use yaml"]


def test_the_command_line_starts_without_the_toolkit() -> None:
    loaded = "import sys, warden_desktop.__main__; print([m for m in ('PySide6', 'qasync') if m in sys.modules])"
    started = subprocess.run([sys.executable, "-c", loaded], cwd=CHECKOUT, text=True, capture_output=True, check=True)
    assert started.stdout.strip() == "[]"
