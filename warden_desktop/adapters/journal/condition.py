"""How the log is doing, for the self-check and the status bar: sizes, and what keeps it from being archived."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from warden_desktop.adapters.journal import chain, schema, stretches
from warden_desktop.adapters.journal.faults import UNREADABLE, explain
from warden_desktop.adapters.journal.notary import latest
from warden_desktop.adapters.journal.writing import end


class Condition(NamedTuple):
    """Entries `first` to `last` are in the log. Sizes in bytes: of the file, of what of it is in use, of the
    write-ahead log (`wal_bounded`: within what it is cut back to), and of the archive's files. `signed` is the entry
    that the newest checkpoint is about; `missing` are archive files that are not there."""

    first: int
    last: int
    file_bytes: int
    used_bytes: int
    wal_bytes: int
    wal_bounded: bool
    archives: int
    archive_bytes: int
    missing: tuple[str, ...]
    signed: int


def health(path: Path) -> Condition:
    """Quick, whatever the size of the log; works beside a running application. Raises JournalError."""
    with closing(schema.open_reader(path)) as connection:
        try:
            files: list[tuple[str, int]] = list(connection.execute("SELECT file, bytes FROM archive ORDER BY last"))
            begin, checkpoint = chain.beginning(connection), latest(connection)
            last, used = end(connection)[0], stretches.used_bytes(connection)
        except UNREADABLE as error:
            raise explain(path, error) from error
    folder, wal = stretches.archives(path), _size(Path(f"{path}-wal"))
    return Condition(
        first=begin.seq + 1,
        last=last,
        file_bytes=_size(path),
        used_bytes=used,
        wal_bytes=wal,
        wal_bounded=wal <= 2 * schema.WAL_KEPT,
        archives=len(files),
        archive_bytes=sum(size for _, size in files),
        missing=tuple(file for file, _ in files if not (folder / file).exists()),
        signed=checkpoint.size if checkpoint else 0,
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
