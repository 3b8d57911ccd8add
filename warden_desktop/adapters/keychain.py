"""Webhook secrets in the operating system's keychain; where there is none, in the environment, never in a file.

An entry holds the current secret and, after a rotation, the one before it, so senders can be changed one by one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

SERVICE = "warden-desktop"

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_WEAK_BACKENDS = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")
"""Backends that keep nothing, or keep it in a plain file."""


class KeychainError(Exception):
    """A secret could not be read or changed; the text says why and what serves instead."""


class Backend(Protocol):
    """What is used of a keyring backend. All methods may raise anything."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class Keychain:
    """Secrets by source. One in the environment (`WARDEN_SECRET_<SOURCE>`) comes before the keychain's.

    The operating system may take its time, or ask the user to unlock: `load` reads what is needed, from a thread, at
    start and now and then (another process may rotate), and `get` remembers.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        find_backend: Callable[[], Backend | None] | None = None,
    ) -> None:
        self._environment = environment
        self._find_backend = find_backend or _system_backend
        self._found = False
        self._backend: Backend | None = None
        self._failure = ""
        self._read: dict[str, tuple[bytes, ...]] = {}

    @property
    def usable(self) -> bool:
        """Whether secrets can be kept."""
        return self._opened() is not None

    @property
    def description(self) -> str:
        """One line for `doctor`."""
        backend = self._opened()
        if self._failure:
            return f"the keychain does not answer ({self._failure}); {_INSTEAD}"
        return f"secrets are kept by {type(backend).__module__}" if backend else f"there is no keychain; {_INSTEAD}"

    def load(self, sources: Iterable[str]) -> None:
        """Read the secrets of `sources` afresh. Blocks; never raises. One that cannot be read stays as it was known."""
        for source in sources:
            with contextlib.suppress(KeychainError):
                self._read[source] = self._looked_up(source)

    def get(self, source: str) -> tuple[bytes, ...]:
        """The secrets a delivery of `source` may be signed with: none, the current one, or it and the previous one.

        Raises KeychainError when there is a keychain and it does not tell: nobody knows then whether one is set.
        """
        if source not in self._read:
            self._read[source] = self._looked_up(source)
        return self._read[source]

    def set(self, source: str, secret: str) -> None:
        """Make `secret` the only one. Raises KeychainError."""
        self._store(source, [_checked(secret)])

    def rotate(self, source: str, secret: str) -> None:
        """Make `secret` the current one; the one it replaces is accepted too, until the next change."""
        self._store(source, [_checked(secret), *self._kept(_named(source))[:1]])

    def remove(self, source: str) -> None:
        """Forget the source's secrets; removing none is no error. Raises KeychainError."""
        backend = self._writable()
        try:
            if backend.get_password(SERVICE, _named(source)) is not None:
                backend.delete_password(SERVICE, source)
        except Exception as error:
            raise KeychainError(f"the keychain did not remove the secret of {source}: {error}") from error
        self._read.pop(source, None)

    def _looked_up(self, source: str) -> tuple[bytes, ...]:
        given = self._environment.get(f"WARDEN_SECRET_{source.upper().replace('-', '_')}", "")
        if given:
            return (given.encode(),)
        return tuple(secret.encode() for secret in self._kept(source))

    def _kept(self, source: str) -> list[str]:
        backend = self._opened()
        if backend is None:
            return []
        try:
            entry = backend.get_password(SERVICE, source)
            secrets = json.loads(entry) if entry else []
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
            raise KeychainError(f"the keychain does not answer ({self._failure}); {_INSTEAD}") from error
        self._failure = ""
        return [one for one in secrets if isinstance(one, str) and one][:2] if isinstance(secrets, list) else []

    def _store(self, source: str, secrets: list[str]) -> None:
        try:
            self._writable().set_password(SERVICE, _named(source), json.dumps(secrets))
        except KeychainError:
            raise
        except Exception as error:
            raise KeychainError(f"the keychain did not take the secret of {source}: {error}") from error
        self._read.pop(source, None)

    def _writable(self) -> Backend:
        backend = self._opened()
        if backend is None:
            raise KeychainError(f"there is no keychain to keep a secret in; {_INSTEAD}")
        return backend

    def _opened(self) -> Backend | None:
        if not self._found:
            self._found = True
            try:
                self._backend = self._find_backend()
            except Exception as error:
                self._failure = f"{type(error).__name__}: {error}"
        return self._backend


_INSTEAD = "set WARDEN_SECRET_<SOURCE> in the environment instead"


def _system_backend() -> Backend | None:
    import keyring  # 60 ms, and not needed where no secret is looked up
    from keyring.backends.chainer import ChainerBackend

    backend = keyring.get_keyring()
    if isinstance(backend, ChainerBackend):
        return next((one for one in backend.backends if not _weak(one)), None)
    return None if _weak(backend) else backend


def _weak(backend: object) -> bool:
    return type(backend).__module__.startswith(_WEAK_BACKENDS)


def _checked(secret: str) -> str:
    if not secret:
        raise KeychainError("an empty secret protects nothing")
    return secret


def _named(source: str) -> str:
    if not _SOURCE.fullmatch(source):
        raise KeychainError(f"{source!r} is no source's name: those are small letters, digits, - and _")
    return source
