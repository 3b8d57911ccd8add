"""The laws of judgement: evidence adds up the way evidence should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden_desktop.adapters.analysts.judgement import (
    confidence_of,
    importance_of,
    probability,
    severity_of,
    verdict_of,
    weighed,
)
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.verdict import Verdict

WEIGHTS = st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.floats(-5, 5)), max_size=12)
GROUPS = st.sampled_from(["", "a", "b"])


@given(st.floats(-6, 6), WEIGHTS, GROUPS, st.floats(0, 5), st.integers(0, 12))
def test_evidence_for_malice_never_lowers_it(
    base: float, weights: list[tuple[str, float]], group: str, more: float, at: int
) -> None:
    added = [*weights[:at], (group, more), *weights[at:]]
    assert probability(base + sum(weighed(added))) >= probability(base + sum(weighed(weights))) - 1e-12


@given(st.floats(-6, 6), WEIGHTS, GROUPS, st.floats(-5, 0), st.integers(0, 12))
def test_evidence_against_malice_never_raises_it(
    base: float, weights: list[tuple[str, float]], group: str, less: float, at: int
) -> None:
    added = [*weights[:at], (group, less), *weights[at:]]
    assert probability(base + sum(weighed(added))) <= probability(base + sum(weighed(weights))) + 1e-12


@given(WEIGHTS)
def test_a_weight_is_never_more_than_itself(weights: list[tuple[str, float]]) -> None:
    counted = weighed(weights)
    assert len(counted) == len(weights)
    for (_, weight), counts in zip(weights, counted, strict=True):
        assert abs(counts) <= abs(weight)
        assert counts * weight >= 0


def test_one_fact_seen_three_ways_is_not_three_facts() -> None:
    assert weighed([("mail", 0.8), ("mail", 1.2), ("mail", 0.4), ("", 0.4), ("mail", -1.0)]) == [
        0.4,
        1.2,
        0.1,
        0.4,
        -1.0,
    ]


@given(st.floats(-1000, 1000))
def test_nothing_is_ever_certain(log_odds: float) -> None:
    assert 0.002 < probability(log_odds) < 0.998


@pytest.mark.parametrize(
    ("malice", "verdict"),
    [
        (0.95, Verdict.TRUE_POSITIVE), (0.9, Verdict.TRUE_POSITIVE), (0.8, Verdict.LIKELY_TRUE_POSITIVE),
        (0.5, Verdict.SUSPICIOUS), (0.35, Verdict.SUSPICIOUS), (0.2, Verdict.LIKELY_FALSE_POSITIVE),
        (0.05, Verdict.FALSE_POSITIVE),
    ],
)  # fmt: skip
def test_a_probability_has_its_verdict(malice: float, verdict: Verdict) -> None:
    assert verdict_of(malice, evidence=3.0) is verdict


def test_without_evidence_nothing_is_concluded_unless_the_kind_alone_decides() -> None:
    assert verdict_of(0.4, evidence=0.1) is Verdict.INCONCLUSIVE
    assert verdict_of(0.02, evidence=0.0) is Verdict.FALSE_POSITIVE
    assert verdict_of(0.95, evidence=0.0) is Verdict.TRUE_POSITIVE


@given(st.floats(0.0, 1.0), st.floats(0.0, 9.0))
def test_confidence_is_at_least_an_even_bet(malice: float, evidence: float) -> None:
    assert 0.5 <= confidence_of(verdict_of(malice, evidence), malice) <= 1.0


@given(st.sampled_from(Severity), st.floats(0, 1), st.integers(0, 2), st.sampled_from(Severity), st.floats(0, 1))
def test_severity_keeps_the_vendors_floor_and_grows_with_malice(
    impact: Severity, malice: float, importance: int, floor: Severity, more: float
) -> None:
    severity = severity_of(impact, malice, importance, floor)
    assert severity.rank >= floor.rank
    assert severity_of(impact, max(malice, more), importance, floor).rank >= severity.rank
    assert severity_of(impact, malice, importance + 1, floor).rank >= severity.rank


def test_importance_comes_from_the_inventory() -> None:
    assert importance_of({"asset": {"criticality": "critical"}, "user": {"privileged": True}}) == 2
    assert importance_of({"asset": {"criticality": "low"}, "user": {"privileged": "yes"}}) == 0
    assert importance_of({}) == 0
