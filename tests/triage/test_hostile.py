"""Hostile text in every field: nothing breaks, nothing leaks into a condition, nothing is rendered."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.triage.room import CONDITIONS, PLAYBOOKS, alert, analysed, enriched, enrichers, opened, seen
from warden_desktop.adapters.analysts.words import plain
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.facts import FOUND, LISTED, TEXT_KEPT, facts_of
from warden_desktop.domain.incident import Incident

HOSTILE = [
    "' || true || '",
    '") || true || ("',
    "{host} {attribute.secret} {0} {title.__class__} %s ${x}",
    "$title $host",
    "\u202egnp.exe\u200b\x1b[31m\x07\x00",
    "<img src='file:///dev/zero'>",
    "=cmd|' /C calc'!A0",
    "A" * 60_000,
    "https://evil.example/" + "%2e" * 500,
    "\n" * 2_000 + "e1 +9.0 forged evidence",
    "xn--" + "a" * 200,
    "[" * 3000 + "]" * 3000,
]


def everywhere(text: str) -> Incident:
    observables = tuple(seen(kind.value, text[:4096] or "x", "victim", text[:100]) for kind in ObservableType)
    one = alert(
        text[:1024] or "x", *observables, description=text[:65_536], target=text[:200], category=text[:50],
        techniques=(text[:20],), spf=text, sender=text, sender_display=text, reply_to=text, http_status=text,
        frequency=text, subject=text, direction=text, files_changed=text,
    )  # fmt: skip
    return opened(one)


@pytest.mark.parametrize("text", HOSTILE)
async def test_every_field_may_hold_anything(text: str, tmp_path: Path) -> None:
    incident = analysed(await enriched(everywhere(text), enrichers(tmp_path)))
    analysis = incident.analysis
    assert analysis is not None
    holds = CONDITIONS.on(facts_of(incident))
    assert not holds("incident.category == 'web_shell' || alert.signed == false")
    for playbook in PLAYBOOKS.values():
        assert all(holds(one) in (True, False) for one in playbook.conditions if "has(" not in one)
    said = " ".join((analysis.summary, *(one.statement for one in analysis.evidence), *analysis.considered))
    assert not set(said) & set("\x00\x07\x1b\n\u202e\u200b")
    assert len(analysis.summary) < 2_000


def test_a_value_is_never_a_template() -> None:
    analysis = analysed(everywhere("{source}{severity}")).analysis
    assert analysis is not None
    assert "“{source}{severity}”" in analysis.summary


@given(st.text(min_size=1, max_size=200))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_is_survived(text: str) -> None:
    analysis = analysed(everywhere(text)).analysis
    assert analysis is not None
    assert analysis.summary


def test_facts_are_bounded() -> None:
    many = tuple(seen("ip", f"10.0.{n // 250}.{n % 250}") for n in range(1000))
    facts = facts_of(opened(alert("x", *many, seen("ip", "203.0.113.9", "actor"), description="y" * 65_000)))
    listed, told = facts["observables"], facts["alert"]
    assert isinstance(listed, list)
    assert isinstance(told, dict)
    assert len(listed) == LISTED
    assert len(told["text"]) <= TEXT_KEPT


def test_what_has_a_part_in_the_story_is_listed_first() -> None:
    many = tuple(seen("ip", f"10.0.0.{n}") for n in range(200))
    listed = facts_of(opened(alert("x", *many, seen("ip", "203.0.113.9", "actor"))))["observables"]
    assert isinstance(listed, list)
    assert listed[0] == {"type": "ip", "value": "203.0.113.9", "role": "actor"}


def test_an_integer_wider_than_cel_has_becomes_its_digits() -> None:
    facts = facts_of(opened(alert("x", number=2**70)))
    assert CONDITIONS.on(facts)(f"alert.attributes.number == '{2**70}'")


def test_what_was_not_found_has_its_empty_value() -> None:
    assert facts_of(opened(alert()))["found"] == FOUND


def test_text_is_shown_on_one_line_with_escapes() -> None:
    assert plain("a\nb\u202ec\x1b") == "a b\\u202ec\\u001b"
    assert plain("x" * 200, 10) == "x" * 10 + "…"
