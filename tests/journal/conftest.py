"""A journal in a folder of its own, on the loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


@pytest_asyncio.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal.open(path, asyncio.get_running_loop())
    yield opened
    await opened.close()
