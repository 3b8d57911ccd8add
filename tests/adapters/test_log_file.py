"""Alerts end up in log messages; they must not write lines or colours of their own."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from warden_desktop.adapters.log_file import log_to


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level, mask = root.handlers[:], root.level, os.umask(0o022)
    log_to(tmp_path, to_terminal=False)
    yield tmp_path
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    os.umask(mask)  # `log_to` makes everything private from then on, for the whole process


def test_hostile_text_stays_in_its_line(folder: Path) -> None:
    hostile = "host\r\n2026-01-01 INFO forged\x1b[2J\u202e\u2028end"
    logging.getLogger("warden_desktop.test").warning("alert about %s", hostile)
    lines = (folder / "warden.log").read_text("utf-8").split("\n")
    ours = [line for line in lines if line]
    assert sum(line.startswith("2") for line in ours) == 1, "a forged line would begin with a date"
    assert not any(char in line for line in ours for char in "\x1b\r\u202e\u2028")
    assert "\\u001b" in "".join(ours)


def test_the_file_is_private(folder: Path) -> None:
    assert (folder / "warden.log").stat().st_mode & 0o077 == 0
