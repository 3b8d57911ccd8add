"""A keychain for tests: one JSON file, named in the environment, so that several processes share it.

Only the processes under test import this: a backend that is imported offers itself to everything in its process.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend

WHERE = "WARDEN_TEST_KEYRING"


class FileKeyring(KeyringBackend):
    """Keeps what it is given in the file that the environment names."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return self._kept().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._keep({**self._kept(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        kept = self._kept()
        del kept[f"{service}/{username}"]
        self._keep(kept)

    def _kept(self) -> dict[str, str]:
        path = Path(os.environ[WHERE])
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _keep(self, secrets: dict[str, str]) -> None:
        Path(os.environ[WHERE]).write_text(json.dumps(secrets))
