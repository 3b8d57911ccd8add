"""When checkpoints are signed: every so many entries, every so many minutes, and when the log is closed."""

from __future__ import annotations

import time
from collections.abc import Callable

import apsw

from warden_desktop.adapters.journal.rows import micros
from warden_desktop.adapters.journal.signing import Checkpoint, Signer
from warden_desktop.adapters.journal.writing import end
from warden_desktop.domain.record import now

ENTRIES = 10_000
SECONDS = 600.0

_AGAIN = 5.0

_COLUMNS = "size, head, at, key, signature"


class Notary:
    """Belongs to the thread that writes. `patience` is how long that may wait for work without looking here."""

    def __init__(
        self,
        signer: Signer,
        connection: apsw.Connection,
        *,
        entries: int = ENTRIES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signer = signer
        self._entries = entries
        self._seconds = seconds
        self._clock = clock
        newest = latest(connection)
        self._size = newest.size if newest else 0
        self._waiting_since: float | None = clock() if end(connection)[0] > self._size else None

    @property
    def patience(self) -> float | None:
        """Seconds until a checkpoint is due; None while there is nothing to sign."""
        if self._waiting_since is None:
            return None
        return max(0.0, self._waiting_since + self._seconds - self._clock())

    def witness(self, connection: apsw.Connection, *, closing: bool) -> Checkpoint | None:
        """Inside a transaction: add a checkpoint of what it makes durable, when one is due."""
        size, head = end(connection)
        if size == self._size:
            return None
        if self._waiting_since is None:
            self._waiting_since = self._clock()
        if not closing and size - self._size < self._entries and self.patience:
            return None
        checkpoint = self._signer.sign(size, head, micros(now()))
        add(connection, checkpoint)
        return checkpoint

    def sealed(self, checkpoint: Checkpoint) -> None:
        """The transaction of `checkpoint` is durable."""
        self._size, self._waiting_since = checkpoint.size, None

    def put_off(self) -> None:
        """The transaction failed: not again at once, since a full disk stays full for a while."""
        if self._waiting_since is not None:
            self._waiting_since = self._clock() - self._seconds + min(_AGAIN, self._seconds)


def add(connection: apsw.Connection, checkpoint: Checkpoint) -> None:
    """Keep one; a newer one of the same entry takes its place."""
    connection.execute(f"INSERT OR REPLACE INTO checkpoint ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", checkpoint)


def latest(connection: apsw.Connection) -> Checkpoint | None:
    """The newest checkpoint in the log."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return Checkpoint(*row) if row else None


def checkpoints(connection: apsw.Connection, after: int = 0, upto: int | None = None) -> list[Checkpoint]:
    """Those of entries after `after`, up to entry `upto`, oldest first."""
    sql = f"SELECT {_COLUMNS} FROM checkpoint WHERE size > ?1 AND (?2 IS NULL OR size <= ?2) ORDER BY size"
    return [Checkpoint(*row) for row in connection.execute(sql, (after, upto))]
