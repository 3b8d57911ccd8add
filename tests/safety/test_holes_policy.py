"""Attacks on policy by what an alert says: names that mean another, addresses of protected machines, floods."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pydantic import JsonValue

from tests.executor.room import folded, opened, proposal
from tests.policy.test_policy import BUNDLED, decided, protecting
from warden_desktop.domain.action import Level, Target, Verb
from warden_desktop.domain.alert import Observable, ObservableType, Role
from warden_desktop.domain.events import ActionsProposed, EnrichmentComplete
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.playbook import Playbook, propose
from warden_desktop.domain.policy import Allow, Ask, Deny
from warden_desktop.domain.record import now
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Finding, Verdict

T = ObservableType


@pytest.mark.parametrize(
    "target",
    [
        "DC-01", "dc-01.", "dc-01..", "dc-01 .", " dc-01", "dc-01.corp.example", "CORP\\dc-01", "DC-01$",
        "d\u010b-01", "dc\u2010\u0030\u0031", "\u0501\u0441-01", "dc\u00ad-01", "\u0110C-01", "dc-01\u3002corp.example",
        "dc-01\uff0ecorp.example", "\u216dc-01".replace("\u216dc", "d\u217d"),
    ],
)  # fmt: skip
def test_a_domain_controller_is_known_in_every_disguise(target: str) -> None:
    assert isinstance(decided(protecting(assets="dc-01"), Verb.ISOLATE_HOST, target), Deny)


@pytest.mark.parametrize("target", ["krbtgt", "KRBTGT$", "\u043arbtgt", "kr\u0062\u0327tgt", "CORP\\krbtgt@corp"])
def test_the_domains_key_account_is_known_in_every_disguise(target: str) -> None:
    assert isinstance(decided(BUNDLED, Verb.DISABLE_USER, target, T.USER), Deny)


@pytest.mark.parametrize(
    ("verb", "kind", "target"),
    [
        (Verb.ISOLATE_HOST, T.HOST, "*"),
        (Verb.ISOLATE_HOST, T.HOST, "web-0?"),
        (Verb.ISOLATE_HOST, T.HOST, "web-01,dc-01"),
        (Verb.ISOLATE_HOST, T.HOST, "web-01;dc-01"),
        (Verb.ISOLATE_HOST, T.HOST, "web-01 dc-01"),
        (Verb.ISOLATE_HOST, T.HOST, "web-01\ndc-01"),
        (Verb.ISOLATE_HOST, T.HOST, "web-01\r\nX-Injected: 1"),
        (Verb.ISOLATE_HOST, T.HOST, "hostname:'web-01'+hostname:'dc-01'"),
        (Verb.ISOLATE_HOST, T.HOST, "../../admin"),
        (Verb.ISOLATE_HOST, T.HOST, "http://root:secret@web-01/"),
        (Verb.ISOLATE_HOST, T.HOST, "w" * 4096),
        (Verb.DISABLE_USER, T.USER, "*"),
        (Verb.DISABLE_USER, T.USER, "alice)(uid=*"),
        (Verb.DISABLE_USER, T.USER, "alice;bob"),
        (Verb.DISABLE_USER, T.USER, "a" * 4096),
        (Verb.BLOCK_DOMAIN, T.DOMAIN, "*.com"),
        (Verb.BLOCK_DOMAIN, T.DOMAIN, "com"),
        (Verb.BLOCK_DOMAIN, T.DOMAIN, "evil.test/path"),
        (Verb.BLOCK_DOMAIN, T.DOMAIN, "user:secret@evil.test"),
        (Verb.BLOCK_SENDER, T.EMAIL, "*@corp.example"),
        (Verb.BLOCK_SENDER, T.EMAIL, "@corp.example"),
        (Verb.BLOCK_SENDER, T.EMAIL, "corp.example"),
        (Verb.BLOCK_IP, T.IP, "010.0.0.1"),
        (Verb.BLOCK_IP, T.IP, "2130706433"),
        (Verb.BLOCK_IP, T.IP, "0x7f.1"),
        (Verb.BLOCK_IP, T.IP, "203.0.113.0/24"),
        (Verb.BLOCK_IP, T.IP, "203.0.113.1-203.0.113.9"),
        (Verb.BLOCK_IP, T.IP, "::10.0.0.1"),
        (Verb.BLOCK_IP, T.IP, "64:ff9b:1::a00:1"),
        (Verb.BLOCK_IP, T.IP, "2002:0a00:0001::1"),
        (Verb.BLOCK_IP, T.IP, "::ffff:0:10.0.0.1"),
        (Verb.BLOCK_IP, T.IP, "fe80::1%eth0"),
    ],
)
def test_what_is_not_one_plain_target_is_never_acted_on(verb: Verb, kind: ObservableType, target: str) -> None:
    assert isinstance(decided(BUNDLED, verb, target, kind), Deny)


@pytest.mark.parametrize(
    ("verb", "kind", "target"),
    [
        (Verb.ISOLATE_HOST, T.HOST, "web-01.corp.example"),
        (Verb.ISOLATE_HOST, T.HOST, "CORP\\WEB_01$"),
        (Verb.ISOLATE_HOST, T.HOST, "10.20.30.40"),
        (Verb.ISOLATE_HOST, T.HOST, "2001:db8::1"),
        (Verb.ISOLATE_HOST, T.HOST, "büro-7"),
        (Verb.DISABLE_USER, T.USER, "CORP\\j.d'souza"),
        (Verb.DISABLE_USER, T.USER, "José Núñez"),
        (Verb.DISABLE_USER, T.USER, "j.doe+admin@corp.example"),
        (Verb.BLOCK_DOMAIN, T.DOMAIN, "xn--exmple-cua.test"),
        (Verb.BLOCK_SENDER, T.EMAIL, "it-desk@examp1e-support.test"),
        (Verb.QUARANTINE_EMAIL, T.MESSAGE_ID, "<a/b+c=1@mail.test>"),
        (Verb.KILL_PROCESS, T.PROCESS, "C:\\Program Files\\a, b\\x.exe (4711)"),
    ],
)
def test_ordinary_targets_are_still_for_a_person_to_decide(verb: Verb, kind: ObservableType, target: str) -> None:
    assert isinstance(decided(BUNDLED, verb, target, kind), Ask)


def known_to_inventory(target: str, kind: ObservableType = T.HOST) -> Incident:
    value: dict[str, JsonValue] = {"name": "dc-01.corp.example", "owner": "", "criticality": "critical", "tags": []}
    finding = Finding(name="asset", value=value, detail="", observable=f"{kind}:{target}")
    incident_id = uuid4()
    inventory = Enrichment(provider="inventory", status=EnrichmentStatus.COMPLETE, findings=(finding,), as_of=now())
    enriched = EnrichmentComplete(incident_id=incident_id, actor="enricher:inventory", enrichment=inventory)
    return folded(*opened(incident_id), enriched)


@pytest.mark.parametrize("target", ["10.20.0.10", "::ffff:10.20.0.10"])
def test_a_protected_machine_is_known_by_its_address_too(target: str) -> None:
    incident = known_to_inventory(target)
    assert isinstance(decided(protecting(assets="dc-01"), Verb.ISOLATE_HOST, target, incident=incident), Deny)
    other = decided(protecting(assets="dc-01"), Verb.ISOLATE_HOST, "10.20.0.99", incident=incident)
    assert isinstance(other, Ask)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "1.0.0.1", "2606:4700:4700::1111", "149.112.112.112"]
)
def test_public_resolvers_are_never_blocked_by_policy(address: str) -> None:
    asked = decided(BUNDLED, Verb.BLOCK_IP, address, T.IP, condition=lambda _: True)
    assert isinstance(asked, Ask)
    assert asked.level is Level.SENIOR


@pytest.mark.parametrize("verb", [Verb.CREATE_TICKET, Verb.NOTIFY, Verb.RUN_SEARCH])
def test_people_are_told_about_a_protected_machine_too(verb: Verb) -> None:
    told = decided(
        BUNDLED, verb, "incident", None, mode=Mode.SUPERVISED, parameters={"host": "dc-01", "user": "krbtgt"}
    )
    assert isinstance(told, Allow)


@pytest.mark.parametrize("verb", [Verb.CREATE_TICKET, Verb.NOTIFY, Verb.RUN_SEARCH, Verb.COLLECT_FORENSICS])
def test_a_flood_of_alerts_is_no_flood_of_what_policy_approves(verb: Verb) -> None:
    kind = T.HOST if verb is Verb.COLLECT_FORENSICS else None
    for used in (1_000, 10_000):
        asked = decided(BUNDLED, verb, "web-01", kind, usage={verb: used}, condition=lambda _: True)
        assert isinstance(asked, Ask)
        assert asked.level is Level.ANALYST


def test_one_incident_told_again_and_again_does_not_propose_without_end() -> None:
    playbook = Playbook.model_validate(
        {
            "name": "p", "title": "P", "when": "true",
            "steps": [{"verb": "block_ip", "target": {"type": "ip", "at_most": 3}, "reason": "r"}],
        }
    )  # fmt: skip
    incident = folded(*opened(uuid4(), verdict=Verdict.TRUE_POSITIVE))
    for turn in range(40):
        fresh = tuple(Observable(type=T.IP, value=f"198.51.100.{turn * 5 + one}", role=Role.ACTOR) for one in range(5))
        incident = incident.model_copy(update={"observables": (*incident.observables, *fresh)})
        name, actions = propose([playbook], incident, lambda _: True, lambda _: "c", now(), uuid4())
        if actions:
            event = ActionsProposed(incident_id=incident.id, actor="playbook:p", playbook=name, actions=actions)
            incident = incident.after(event)
    assert len(incident.actions) == 3


def test_what_a_person_proposed_takes_no_place_of_the_playbooks() -> None:
    playbook = Playbook.model_validate(
        {
            "name": "p", "title": "P", "when": "true",
            "steps": [{"verb": "block_ip", "target": {"type": "ip", "at_most": 1}, "reason": "r"}],
        }
    )  # fmt: skip
    incident = folded(*opened(uuid4(), verdict=Verdict.TRUE_POSITIVE))
    seen = tuple(Observable(type=T.IP, value=f"198.51.100.{one}", role=Role.ACTOR) for one in (1, 2))
    by_hand = proposal(incident.id, Verb.BLOCK_IP, seen[0].value, T.IP, proposed_by="analyst:alice")
    told = ActionsProposed(incident_id=incident.id, actor="analyst:alice", playbook="", actions=(by_hand,))
    incident = incident.model_copy(update={"observables": seen}).after(told)
    _, actions = propose([playbook], incident, lambda _: True, lambda _: "c", now(), uuid4())
    assert [one.target for one in actions] == [Target(type=T.IP, value=seen[1].value)]
