"""Doors on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.webhook.at_the_door import Bench, FakeIntake, Open
from warden_desktop.adapters.sources import Source, load_sources
from warden_desktop.adapters.webhook import Door, Limits, Quarantine
from warden_desktop.assets import resource


@pytest.fixture(scope="session")
def sources() -> dict[str, Source]:
    return load_sources(resource("sources"))


@pytest.fixture
async def open_door(tmp_path: Path, sources: dict[str, Source]) -> AsyncIterator[Open]:
    """Opens doors with the limits a test wants, and closes them after it."""
    benches: list[Bench] = []

    async def opened(limits: Limits | None = None, packs: dict[str, Source] | None = None, **further: Any) -> Bench:
        limits = limits or Limits()
        intake, secrets = FakeIntake(), dict[str, tuple[bytes, ...]]()
        quarantine = Quarantine(tmp_path / "quarantine", limits.quarantine_entries, limits.quarantine_bytes)
        bench: Bench
        door = Door(
            host="127.0.0.1", port=0, sources=packs or sources, intake=intake,
            secrets=lambda name: bench.secrets_of(name), health=lambda: bench.causes, quarantine=quarantine,
            limits=limits, **further,
        )  # fmt: skip
        bench = Bench(door, intake, quarantine, secrets)
        bench.host, bench.port = await door.start()
        benches.append(bench)
        return bench

    yield opened
    for bench in benches:
        await bench.close()


@pytest.fixture
async def bench(open_door: Open) -> Bench:
    """A door with the product's limits."""
    return await open_door()
