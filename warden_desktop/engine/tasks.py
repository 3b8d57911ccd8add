"""Owns every task of the application: one TaskGroup, and no failure that goes unseen or takes the others down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Work:
    """Starts coroutines in `group`. A failure is logged and told to `on_failure`; the others go on."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False
        self.on_failure: Callable[[Exception], None] | None = None

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run `work`; its end is nobody's business but the log's. None when everything has ended."""
        return self._run(work, None, None)

    def start(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run `work`; call `done` with its result, or `failed` (else `on_failure`) with its exception."""
        self._run(work, done, failed)

    def _run(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None,
        failed: Callable[[Exception], None] | None,
    ) -> asyncio.Task[None] | None:
        if self._ended:
            work.close()
            return None
        task = self._group.create_task(self._guarded(work, done, failed), name=getattr(work, "__qualname__", "work"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # a task cancelled before its first step never touched it
        return task

    async def _guarded(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None,
        failed: Callable[[Exception], None] | None,
    ) -> None:
        try:
            result = await work
            if done is not None and not self._ended:
                done(result)
        except Exception as error:
            self._tell(error, failed)

    def _tell(self, error: Exception, failed: Callable[[Exception], None] | None) -> None:
        told = failed or self.on_failure
        if failed is None:
            log.error("work failed", exc_info=error)
        if told is not None and not self._ended:
            told(error)

    @property
    def running(self) -> list[str]:
        """The names of what still runs."""
        return sorted(task.get_name() for task in self._tasks)

    def end(self) -> None:
        """Cancel what still runs and start nothing more."""
        self._ended = True
        for task in tuple(self._tasks):
            task.cancel()
