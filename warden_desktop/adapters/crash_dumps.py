"""Stack dumps of freezes and crashes, in the data directory's `crash` folder.

`faulthandler` writes them from C, so they are written while Qt or a library holds Python's lock and when the process
dies of a signal. A thread of its own waits until nobody has put it off for `FREEZE` seconds; the loop puts it off twice
a second. The file for the next dump is open all the time: there is no opening one when it matters.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

FREEZE = 2.0
"""Seconds without a sign of life after which every thread's stack is written down."""
PUT_OFF_EVERY = 0.5
"""Seconds; a freeze is therefore noticed after `FREEZE` at the latest and not before `FREEZE` less this."""
KEPT = 20
"""Dumps that are kept, the newest ones."""
MOST = 1 << 20
"""Bytes read of one dump to tell what it is about."""

_FROZE = b"Timeout ("


class Dump(NamedTuple):
    """`froze`: the application stood still; else it died of a signal. `at`: when, aware UTC."""

    path: Path
    froze: bool
    at: datetime

    @property
    def told(self) -> str:
        """What to tell the analyst."""
        what = f"stood still for more than {FREEZE:g} s" if self.froze else "was ended by a fault"
        return (
            f"The application {what} at {self.at:%Y-%m-%d %H:%M:%S} UTC. That is our fault; what it was doing is in "
            f"crash/{self.path.name}: please report it with that file."
        )


class CrashDumps:
    """Watches one process. `open`, keep `watch` running, and `close` at the end. Where files cannot be written nothing
    happens."""

    def __init__(self, folder: Path, on_dump: Callable[[Dump], None] = lambda dump: None) -> None:
        """`on_dump` is called on the loop when a freeze that ended has left a dump."""
        self._folder = folder
        self._on_dump = on_dump
        self._path = folder / f"watch-{os.getpid()}.txt"
        self._file: IO[bytes] | None = None

    def open(self) -> list[Dump]:
        """Begin; returns what earlier runs left behind and nobody has been told of yet."""
        left = [dump for path in self._folder.glob("watch-*.txt") if (dump := _settle(path))]
        self._begin()
        self._prune()
        return sorted(left, key=lambda dump: dump.at)

    async def watch(self) -> None:
        """Give a sign of life until cancelled."""
        try:
            while True:
                self.alive()
                await asyncio.sleep(PUT_OFF_EVERY)
        finally:
            if self._file is not None:
                faulthandler.cancel_dump_traceback_later()  # nobody puts it off any more

    def alive(self) -> None:
        """The loop runs: put the dump off, and if there was one, tell of it."""
        if self._file is not None and os.fstat(self._file.fileno()).st_size:
            self._tell()
        if self._file is not None:
            faulthandler.dump_traceback_later(FREEZE, file=self._file)

    def close(self) -> None:
        """End; an ordinary end leaves no file."""
        self._end()

    def _end(self) -> Dump | None:
        if self._file is None:
            return None
        faulthandler.cancel_dump_traceback_later()
        faulthandler.disable()
        self._file.close()
        dump, self._file = _settle(self._path), None
        return dump

    def _begin(self) -> None:
        with contextlib.suppress(OSError):
            self._file = os.fdopen(
                os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb", buffering=0
            )
            faulthandler.enable(self._file)

    def _tell(self) -> None:
        dump = self._end()
        self._begin()
        self._prune()
        if dump is not None:
            self._on_dump(dump)

    def _prune(self) -> None:
        for path in sorted(self._folder.glob("*-[0-9]*T*.txt"), key=_when)[:-KEPT]:
            path.unlink(missing_ok=True)


def _when(path: Path) -> str:
    return path.stem.partition("-")[2]


def _settle(path: Path) -> Dump | None:
    """Name a watched file after what is in it, or remove it when nothing is."""
    try:
        status = path.stat()
        if not status.st_size:
            path.unlink()
            return None
        with path.open("rb") as file:
            froze = _FROZE in file.read(MOST)
        at = datetime.fromtimestamp(status.st_mtime, UTC)
        return Dump(
            path.rename(_free(path.with_name(f"{'freeze' if froze else 'crash'}-{at:%Y%m%dT%H%M%S}Z.txt"))), froze, at
        )
    except OSError:
        return None


def _free(path: Path) -> Path:
    """A name nobody has: two dumps may fall into one second."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found
