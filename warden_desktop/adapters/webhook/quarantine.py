"""Deliveries that came from who they should but could not be understood: kept, so that a person can see why.

One file an entry: a line of JSON about it, then the body's bytes. The oldest go when there are too many or too large.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from pydantic import AwareDatetime, ValidationError

from warden_desktop.domain.record import Record, now


class Entry(Record):
    """One delivery kept. `code` is the refusal's, `detail` what its sender was told, `size` the body's bytes."""

    id: UUID
    at: AwareDatetime
    source: str
    code: str
    detail: str
    size: int


class Quarantine:
    """The newest refused deliveries, `most` of them and `most_bytes` in all, in `directory` (made when needed)."""

    def __init__(self, directory: Path, most: int = 100, most_bytes: int = 20_000_000) -> None:
        self._directory = directory
        self._most = most
        self._most_bytes = most_bytes
        self._entries: dict[UUID, Entry] | None = None
        self._turn = asyncio.Lock()
        self.kept = 0
        """How many deliveries were ever kept, by this run."""

    async def keep(self, source: str, code: str, detail: str, body: bytes) -> Entry:
        """Keep a delivery. A disk that fails loses it without harm to anything else."""
        entry = Entry(id=uuid4(), at=now(), source=source, code=code, detail=detail[:2000], size=len(body))
        async with self._turn:
            await asyncio.to_thread(self._store, entry, body)
        self.kept += 1
        return entry

    def list(self) -> Sequence[Entry]:
        """What is kept, newest first."""
        return tuple(reversed(self._known().values()))

    def body(self, entry_id: UUID) -> bytes:
        """The bytes as they came. Raises KeyError for an entry that is gone."""
        if entry_id not in self._known():
            raise KeyError(entry_id)
        try:
            return self._path(entry_id).read_bytes().partition(b"\n")[2]
        except OSError:
            raise KeyError(entry_id) from None

    def _known(self) -> dict[UUID, Entry]:
        if self._entries is None:
            self._entries = {entry.id: entry for entry in sorted(self._on_disk(), key=_age)}
        return self._entries

    def _on_disk(self) -> Sequence[Entry]:
        found = []
        for path in self._directory.glob("*.delivery"):
            with contextlib.suppress(OSError, ValidationError), path.open("rb") as stream:
                found.append(Entry.model_validate_json(stream.readline(16_384)))
        return found

    def _store(self, entry: Entry, body: bytes) -> None:
        entries = self._known()
        with contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path(entry.id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as stream:
                stream.write(entry.model_dump_json().encode() + b"\n" + body)
            entries[entry.id] = entry
        while len(entries) > self._most or sum(one.size for one in entries.values()) > self._most_bytes:
            oldest = next(iter(entries))
            del entries[oldest]
            with contextlib.suppress(OSError):
                self._path(oldest).unlink()

    def _path(self, entry_id: UUID) -> Path:
        return self._directory / f"{entry_id}.delivery"


def _age(entry: Entry) -> tuple[datetime, UUID]:
    return entry.at, entry.id
