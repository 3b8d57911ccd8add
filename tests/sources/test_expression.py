"""Compiled expressions find what jmespath finds, and cannot raise."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden_desktop.adapters.sources.expression import Expression, nothing

TREE: dict[str, Any] = {
    "a": {"b": {"c": 1}, "e": "", "l": [{"x": 1}, {"x": 2}], "zero": 0, "no": False},
    "s": "text",
    "n": None,
    "x-y": {"@t": 5},
    "l": [1, [2, 3], "4"],
}


@pytest.mark.parametrize(
    "text",
    [
        "a", "a.b", "a.b.c", "a.b.c.d", "s.a", "missing", "n.a", "a.e || s", "a.zero || s", "a.no || s", "n || missing",
        "a && s", "n && s", "!n", "!s", "!(a.zero)", "l[0]", "l[-1]", "l[9]", "s[0]", "a.l[1].x", "l[1][0]",
        '"x-y"."@t"', "join(', ', a.l)",
        "'lit'", "`5`", "@", "a.l[].x", "a.l[*].x", "a.l[?x==`2`].x", "keys(a)", "length(l)", "type(s)",
        "a.e || n || a.b.c || s", "a.{q: e, r: zero}", "[s, n]", "a | b", "l[0:2]", "to_string(a.b.c)", "a == s", "l[]",
        "(a.e || a.b).c", "a.no && s || l[2]",
    ],
)  # fmt: skip
def test_it_finds_what_jmespath_finds(text: str) -> None:
    values: tuple[Any, ...] = (TREE, {}, [], "x", None, 5)
    for value in values:
        try:
            expected = jmespath.search(text, value)
        except jmespath.exceptions.JMESPathError:
            expected = None
        assert Expression(text).get(value) == expected


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abls"), inner)))  # fmt: skip
def test_it_never_raises(value: object) -> None:
    for text in ("a.b || l[0].s", "sort(l)", "internal(a)", "host_of(a)", "max_by(l, &a)", "a < b", "sum(l)", "a.*.b"):
        Expression(text).get(value)
    assert nothing(Expression("missing").get(value))


@pytest.mark.parametrize(
    ("address", "ours"),
    [("10.1.2.3", True), ("172.16.0.1", True), ("192.168.1.1", True), ("100.64.0.1", True), ("127.0.0.1", True),
     ("fd00::1", True), ("fe80::1", True), ("198.51.100.23", False), ("203.0.113.1", False), ("8.8.8.8", False),
     ("2001:db8::1", False), ("not", False), (None, False), (5, False), ("0x0a000001", False)],
)  # fmt: skip
def test_internal_is_what_routers_call_private(address: object, ours: bool) -> None:
    assert Expression("internal(a)").get({"a": address}) is ours


@pytest.mark.parametrize(
    ("value", "host"),
    [("db:9100", "db"), ("http://h.example:1/x?y", "h.example"), ("10.0.0.1:80", "10.0.0.1"), ("[::1]:80", "::1"),
     ("root@h", "h"), ("h", "h"), ("", None), (None, None), (5, None), ("http://[", None), ("x" * 5000, None)],
)  # fmt: skip
def test_host_of_takes_the_host_out_of_an_address(value: object, host: str | None) -> None:
    assert Expression("host_of(a)").get({"a": value}) == host


@pytest.mark.parametrize(
    ("text", "roots"),
    [("a.b || c[0].d", {"a", "c"}), ("x[?y=='z'].w", {"x"}), ("join(', ', [p, q.r])", {"p", "q"}),
     ("!(a) && `1`", {"a"}),
     ("{k: a.b}", {"a"}), ("a | b", {"a"}), ("'literal'", set())],
)  # fmt: skip
def test_it_knows_which_fields_it_reads(text: str, roots: set[str]) -> None:
    assert Expression(text).roots == roots


def test_it_says_which_alternative_was_found() -> None:
    expression = Expression('a.b || "x-y".c || l[0].d || join(m, n)')
    assert expression.first({"x-y": {"c": 5}}) == ('"x-y".c', 5)
    assert expression.first({"l": [{"d": "v"}]}) == ("l[0].d", "v")
    assert expression.first({}) == ("", None)
