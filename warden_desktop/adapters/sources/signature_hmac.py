"""HMAC over the body's bytes in the forms vendors give it, and the secret itself in a header.

Each scheme can be checked (`holds`) and made (`sign`, for sending a delivery as its vendor would). Formats:
GitHub: docs.github.com, "Validating webhook deliveries". Slack: docs.slack.dev, "Verifying requests from Slack".
Stripe: docs.stripe.com, "Verify webhook signatures manually". PagerDuty: developer.pagerduty.com, "Verifying
signatures". Grafana: grafana.com/docs, "Configure webhook notifications", HMAC signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from warden_desktop.adapters.sources.signature_parts import (
    Algorithm,
    Claim,
    Clock,
    Encoding,
    HeaderName,
    Tolerance,
    any_matches,
    decoded,
    digests,
    encoded,
    fresh,
    present,
    raw,
    split,
    stamped,
)
from warden_desktop.domain.record import Record


class Timestamp(Record):
    """Where the time of sending is, how it is written, and how many seconds off ours it may be."""

    header: HeaderName
    tolerance: Tolerance = 300
    required: bool = False
    clock: Clock = "seconds"


class Hmac(Record):
    """An HMAC in any of `headers`, after `prefix` (if it is there); with `separator`, one of several.

    A delivery that carries the timestamp header signs `signed`, so the time cannot be changed or taken away without
    breaking the signature; without the header the body alone is signed. (The one cannot be passed off as the other: a
    body that begins with "1700000000." is in no form we read.) SHA-1 must be called `weak`: for a vendor with nothing
    better.
    """

    type: Literal["hmac", "hmac_sha256"]
    headers: tuple[HeaderName, ...] = Field(min_length=1)
    algorithm: Algorithm = "sha256"
    weak: bool = False
    prefix: str = ""
    separator: str = ""
    encoding: Encoding = "hex"
    timestamp: Timestamp | None = None
    signed: str = "{timestamp}.{body}"

    @model_validator(mode="after")
    def _strength(self) -> Self:
        if self.type == "hmac_sha256" and self.algorithm != "sha256":
            raise ValueError("hmac_sha256 has one algorithm; use type: hmac")
        if (self.algorithm == "sha1") != self.weak:
            raise ValueError("sha1 needs `weak: true`, and nothing else does: prefer sha256 where the vendor has it")
        return self

    @field_validator("signed")
    @classmethod
    def _template(cls, signed: str) -> str:
        if signed.count("{timestamp}") != 1 or signed.count("{body}") != 1:
            raise ValueError("says what is signed with {timestamp} and {body}, each once")
        return signed

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether one of `secrets` made this signature, within the clock's tolerance."""
        values = present(claim.headers, self.headers)
        words = [word for value in values for word in (split(value, self.separator) if self.separator else [value])]
        given = [decoded(word.removeprefix(self.prefix), self.encoding) for word in words]
        stamp = claim.headers.get(self.timestamp.header) if self.timestamp else None
        made = digests(secrets, self._signed(stamp, claim.body), self.algorithm)
        return any_matches(given, made) & self._timely(stamp, claim.now)

    def _signed(self, stamp: str | None, body: bytes) -> bytes:
        if stamp is None:
            return body
        before, after = (raw(part).replace(b"{timestamp}", raw(stamp)) for part in self.signed.split("{body}"))
        return before + body + after

    def _timely(self, stamp: str | None, now: float) -> bool:
        if self.timestamp is None or stamp is None:
            return self.timestamp is None or not self.timestamp.required
        return fresh(stamp, now, self.timestamp.tolerance, self.timestamp.clock)

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The headers that prove `body`."""
        stamp = stamped(now, self.timestamp.clock) if self.timestamp else None
        (made,) = digests([secret], self._signed(stamp, body), self.algorithm)
        headers = {self.headers[0]: self.prefix + encoded(made, self.encoding)}
        return headers if self.timestamp is None or stamp is None else {**headers, self.timestamp.header: stamp}


class Token(Record):
    """The secret itself in any of `headers`, after `prefix`: for senders that cannot sign."""

    type: Literal["token"]
    headers: tuple[HeaderName, ...] = Field(min_length=1)
    prefix: str = ""

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether the token is one of `secrets`."""
        given = [raw(value.removeprefix(self.prefix)) for value in present(claim.headers, self.headers)]
        return any_matches(given, secrets)

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The header with the token."""
        return {self.headers[0]: self.prefix + secret.decode("utf-8", "surrogateescape")}


class GitHub(Record):
    """`X-Hub-Signature-256: sha256=<hex of HMAC-SHA256 over the body>`."""

    type: Literal["github"]

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether one of `secrets` made this signature."""
        return any_matches(_after("sha256=", present(claim.headers, [_GITHUB])), digests(secrets, claim.body))

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The header that proves `body`."""
        return {_GITHUB: "sha256=" + digests([secret], body)[0].hex()}


class Slack(Record):
    """`X-Slack-Signature: v0=<hex>` over `v0:timestamp:body`, the timestamp in X-Slack-Request-Timestamp."""

    type: Literal["slack"]
    tolerance: Tolerance = 300

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether one of `secrets` made this signature just now."""
        stamp = claim.headers.get(_SLACK_TIME, "")
        made = digests(secrets, b"v0:%b:%b" % (raw(stamp), claim.body))
        return any_matches(_after("v0=", present(claim.headers, [_SLACK])), made) & fresh(
            stamp, claim.now, self.tolerance
        )

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The headers that prove `body`."""
        made = digests([secret], b"v0:%b:%b" % (raw(stamped(now)), body))[0]
        return {_SLACK: "v0=" + made.hex(), _SLACK_TIME: stamped(now)}


class Stripe(Record):
    """`t=<Unix seconds>,v1=<hex>[,v1=<hex> ...]` in one header, over `timestamp.body`."""

    type: Literal["stripe"]
    header: HeaderName = "Stripe-Signature"
    tolerance: Tolerance = 300

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether one of `secrets` made one of the signatures just now."""
        parts = split(claim.headers.get(self.header, ""), ",")
        stamps = [part[2:] for part in parts if part.startswith("t=")]
        stamp = stamps[0] if len(stamps) == 1 else ""
        made = digests(secrets, b"%b.%b" % (raw(stamp), claim.body))
        return any_matches(_after("v1=", parts), made) & fresh(stamp, claim.now, self.tolerance)

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The header that proves `body`."""
        made = digests([secret], b"%b.%b" % (raw(stamped(now)), body))[0]
        return {self.header: f"t={stamped(now)},v1={made.hex()}"}


class PagerDuty(Record):
    """`X-PagerDuty-Signature: v1=<hex>[,v1=<hex> ...]` over the body: one for each secret alive over there."""

    type: Literal["pagerduty"]

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether one of `secrets` made one of the signatures."""
        given = _after("v1=", split(claim.headers.get(_PAGERDUTY, ""), ","))
        return any_matches(given, digests(secrets, claim.body))

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The header that proves `body`."""
        return {_PAGERDUTY: "v1=" + digests([secret], body)[0].hex()}


class Grafana(Record):
    """Hex in `header`, over `timestamp:body` when Grafana is told a timestamp header's name, else over the body.

    Grafana has no name of its own for the timestamp header: it must be given `timestamp_header`'s there.
    """

    type: Literal["grafana"]
    header: HeaderName = "X-Grafana-Alerting-Signature"
    timestamp_header: HeaderName = "X-Grafana-Alerting-Signature-Timestamp"
    tolerance: Tolerance = 300
    required: bool = False

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether one of `secrets` made this signature, just now if it is stamped."""
        return self._as_hmac().holds(claim, secrets)

    def sign(self, secret: bytes, body: bytes, now: float, delivery_id: str) -> dict[str, str]:
        """The headers that prove `body`."""
        return self._as_hmac().sign(secret, body, now, delivery_id)

    def _as_hmac(self) -> Hmac:
        stamp = Timestamp.model_construct(
            header=self.timestamp_header, tolerance=self.tolerance, required=self.required, clock="seconds"
        )
        return Hmac.model_construct(
            type="hmac", headers=(self.header,), timestamp=stamp, signed="{timestamp}:{body}", algorithm="sha256",
            encoding="hex", prefix="", separator="", weak=False,
        )  # fmt: skip


_GITHUB = "X-Hub-Signature-256"
_SLACK, _SLACK_TIME = "X-Slack-Signature", "X-Slack-Request-Timestamp"
_PAGERDUTY = "X-PagerDuty-Signature"


def _after(prefix: str, words: Sequence[str]) -> list[bytes]:
    return [decoded(word[len(prefix) :], "hex") for word in words if word.startswith(prefix)]
