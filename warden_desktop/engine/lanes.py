"""Events in lanes: one after the other within a lane, several lanes at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from warden_desktop.engine.ports import Recorded

Lane = Callable[[Recorded], Hashable]

BREATH = 64
"""Events after which a worker lets others have the loop, should no handler have waited for anything."""


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
        lane = self._lane(recorded)
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
        lane = self._lane(recorded)
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

    def _begin(self, turn: Turn) -> None:
        self._waiting.append(turn)
        self._employ()

    def _employ(self) -> None:
        """Start one worker, when there is work for one. Once it runs it starts the next: handlers that wait for nothing
        need but one, however much has come at once."""
        if self._waiting and not self._starting and len(self._workers) < self._concurrency:
            worker = self._run(self._work())
            if worker is not None:
                self._starting = True
                self._workers.add(worker)
                worker.add_done_callback(self._left)

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not self._workers:
            self._starting = False
        self._employ()

    async def _work(self) -> None:
        self._starting = False
        served = 0
        while self._waiting:
            lane, recorded, failures = self._waiting.popleft()
            self._employ()
            pause = await self._serve(recorded, failures)
            if pause is None:
                self._next(lane)
            else:
                self._pause(pause, Turn(lane, recorded, failures + 1))
            served += 1
            if served % BREATH == 0:
                await asyncio.sleep(0)

    def _next(self, lane: Hashable) -> None:
        followers = self._busy.get(lane)
        if followers:
            self._begin(Turn(lane, followers.popleft()))
        else:
            self._busy.pop(lane, None)
            self._freed.set()

    def _pause(self, seconds: float, turn: Turn) -> None:
        self._paused[turn.lane] = asyncio.get_running_loop().call_later(seconds, self._resume, turn)

    def _resume(self, turn: Turn) -> None:
        del self._paused[turn.lane]
        self._begin(turn)
