"""Playbooks: what is proposed for which incident, and what never is."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.triage.room import CONDITIONS, MORNING, PLAYBOOKS, alert, analysed, opened, seen, with_findings
from warden_desktop.domain.action import VERBS, ProposedAction, Risk, Verb
from warden_desktop.domain.address import address_class
from warden_desktop.domain.alert import Observable, ObservableType, Role, Severity
from warden_desktop.domain.events import AnalysisComplete
from warden_desktop.domain.facts import facts_of, observables_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.playbook import Playbook, Step, propose
from warden_desktop.domain.verdict import Evidence, Finding, TriageAnalysis, Verdict

CAUSE = UUID(int=7)


def judged(incident: Incident, malice: float, category: str, verdict: Verdict) -> Incident:
    analysis = TriageAnalysis(
        analyst="test", category=category, verdict=verdict, confidence=0.9, malice=malice, severity=Severity.HIGH,
        summary="it happened", evidence=(
            Evidence(id="e1", statement="for", weight=1.0, source="t"),
            Evidence(id="e2", statement="against", weight=-1.0, source="t"),
        ),
    )  # fmt: skip
    return incident.after(AnalysisComplete(actor="test", incident_id=incident.id, analysis=analysis))


def proposed(incident: Incident, *playbooks: Playbook) -> tuple[ProposedAction, ...]:
    holds = CONDITIONS.on(facts_of(incident))
    chosen = playbooks or tuple(PLAYBOOKS.values())
    return propose(chosen, incident, holds, lambda verb: "simulated", MORNING, CAUSE)[1]


def said(incident: Incident) -> list[tuple[str, str]]:
    return [(action.verb.value, action.target.value) for action in proposed(incident)]


ALL_SEEN = (
    seen("host", "web-01", "victim"), seen("ip", "203.0.113.9", "actor"), seen("ip", "10.0.0.9", "actor"),
    seen("ip", "198.51.100.7", "infrastructure"), seen("domain", "evil.example", "infrastructure"),
    seen("user", "m.rossi", "victim"), seen("email", "it@evil.example", "actor"),
    seen("message_id", "<1@evil.example>"), seen("process", "evil.exe", "actor"),
)  # fmt: skip


def incident(category: str, malice: float = 0.95, verdict: Verdict = Verdict.TRUE_POSITIVE) -> Incident:
    return judged(opened(alert("t", *ALL_SEEN, category=category, severity=Severity.HIGH)), malice, category, verdict)


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("web_shell", {"isolate_host web-01", "collect_forensics web-01", "create_ticket"}),
        ("brute_force", {"block_ip 203.0.113.9", "run_search"}),
        (
            "phishing",
            {"quarantine_email <1@evil.example>", "block_sender it@evil.example", "block_domain evil.example"},
        ),
        ("command_and_control", {"isolate_host web-01", "block_ip 198.51.100.7", "block_domain evil.example"}),
        ("impossible_travel", {"revoke_sessions m.rossi", "reset_password m.rossi", "disable_user m.rossi"}),
        ("ransomware", {"isolate_host web-01", "kill_process evil.exe", "notify", "create_ticket"}),
        ("exfiltration", {"block_ip 198.51.100.7", "block_domain evil.example", "create_ticket"}),
        ("availability", {"notify", "create_ticket"}),
    ],
)
def test_each_kind_gets_what_an_analyst_would_do(category: str, expected: set[str]) -> None:
    one = incident(category)
    told = {verb if target == str(one.id) else f"{verb} {target}" for verb, target in said(one)}
    assert expected <= told
    assert "block_ip 10.0.0.9" not in told


def test_a_weak_suspicion_gets_only_weak_medicine() -> None:
    told = {verb for verb, _ in said(incident("impossible_travel", 0.5, Verdict.SUSPICIOUS))}
    assert told == {"revoke_sessions", "notify"}


def test_an_outage_is_no_reason_to_act_on_anything() -> None:
    assert {VERBS[action.verb].risk for action in proposed(incident("availability"))} == {Risk.NONE}


@pytest.mark.parametrize("verdict", [Verdict.FALSE_POSITIVE, Verdict.LIKELY_FALSE_POSITIVE])
@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_nothing_dangerous_is_proposed_for_what_is_benign(name: str, verdict: Verdict) -> None:
    forced = PLAYBOOKS[name].model_copy(
        update={"when": "true", "steps": tuple(s.model_copy(update={"when": "true"}) for s in PLAYBOOKS[name].steps)}
    )
    assert all(VERBS[one.verb].risk is Risk.NONE for one in proposed(incident("x", 0.99, verdict), forced))


def test_what_is_ours_or_well_known_is_not_blocked() -> None:
    ours = (
        Finding(name="well_known", value="evil.example", detail="d", observable="domain:evil.example"),
        Finding(name="allow_list", value="x", detail="d", observable="ip:203.0.113.9"),
    )
    told = said(with_findings(incident("command_and_control"), *ours))
    assert ("block_domain", "evil.example") not in told
    assert ("block_ip", "203.0.113.9") not in told
    assert ("block_ip", "198.51.100.7") in told


def test_a_host_is_meant_by_its_name_where_one_is_known() -> None:
    def isolated(*hosts: str) -> list[str]:
        found = [seen("host", host, "victim") for host in hosts]
        one = judged(opened(alert("t", *found)), 0.99, "web_shell", Verdict.TRUE_POSITIVE)
        return [target for verb, target in said(one) if verb == "isolate_host"]

    assert isolated("10.0.0.9", "fin-1") == ["fin-1"]
    assert isolated("10.0.0.9") == ["10.0.0.9"]


def test_extracted_observables_can_be_targets() -> None:
    finding = Finding(
        name="observable", value={"type": "domain", "value": "hidden.example", "role": "infrastructure"}, detail="d"
    )
    assert ("block_domain", "hidden.example") in said(with_findings(incident("command_and_control"), finding))


def test_the_same_cause_gives_the_same_actions_and_another_cause_others() -> None:
    one = incident("web_shell")
    first, again = proposed(one), proposed(one)
    assert [(a.id, a.digest) for a in first] == [(a.id, a.digest) for a in again]
    holds = CONDITIONS.on(facts_of(one))
    _, other = propose(PLAYBOOKS.values(), one, holds, lambda verb: "s", MORNING, uuid4())
    assert not {a.id for a in first} & {a.id for a in other}


def test_an_action_says_who_why_and_until_when() -> None:
    action = proposed(incident("web_shell"))[0]
    assert (action.proposed_by, action.connector, action.evidence) == ("playbook:web_shell", "simulated", ("e1",))
    assert (action.expires_at - MORNING).total_seconds() == 3600
    assert "isolation" in action.reason


def test_parameters_are_whole_values_of_the_incident() -> None:
    (ticket,) = (one for one in proposed(incident("web_shell")) if one.verb is Verb.CREATE_TICKET)
    assert ticket.parameters == {"title": "t", "summary": "it happened", "severity": "high", "host": "web-01"}


def test_the_playbook_of_highest_priority_speaks() -> None:
    def one(name: str, priority: int) -> Playbook:
        steps = (Step(verb=Verb.NOTIFY, target="incident", reason="r"),)
        return Playbook(name=name, title="t", when="true", priority=priority, steps=steps)

    found = incident("x")
    assert proposed(found, one("a", 1), one("b", 2), one("c", 2))[0].proposed_by == "playbook:b"


def test_a_condition_that_cannot_be_told_does_not_hold() -> None:
    broken = Playbook(name="a", title="t", when="alert.attributes.nothing == 1")
    step = Step(verb=Verb.NOTIFY, target="incident", reason="r", when="found.nothing > 1")
    silent = Playbook(name="b", title="t", when="true", steps=(step,))
    assert proposed(incident("x"), broken) == proposed(incident("x"), silent) == ()


@pytest.mark.parametrize(
    "step",
    [
        {"verb": "isolate_host", "target": {"type": "ip"}, "reason": "r"},
        {"verb": "isolate_host", "target": "incident", "reason": "r"},
        {"verb": "notify", "target": {"type": "user"}, "reason": "r"},
        {"verb": "notify", "target": "target", "reason": "r"},
        {"verb": "explode", "target": "incident", "reason": "r"},
    ],
)
def test_a_step_that_does_not_fit_its_verb_is_refused(step: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Step.model_validate(step)


def test_every_bundled_playbook_can_be_told_of_the_barest_incident() -> None:
    holds = CONDITIONS.on(facts_of(opened(alert())))
    for playbook in PLAYBOOKS.values():
        assert playbook.checklist
        assert all(holds(condition) in (True, False) for condition in playbook.conditions)


OBSERVABLES = st.lists(
    st.builds(
        Observable,
        type=st.sampled_from(ObservableType),
        value=st.one_of(
            st.text(min_size=1, max_size=30), st.ip_addresses().map(str), st.just("10.0.0.1"), st.just("web-01")
        ),
        role=st.sampled_from(Role),
    ),
    max_size=12,
)


@given(OBSERVABLES, st.sampled_from(sorted(PLAYBOOKS)), st.sampled_from(Verdict), st.text(max_size=30))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_target_is_always_one_of_the_incidents_observables(
    found: list[Observable], name: str, verdict: Verdict, target: str
) -> None:
    one = judged(opened(alert("t", *found, target=target)), 0.99, "x", verdict)
    forced = PLAYBOOKS[name].model_copy(update={"when": "true"})
    known = {(seen.type, seen.value) for seen in observables_of(one)}
    for action in proposed(one, forced):
        if VERBS[action.verb].targets:
            assert action.target.type in VERBS[action.verb].targets
            assert (action.target.type, action.target.value) in known
        else:
            assert action.target.value == str(one.id)
        if action.verb is Verb.BLOCK_IP:
            assert address_class(action.target.value).outside


def test_proposals_follow_from_the_analysis_of_a_real_story() -> None:
    one = alert(
        "Web shell", seen("host", "web-01", "victim"), seen("file", "/var/www/upload/a.php", "infrastructure"),
        category="web_shell", severity=Severity.HIGH,
    )  # fmt: skip
    assert ("isolate_host", "web-01") in said(analysed(opened(one)))
