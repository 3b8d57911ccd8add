"""A disk under SQLite that forgets what was not synced, in pieces: what a power cut leaves.

Every write goes to the real file at once, so SQLite runs as ever. Beside it, an image of each file holds what is
durable, and a list of what was written since its last sync. A cut takes the image and, of each write that was not
synced, a random subset of its sectors, as a disk with a cache may. APSW's files have no shared memory, so the one
connection must be in `locking_mode=exclusive`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR = 512
NAME = "power-cut"


@dataclass
class Image:
    """One file. A change is (offset, data), or (size, None) for a truncation."""

    durable: bytearray
    changes: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for offset, data in self.changes:
            _apply(self.durable, offset, data)
        self.changes.clear()

    def after_cut(self, dice: random.Random) -> bytes:
        """What is found when the power is back."""
        kept = dice.random()
        found = bytearray(self.durable)
        for offset, data in self.changes:
            if data is None:
                if dice.random() < kept:
                    _apply(found, offset, None)
                continue
            for start in range(0, len(data), SECTOR):
                if dice.random() < kept:
                    _apply(found, offset + start, data[start : start + SECTOR])
        return bytes(found)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset + len(data) - len(content))))
    content[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """Calls `on_change` after each write, truncation, deletion and sync: the instants at which the power may go."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.images: dict[str, Image] = {}
        self.on_change = on_change
        super().__init__(NAME, "")

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> CutFile:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "")
        content = path.read_bytes() if path.is_file() else b""
        image = self.images.setdefault(path.name, Image(bytearray(content)))
        return CutFile(name, flags, image, self.on_change)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.images.pop(Path(filename).name, None)
        self.on_change()

    def cut(self, folder: Path, dice: random.Random) -> None:
        """Put into `folder` what a cut at this instant leaves."""
        for name, image in self.images.items():
            (folder / name).write_bytes(image.after_cut(dice))


class CutFile(apsw.VFSFile):
    """Passes everything on, and remembers what was not synced."""

    def __init__(
        self, name: apsw.URIFilename | str | None, flags: list[int], image: Image, on_change: Callable[[], None]
    ) -> None:
        super().__init__("", name, flags)
        self._image = image
        self._on_change = on_change

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._image.changes.append((offset, bytes(data)))
        self._on_change()

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._image.changes.append((newsize, None))
        self._on_change()

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._image.sync()
        self._on_change()
