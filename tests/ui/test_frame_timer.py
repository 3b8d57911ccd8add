"""Many events, one call a frame; a lag is told; one view that fails does not silence the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from tests.samples_of_events import SAMPLES
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.frame_timer import FrameTimer

EVENTS = [Recorded(seq, event) for seq, event in enumerate(SAMPLES, start=1)]  # type: ignore[arg-type]


class Queue:
    """What the window needs of a receiver."""

    def __init__(self) -> None:
        self.on_ready: Callable[[], None] | None = None
        self.waiting: list[Recorded] = []
        self.missed = 0

    @property
    def lag(self) -> int:
        return len(self.waiting)

    def drain(self, limit: int = 100) -> tuple[int, list[Recorded]]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        missed, self.missed = self.missed, 0
        return missed, taken

    def bring(self, *events: Recorded) -> None:
        self.waiting += events
        if self.on_ready:
            self.on_ready()


class Seen:
    def __init__(self) -> None:
        self.batches: list[list[Recorded]] = []
        self.resyncs = 0

    def on_events(self, batch: list[Recorded]) -> None:
        self.batches.append(batch)

    def on_resync(self) -> None:
        self.resyncs += 1


class Broken(Seen):
    def on_events(self, batch: list[Recorded]) -> None:
        raise ValueError("cannot draw")


@pytest.fixture
def queue() -> Queue:
    return Queue()


def test_a_burst_reaches_a_view_as_one_batch(qtbot: QtBot, queue: Queue) -> None:
    frames, seen = FrameTimer(queue), Seen()
    frames.subscribe(seen)
    for event in EVENTS:
        queue.bring(event)
    qtbot.waitUntil(lambda: bool(seen.batches))
    assert seen.batches == [EVENTS]
    assert seen.resyncs == 0


def test_what_was_missed_is_read_again(qtbot: QtBot, queue: Queue) -> None:
    frames, seen = FrameTimer(queue), Seen()
    frames.subscribe(seen)
    queue.missed = 7
    queue.bring(EVENTS[0])
    qtbot.waitUntil(lambda: bool(seen.batches))
    assert seen.resyncs == 1


def test_a_view_that_fails_does_not_silence_the_others(qtbot: QtBot, queue: Queue) -> None:
    frames, seen = FrameTimer(queue), Seen()
    frames.subscribe(Broken())
    frames.subscribe(seen)
    with capture_exceptions() as raised:
        queue.bring(*EVENTS)
        qtbot.waitUntil(lambda: bool(seen.batches))
    assert [kind for kind, _, _ in raised] == [ExceptionGroup]


def test_a_view_that_left_and_a_stopped_timer_see_nothing(qtbot: QtBot, queue: Queue) -> None:
    frames, left, stays = FrameTimer(queue), Seen(), Seen()
    leave = frames.subscribe(left)
    frames.subscribe(stays)
    leave()
    queue.bring(*EVENTS)
    qtbot.waitUntil(lambda: bool(stays.batches))
    frames.stop()
    queue.bring(*EVENTS)
    assert left.batches == []
    assert queue.on_ready is None
