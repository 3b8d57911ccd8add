"""The offline analyst: rules as data, their weights added as log-odds. The default, and the floor under any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from warden_desktop.adapters.analysts.judgement import (
    BANDS,
    confidence_of,
    importance_of,
    probability,
    severity_of,
    verdict_of,
    weighed,
)
from warden_desktop.adapters.analysts.pack import ANY, AnalysisPack, Rule
from warden_desktop.adapters.analysts.words import Words, plain
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.facts import facts_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import EnrichmentStatus, Evidence, TriageAnalysis
from warden_desktop.engine.ports import Conditions

FALLBACK = "suspicious_activity"


class RuleAnalyst:
    """Implements ports.Analyst. Takes well under a millisecond for an ordinary incident."""

    name = "rules"

    def __init__(self, packs: Mapping[str, AnalysisPack], conditions: Conditions) -> None:
        """`packs` by name; "any_incident" and "suspicious_activity" must be among them.

        Raises ValueError naming pack and expression when one does not parse or one of the two is missing.
        """
        for needed in (ANY, FALLBACK):
            if needed not in packs:
                raise ValueError(f"the analysis pack {needed!r} is missing; restore resources/analysis/{needed}.yaml")
        for pack in packs.values():
            _check(pack, conditions)
        self._packs = packs
        self._conditions = conditions

    async def analyse(self, incident: Incident) -> TriageAnalysis:
        """The verdict on `incident` from its alerts and findings alone."""
        return self.judge(incident)

    def judge(self, incident: Incident) -> TriageAnalysis:
        """`analyse`, for callers that are no coroutine."""
        facts = facts_of(incident)
        case = _Case(self._conditions.on(facts), Words(incident), [])
        pack = self._pack(incident, case)
        held = [rule for rule in (*self._packs[ANY].rules, *pack.rules) if case.holds(rule.when)]
        counted = weighed((rule.group, rule.weight) for rule in held)
        malice = probability(pack.base_rate + sum(counted))
        found = facts["found"]
        assert isinstance(found, dict)
        return self._told(incident, case, pack, list(zip(held, counted, strict=True)), malice, importance_of(found))

    def _told(
        self,
        incident: Incident,
        case: _Case,
        pack: AnalysisPack,
        held: list[tuple[Rule, float]],
        malice: float,
        importance: int,
    ) -> TriageAnalysis:
        naming = self._naming([rule for rule, _ in held])
        final = self._packs[naming.category] if naming else pack
        verdict = verdict_of(malice, sum(abs(weight) for _, weight in held))
        benign = malice < BANDS[2][0]
        return TriageAnalysis(
            analyst=self.name,
            category=final.name,
            verdict=verdict,
            confidence=round(confidence_of(verdict, malice), 4),
            malice=round(malice, 4),
            severity=severity_of(final.impact, malice, importance, _floor(incident)),
            summary=_summary(case.words, pack, naming, benign),
            evidence=_evidence(case.words, pack, held),
            considered=tuple(case.words.fill(one.text) for one in pack.alternatives if case.holds(one.when)),
            techniques=incident.techniques if benign else _techniques(incident, final.techniques, held),
            missing=(*_missing(incident), *case.failed),
        )

    def _pack(self, incident: Incident, case: _Case) -> AnalysisPack:
        category = incident.alerts[0].category
        if category in self._packs and category not in (ANY, FALLBACK):
            return self._packs[category]
        fallback = self._packs[FALLBACK]
        named = (one.category for one in self._packs[ANY].recognise if case.holds(one.when))
        recognised = (self._packs[one] for one in named if one in self._packs)
        # Text chose them, so text must not be able to choose a milder one; of equals the fallback is the last resort.
        return max((*recognised, fallback), key=lambda pack: pack.base_rate)

    def _naming(self, held: list[Rule]) -> Rule | None:
        """The weightiest rule that says what the incident turns out to be; None: it is what it came as."""
        naming = [rule for rule in held if rule.category in self._packs and rule.weight > 0]
        return max(naming, key=lambda rule: rule.weight) if naming else None


class _Case(NamedTuple):
    """One incident being judged; `failed` gathers what could not be evaluated."""

    condition: Callable[[str], bool]
    words: Words
    failed: list[str]

    def holds(self, expression: str) -> bool:
        try:
            return self.condition(expression)
        except ValueError as error:
            self.failed.append(plain(f"a rule could not be evaluated: {error}", 300))
            return False


def _check(pack: AnalysisPack, conditions: Conditions) -> None:
    for expression in pack.conditions:
        try:
            conditions.check(expression)
        except ValueError as error:
            raise ValueError(f"analysis pack {pack.name!r}: {error}") from error


def _floor(incident: Incident) -> Severity:
    return max((alert.severity for alert in incident.alerts), key=lambda severity: severity.rank)


def _evidence(words: Words, pack: AnalysisPack, held: list[tuple[Rule, float]]) -> tuple[Evidence, ...]:
    """The rules that hold, weightiest first, and last the base rate, so that all weights add up to the log-odds."""
    ordered = sorted(held, key=lambda one: -abs(one[1]))
    told = [_one(f"e{number}", words, rule, weight) for number, (rule, weight) in enumerate(ordered, 1)]
    share = round(probability(pack.base_rate) * 100)
    base = Evidence(
        id=f"e{len(told) + 1}",
        statement=f"Of alerts of this kind ({pack.title.lower()}), about {share} in 100 are malicious",
        weight=pack.base_rate,
        source="analysis/base_rate",
    )
    return (*told, base)


def _one(id: str, words: Words, rule: Rule, weight: float) -> Evidence:
    cited = (words.get(rule.cites) if rule.cites else None) or words.first_of(rule.statement)
    return Evidence(
        id=id,
        statement=words.fill(rule.statement),
        weight=round(weight, 3),
        source=f"{cited.source}/{rule.id}",
        path=rule.path or cited.path,
        value=plain(cited.value, 512),
    )


def _summary(words: Words, pack: AnalysisPack, naming: Rule | None, benign: bool) -> str:
    """What happened; what it turned into, when a rule says so; why it need not worry, when it need not."""
    happened = words.first_filled(pack.summaries)
    if naming and not benign:
        return f"{happened} {words.fill(naming.statement)}."
    return f"{happened} {pack.benign}" if pack.benign and benign else happened


def _techniques(incident: Incident, usual: tuple[str, ...], held: list[tuple[Rule, float]]) -> tuple[str, ...]:
    """The vendor's word first, then what rules saw, then what the category usually is when nobody said better. A
    technique is left out beside a sub-technique of it."""
    seen = tuple(rule.technique for rule, _ in held if rule.technique)
    told = dict.fromkeys((*incident.techniques, *seen)) or dict.fromkeys(usual)
    return tuple(one for one in told if not any(other.startswith(f"{one}.") for other in told))


def _missing(incident: Incident) -> tuple[str, ...]:
    return tuple(
        f"{one.provider}: {'not configured' if one.status is EnrichmentStatus.NOT_CONFIGURED else 'failed'}"
        + (f" ({plain(one.detail)})" if one.detail else "")
        for one in incident.enrichments
        if one.status is not EnrichmentStatus.COMPLETE
    )
