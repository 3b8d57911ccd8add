"""What policy decides, and that it never fails open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.executor.room import folded, opened, proposal
from warden_desktop.adapters.conditions import CelConditions
from warden_desktop.adapters.packs import load_pack
from warden_desktop.assets import resource
from warden_desktop.domain.action import VERBS, Level, ProposedAction, Risk, Verb
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.facts import facts_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.policy import (
    Allow,
    Ask,
    AutoApprove,
    Decision,
    Deny,
    Guardrails,
    Limit,
    Protected,
    ProtectedNetwork,
    ProtectedTargets,
    decide,
)
from warden_desktop.engine.judge import facts_of_action

T = ObservableType
INCIDENT = folded(*opened(uuid4()))
BUNDLED = load_pack(resource("guardrails.yaml"), Guardrails)


def holds(expression: str) -> bool:
    if expression == "broken":
        raise ValueError("no such fact")
    return expression == "true"


def decided(
    guardrails: Guardrails,
    verb: Verb = Verb.ISOLATE_HOST,
    target: str = "web-01",
    kind: ObservableType | None = T.HOST,
    *,
    mode: Mode = Mode.AUTONOMOUS,
    usage: dict[Verb, int] | None = None,
    incident: Incident = INCIDENT,
    condition: Callable[[str], bool] = holds,
    **fields: Any,
) -> Decision:
    action = proposal(incident.id, verb, target, kind, **fields)
    return decide(action, incident, guardrails, mode, condition, usage or {})


def rule(*verbs: Verb, when: str = "true", max_risk: Risk = Risk.HIGH, name: str = "rule") -> AutoApprove:
    return AutoApprove(name=name, verbs=verbs, when=when, max_risk=max_risk)


def protecting(**kinds: str) -> Guardrails:
    return Guardrails(
        protected=ProtectedTargets.model_validate(
            {kind: [{"match": match, "reason": "precious"}] for kind, match in kinds.items()}
        )
    )


def test_what_no_rule_speaks_about_is_asked_of_the_level_its_risk_needs() -> None:
    assert decided(Guardrails()) == Ask(
        rule="approval_levels.isolate_host",
        reason="No rule lets the product do this by itself in autonomous mode (high risk).",
        level=Level.SENIOR,
    )
    low = decided(Guardrails(), Verb.COLLECT_FORENSICS, mode=Mode.ASSISTED)
    assert isinstance(low, Ask)
    assert (low.level, low.reason) == (Level.ANALYST, "In assisted mode a person approves every action.")


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        (Mode.ASSISTED, set()),
        (Mode.SUPERVISED, {Verb.NOTIFY, Verb.COLLECT_FORENSICS}),
        (Mode.AUTONOMOUS, {Verb.NOTIFY, Verb.COLLECT_FORENSICS, Verb.RESET_PASSWORD, Verb.ISOLATE_HOST}),
    ],
)
def test_each_mode_lets_rules_approve_up_to_its_risk(mode: Mode, allowed: set[Verb]) -> None:
    kinds = {Verb.NOTIFY: None, Verb.COLLECT_FORENSICS: T.HOST, Verb.RESET_PASSWORD: T.USER, Verb.ISOLATE_HOST: T.HOST}
    guardrails = Guardrails(auto_approve=(rule(*kinds),))
    found = {verb for verb, kind in kinds.items() if isinstance(decided(guardrails, verb, kind=kind, mode=mode), Allow)}
    assert found == allowed


def test_a_rule_does_not_reach_beyond_the_risk_it_names() -> None:
    guardrails = Guardrails(auto_approve=(rule(Verb.ISOLATE_HOST, max_risk=Risk.MEDIUM),))
    assert isinstance(decided(guardrails), Ask)


def test_a_condition_that_does_not_hold_leaves_it_to_a_person_and_a_broken_one_denies() -> None:
    assert isinstance(decided(Guardrails(auto_approve=(rule(Verb.ISOLATE_HOST, when="false"),))), Ask)
    broken = Guardrails(auto_approve=(rule(Verb.ISOLATE_HOST), rule(Verb.ISOLATE_HOST, when="broken", name="b")))
    denied = decided(broken)
    assert isinstance(denied, Deny)
    assert denied.rule == "auto_approve b"
    assert "no such fact" in denied.reason


@pytest.mark.parametrize(
    ("kinds", "verb", "target", "kind"),
    [
        ({"assets": "dc0*"}, Verb.ISOLATE_HOST, "DC01.corp.example", T.HOST),
        ({"assets": "dc01"}, Verb.ISOLATE_HOST, "CORP\\dc01.", T.HOST),
        ({"assets": "dc01"}, Verb.ISOLATE_HOST, "\uff24\uff23\uff10\uff11", T.HOST),
        ({"assets": "dc01"}, Verb.ISOLATE_HOST, "dc\u200b01", T.HOST),
        ({"assets": "10.0.0.1"}, Verb.ISOLATE_HOST, "10.0.0.1", T.HOST),
        ({"people": "breakglass*"}, Verb.DISABLE_USER, "CORP\\BreakGlass1", T.USER),
        ({"people": "breakglass*"}, Verb.REVOKE_SESSIONS, "breakglass1@corp.example", T.USER),
        ({"networks": "10.0.0.0/8"}, Verb.BLOCK_IP, "10.1.2.3", T.IP),
        ({"networks": "10.0.0.0/8"}, Verb.BLOCK_IP, "::ffff:10.1.2.3", T.IP),
        ({"domains": "corp.example"}, Verb.BLOCK_DOMAIN, "mail.CORP.example.", T.DOMAIN),
        ({"domains": "corp.example"}, Verb.BLOCK_DOMAIN, "example", T.DOMAIN),
        ({"domains": "corp.example"}, Verb.BLOCK_SENDER, "ceo@corp.example", T.EMAIL),
    ],
)
def test_a_protected_target_is_known_however_it_is_written(
    kinds: dict[str, str], verb: Verb, target: str, kind: ObservableType
) -> None:
    denied = decided(protecting(**kinds), verb, target, kind)
    assert isinstance(denied, Deny)
    assert denied.reason == "precious"


@pytest.mark.parametrize(
    ("kinds", "verb", "target", "kind"),
    [
        ({"assets": "dc01"}, Verb.ISOLATE_HOST, "dc010", T.HOST),
        ({"assets": "10"}, Verb.ISOLATE_HOST, "10.0.0.1", T.HOST),
        ({"networks": "10.0.0.0/8"}, Verb.BLOCK_IP, "11.1.2.3", T.IP),
        ({"networks": "10.0.0.0/8"}, Verb.ISOLATE_HOST, "10.1.2.3", T.HOST),
        ({"domains": "corp.example"}, Verb.BLOCK_DOMAIN, "notcorp.example", T.DOMAIN),
    ],
)
def test_what_only_looks_like_a_protected_target_is_asked(
    kinds: dict[str, str], verb: Verb, target: str, kind: ObservableType
) -> None:
    assert isinstance(decided(protecting(**kinds), verb, target, kind), Ask)


def test_a_process_on_a_protected_host_is_protected() -> None:
    named = decided(protecting(assets="dc01"), Verb.KILL_PROCESS, "cmd.exe", T.PROCESS, parameters={"host": "dc01"})
    where = folded(*opened(uuid4(), target="dc01.corp.example"))
    implied = decided(protecting(assets="dc01"), Verb.KILL_PROCESS, "cmd.exe", T.PROCESS, incident=where)
    assert isinstance(named, Deny)
    assert isinstance(implied, Deny)


def test_giving_back_on_a_protected_target_is_a_seniors_decision_never_the_rules() -> None:
    guardrails = protecting(assets="dc01").model_copy(update={"auto_approve": (rule(Verb.UNISOLATE_HOST),)})
    asked = decided(guardrails, Verb.UNISOLATE_HOST, "dc01")
    assert isinstance(asked, Ask)
    assert asked.level is Level.SENIOR


@pytest.mark.parametrize("target", ["evil.example", "10.0.0.0/8", "0.0.0.0/0", "1", """ 1.2.3.4" or "1"="1 """])
def test_only_a_single_address_can_be_blocked(target: str) -> None:
    assert isinstance(decided(Guardrails(), Verb.BLOCK_IP, target, T.IP), Deny)


def test_a_verb_on_the_wrong_kind_of_target_is_denied() -> None:
    assert isinstance(decided(Guardrails(), Verb.ISOLATE_HOST, "alice", T.USER), Deny)


def test_beyond_its_limit_a_verb_takes_a_higher_level_or_nobody_may() -> None:
    auto = (rule(Verb.ISOLATE_HOST),)
    limited = Guardrails(auto_approve=auto, limits={Verb.ISOLATE_HOST: Limit(per_hour=2, beyond=Level.MANAGER)})
    assert isinstance(decided(limited, usage={Verb.ISOLATE_HOST: 1}), Allow)
    beyond = decided(limited, usage={Verb.ISOLATE_HOST: 2})
    assert isinstance(beyond, Ask)
    assert beyond.level is Level.MANAGER
    never = Guardrails(auto_approve=auto, limits={Verb.ISOLATE_HOST: Limit(per_hour=0, beyond="never")})
    assert isinstance(decided(never), Deny)


def test_a_condition_that_does_not_parse_is_named_before_anything_starts() -> None:
    with pytest.raises(ValueError, match="auto_approve 'rule'"):
        Guardrails(auto_approve=(rule(Verb.NOTIFY, when="1 +"),)).verify(CelConditions().check)


def test_a_wrong_network_and_two_rules_of_one_name_are_mistakes() -> None:
    with pytest.raises(ValidationError):
        ProtectedNetwork(match="10.0.0.0/99", reason="typing error")
    with pytest.raises(ValidationError, match="two rules are called"):
        Guardrails(auto_approve=(rule(Verb.NOTIFY), rule(Verb.NOTIFY)))


# --- the bundled guardrails ---------------------------------------------------------------------------------------


def bundled(incident: Incident, action: ProposedAction, mode: Mode = Mode.AUTONOMOUS) -> Decision:
    facts = {**facts_of(incident), "action": facts_of_action(action)}
    return decide(action, incident, BUNDLED, mode, CelConditions().on(facts), {})


@pytest.mark.parametrize("verb", list(Verb))
def test_the_bundled_conditions_can_be_evaluated_on_an_incident_that_knows_nothing(verb: Verb) -> None:
    kind = next(iter(VERBS[verb].targets), None)
    fitting = {T.IP: "203.0.113.9", T.DOMAIN: "evil.test", T.EMAIL: "someone@evil.test"}
    target = fitting.get(kind, "someone") if kind else "someone"
    decision = bundled(INCIDENT, proposal(INCIDENT.id, verb, target, kind))
    assert not isinstance(decision, Deny), decision


@pytest.mark.parametrize(
    ("verb", "target", "kind"),
    [
        (Verb.ISOLATE_HOST, "DC01.corp.example", T.HOST),
        (Verb.ISOLATE_HOST, "ber-dc02", T.HOST),
        (Verb.DISABLE_USER, "breakglass-1", T.USER),
        (Verb.BLOCK_IP, "192.168.1.1", T.IP),
        (Verb.BLOCK_IP, "::1", T.IP),
        (Verb.BLOCK_IP, "fd00::1", T.IP),
        (Verb.BLOCK_IP, "255.255.255.255", T.IP),
    ],
)
def test_the_bundled_guardrails_never_do_the_worst(verb: Verb, target: str, kind: ObservableType) -> None:
    assert isinstance(bundled(INCIDENT, proposal(INCIDENT.id, verb, target, kind)), Deny)


def test_the_bundled_guardrails_load_by_their_path() -> None:
    assert Path(resource("guardrails.yaml")).stem == BUNDLED.name


# --- properties ---------------------------------------------------------------------------------------------------

VERBS_ASKED = (Verb.ISOLATE_HOST, Verb.DISABLE_USER, Verb.BLOCK_IP, Verb.COLLECT_FORENSICS, Verb.UNISOLATE_HOST)
TARGETS = {T.HOST: ("web-01", "dc01"), T.USER: ("alice", "breakglass"), T.IP: ("203.0.113.9", "10.0.0.1")}
verbs = st.sampled_from(VERBS_ASKED)
needs = st.sampled_from([*Level, "never"])
rules = st.builds(
    AutoApprove,
    name=st.uuids().map(str),
    verbs=st.lists(verbs, min_size=1, max_size=3).map(tuple),
    when=st.sampled_from(["true", "false", "broken"]),
    max_risk=st.sampled_from(Risk),
)
protected = st.builds(
    Protected, match=st.sampled_from(["dc01", "web-*", "alice", "*glass"]), reason=st.just("r"), needs=needs
)
networks = st.builds(
    ProtectedNetwork, match=st.sampled_from(["10.0.0.0/8", "203.0.113.9"]), reason=st.just("r"), needs=needs
)
guardrail_sets = st.builds(
    Guardrails,
    denied_verbs=st.dictionaries(verbs, st.just("denied"), max_size=1),
    protected=st.builds(
        ProtectedTargets,
        assets=st.lists(protected, max_size=3).map(tuple),
        people=st.lists(protected, max_size=3).map(tuple),
        networks=st.lists(networks, max_size=2).map(tuple),
    ),
    approval_levels=st.dictionaries(verbs, st.sampled_from(Level), max_size=3),
    auto_approve=st.lists(rules, max_size=4, unique_by=lambda one: one.name).map(tuple),
    limits=st.dictionaries(verbs, st.builds(Limit, per_hour=st.integers(0, 3), beyond=needs), max_size=2),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Guardrails, ProposedAction, Mode, dict[Verb, int]]:
    verb = draw(verbs)
    kind = next(iter(VERBS[verb].targets))
    action = proposal(INCIDENT.id, verb, draw(st.sampled_from(TARGETS[kind])), kind)
    usage = draw(st.dictionaries(verbs, st.integers(0, 4), max_size=3))
    return draw(guardrail_sets), action, draw(st.sampled_from(Mode)), usage


def permitted(decision: Decision) -> int:
    return {Deny: -1, Ask: 3, Allow: 4}[type(decision)] - (decision.level.rank if isinstance(decision, Ask) else 0)


@given(case=cases(), more=guardrail_sets)
def test_one_more_deny_never_permits_more(
    case: tuple[Guardrails, ProposedAction, Mode, dict[Verb, int]], more: Guardrails
) -> None:
    guardrails, action, mode, usage = case
    before = decide(action, INCIDENT, guardrails, mode, holds, usage)
    both = guardrails.model_copy(
        update={
            "denied_verbs": {**more.denied_verbs, **guardrails.denied_verbs},
            "protected": ProtectedTargets(
                assets=(*guardrails.protected.assets, *more.protected.assets),
                people=(*more.protected.people, *guardrails.protected.people),
                networks=(*guardrails.protected.networks, *more.protected.networks),
            ),
            "limits": {**more.limits, **guardrails.limits},
        }
    )
    after = decide(action, INCIDENT, both, mode, holds, usage)
    assert permitted(after) <= permitted(before)


@given(case=cases(), randomly=st.randoms(use_true_random=False))
def test_the_order_of_rules_does_not_matter(
    case: tuple[Guardrails, ProposedAction, Mode, dict[Verb, int]], randomly: object
) -> None:
    guardrails, action, mode, usage = case
    shuffled = guardrails.model_copy(
        update={
            "auto_approve": guardrails.auto_approve[::-1],
            "protected": ProtectedTargets(
                assets=guardrails.protected.assets[::-1],
                people=guardrails.protected.people[::-1],
                networks=guardrails.protected.networks[::-1],
            ),
        }
    )
    before = decide(action, INCIDENT, guardrails, mode, holds, usage)
    assert decide(action, INCIDENT, shuffled, mode, holds, usage) == before


@given(case=cases())
def test_nobody_but_a_person_approves_in_assisted_mode_or_on_a_protected_target(
    case: tuple[Guardrails, ProposedAction, Mode, dict[Verb, int]],
) -> None:
    guardrails, action, mode, usage = case
    assert not isinstance(decide(action, INCIDENT, guardrails, Mode.ASSISTED, holds, usage), Allow)
    everything = Protected(match="*", reason="all", needs=Level.ANALYST)
    guarded = guardrails.model_copy(
        update={
            "protected": ProtectedTargets(
                assets=(everything,), people=(everything,),
                networks=(ProtectedNetwork(match="0.0.0.0/0", reason="all", needs=Level.ANALYST),),
            )
        }
    )  # fmt: skip
    assert not isinstance(decide(action, INCIDENT, guarded, mode, holds, usage), Allow)
