"""What attackers write is shown as written, never as they meant it to look."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden_desktop.domain.action import Target
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.verdict import Verdict
from warden_desktop.ui.incident_columns import verdict_tone
from warden_desktop.ui.words import (
    age,
    defanged,
    odd_characters,
    person,
    shown,
    span,
    spelled,
    target_word,
    verdict_short,
    verdict_word,
    words,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hostile", "seen"),
    [
        ("Invoice \u202efdp.exe", "Invoice \\u202efdp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("one\r\ntwo", "one\\x0d⏎two"),
        ("\U000e0041tag", "\\U000e0041tag"),
        ("blank\u3164", "blank\\u3164"),
        ("lone \ud800", "lone \\ud800"),
        ("<b>bold</b> & co", "<b>bold</b> & co"),
        ("Grüße aus Łódź", "Grüße aus Łódź"),
    ],
)
def test_what_hides_or_reorders_is_shown_as_an_escape(hostile: str, seen: str) -> None:
    assert shown(hostile) == seen


@given(st.text(max_size=600))
def test_nothing_shown_hides_or_reorders(text: str) -> None:
    assert not any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in shown(text))


@given(st.text(max_size=600))
def test_a_host_or_user_has_no_letter_that_imitates_another(text: str) -> None:
    assert all(one.isascii() or "LATIN" in unicodedata.name(one) or one == "…" for one in spelled(text))


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert shown("x" * 1_000_000) == "x" * 256 + "…"
    assert spelled("x" * 300).endswith("x…")


def test_text_that_ends_in_dots_keeps_them() -> None:
    assert shown("wait…") == "wait…"
    assert spelled("a...…") == "a...\\u2026"
    assert spelled("two\nlines") == "two\\x0alines"


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert shown("one\ntwo\tthree", lines=True) == "one\ntwo\tthree"


def test_a_cyrillic_letter_is_named() -> None:
    assert odd_characters("p\u0430yp\u0430l") == ("U+0430 CYRILLIC SMALL LETTER A",)


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("https://evil.example/a.php?b=1.2", "hxxps://evil[.]example/a.php?b=1.2"),
        ("http://user@198.51.100.7:8080/x", "hxxp://user[@]198[.]51[.]100[.]7:8080/x"),
        ("a.b@evil.example", "a[.]b[@]evil[.]example"),
        ("203.0.113.7", "203[.]0[.]113[.]7"),
        ("web-01", "web-01"),
    ],
)
def test_what_is_copied_cannot_be_clicked(value: str, safe: str) -> None:
    assert defanged(value) == safe


@pytest.mark.parametrize(
    ("seconds", "seen"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (3_599, "59m"), (7_200, "2h"), (200_000, "2d"), (-90, "-1m")],
)
def test_lengths_of_time_are_short(seconds: float, seen: str) -> None:
    assert span(seconds) == seen
    assert age(NOW - timedelta(seconds=seconds), NOW) == seen


def test_actors_and_names_read_as_words() -> None:
    assert [person(one) for one in ("analyst:alice", "webhook:wazuh")] == ["alice", "wazuh (webhook)"]
    assert person("policy") == "policy"
    assert words("likely_true_positive") == "Likely true positive"


def test_an_outage_that_nobody_caused_is_not_called_false() -> None:
    assert verdict_word(Verdict.LIKELY_FALSE_POSITIVE, "availability") == "Likely no attack"
    assert verdict_short(Verdict.FALSE_POSITIVE, 0.75, "availability") == "No attack 75 %"
    assert verdict_tone(Verdict.FALSE_POSITIVE, "availability") == "muted"
    assert verdict_word(Verdict.LIKELY_FALSE_POSITIVE, "phishing") == "Likely false positive"
    assert verdict_short(Verdict.TRUE_POSITIVE, 0.9, "availability") == "True pos. 90 %"


def test_an_action_on_the_whole_incident_shows_no_machine_id() -> None:
    assert target_word(Target(type=None, value="5fe156a4-0d5c-4c60-9e2c-0f6b8a1c2d3e")) == "the incident"
    assert target_word(Target(type=ObservableType.HOST, value="w\u0435b")) == "w\\u0435b"
