"""Certificates that signatures are checked with. They are files a person put there; none is ever fetched."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}\.pem", re.ASCII)
_LARGEST = 64 * 1024


class Certificates:
    """The PEM certificates in `directories`, by file name; the first directory that has one wins."""

    def __init__(self, *directories: Path) -> None:
        self.directories = directories
        self._read: dict[tuple[Path, int], x509.Certificate] = {}

    def find(self, name: str) -> x509.Certificate | None:
        """The certificate in the file of that name. None when there is no such file, or it is no certificate."""
        if not _NAME.fullmatch(name):
            return None
        return next((found for one in self.directories if (found := self._load(one / name)) is not None), None)

    def _load(self, path: Path) -> x509.Certificate | None:
        try:
            key = path, path.stat().st_mtime_ns
            if key not in self._read:
                with path.open("rb") as file:
                    self._read[key] = x509.load_pem_x509_certificate(file.read(_LARGEST))
            return self._read[key]
        except (OSError, ValueError):
            return None


NO_CERTIFICATES = Certificates()
