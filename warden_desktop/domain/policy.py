"""What may be done without a person, with one, or not at all: the guardrails, and the one function that applies them.

Theory of operation: every rule that has something to say gives an opinion (Deny, Ask or Allow), all of them are heard,
and the strictest wins: Deny over Ask over Allow, the higher level over the lower. So the order of rules never matters,
one more deny never permits more, and what no rule speaks about is asked. A condition that cannot be evaluated denies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Literal, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from warden_desktop.domain.action import VERBS, Level, ProposedAction, Risk, Verb
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.record import Record
from warden_desktop.domain.targets import hits_domain, hits_name, hits_network, subjects_of, what_is_odd
from warden_desktop.domain.verdict import Verdict

NEVER: Literal["never"] = "never"
Needs = Level | Literal["never"]
"""The level a person needs, or "never": nobody may."""

GIVES_BACK = frozenset(
    {
        Verb.UNISOLATE_HOST,
        Verb.ENABLE_USER,
        Verb.UNBLOCK_IP,
        Verb.UNBLOCK_DOMAIN,
        Verb.RELEASE_EMAIL,
        Verb.UNBLOCK_SENDER,
    }
)
"""Verbs that end a restriction. "never" protects from restrictions; ending one on a protected target needs a senior."""


def _network(text: str) -> str:
    return str(ip_network(text, strict=False))


class Protected(Record):
    """One thing to be careful with. `match` is a name with `*` and `?`, any case; for networks an address or CIDR."""

    match: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    needs: Needs = NEVER


class ProtectedNetwork(Protected):
    match: Annotated[str, AfterValidator(_network)]


class ProtectedTargets(Record):
    """What is protected, by kind: hosts, user accounts and their mail, addresses never to be blocked, domains."""

    assets: tuple[Protected, ...] = ()
    people: tuple[Protected, ...] = ()
    networks: tuple[ProtectedNetwork, ...] = ()
    domains: tuple[Protected, ...] = ()


class AutoApprove(Record):
    """Actions that policy may approve by itself: `verbs` up to `max_risk` where the CEL condition `when` holds."""

    name: str = Field(min_length=1)
    verbs: tuple[Verb, ...] = Field(min_length=1)
    when: str = Field(min_length=1)
    max_risk: Risk = Risk.LOW


class Limit(Record):
    """How often a verb may be used within an hour, and who may go beyond."""

    per_hour: int = Field(ge=0)
    beyond: Needs = Level.SENIOR


class AutoClose(Record):
    """Which incidents policy may close in autonomous mode. `analysts`: whose word counts; never a language model's.
    `max_severity`: what is worse is always left to a person, an outage that is no attack for instance."""

    verdict: Literal[Verdict.FALSE_POSITIVE, Verdict.LIKELY_FALSE_POSITIVE] = Verdict.FALSE_POSITIVE
    min_confidence: float = Field(ge=0.5, le=1.0)
    max_severity: Severity = Severity.MEDIUM
    analysts: tuple[str, ...] = ("rules",)


_LEVELS: Mapping[Risk, Level] = {
    Risk.NONE: Level.ANALYST,
    Risk.LOW: Level.ANALYST,
    Risk.MEDIUM: Level.ANALYST,
    Risk.HIGH: Level.SENIOR,
}
_MINUTES: Mapping[Risk, int] = {Risk.NONE: 1440, Risk.LOW: 480, Risk.MEDIUM: 240, Risk.HIGH: 120}


class ConditionError(ValueError):
    """A condition does not parse; `index` says which rule of auto_approve has it."""

    def __init__(self, text: str, index: int) -> None:
        super().__init__(text)
        self.index = index


class Guardrails(Record):
    """The whole policy, as `guardrails.yaml` states it. `denied_verbs` gives each verb's reason."""

    name: str = "guardrails"
    denied_verbs: dict[Verb, str] = Field(default_factory=dict)
    protected: ProtectedTargets = ProtectedTargets()
    approval_levels: dict[Verb, Level] = Field(default_factory=dict)
    auto_approve: tuple[AutoApprove, ...] = ()
    limits: dict[Verb, Limit] = Field(default_factory=dict)
    minutes_to_decide: dict[Risk, Annotated[int, Field(ge=1, le=43_200)]] = Field(default_factory=dict)
    forbid_self_approval: bool = False
    auto_close: AutoClose | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        twice = sorted(name for name, count in Counter(rule.name for rule in self.auto_approve).items() if count > 1)
        if twice:
            raise ValueError(f"auto_approve: two rules are called {twice[0]!r}; a decision names its rule")
        return self

    def verify(self, check: Callable[[str], None]) -> None:
        """Raises ConditionError, naming the rule, when a condition does not parse by `check` (Conditions.check)."""
        for index, rule in enumerate(self.auto_approve):
            try:
                check(rule.when)
            except ValueError as error:
                raise ConditionError(f"{self.name}: auto_approve {rule.name!r}: {error}", index) from error

    def level_of(self, verb: Verb) -> Level:
        """Who must approve `verb` when nothing about the target asks for more."""
        return self.approval_levels.get(verb, _LEVELS[VERBS[verb].risk])

    def time_to_decide(self, verb: Verb) -> timedelta:
        """How long a proposal of `verb` waits for a decision before it expires."""
        risk = VERBS[verb].risk
        return timedelta(minutes=self.minutes_to_decide.get(risk, _MINUTES[risk]))


class Allow(Record):
    """Policy approves it. `rule` names what decided, `reason` says why."""

    rule: str
    reason: str


class Ask(Record):
    """A person of `level` or above must decide."""

    rule: str
    reason: str
    level: Level


class Deny(Record):
    """It must not be done."""

    rule: str
    reason: str


Decision = Allow | Ask | Deny
Usage = Mapping[Verb, int]
"""How often each verb was approved or done within the last hour."""


def decide(
    action: ProposedAction,
    incident: Incident,
    guardrails: Guardrails,
    mode: Mode,
    holds: Callable[[str], bool],
    usage: Usage,
) -> Decision:
    """The decision on `action`. `holds` tells whether a condition holds for it; whatever that raises is a Deny."""
    opinions = list(_opinions(action, incident, guardrails, mode, holds, usage))
    asked_anyway = Ask(
        rule=f"approval_levels.{action.verb}",
        reason=_nobody_allowed(mode, VERBS[action.verb].risk),
        level=guardrails.level_of(action.verb),
    )
    strictest = min(opinions, key=_strictness, default=asked_anyway)
    if isinstance(strictest, Ask) and strictest.level.rank < asked_anyway.level.rank:
        return strictest.model_copy(update={"level": asked_anyway.level})
    return strictest


def _strictness(opinion: Decision) -> tuple[int, int, str, str]:
    match opinion:
        case Deny():
            return 0, 0, opinion.rule, opinion.reason
        case Ask():
            return 1, -opinion.level.rank, opinion.rule, opinion.reason
        case Allow():
            return 2, 0, opinion.rule, opinion.reason
    assert_never(opinion)


def _nobody_allowed(mode: Mode, risk: Risk) -> str:
    if mode is Mode.ASSISTED:
        return "In assisted mode a person approves every action."
    return f"No rule lets the product do this by itself in {mode} mode ({risk} risk)."


def _opinions(
    action: ProposedAction,
    incident: Incident,
    guardrails: Guardrails,
    mode: Mode,
    holds: Callable[[str], bool],
    usage: Usage,
) -> Iterator[Decision]:
    yield from _on_verb(action, guardrails)
    yield from _on_target(action)
    yield from _on_protected(action, incident, guardrails.protected)
    yield from _on_limit(action.verb, guardrails.limits.get(action.verb), usage)
    yield from _on_rules(action.verb, guardrails.auto_approve, mode, holds)


def _on_verb(action: ProposedAction, guardrails: Guardrails) -> Iterator[Deny]:
    reason = guardrails.denied_verbs.get(action.verb)
    if reason is not None:
        yield Deny(rule=f"denied_verbs.{action.verb}", reason=reason or "This verb is denied.")


def _on_target(action: ProposedAction) -> Iterator[Deny]:
    facts, target = VERBS[action.verb], action.target
    if facts.targets and target.type not in facts.targets:
        wanted = " or ".join(sorted(facts.targets))
        yield Deny(rule="target", reason=f"{facts.label} needs a target that is a {wanted}, not {target.type}.")
    if facts.targets and (odd := what_is_odd(target)):
        yield Deny(rule="target", reason=odd)


def _on_protected(action: ProposedAction, incident: Incident, protected: ProtectedTargets) -> Iterator[Ask | Deny]:
    if VERBS[action.verb].risk is Risk.NONE:
        return  # telling people about what is protected touches nothing
    subjects = subjects_of(action, incident)
    hits = (
        *(("assets", one) for one in protected.assets if hits_name(one.match, subjects.hosts)),
        *(("people", one) for one in protected.people if hits_name(one.match, subjects.people)),
        *(("networks", one) for one in protected.networks if hits_network(one.match, subjects.addresses)),
        *(("domains", one) for one in protected.domains if hits_domain(one.match, subjects.domains)),
    )
    for kind, hit in hits:
        yield _protecting(action.verb, f"protected.{kind} {hit.match}", hit)


def _protecting(verb: Verb, rule: str, hit: Protected) -> Ask | Deny:
    if verb in GIVES_BACK:
        return Ask(rule=rule, reason=hit.reason, level=Level.SENIOR if hit.needs == NEVER else hit.needs)
    return _needing(hit.needs, rule, hit.reason)


def _needing(needs: Needs, rule: str, reason: str) -> Ask | Deny:
    return Deny(rule=rule, reason=reason) if needs == NEVER else Ask(rule=rule, reason=reason, level=needs)


def _on_limit(verb: Verb, limit: Limit | None, usage: Usage) -> Iterator[Ask | Deny]:
    used = usage.get(verb, 0)
    if limit is not None and used >= limit.per_hour:
        reason = f"{VERBS[verb].label} was already used {used} times within an hour; the limit is {limit.per_hour}."
        yield _needing(limit.beyond, f"limits.{verb}", reason)


def _on_rules(
    verb: Verb, rules: tuple[AutoApprove, ...], mode: Mode, holds: Callable[[str], bool]
) -> Iterator[Allow | Deny]:
    for rule in rules:
        if verb in rule.verbs and _may_apply(rule, VERBS[verb].risk, mode):
            yield from _by_rule(rule, holds)


def _may_apply(rule: AutoApprove, risk: Risk, mode: Mode) -> bool:
    ceiling = {Mode.ASSISTED: -1, Mode.SUPERVISED: Risk.LOW.rank, Mode.AUTONOMOUS: Risk.HIGH.rank}[mode]
    return risk.rank <= min(ceiling, rule.max_risk.rank)


def _by_rule(rule: AutoApprove, holds: Callable[[str], bool]) -> Iterator[Allow | Deny]:
    name = f"auto_approve {rule.name}"
    try:
        if holds(rule.when) is True:
            yield Allow(rule=name, reason=f"The condition holds: {rule.when}")
    except Exception as error:
        yield Deny(rule=name, reason=f"The condition could not be evaluated, so nothing is done: {error}")
