"""Stopping in stages: each has a deadline, and what still runs after it is named."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

log = logging.getLogger(__name__)

STUBBORN = 5.0
"""Seconds after its deadline at which a stage that ignores being cancelled is named once more."""


class Stage(NamedTuple):
    """`end` is awaited for `seconds` at most, then cancelled; `still` names what keeps it from ending."""

    name: str
    end: Callable[[], Awaitable[object]]
    seconds: float
    still: Callable[[], Iterable[str]] | None = None


async def stop_in_stages(stages: Iterable[Stage]) -> list[str]:
    """Run `stages` one after the other. One that fails or takes too long is logged and the next one goes on: the last
    of them puts on the disk what can be put there. Returns the names of the stages that did not end well."""
    return [stage.name for stage in stages if not await _ended(stage)]


async def _ended(stage: Stage) -> bool:
    loop, asked = asyncio.get_running_loop(), _asked_to_stop()
    alarms = [loop.call_later(stage.seconds + more, _name, stage, more) for more in (0.0, STUBBORN)]
    limit = asyncio.timeout(stage.seconds)
    try:
        async with limit:
            await stage.end()
    except (Exception, asyncio.CancelledError) as error:
        if _asked_to_stop() > asked:
            raise
        if not (limit.expired() and isinstance(error, TimeoutError)):
            log.error("stopping: %s failed", stage.name, exc_info=error)
        return False
    finally:
        for alarm in alarms:
            alarm.cancel()
    return not limit.expired()


def _asked_to_stop() -> int:
    """How often we ourselves were cancelled; what we await may have been, too, which is another matter."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _name(stage: Stage, more: float) -> None:
    running = "; ".join((stage.still or running_tasks)()) or "nothing that has a name"
    what = "does not let itself be cancelled" if more else "is cancelled"
    log.error(
        "stopping: %s has not ended after %g s and %s. Still running: %s", stage.name, stage.seconds, what, running
    )


def running_tasks() -> list[str]:
    """Every task but the one that asks: its name, its coroutine, and where it stands."""
    return sorted(_described(task) for task in asyncio.all_tasks() if task is not asyncio.current_task())


def _described(task: asyncio.Task[object]) -> str:
    coroutine = getattr(task.get_coro(), "__qualname__", "coroutine")
    stack = task.get_stack(limit=1)
    where = f" at {stack[0].f_code.co_filename.rpartition('/')[2]}:{stack[0].f_lineno}" if stack else ""
    return f"{task.get_name()} ({coroutine}{where})"
