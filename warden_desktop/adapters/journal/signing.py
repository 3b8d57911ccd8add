"""Signed checkpoints: a statement of how long the log was, and what its last entry's hash was, at an instant.

    message   = "warden-desktop checkpoint 1\\n", then
                size   8 bytes, unsigned, big-endian: the seq of the newest entry
                head   32 bytes: that entry's hash
                at     8 bytes, signed, big-endian: microseconds since 1970-01-01T00:00:00Z
    signature = Ed25519 over message, 64 bytes

The private key is `audit.key` beside the database, PEM, readable by its owner only; the public one is `audit.pub`. What
that protects against: whoever changes the database alone (a backup, a copy, another account's way in) cannot make the
checkpoints fit. What it does not: whoever can read this account's files can sign anew, which is why a checkpoint is to
be kept on another machine, and why the key is a file and not in the keychain: that account could ask the keychain too.
"""

from __future__ import annotations

import json
import os
import stat
import struct
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from warden_desktop.engine.ports import JournalError

FORMAT = "warden-desktop checkpoint 1"
PRIVATE, PUBLIC = "audit.key", "audit.pub"

_BODY = struct.Struct(">Q32sq")


class Checkpoint(NamedTuple):
    """`size` is the seq of the newest entry, `head` its hash, `at` microseconds since 1970, `key` the public key."""

    size: int
    head: bytes
    at: int
    key: bytes
    signature: bytes

    @property
    def genuine(self) -> bool:
        """Whether the signature is that of `key`; whose key it is, is another question."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(self.signature, message(self.size, self.head, self.at))
        except (InvalidSignature, ValueError):
            return False
        return True

    def as_fields(self) -> dict[str, object]:
        """For JSON; bytes in hex."""
        sealed = {"head": self.head.hex(), "at": self.at, "key": self.key.hex(), "signature": self.signature.hex()}
        return {"format": FORMAT, "size": self.size, **sealed}


class Signer:
    """Holds the private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, size: int, head: bytes, at: int) -> Checkpoint:
        return Checkpoint(size, head, at, self.public, self._key.sign(message(size, head, at)))


def message(size: int, head: bytes, at: int) -> bytes:
    """What is signed."""
    return FORMAT.encode() + b"\n" + _BODY.pack(size, head, at)


def parse(text: str) -> Checkpoint:
    """The inverse of `as_fields` as JSON. Raises ValueError for what is not a checkpoint."""
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise ValueError(f"its format is {told['format']!r}, not {FORMAT!r}")
        head, key, signature = (bytes.fromhex(told[name]) for name in ("head", "key", "signature"))
        found = Checkpoint(int(told["size"]), head, int(told["at"]), key, signature)
        message(found.size, found.head, found.at)
    except (KeyError, TypeError, struct.error) as error:
        raise ValueError(f"it is not a checkpoint: {error!r}") from error
    return found


def open_signer(database: Path) -> Signer:
    """The key beside `database`, made on first use. Raises JournalError when it is there and cannot be used."""
    path = database.with_name(PRIVATE)
    try:
        if not path.exists():
            _write(path, _fresh(), 0o600)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise JournalError(f"{path} can be read by other users, who could sign with it; run: chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("it is not an Ed25519 key")
        _publish(database, key)
    except (OSError, ValueError) as error:
        raise JournalError(f"{path}: the key that signs the log cannot be used: {error}. Restore it; without a backup "
                           "move it away, and a new key is made") from error  # fmt: skip
    return Signer(key)


def public_key(database: Path) -> bytes | None:
    """The public key beside `database`; None when there is none. Raises JournalError when it cannot be read."""
    path = database.with_name(PUBLIC)
    try:
        key = load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise JournalError(f"{path}: cannot be read as a public key: {error}") from error
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw) if isinstance(key, Ed25519PublicKey) else None


def _fresh() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _publish(database: Path, key: Ed25519PrivateKey) -> None:
    path = database.with_name(PUBLIC)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not path.exists() or path.read_bytes() != public:
        _write(path, public, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Durable before it has its name: entries signed with a key that a power cut takes back could not be checked."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
