"""A note beside the database of how far the log has got, so that losing its end is noticed.

SQLite takes whatever follows the first damaged frame of a write-ahead log for the remains of a transaction that never
ended, and a bare hash chain cannot see that its end was cut off: either way acknowledged events would be gone in
silence. The note is written after each transaction is durable and is not synced itself: after a power cut it may be
old, which is harmless, but never ahead of the log.

    file    = seq    8 bytes, unsigned, big-endian
              hash   32 bytes: the chain's hash of entry seq
              check  the first 8 bytes of SHA-256(seq || hash)
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

_FORM = struct.Struct(">Q32s8s")
SUFFIX = "-tail"


class Noted(NamedTuple):
    """The newest entry at the time of the note."""

    seq: int
    hash: bytes


class Tail:
    """Owned by the thread that writes."""

    def __init__(self, database: Path) -> None:
        """Raises OSError when the note can be neither opened nor made."""
        self._file = os.open(beside(database), os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)

    def note(self, seq: int, hash: bytes) -> None:
        """A note that cannot be written stays old, which is safe."""
        with suppress(OSError):
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, _written(seq, hash))

    def close(self) -> None:
        os.close(self._file)


def beside(database: Path) -> Path:
    """Where the note of a database is."""
    return database.with_name(database.name + SUFFIX)


def noted(database: Path) -> Noted | None:
    """The note, or None when there is none or a power cut tore it. Raises OSError when it cannot be read."""
    try:
        content = beside(database).read_bytes()
    except FileNotFoundError:
        return None
    if len(content) != _FORM.size:
        return None
    seq, hash, _ = _FORM.unpack(content)
    return Noted(seq, hash) if content == _written(seq, hash) else None


def loss(note: Noted | None, last_seq: int, hash_of: Callable[[int], bytes | None]) -> str:
    """What is wrong with a log that ends at `last_seq`, going by the note taken before; "" when nothing is."""
    if note is None:
        return ""
    if note.seq > last_seq:
        return f"the log ends at entry {last_seq}, but entry {note.seq} was acknowledged: its end is lost"
    if note.seq and hash_of(note.seq) != note.hash:
        return f"entry {note.seq} is not the one that was acknowledged: the log was written anew"
    return ""


def _written(seq: int, hash: bytes) -> bytes:
    check = sha256(seq.to_bytes(8, "big") + hash).digest()[:8]
    return _FORM.pack(seq, hash, check)
