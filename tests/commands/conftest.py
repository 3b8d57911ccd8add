"""A terminal and, for commands that ask it, one running application a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.terminal import Console, Terminal
from tests.journeys.deliveries import web_shell

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\u2066\x7f\r\nroot# rm\x00 \u200bend"


def hostile() -> dict[str, object]:
    """An alert whose every text tries to steer the terminal it is read in."""
    return {
        "source": HOSTILE, "alert_type": "web_shell", "severity": "high", "title": f"Titre é {HOSTILE}",
        "description": HOSTILE, "data": {"host": HOSTILE, "url": f"https://evil.test/{HOSTILE}", "user": HOSTILE},
    }  # fmt: skip


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A terminal on a data directory that does not exist yet."""
    return Terminal(tmp_path / "data")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("commands") / "data")


@pytest.fixture(scope="module")
def console(shared: Terminal) -> Iterator[Console]:
    """The application with three incidents, one of them hostile, whose actions wait for a person."""
    with shared.application() as console:
        for number in (1, 2):
            assert console.post(web_shell(number, f"web-0{number}")) == 202
        assert console.post(hostile(), "generic") == 202
        console.settled()
        yield console
