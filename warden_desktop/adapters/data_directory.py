"""The data directory: made private, held by one instance, with the token and the address the command line uses."""

from __future__ import annotations

import json
import os
import secrets
import stat
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from platformdirs import user_data_path


class DataDirectoryError(Exception):
    """The data directory cannot be used; the text says why and what to do."""


class AlreadyRunning(Exception):
    """Another instance holds the data directory."""


class Endpoint(NamedTuple):
    """Where the running instance answers, and the token it wants."""

    host: str
    port: int
    token: str


def default_data_directory() -> Path:
    """The user's data directory for Warden Desktop, as the platform has it."""
    return user_data_path("warden-desktop", appauthor=False)


class DataDirectory:
    """Paths below one data directory, and its lock."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.database = self.root / "warden.db"
        self.latch = self.root / "latch"
        self.settings = self.root / "settings.toml"
        self.packs = self.root / "packs"
        self.logs = self.root / "logs"
        self.crash = self.root / "crash"
        self.window_state = self.root / "window.json"
        self._token = self.root / "control.token"
        self._endpoint = self.root / "endpoint.json"
        self._lock = FileLock(self.root / "lock", mode=0o600)

    def prepare(self) -> None:
        """Make the directory with what belongs in it. Raises DataDirectoryError when it is not private to us."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_when_shared()
            for folder in (self.packs, self.logs, self.crash):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DataDirectoryError(f"{self.root}: cannot be made: {error.strerror}") from error

    def _refuse_when_shared(self) -> None:
        status = self.root.stat()
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise DataDirectoryError(f"{self.root} belongs to another user; choose another with --data-dir")
        if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
            raise DataDirectoryError(f"{self.root} can be read by other users; run: chmod 700 {self.root}")

    def hold(self) -> None:
        """Take the lock for the life of this process. Raises AlreadyRunning."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise AlreadyRunning(str(self.root)) from error

    def release(self) -> None:
        """Give the lock back and take the address down."""
        self._endpoint.unlink(missing_ok=True)
        self._lock.release()

    def token(self) -> str:
        """The control API's bearer token; made on first use, mode 0600."""
        try:
            return self._read_private(self._token)
        except FileNotFoundError:
            self._write_private(self._token, secrets.token_urlsafe(32))
            return self._read_private(self._token)

    def announce(self, host: str, port: int) -> None:
        """Say where this instance answers."""
        self._write_private(self._endpoint, json.dumps({"host": host, "port": port, "pid": os.getpid()}))

    def endpoint(self) -> Endpoint | None:
        """Where the running instance answers; None when none has said so."""
        try:
            said = json.loads(self._read_private(self._endpoint))
            if not _alive(int(said["pid"])):
                return None  # it was killed, and who answers there now is somebody else
            return Endpoint(str(said["host"]), int(said["port"]), self._read_private(self._token))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _read_private(self, path: Path) -> str:
        if stat.S_IMODE(path.stat().st_mode) & 0o077 and os.name == "posix":
            raise DataDirectoryError(f"{path} can be read by other users; run: chmod 600 {path}")
        return path.read_text("utf-8")

    def _write_private(self, path: Path, text: str) -> None:
        draft = path.with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)


def _alive(pid: int) -> bool:
    """Whether a process of that number exists; where that cannot be asked (Windows), it does."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
