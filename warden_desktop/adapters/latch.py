"""The kill switch's memory: one small JSON file that any process can read and write, without a database.

    {"engaged": [{"scope": "everything", "by": "analyst:alice", "reason": "...", "at": "2026-01-01T00:00:00+00:00"}]}

No file means nothing was ever engaged. A file that cannot be read or understood, or that is gone after it was there,
means that everything is engaged.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from pydantic import TypeAdapter

from warden_desktop.domain.record import Record
from warden_desktop.engine.kill_switch import EVERYTHING, LATCH_ITSELF
from warden_desktop.engine.ports import Engagement

_Identity = tuple[int, int, int, int]
_NOTHING: Mapping[str, Engagement] = MappingProxyType({})
LARGEST = 1_048_576


class _Stop(Record):
    scope: str
    by: str
    reason: str
    at: str


class _Content(Record):
    engaged: tuple[_Stop, ...]


_CONTENT = TypeAdapter(_Content)


class FileLatch:
    """Implements ports.Latch. Reading an unchanged file costs one `stat`: it happens before every send."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: _Identity | None = None
        self._engaged: Mapping[str, Engagement] = _NOTHING

    def read(self) -> Mapping[str, Engagement]:
        """What is engaged, by scope; never raises."""
        try:
            identity = _identity(os.stat(self._path))
            if identity != self._identity:
                self._engaged = self._content()
                self._identity = identity
            return self._engaged
        except FileNotFoundError:
            return _NOTHING if self._identity is None else _unreadable("it is gone")
        except (OSError, ValueError) as error:
            return _unreadable(str(error))

    def _content(self) -> Mapping[str, Engagement]:
        with self._path.open("rb") as stream:
            content = _CONTENT.validate_json(stream.read(LARGEST))
        return MappingProxyType({stop.scope: Engagement(**stop.model_dump()) for stop in content.engaged})

    def write(self, engaged: Mapping[str, Engagement]) -> None:
        """Replace the file, durably: it and its name are on disk on return. Raises OSError."""
        content = json.dumps({"engaged": [stop._asdict() for stop in engaged.values()]}, indent=1)
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)  # 0600 by itself
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content.encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, self._path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        _sync_directory(self._path.parent)
        self._identity = (0, 0, 0, 0)  # it was there, and must be read again


def _identity(status: os.stat_result) -> _Identity:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a directory cannot be opened, and its entries are journalled by the file system
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unreadable(why: str) -> Mapping[str, Engagement]:
    reason = f"latch unreadable: {' '.join(why.split())[:200]}"
    return {EVERYTHING: Engagement(EVERYTHING, LATCH_ITSELF, reason, datetime.now(UTC).isoformat())}
