"""Whether a delivery comes from who knows the secret: HMAC-SHA256 over the body's bytes, or a token in a header.

A delivery that carries a timestamp header signs `timestamp.body`, so the time cannot be changed or taken away without
breaking the signature; without the header the body alone is signed. (The one cannot be passed off as the other: a body
that begins with "1700000000." is not JSON.)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from warden_desktop.domain.record import Record

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]

_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


class Timestamp(Record):
    """Where the time of sending is (Unix seconds), and how many seconds off ours it may be."""

    header: HeaderName
    tolerance: int = Field(default=300, ge=1, le=3600)
    required: bool = False


class Hmac(Record):
    """HMAC-SHA256 in the first of `headers` that is there, after `prefix` (if it is there)."""

    type: Literal["hmac_sha256"]
    headers: tuple[HeaderName, ...] = Field(min_length=1)
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"
    timestamp: Timestamp | None = None

    def holds(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> bool:
        """Whether one of `secrets` made this signature, within the clock's tolerance of `now` (Unix seconds)."""
        given = self._decoded(_first(headers, self.headers))
        stamp = headers.get(self.timestamp.header) if self.timestamp else None
        signed = body if stamp is None else stamp.encode("utf-8", "surrogateescape") + b"." + body
        return _any_matches(given, [hmac.digest(key, signed, hashlib.sha256) for key in secrets]) & self._timely(
            stamp, now
        )

    def _decoded(self, value: str) -> bytes:
        word = value.strip().removeprefix(self.prefix)
        try:
            return bytes.fromhex(word) if self.encoding == "hex" else base64.b64decode(word, validate=True)
        except (ValueError, binascii.Error):
            return b""

    def _timely(self, stamp: str | None, now: float) -> bool:
        if self.timestamp is None or stamp is None:
            return self.timestamp is None or not self.timestamp.required
        return bool(_SECONDS.fullmatch(stamp)) and abs(now - int(stamp)) <= self.timestamp.tolerance


class Token(Record):
    """The secret itself in the first of `headers` that is there, after `prefix`: for senders that cannot sign."""

    type: Literal["token"]
    headers: tuple[HeaderName, ...] = Field(min_length=1)
    prefix: str = ""

    def holds(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> bool:
        """Whether the token is one of `secrets`."""
        given = _first(headers, self.headers).strip().removeprefix(self.prefix)
        return _any_matches(given.encode("utf-8", "surrogateescape"), list(secrets))


Scheme = Annotated[Hmac | Token, Field(discriminator="type")]


def authentic(
    schemes: Sequence[Hmac | Token], headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float
) -> bool:
    """Whether any of `schemes` holds. False without schemes or secrets: what cannot be checked is not authentic."""
    usable = [secret for secret in secrets if secret]
    outcomes = [scheme.holds(headers, body, usable, now) for scheme in schemes]
    return bool(usable) and any(outcomes)


def _first(headers: Mapping[str, str], names: Sequence[str]) -> str:
    return next((headers[name] for name in names if name in headers), "")


def _any_matches(given: bytes, expected: Sequence[bytes]) -> bool:
    """All are compared, so the time taken does not tell which one came near."""
    return sum(hmac.compare_digest(given, one) for one in expected) > 0
