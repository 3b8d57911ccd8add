"""The garbage collector stays out of frames and still frees what reference counting cannot."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from warden_desktop.loop import WardenLoop
from warden_desktop.loop.garbage import REST_EVERY, Collector


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector_as_before() -> Iterator[None]:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    yield
    gc.set_threshold(*before)
    if not frozen:
        gc.unfreeze()


@pytest.mark.usefixtures("collector_as_before")
def test_after_the_start_nothing_that_lives_is_walked_again() -> None:
    alive = [Knot() for _ in range(1000)]
    Collector().start()
    assert not {id(one) for one in gc.get_objects()} & {id(one) for one in alive}
    generations: list[int] = []
    gc.callbacks.append(lambda phase, info: generations.append(info["generation"]))
    made = [[number] for number in range(700_000)]
    gc.callbacks.pop()
    assert len(made) == 700_000
    assert set(generations) <= {0, 1}


@pytest.mark.usefixtures("collector_as_before")
def test_cycles_made_later_are_freed_at_rest_and_not_too_often() -> None:
    clock = Clock()
    collector = Collector(clock)
    collector.start()
    gone = weakref.ref(Knot())
    gc.collect(0)
    kept = Knot()
    knot = Knot()
    older = weakref.ref(knot)
    gc.collect(1)  # the knot is in the third generation now
    del knot
    assert not collector.rest()
    assert older() is not None
    clock.now = REST_EVERY
    assert collector.rest()
    assert (gone(), older()) == (None, None)
    assert kept.itself is kept
    assert not collector.rest()


@pytest.mark.usefixtures("collector_as_before")
async def test_it_rests_only_while_nothing_is_going_on(running: WardenLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warden_desktop.loop.garbage.LOOK_EVERY", 0.005)
    events, busy = 0, True

    def activity() -> int:
        nonlocal events
        events += busy
        return events

    clock = Clock()
    collector = Collector(clock)
    clock.now = REST_EVERY
    watching = running.create_task(collector.watch(activity))
    await asyncio.sleep(0.05)
    assert clock.now - collector._rested == REST_EVERY
    busy = False
    while clock.now - collector._rested:
        await asyncio.sleep(0.005)
    watching.cancel()
    assert collector._rested == REST_EVERY
