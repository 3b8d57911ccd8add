"""The kill switch's memory: one small JSON file that any process can read and write, without a database.

    {"engaged": [{"scope": "everything", "by": "analyst:alice", "reason": "...", "at": "2026-01-01T00:00:00+00:00"}],
     "released": [the same, for scopes that were released since: who did, why and when]}

No file means nothing was ever engaged. A file that cannot be read or understood, or that is gone after it was there,
means that everything is engaged.

Several processes write it. Each writes what it changed, onto what the file says by then, while it holds a lock on the
directory; so nobody takes back a stop that they never saw. A lock that cannot be had does not keep a stop from being
written, only a release.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import TypeAdapter

from warden_desktop.domain.record import Record
from warden_desktop.engine.kill_switch import EVERYTHING, LATCH_ITSELF
from warden_desktop.engine.ports import Engagement

_Identity = tuple[int, int, int, int]
_Stops = Mapping[str, Engagement]
_NOTHING: _Stops = MappingProxyType({})
LARGEST = 1_048_576
RELEASES_KEPT = 20
LOCK_WITHIN = 0.05
"""Seconds; another writer holds the lock for about one fsync."""

SETTLED = 50_000_000
"""Nanoseconds: a file changed less than this ago may change again without looking changed."""


class _Stop(Record):
    scope: str
    by: str
    reason: str
    at: str


class _Content(Record):
    engaged: tuple[_Stop, ...]
    released: tuple[_Stop, ...] = ()


class _State(NamedTuple):
    engaged: _Stops = _NOTHING
    released: _Stops = _NOTHING


_CONTENT = TypeAdapter(_Content)


class FileLatch:
    """Implements ports.Latch. Reading an unchanged file costs one `stat`: it happens before every send."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: _Identity | None = None
        self._state = _State()
        self._told: _Stops = _NOTHING

    @property
    def released(self) -> Mapping[str, Engagement]:
        """Who released what, and why, by scope; as of the last read."""
        return self._state.released

    def read(self) -> Mapping[str, Engagement]:
        """What is engaged, by scope; never raises."""
        try:
            self._told = self._current().engaged
        except FileNotFoundError:
            self._told = _NOTHING if self._identity is None else _unreadable("it is gone")
        except (OSError, ValueError) as error:
            self._told = _unreadable(str(error))
        return self._told

    def _current(self) -> _State:
        status = os.stat(self._path)
        identity = _identity(status)
        if identity != self._identity:
            self._state = self._content()
            settled = abs(time.time_ns() - status.st_mtime_ns) > SETTLED
            self._identity = identity if settled else (0, 0, 0, 0)
        return self._state

    def _content(self) -> _State:
        with self._path.open("rb") as stream:
            content = _CONTENT.validate_json(stream.read(LARGEST))
        return _State(_by_scope(content.engaged), _by_scope(content.released))

    def write(self, engaged: Mapping[str, Engagement], released: Engagement | None = None) -> None:
        """Make the file say `engaged`, as a change of what was last read here; durable on return. `released` says who
        released, and why. Raises OSError."""
        lifts = bool(self._told.keys() - engaged.keys())
        with _locked(self._path.parent) as locked:
            if lifts and not locked:
                raise OSError(errno.EBUSY, "another process is changing it; try again")
            try:
                theirs = self._content()
            except (OSError, ValueError):
                theirs = _State()
            stands = _merged(self._told, engaged, theirs.engaged)
            self._replace(_State(stands, _releases(theirs.released, released, stands)))
            self._told = stands
        _sync_directory(self._path.parent)

    def _replace(self, state: _State) -> None:
        content = {"engaged": _listed(state.engaged), "released": _listed(state.released)}
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)  # 0600 by itself
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(json.dumps(content, indent=1).encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, self._path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        self._identity = (0, 0, 0, 0)  # it was there, and must be read again


def _merged(seen: _Stops, wanted: _Stops, theirs: _Stops) -> _Stops:
    """What another process engaged since we looked stands; what we saw and no longer want does not."""
    return {**{scope: stop for scope, stop in theirs.items() if scope in wanted or seen.get(scope) != stop}, **wanted}


def _releases(known: _Stops, fresh: Engagement | None, stands: _Stops) -> _Stops:
    """The newest last, and none of what stands again."""
    told = {**known, **({fresh.scope: fresh} if fresh else {})}
    return dict([(scope, one) for scope, one in told.items() if scope not in stands][-RELEASES_KEPT:])


def _by_scope(stops: tuple[_Stop, ...]) -> _Stops:
    return MappingProxyType({stop.scope: Engagement(**stop.model_dump()) for stop in stops})


def _listed(stops: _Stops) -> list[dict[str, object]]:
    return [stop._asdict() for stop in stops.values()]


def _identity(status: os.stat_result) -> _Identity:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Hold the directory's lock, if it can be had soon; whether it is held. Raises OSError when there is none."""
    if sys.platform == "win32":  # no locks on directories: the last of two writers within a millisecond wins
        yield True
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        yield _lock(handle)
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    import fcntl

    until = time.monotonic() + LOCK_WITHIN
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.001)
        else:
            return True


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
