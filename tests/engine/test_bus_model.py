"""Whatever happens, in whatever order, the bus does what ten lines say it does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.bus_model import BusMachine
from tests.memory_journal import MemoryJournal
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal
from warden_desktop.engine import subscription


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "RETRY_DELAYS", (0.0, 0.0))
    monkeypatch.setattr(subscription, "SAVE_EVERY", 0.0005)
    monkeypatch.setattr(subscription, "FROM_LOG", 3)
    monkeypatch.setattr(subscription, "QUEUED_AT_MOST", 6)


def settled(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def test_the_bus_agrees_with_the_model() -> None:
    class Machine(BusMachine):
        def __init__(self) -> None:
            journal = MemoryJournal()
            super().__init__(lambda: journal)

    run_state_machine_as_test(Machine, settings=settled(60, 40))


def test_the_bus_agrees_with_the_model_on_a_real_file(tmp_path: Path) -> None:
    class Machine(BusMachine):
        def __init__(self) -> None:
            path = Path(mkdtemp(dir=tmp_path)) / FILE_NAME
            super().__init__(lambda: SqliteJournal.open(path, asyncio.get_running_loop()))

    run_state_machine_as_test(Machine, settings=settled(10, 30))
