"""Files read in a thread and read again when they change, so that the loop never waits for a disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

LOOK_AGAIN = 5.0
"""Seconds for which nobody asks the disk whether something changed."""

Stamp = tuple[tuple[str, int, int], ...]


class Watched(Generic[T]):
    """What `read` makes of some files, kept until one of them changes, comes or goes."""

    def __init__(
        self,
        files: Callable[[], list[Path]],
        read: Callable[[list[Path]], T],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`files` lists the files that exist; `read` may raise OSError or ValueError. Both run in a thread."""
        self._files = files
        self._read = read
        self._clock = clock
        self._kept: tuple[Stamp, T] | None = None
        self._looked = float("-inf")
        self._reading = asyncio.Lock()

    async def value(self) -> T:
        """What the files say now. Raises what `read` raises."""
        async with self._reading:
            kept = self._kept
            if kept is None or self._clock() - self._looked >= LOOK_AGAIN:
                self._kept = kept = await asyncio.to_thread(self._look, kept)
                self._looked = self._clock()
            return kept[1]

    def _look(self, kept: tuple[Stamp, T] | None) -> tuple[Stamp, T]:
        files = self._files()
        stamp = tuple(_stamp(path) for path in files)
        return kept if kept is not None and kept[0] == stamp else (stamp, self._read(files))


def _stamp(path: Path) -> tuple[str, int, int]:
    state = path.stat()
    return str(path), state.st_mtime_ns, state.st_size
