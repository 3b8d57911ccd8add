"""CEF and LEEF lines: as the formats have them, as senders write them, and as attackers would."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.vectors import SAMPLES
from warden_desktop.adapters.sources.forms import BadForm, Form, read

CEF = "CEF:0|Vendor|Product|1.0|100|An event|7|"


def cef(line: str | bytes) -> dict[str, Any]:
    found: dict[str, Any] = read("cef", line if isinstance(line, bytes) else line.encode())
    return found


def extension(text: str) -> dict[str, str]:
    found: dict[str, str] = cef(CEF + text)["extension"]
    return found


def leef(line: str) -> dict[str, Any]:
    found: dict[str, Any] = read("leef", line.encode())
    return found


# --- CEF ----------------------------------------------------------------------------------------------------------


def test_a_cef_line_is_its_header_and_its_extension() -> None:
    assert cef(CEF + "src=192.0.2.1 msg=two words") == {
        "version": 0, "deviceVendor": "Vendor", "deviceProduct": "Product", "deviceVersion": "1.0",
        "deviceEventClassId": "100", "name": "An event", "severity": "7", "syslog": {},
        "extension": {"src": "192.0.2.1", "msg": "two words"}, "labels": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        (r"a\|b", "a|b"),
        (r"a\\b", r"a\b"),
        (r"a\\\|b", r"a\|b"),
        (r"a\b", r"a\b"),
        ("a=b", "a=b"),
        (" a ", "a"),
        ("", ""),
    ],
)
def test_the_headers_escapes_are_undone(field: str, meant: str) -> None:
    event = cef(f"CEF:0|{field}|P|1|2|{field}|3|x=1")
    assert (event["deviceVendor"], event["name"], event["extension"]) == (meant, meant, {"x": "1"})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"a=1\=2", {"a": "1=2"}),
        (r"a=1\\2", {"a": r"1\2"}),
        (r"a=1\n2\r3", {"a": "1\n2\r3"}),
        (r"a=1\t2 b=C:\temp", {"a": r"1\t2", "b": r"C:\temp"}),
        ("a=1|2", {"a": "1|2"}),
        ("a=this =has = equals", {"a": "this =has = equals"}),
        ("a=1   b=2  ", {"a": "1", "b": "2"}),
        ("a= b=2", {"a": "", "b": "2"}),
        ("request=https://x.example/?q=1&r=2 b=3", {"request": "https://x.example/?q=1&r=2", "b": "3"}),
        ("ad.x[0]=1 ad.Error_,Code=2", {"ad.x[0]": "1", "ad.Error_,Code": "2"}),
        ("a=1 é=2", {"a": "1 é=2"}),
        ("", {}),
    ],
)
def test_a_value_goes_on_to_the_next_key(text: str, meant: dict[str, str]) -> None:
    assert extension(text) == meant


def test_an_escaped_equals_sign_makes_no_key() -> None:
    assert extension(r"msg=he said a\=1 src=192.0.2.1") == {"msg": "he said a=1", "src": "192.0.2.1"}


def test_what_comes_twice_counts_as_it_came_first_and_the_rest_is_kept() -> None:
    event = cef(CEF + "src=192.0.2.1 msg=x src=10.0.0.1 src=10.0.0.2")
    assert event["extension"]["src"] == "192.0.2.1"
    assert event["repeated"] == {"src": ["10.0.0.1", "10.0.0.2"]}


def test_custom_fields_stand_under_their_labels_too() -> None:
    event = cef(CEF + "cs1Label=Policy Name cs1=No USB cn1Label=Count cn1=4 cs2Label=Alone")
    assert event["labels"] == {"Policy Name": "No USB", "Count": "4"}


def test_an_extension_without_keys_is_kept() -> None:
    event = cef(CEF + "just words")
    assert (event["extension"], event["unparsed"]) == ({}, "just words")


def test_a_line_may_end_with_its_severity() -> None:
    assert cef("CEF:0|V|P|1|2|n|Very-High")["severity"] == "Very-High"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Sep 19 08:26:10 host ", {"timestamp": "Sep 19 08:26:10", "host": "host"}),
        ("<134>Sep 19 08:26:10 host ", {"timestamp": "Sep 19 08:26:10", "host": "host", "priority": 134}),
        ("<14>1 2026-11-20T22:41:55Z host app - - - ",
         {"timestamp": "2026-11-20T22:41:55Z", "host": "host", "program": "app", "facility": 1, "severity": 6}),
        ("<14>1 - - - - - - ", {"priority": 14}),
        ("2026-11-20T22:41:55+01:00 host ", {"timestamp": "2026-11-20T22:41:55+01:00", "host": "host"}),
        ("<999>x ", {"text": "<999>x"}),
        ("nothing known at all ", {"text": "nothing known at all"}),
    ],
)  # fmt: skip
def test_a_syslog_header_before_it_is_read(header: str, said: dict[str, Any]) -> None:
    event = cef(header + CEF)
    assert said.items() <= event["syslog"].items()
    assert event["name"] == "An event"


def test_several_lines_are_several_events() -> None:
    events = read("cef", f"{CEF}a=1\r\n\r\n{CEF}a=2\n".encode())
    assert [event["extension"]["a"] for event in events] == ["1", "2"]


def test_bytes_that_are_not_utf_8_are_read_as_what_they_once_were() -> None:
    assert cef((CEF + "msg=J\xfcrgen").encode("latin-1"))["extension"] == {"msg": "J\xfcrgen"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hello", "line 1: has no CEF header"),
        ("", "there is no line"),
        ("CEF:0|a|b", "line 1: ends within the CEF header, after 2 of its 6 fields"),
        (f"{CEF}\nCEF:0|a", "line 2: ends within"),
        (r"CEF:0|a\|b\|c\|d\|e\|f\|", "after 1 of its 6 fields"),
        (CEF + " a=1" * 501, "line 1: has 501 keys"),
        ("\n".join([CEF] * 2001), "2001 lines"),
    ],
)
def test_what_is_no_cef_is_told_where_and_why(line: str, why: str) -> None:
    with pytest.raises(BadForm, match=why) as caught:
        cef(line)
    assert caught.value.code == "bad_cef"


def test_other_peoples_lines_are_read_where_they_are_present() -> None:
    path = SAMPLES / "cef" / "logstash_codec_cef_spec.cef"
    lines = path.read_bytes().splitlines() if path.exists() else []
    events = [cef(line) for line in lines if not line.endswith(b"|double backslash")]
    assert [event["deviceVersion"] for event in events].count("1.0") == (len(events) and 22)
    assert all(event["deviceProduct"] is not None for event in events)


# --- LEEF ---------------------------------------------------------------------------------------------------------


def test_a_leef_1_line_has_tabs() -> None:
    assert leef("LEEF:1.0|Vendor|Product|1.0|42|src=192.0.2.1\tmsg=a b=c\tsev=5") == {
        "version": 1, "vendor": "Vendor", "product": "Product", "productVersion": "1.0", "eventId": "42", "syslog": {},
        "attributes": {"src": "192.0.2.1", "msg": "a b=c", "sev": "5"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "delimited",
    ["^|src=192.0.2.1^sev=5", "x5E|src=192.0.2.1^sev=5", "0x5e|src=192.0.2.1^sev=5", "|src=192.0.2.1\tsev=5",
     "src=192.0.2.1\tsev=5", "x09|src=192.0.2.1\tsev=5", "x|src=192.0.2.1xsev=5"],
)  # fmt: skip
def test_a_leef_2_line_names_its_delimiter(delimited: str) -> None:
    assert leef(f"LEEF:2.0|V|P|1|2|{delimited}")["attributes"] == {"src": "192.0.2.1", "sev": "5"}


def test_a_backslash_in_leef_is_a_backslash() -> None:
    assert leef("LEEF:1.0|V|P|1|2|file=C:\\new\\=x")["attributes"] == {"file": "C:\\new\\=x"}


def test_what_in_leef_is_no_attribute_is_kept() -> None:
    event = leef("LEEF:1.0|V|P|1|2|words\tsrc=1\tsrc=2\t=x")
    assert (event["attributes"], event["repeated"], event["unparsed"]) == ({"src": "1"}, {"src": ["2"]}, "words =x")


def test_a_leef_line_may_have_a_syslog_header_and_no_attributes() -> None:
    event = leef("Jan 18 11:07:53 192.0.2.9 LEEF:1.0|V|P|1|2|")
    assert (event["syslog"]["host"], event["attributes"]) == ("192.0.2.9", {})


@pytest.mark.parametrize("line", ["LEEF:3.0|a|b|c|d|", "LEEF:1.0|a|b|c", "CEF:0|a|b|c|d|e|f|", "x" * 9000])
def test_what_is_no_leef_is_refused(line: str) -> None:
    with pytest.raises(BadForm, match="LEEF header") as caught:
        leef(line)
    assert caught.value.code == "bad_leef"


# --- anything -----------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [b"CEF:0|", b"LEEF:1.0|", b"LEEF:2.0|", b"|", b"\\", b"=", b" a=", b"\t", b"\n", b"<134>", b"x5E|", b"xD800|",
     b"cs1Label=", b" cs1=", b"\xff", b"\x00", "é".encode(), b"1 2026-01-01T00:00:00Z h p - - - "]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)


@pytest.mark.parametrize("form", ["cef", "leef"])
@given(middle=TEXTS)
def test_any_bytes_are_events_that_can_be_stored_or_are_refused(form: Form, middle: bytes) -> None:
    for body in (middle, b"CEF:0|a|b|c|d|e|f|" + middle, b"LEEF:2.0|a|b|c|d|" + middle):
        try:
            found = read(form, body)
        except BadForm:
            continue
        assert orjson.dumps(found)


@given(st.dictionaries(st.from_regex(r"[a-z][A-Za-z0-9]{0,8}", fullmatch=True), st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20), max_size=8))  # fmt: skip
def test_what_is_escaped_as_the_format_says_comes_back(pairs: dict[str, str]) -> None:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace("=", "\\=")

    line = CEF + " ".join(f"{key}={escaped(value)}" for key, value in pairs.items())
    assert cef(line)["extension"] == pairs
