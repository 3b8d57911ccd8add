"""Commands load what they need and no more: a person in a hurry presses the kill switch at a terminal too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.commands.terminal import CHECKOUT, Terminal

TOOLKITS = {"PySide6", "qasync", "aiohttp"}
ENGINE = {"apsw", "cel", "jmespath", "yaml", "keyring"}


def loaded(terminal: Terminal, *words: str) -> set[str]:
    """The top-level packages a command has loaded when it ends."""
    code = (
        "import sys\nfrom warden_desktop.__main__ import main\nmain(sys.argv[1:])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    arguments = [sys.executable, "-c", code, "--data-dir", str(terminal.data_dir), *words]
    done = subprocess.run(arguments, cwd=CHECKOUT, env=terminal.environment, text=True, capture_output=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("do", ["status", "engage"])
def test_the_kill_switch_loads_no_toolkit_no_server_and_no_database(do: str, terminal: Terminal) -> None:
    assert loaded(terminal, "kill-switch", do) & (TOOLKITS | ENGINE) == set()


@pytest.mark.parametrize("words", [("incidents",), ("events",), ("audit", "verify"), ("approvals", "list")])
def test_reading_loads_no_toolkit(words: tuple[str, ...], terminal: Terminal) -> None:
    with terminal.application():
        pass
    assert loaded(terminal, *words) & (TOOLKITS - {"aiohttp"}) == set()
