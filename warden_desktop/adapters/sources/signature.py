"""Whether a delivery comes from who knows the secret: every scheme a pack can name, and the judgement.

Every scheme has `holds(claim, secrets)`. Those a sender can be imitated with have
`sign(secret, body, now, delivery_id)`, which gives headers; those whose secrets have a form have `problem(secret)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from warden_desktop.adapters.sources.certificates import NO_CERTIFICATES, Certificates
from warden_desktop.adapters.sources.signature_body import BodyToken
from warden_desktop.adapters.sources.signature_hmac import (
    GitHub,
    Grafana,
    Hmac,
    PagerDuty,
    Slack,
    Stripe,
    Timestamp,
    Token,
)
from warden_desktop.adapters.sources.signature_parts import Claim, HeaderName
from warden_desktop.adapters.sources.signature_standard import StandardWebhooks
from warden_desktop.adapters.sources.sns import AwsSns

AnyScheme = Hmac | Token | GitHub | Slack | Stripe | PagerDuty | Grafana | StandardWebhooks | AwsSns | BodyToken
Scheme = Annotated[AnyScheme, Field(discriminator="type")]

__all__ = [
    "AnyScheme", "AwsSns", "BodyToken", "Claim", "GitHub", "Grafana", "HeaderName", "Hmac", "PagerDuty", "Scheme",
    "Slack", "StandardWebhooks", "Stripe", "Timestamp", "Token", "authentic", "problem_with", "signed_headers",
]  # fmt: skip


def authentic(
    schemes: Sequence[AnyScheme],
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[bytes],
    now: float,
    certificates: Certificates = NO_CERTIFICATES,
) -> bool:
    """Whether any of `schemes` holds. False without schemes or secrets: what cannot be checked is not authentic."""
    usable = [secret for secret in secrets if secret]
    claim = Claim(headers, body, now, certificates)
    outcomes = [scheme.holds(claim, usable) for scheme in schemes]
    return bool(usable) and any(outcomes)


def problem_with(schemes: Sequence[AnyScheme], secret: bytes) -> str:
    """Why no scheme could ever hold with `secret`; "" when one could. To be asked before a secret is kept."""
    problems = [scheme.problem(secret) if isinstance(scheme, _PARTICULAR) else "" for scheme in schemes]
    return problems[0] if problems and all(problems) else ""


def signed_headers(
    schemes: Sequence[AnyScheme], secret: bytes, body: bytes, now: float, delivery_id: str
) -> dict[str, str]:
    """The headers with which the first scheme that can be imitated proves `body`; none when none can."""
    made = (one.sign(secret, body, now, delivery_id) for one in schemes if not isinstance(one, AwsSns | BodyToken))
    return next((headers for headers in made if headers), {})


_PARTICULAR = (StandardWebhooks, AwsSns)
