"""Waiting equally long for many futures, with one timer for all of them."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from warden_desktop.engine.ports import JournalError

T = TypeVar("T")


class Patience:
    """Waits `seconds` for each future. A timer for each would cost more than the rest of publishing does."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due: dict[asyncio.Future[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait_for(self, future: asyncio.Future[T]) -> T:
        """The future's result. Raises JournalError when it takes too long. Cancelling the caller cancels the future."""
        if future.done():
            return future.result()
        loop = asyncio.get_running_loop()
        self._due[future] = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._look)
        try:
            return await future
        finally:
            del self._due[future]

    def _look(self) -> None:
        """All wait equally long, so who came first is due first."""
        self._timer = None
        loop = asyncio.get_running_loop()
        for future, due in self._due.items():
            if due > loop.time():
                self._timer = loop.call_at(due, self._look)
                return
            if not future.done():
                detail = f"The journal has not answered for {self.seconds:g} s; is the disk hanging?"
                future.set_exception(JournalError(detail))
