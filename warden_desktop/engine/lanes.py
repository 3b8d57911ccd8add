"""Events in lanes: one after the other within a lane, several lanes at once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from warden_desktop.engine.ports import Recorded

log = logging.getLogger(__name__)

Lane = Callable[[Recorded], Hashable]

BREATH = 64
"""Events after which the workers let others have the loop, should no handler have waited for anything."""


class Turn(NamedTuple):
    """A lane whose next event may begin, and how often that has failed so far."""

    lane: Hashable
    recorded: Recorded
    failures: int = 0


class Lanes:
    """Gives each event to `serve`, lanes in the order in which their events came, `concurrency` of them at once.

    `serve` returns how many seconds to leave the lane alone before the same event is served again, or None when it is
    done with it. A lane that is left alone takes nobody's place.
    """

    def __init__(
        self,
        lane: Lane,
        concurrency: int,
        serve: Callable[[Recorded, int], Awaitable[float | None]],
        run: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None] | None],
    ) -> None:
        self._lane = lane
        self._concurrency = concurrency
        self._serve = serve
        self._run = run
        self._busy: dict[Hashable, deque[Recorded] | None] = {}
        self._waiting: deque[Turn] = deque()
        self._paused: dict[Hashable, asyncio.TimerHandle] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._starting = False
        self._freed = asyncio.Event()

    def add(self, recorded: Recorded) -> None:
        """Serve `recorded` after the others of its lane."""
        lane = self._lane_of(recorded)
        if lane not in self._busy:
            self._busy[lane] = None
            self._begin(Turn(lane, recorded))
        elif (followers := self._busy[lane]) is not None:
            followers.append(recorded)
        else:
            self._busy[lane] = deque((recorded,))

    @asynccontextmanager
    async def alone(self, recorded: Recorded) -> AsyncIterator[None]:
        """Hold the lane of `recorded`: nothing of it is served meanwhile."""
        lane = self._lane_of(recorded)
        while lane in self._busy:
            self._freed.clear()
            await self._freed.wait()
        self._busy[lane] = None
        try:
            yield
        finally:
            self._next(lane)

    def clear(self) -> None:
        """Forget everything; who served has been cancelled."""
        for timer in self._paused.values():
            timer.cancel()
        for gone in (self._busy, self._waiting, self._paused):
            gone.clear()
        self._freed.set()

    def _lane_of(self, recorded: Recorded) -> Hashable:
        try:
            return self._lane(recorded)
        except Exception:
            log.exception("no lane for event %d (%s)", recorded.seq, recorded.event.kind)
            return None

    def _begin(self, turn: Turn) -> None:
        self._waiting.append(turn)
        self._employ()

    def _employ(self) -> None:
        """Start one worker, when there is work for one. Once it runs it starts the next: handlers that wait for nothing
        need but one, however much has come at once."""
        if not self._starting and self._waiting and len(self._workers) < self._concurrency:
            worker = self._run(self._work())
            if worker is not None:
                self._starting = True
                self._workers.add(worker)
                worker.add_done_callback(self._left)

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        self._starting = False
        self._employ()

    async def _work(self) -> None:
        self._starting = False
        served = 0
        while self._waiting:
            turn = self._waiting.popleft()
            if self._waiting:
                self._employ()
            pause = await self._serve(turn.recorded, turn.failures)
            if pause is None:
                self._next(turn.lane)
            else:
                self._pause(pause, turn._replace(failures=turn.failures + 1))
            served += 1
            if served * len(self._workers) >= BREATH:
                served = 0
                await asyncio.sleep(0)

    def _next(self, lane: Hashable) -> None:
        followers = self._busy.pop(lane, None)
        if followers:
            self._busy[lane] = followers
            self._begin(Turn(lane, followers.popleft()))
        else:
            self._freed.set()

    def _pause(self, seconds: float, turn: Turn) -> None:
        self._paused[turn.lane] = asyncio.get_running_loop().call_later(seconds, self._resume, turn)

    def _resume(self, turn: Turn) -> None:
        del self._paused[turn.lane]
        self._begin(turn)
