"""What an analyst can ask, and what a wrong question is answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.query import FIELDS, QuerySyntaxError, parse, quoted
from warden_desktop.domain.query_terms import NAMES, And, FieldType
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROW = IncidentRow(
    UUID("3f2a1100-0000-4000-8000-00000000beef"), "Web shell written to uploads", Severity.HIGH,
    Status.PENDING_APPROVAL, "web-01", "wazuh", "web_shell", Verdict.LIKELY_TRUE_POSITIVE, 0.94, "alice", 3, 1,
    NOW - timedelta(hours=1), NOW - timedelta(minutes=5), None, ("T1505.003", "T1059"), ("unsigned", "vip"),
    "web shell written to uploads web-01 wazuh 203.0.113.7 https://evil.example/x fe80::1 c:\\inetpub",
)  # fmt: skip
QUIET = ROW._replace(verdict=None, confidence=0.0, assignee="", waiting=0, status=Status.RESOLVED)


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "shell", "SHELL", "sh*n", '"shell written"', "203.0.113.7", "https://evil.example/x", "fe80::1",
        "C:\\inetpub", "severity:high", "severity:>=high", "severity:>medium", "severity:<=high", "severity:low..high",
        "Severity:HIGH", "status:pending_approval", "status:pending-approval", 'status:"pending approval"',
        "status:pending*", "is:open", "is:waiting", "host:web*", "host:WEB-01", "user:web-01", "target:*01",
        "target:w*b*1", "title:shell", 'title:"shell written"', "title:web*uploads", "source:wazuh",
        "category:web_shell", "verdict:likely*", "verdict:likely_true_positive", "confidence:>0.8", "confidence:>80%",
        "confidence:94%", "confidence:0.9..1", "assignee:alice", "alerts:3", "alerts:>=3", "alerts:1..3", "waiting:1",
        "age:<2h", "age:>=1h", "age:30m..90m", "age:<1.5h", "updated:<=300s", "technique:T1059", "technique:t1505*",
        "tag:vip", "id:3f2a11", "id:3f2a1100-0000", "id:3F2A1100-0000-4000-8000-00000000BEEF", "id:*beef",
        "-status:resolved", "NOT status:resolved", "shell uploads", "shell AND uploads", "nothing OR shell",
        "nothing OR shell uploads", "(nothing OR shell) -tag:test", "-(nothing uploads)", "NOT NOT shell",
        "-shell OR web",
        "severity:>=high -status:resolved host:web*", '-"nothing like this"', "web-01",
    ],
)  # fmt: skip
def test_finds(text: str) -> None:
    assert parse(text).matches(ROW, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "nothing", '"written shell"', '"sh*n"', "severity:critical", "severity:>high", "severity:info..medium",
        "status:new", "is:closed", "host:web", "host:*02", 'host:"web*"', "title:shells", "confidence:<0.5",
        "confidence:0.94..0.9", 'assignee:""', "assignee:bob", "alerts:<3", "waiting:0", "age:<1h", "age:>1h",
        "updated:>5m", "technique:T1505", "technique:T15*59", "tag:v", "id:beef", "id:3f2b",
        "shell AND nothing", "NOT shell", "-shell", "nothing OR -shell", "(shell OR nothing) AND nothing",
    ],
)  # fmt: skip
def test_does_not_find(text: str) -> None:
    assert not parse(text).matches(ROW, NOW)


@pytest.mark.parametrize("text", ["verdict:none", 'assignee:""', "is:closed", "-is:waiting", "confidence:0"])
def test_finds_what_is_not_there(text: str) -> None:
    assert parse(text).matches(QUIET, NOW)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("severty:high", 0, "did you mean severity?"),
        ("a severty:high", 2, "did you mean severity?"),
        ("zzzzzz:1", 0, "known are id, title"),
        ("a severity:hihg", 11, "did you mean high?"),
        ("severity:", 9, "needs a value"),
        ("verdict:>suspicious", 8, "did you mean suspicious?"),
        ("status:zz*", 7, "known are new"),
        ("(a", 0, "never closed"),
        ("a (b (c)", 2, "never closed"),
        ("a) b", 1, "closes nothing"),
        ("()", 1, "missing before )"),
        ("a OR", 4, "missing here"),
        ("OR a", 0, "missing before OR"),
        ("a AND AND b", 6, "missing before AND"),
        ("NOT", 3, "missing here"),
        ('a "b', 2, "no partner"),
        ('title:"b', 6, "no partner"),
        ("age:2h", 4, "say age:<2h"),
        ("age:<soon", 4, "not a time"),
        ("confidence:>high", 11, "not a number"),
        ("confidence:nan", 11, "not a number"),
        ("title:>b", 6, "which has no >"),
        ("is:mine", 3, "open, closed, waiting"),
        ("(" * 40 + "a" + ")" * 40, 30, "at most 30 levels"),
        ("a " * 101, 0, "at most 100 terms"),
        ("a" * 5000, 4096, "at most 4096 characters"),
    ],
)
def test_a_wrong_query_says_where_and_what_would_be_right(text: str, position: int, says: str) -> None:
    with pytest.raises(QuerySyntaxError) as wrong:
        parse(text)
    assert wrong.value.position == position
    assert says in wrong.value.detail
    assert f"at character {position + 1}: " in str(wrong.value)


@given(st.text() | st.text(alphabet='ab:*"()-<>=.0 1hANDORT\\'))
def test_any_text_is_a_query_or_says_where_it_is_not_one(text: str) -> None:
    try:
        position = len(parse(text).text)
    except QuerySyntaxError as error:
        position = error.position
    assert 0 <= position <= len(text)


@given(st.text())
def test_a_quoted_value_stands_for_exactly_itself(value: str) -> None:
    assert parse(f"host:{quoted(value)}").matches(ROW._replace(target=value), NOW)
    assert not parse(f"host:{quoted(value)}").matches(ROW._replace(target=value + "x"), NOW)


def test_and_binds_closer_than_or() -> None:
    assert parse("nothing shell OR web").matches(ROW, NOW)
    assert not parse("nothing (shell OR web)").matches(ROW, NOW)


def test_an_empty_query_finds_everything() -> None:
    assert parse("").tree == And(())


def test_many_wildcards_do_not_try_every_combination() -> None:
    query = parse("title:" + "a*" * 200 + "b")
    assert not query.matches(ROW._replace(title="a" * 100_000), NOW)


def test_fields_are_declared_for_completion() -> None:
    assert {"id", "title", "severity", "status", "target", "source", "category", "verdict", "confidence", "assignee",
            "alerts", "waiting", "age", "updated", "technique", "tag", "is"} == set(FIELDS)  # fmt: skip
    assert NAMES["host"] is NAMES["user"] is FIELDS["target"]
    assert all(field.description for field in FIELDS.values())
    assert all(field.values for field in FIELDS.values() if field.type in (FieldType.CHOICE, FieldType.FLAG))
