"""CEL conditions: what holds, what is refused, and that an error is an error and never a yes."""

from __future__ import annotations

import pytest

from warden_desktop.adapters.conditions import LONGEST, CelConditions

FACTS = {"incident": {"severity_rank": 3, "tags": ["unsigned"], "title": "x"}, "found": {"spf": "fail"}}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("incident.severity_rank >= 3", True),
        ("'unsigned' in incident.tags && found.spf == 'fail'", True),
        ("incident.tags.exists(t, t.startsWith('un'))", True),
        ("has(found.dkim) && found.dkim == 'fail'", False),
        ("incident.title.matches('^y')", False),
    ],
)
def test_an_expression_holds_or_not(expression: str, holds: bool) -> None:
    assert CelConditions().on(FACTS)(expression) is holds


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("found.dkim == 'fail'", "there is no 'dkim'"),
        ("incident.severity_rank", "gives int"),
        ("incident.title + 1 == 'x'", "Unsupported"),
        ("nothing == 1", "Undefined"),
    ],
)
def test_what_cannot_be_told_is_an_error(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CelConditions().on(FACTS)(expression)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("incident.title ==", "parse"),
        ("", "parse"),
        ("__import__('os') == 1", "calls __import__"),
        ("open('/etc/passwd') == ''", "calls open"),
        ("a" * (LONGEST + 1), "at most 4096"),
        ("(" * 3000, "parse"),
    ],
)
def test_what_is_no_condition_is_refused_when_it_is_loaded(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        CelConditions().check(expression)
    assert len(str(refused.value)) < 700


def test_an_error_on_one_side_does_not_hide_the_other() -> None:
    assert CelConditions().on(FACTS)("found.dkim == 'fail' || found.spf == 'fail'")
