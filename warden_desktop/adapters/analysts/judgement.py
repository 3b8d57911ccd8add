"""The arithmetic of judgement: evidence to probability, probability to verdict, confidence and severity. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.verdict import Verdict

CERTAIN: Final = 6.0
"""Log-odds beyond which nothing counts: no pile of evidence makes it surer than 0.9975."""

LITTLE: Final = 0.5
"""Absolute log-odds of evidence below which there is hardly any."""

BANDS: Final[tuple[tuple[float, Verdict], ...]] = (
    (0.9, Verdict.TRUE_POSITIVE),
    (0.75, Verdict.LIKELY_TRUE_POSITIVE),
    (0.35, Verdict.SUSPICIOUS),
    (0.12, Verdict.LIKELY_FALSE_POSITIVE),
    (0.0, Verdict.FALSE_POSITIVE),
)
"""From which probability of malice a verdict holds."""

_SUSPICIOUS_FROM, _SUSPICIOUS_TO = 0.35, 0.75
_SEVERITIES: Final = tuple(Severity)


def weighed(weights: Iterable[tuple[str, float]]) -> list[float]:
    """What each (group, weight) counts. Within a group, those for and those against apart, the strongest counts whole,
    the next half, the next a quarter, so that one fact seen three ways is not three facts; "" is no group.

    Law: adding a weight >= 0 never lowers the sum, adding one <= 0 never raises it.
    """
    numbered = list(enumerate(weights))
    counted = [weight for _, (_, weight) in numbered]
    ranks: dict[tuple[str, bool], int] = {}
    for index, (group, weight) in sorted(numbered, key=lambda one: -abs(one[1][1])):
        if group:
            rank = ranks.setdefault((group, weight > 0), 0)
            counted[index] = weight / 2**rank
            ranks[group, weight > 0] += 1
    return counted


def probability(log_odds: float) -> float:
    """The probability that these log-odds are, cut at CERTAIN on both sides."""
    return 1.0 / (1.0 + math.exp(-max(-CERTAIN, min(CERTAIN, log_odds))))


def verdict_of(malice: float, evidence: float) -> Verdict:
    """The verdict for a probability of malice; INCONCLUSIVE when the `evidence` (absolute log-odds) is hardly any and
    the category alone does not decide."""
    if evidence < LITTLE and BANDS[3][0] <= malice < BANDS[1][0]:
        return Verdict.INCONCLUSIVE
    return next(verdict for threshold, verdict in BANDS if malice >= threshold)


def confidence_of(verdict: Verdict, malice: float) -> float:
    """The probability that the verdict's class (malicious, suspicious, benign) is the one a person would choose.

    For malicious and benign that is the probability itself. "Suspicious" is an honest "cannot tell": surest in the
    middle of its band, an even bet at its edges.
    """
    if verdict is Verdict.INCONCLUSIVE:
        return 0.5
    if verdict is Verdict.SUSPICIOUS:
        middle, half = (_SUSPICIOUS_FROM + _SUSPICIOUS_TO) / 2, (_SUSPICIOUS_TO - _SUSPICIOUS_FROM) / 2
        return 0.5 + 0.3 * max(0.0, 1.0 - abs(malice - middle) / half)
    return malice if verdict in (Verdict.TRUE_POSITIVE, Verdict.LIKELY_TRUE_POSITIVE) else 1.0 - malice


def severity_of(impact: Severity, malice: float, importance: int, floor: Severity) -> Severity:
    """Impact, raised by the `importance` (0 to 2) of who is hit, scaled by likelihood; never below `floor`, the
    vendor's own word."""
    worst = min(impact.rank + importance, Severity.CRITICAL.rank)
    lowered = 0 if malice >= BANDS[1][0] else 1 if malice >= BANDS[2][0] else 2
    return _SEVERITIES[max(worst - lowered, floor.rank, 0)]


def importance_of(found: Mapping[str, object]) -> int:
    """How much more it matters because of whom it hits: 1 for a critical or high asset, 1 for a privileged account."""
    asset, user = found.get("asset"), found.get("user")
    critical = isinstance(asset, dict) and asset.get("criticality") in ("high", "critical")
    privileged = isinstance(user, dict) and user.get("privileged") is True
    return int(critical) + int(privileged)
