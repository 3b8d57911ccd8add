"""Standard Webhooks: v1 (HMAC-SHA256 with a shared secret) and v1a (Ed25519, we hold the public key only).

From the specification at standardwebhooks.com: three headers `webhook-id`, `webhook-timestamp` (Unix seconds) and
`webhook-signature` (several, parted by blanks, each `version,base64`); signed is `id.timestamp.body`. Secrets are
base64 after `whsec_` (which may be missing), public keys base64 after `whpk_`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field

from warden_desktop.adapters.sources.signature_parts import (
    Claim,
    Tolerance,
    any_matches,
    decoded,
    digests,
    encoded,
    fresh,
    raw,
    split,
    stamped,
)
from warden_desktop.domain.record import Record

_SECRET, _PUBLIC, _PRIVATE = b"whsec_", b"whpk_", b"whsk_"


class StandardWebhooks(Record):
    """The scheme; `header` begins the three headers' names ("svix" for senders from before the standard)."""

    type: Literal["standard_webhooks"]
    header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,31}$")] = "webhook"
    tolerance: Tolerance = 300

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether one of `secrets` (or of the public keys) fits one of the signatures, made just now."""
        name, stamp = (claim.headers.get(f"{self.header}-{part}", "") for part in ("id", "timestamp"))
        signed = raw(f"{name}.{stamp}.") + claim.body
        words = split(claim.headers.get(f"{self.header}-signature", ""), " ")
        keys = [key for key in map(shared_key, secrets) if key]
        shared = any_matches(_of("v1,", words), digests(keys, signed))
        public = [key for key in map(public_key, secrets) if key is not None]
        proved = [_verifies(key, given, signed) for key in public for given in _of("v1a,", words)]
        return (shared or any(proved)) & bool(name) & fresh(stamp, claim.now, self.tolerance)

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The headers that prove `body`; none with a public key, which cannot sign."""
        key, stamp = shared_key(secret), stamped(now)
        if not key:
            return {}
        made = digests([key], raw(f"{delivery_id}.{stamp}.") + body)[0]
        return {
            f"{self.header}-id": delivery_id,
            f"{self.header}-timestamp": stamp,
            f"{self.header}-signature": "v1," + encoded(made, "base64"),
        }

    def problem(self, secret: bytes) -> str:
        """Why `secret` can prove nothing; "" when it can."""
        if secret.startswith(_PRIVATE):
            return "whsk_ begins the sender's private key; what belongs here is the public one, whpk_..."
        if secret.startswith(_PUBLIC):
            return "" if public_key(secret) else "whpk_ is followed by the base64 of an Ed25519 public key, 32 bytes"
        return "" if shared_key(secret) else "a secret is whsec_ and base64, as its sender shows it"


def shared_key(secret: bytes) -> bytes:
    """The key in a secret; b"" when there is none."""
    if secret.startswith((_PUBLIC, _PRIVATE)):
        return b""
    return _base64(secret.removeprefix(_SECRET))


def public_key(secret: bytes) -> Ed25519PublicKey | None:
    """The public key in a secret; None when there is none."""
    key = _base64(secret.removeprefix(_PUBLIC)) if secret.startswith(_PUBLIC) else b""
    return Ed25519PublicKey.from_public_bytes(key) if len(key) == 32 else None


def _base64(word: bytes) -> bytes:
    """Some senders show secrets without the padding, or in the alphabet for URLs."""
    word = word.strip().rstrip(b"=").translate(_FROM_URL)
    try:
        return base64.b64decode(word + b"=" * (-len(word) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""


_FROM_URL = bytes.maketrans(b"-_", b"+/")


def _of(version: str, words: Sequence[str]) -> list[bytes]:
    return [decoded(word[len(version) :], "base64") for word in words if word.startswith(version)]


def _verifies(key: Ed25519PublicKey, given: bytes, signed: bytes) -> bool:
    try:
        key.verify(given, signed)
    except InvalidSignature:
        return False
    return True
