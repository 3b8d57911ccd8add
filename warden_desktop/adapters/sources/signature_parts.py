"""What every signature scheme is made of: the claim to be checked, clocks, digests, and comparing without telling."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from warden_desktop.adapters.sources.certificates import NO_CERTIFICATES, Certificates

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
Tolerance = Annotated[int, Field(ge=1, le=3600)]
"""Seconds a sender's clock, and the way, may be off."""

Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64", "base64url"]
Clock = Literal["seconds", "milliseconds", "iso8601"]

MOST_SIGNATURES = 16
"""Signatures looked at in one header: rotation needs two."""

_DIGITS = re.compile(r"\d{1,15}", re.ASCII)


class Claim(NamedTuple):
    """A delivery that says who it is from. `now` in Unix seconds; `certificates` are those that are trusted."""

    headers: Mapping[str, str]
    body: bytes
    now: float
    certificates: Certificates = NO_CERTIFICATES


def present(headers: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """The values of those headers that are there."""
    return [headers[name].strip() for name in names if name in headers]


def split(value: str, separator: str) -> list[str]:
    """The parts of a header's value, blanks around them removed."""
    return [part.strip() for part in value.split(separator, MOST_SIGNATURES)[:MOST_SIGNATURES]]


def raw(text: str) -> bytes:
    """A header's bytes."""
    return text.encode("utf-8", "surrogateescape")


def digests(secrets: Iterable[bytes], signed: bytes, algorithm: Algorithm = "sha256") -> list[bytes]:
    """What each of `secrets` makes of `signed`."""
    return [hmac.digest(secret, signed, algorithm) for secret in secrets]


def any_matches(given: Iterable[bytes], expected: Sequence[bytes]) -> bool:
    """All are compared, so the time taken does not tell which one came near."""
    return sum(hmac.compare_digest(one, other) for one in given for other in expected) > 0


def decoded(word: str, encoding: Encoding) -> bytes:
    """The bytes of a signature as text; b"", which is nobody's signature, when it is not such text."""
    try:
        if encoding == "hex":
            return bytes.fromhex(word)
        return base64.b64decode(raw(word), altchars=b"-_" if encoding == "base64url" else None, validate=True)
    except (ValueError, binascii.Error):
        return b""


def encoded(digest: bytes, encoding: Encoding) -> str:
    """A signature as text."""
    if encoding == "hex":
        return digest.hex()
    return base64.b64encode(digest, altchars=b"-_" if encoding == "base64url" else None).decode()


def fresh(stamp: str, now: float, tolerance: int, clock: Clock = "seconds") -> bool:
    """Whether `stamp` is a moment within `tolerance` seconds of `now`."""
    moment = _moment(stamp, clock)
    return moment is not None and abs(now - moment) <= tolerance


def _moment(stamp: str, clock: Clock) -> float | None:
    if clock == "iso8601":
        return iso_seconds(stamp)
    if not _DIGITS.fullmatch(stamp):
        return None
    return int(stamp) / (1000 if clock == "milliseconds" else 1)


def iso_seconds(stamp: str) -> float | None:
    """Unix seconds of an ISO 8601 moment (UTC unless it says); None when it is none."""
    try:
        moment = datetime.fromisoformat(stamp if len(stamp) <= 40 else "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def stamped(now: float, clock: Clock = "seconds") -> str:
    """`now` as a sender writes it."""
    if clock == "iso8601":
        return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(int(now * 1000 if clock == "milliseconds" else now))
