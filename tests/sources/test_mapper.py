"""Mapping, with deliveries from people who mean harm."""

from __future__ import annotations

import contextlib
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden_desktop.adapters.packs import PackError, parse_pack
from warden_desktop.adapters.sources import Mapper, SourcePack, Unmappable, load_sources
from warden_desktop.assets import resource
from warden_desktop.domain.alert import Alert, ObservableType, Role, Severity

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOURCES = load_sources(resource("sources"))
GENERIC = SOURCES["generic"].mapper
WAZUH = SOURCES["wazuh"].mapper

PACK = """
name: demo
title: Demo
vendor: us
docs: none
split: alerts
resolved: over
map:
  title: t
  severity: {from: s, lookup: {LOUD: high}, bands: [{at_least: 5, severity: medium}], default: low}
  category:
    tests:
      - {from: kind, lookup: {Worm: malware}}
      - {from: '[t, kind]', match: {phishing: phish, malware: worm}}
  observables:
    - {type: ip, role: internal(a) && 'victim' || 'actor', from: "a || b.c[0].d"}
    - {type: host, from: hosts}
  dedupe_key: [k, '_delivery.tenant']
examples: [{about: x, delivery: {}, expect: []}]
"""


def pack(text: str = PACK) -> SourcePack:
    return parse_pack(textwrap.dedent(text), SourcePack, Path("demo.yaml"))


def demo(**fields: Any) -> Alert:
    parsed = {"tenant": "T", "alerts": [{"t": "x", **fields}]}
    return Mapper(pack()).alerts(parsed, received_at=NOW, signed=False, delivery_id=None)[0]


def generic(delivery: dict[str, Any], delivery_id: str | None = None) -> Alert:
    return GENERIC.alerts(delivery, received_at=NOW, signed=False, delivery_id=delivery_id)[0]


# --- fields -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "severity"),
    [("loud", "high"), (" LOUD ", "high"), (5, "medium"), ("7.5", "medium"), (4, "low"), (None, "low"), ([], "low"),
     ("nan", "low"), (True, "low"), ("quiet", "low")],
)  # fmt: skip
def test_a_severity_is_looked_up_then_banded_then_the_default(word: object, severity: str) -> None:
    assert demo(s=word).severity is Severity(severity)


@pytest.mark.parametrize(
    ("fields", "category"),
    [({"kind": "worm"}, "malware"), ({"kind": ["x", "WORM"]}, "malware"), ({"t": "A Phishing mail"}, "phishing"),
     ({"t": "phish and worm"}, "phishing"), ({"kind": "wormy"}, "malware"), ({}, "suspicious_activity"),
     ({"kind": {"a": 1}}, "suspicious_activity")],
)  # fmt: skip
def test_a_category_is_the_first_that_any_test_finds(fields: dict[str, Any], category: str) -> None:
    assert demo(**fields).category == category


def test_an_observable_says_where_in_the_delivery_it_was_found() -> None:
    (seen,) = demo(b={"c": [{"d": ["192.0.2.1"]}]}).observables
    assert (seen.type, seen.value, seen.path) == (ObservableType.IP, "192.0.2.1", "alerts[0].b.c[0].d[0]")


def test_a_role_may_depend_on_the_delivery() -> None:
    assert demo(a="10.0.0.1").observables[0].role is Role.VICTIM
    assert demo(a="192.0.2.1").observables[0].role is Role.ACTOR


def test_a_host_that_is_an_address_is_an_address() -> None:
    kinds = [(seen.type.value, seen.value) for seen in demo(hosts=["web-1", "10.0.0.9", "::0001", "web-1"]).observables]
    assert kinds == [("host", "web-1"), ("ip", "10.0.0.9"), ("ip", "::1")]


def test_an_alert_that_is_over_raises_no_severity() -> None:
    alert = demo(s="loud", over=True)
    assert (alert.severity, alert.attributes) == (Severity.INFO, {"resolved": True})


def test_the_dedupe_key_is_the_same_for_the_same_thing_and_no_other() -> None:
    assert demo(k="a").dedupe_key == "a|T" == demo(k="a", s="loud").dedupe_key
    assert demo(k="a|b").dedupe_key != demo(k="a").dedupe_key
    assert demo(k={"x": 1, "y": [2]}).dedupe_key == demo(k={"y": [2], "x": 1}).dedupe_key
    assert len(demo(k="a" * 100_000).dedupe_key) == 64


def test_fields_the_pack_does_not_know_are_named() -> None:
    assert demo(extra=1, further={}, s=3).unmapped == ("extra", "further")


def test_a_delivery_id_gives_each_of_its_alerts_a_lasting_id() -> None:
    parsed = {"alerts": [{"t": "x"}, {"t": "x"}]}
    first, second = (
        [alert.id for alert in Mapper(pack()).alerts(parsed, received_at=NOW, signed=True, delivery_id="d")]
        for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == 2
    assert generic({"title": "x"}, "d").id not in first
    assert generic({"title": "x"}).id != generic({"title": "x"}).id
    assert UUID(str(first[0])).version == 5


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-20T22:41:55.004+0000", "2026-11-20T22:41:55.004000+00:00"),
        ("2026-11-20T22:41:55.123456789Z", "2026-11-20T22:41:55.123456+00:00"),
        ("2026-11-20 22:41:55", "2026-11-20T22:41:55+00:00"),
        ("2026-11-20T23:41:55+01:00", "2026-11-20T22:41:55+00:00"),
        (1795214515, "2026-11-20T22:41:55+00:00"),
        (1795214515.5, "2026-11-20T22:41:55.500000+00:00"),
        ("1795214515", "2026-11-20T22:41:55+00:00"),
        (1795214515004, "2026-11-20T22:41:55.004000+00:00"),
        (1795214515004000000, "2026-11-20T22:41:55.004000+00:00"),
        ("Fri, 20 Nov 2026 22:41:55 +0000", "2026-11-20T22:41:55+00:00"),
    ],
)
def test_times_are_read_as_senders_write_them(given: object, expected: str) -> None:
    assert generic({"title": "x", "timestamp": given}).occurred_at.isoformat() == expected


@pytest.mark.parametrize(
    "given",
    ["", "yesterday", None, [], {}, True, 0, -5, 1e300, "9" * 400, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:00",
     "2027-06-01T00:00:00Z", "1970-01-01", "２０２６-01-01", "x" * 100_000],
)  # fmt: skip
def test_a_time_that_cannot_be_is_replaced_by_ours(given: object) -> None:
    assert generic({"title": "x", "timestamp": given}).occurred_at == NOW


def test_a_clock_a_little_ahead_is_believed() -> None:
    ahead = NOW + timedelta(hours=2)
    assert generic({"title": "x", "timestamp": ahead.isoformat()}).occurred_at == ahead


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "file:///etc/passwd", "http://a b", "//x", 5, "https://" + "a" * 9999]
)
def test_a_link_that_is_not_one_for_a_browser_is_left_out(link: object) -> None:
    assert generic({"title": "x", "link": link}).link == ""


# --- hostility ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "observed"),
    [
        ({"src_ip": "999.1.1.1"}, []),
        ({"src_ip": "10.0.0.1; rm -rf /"}, []),
        ({"src_ip": 167772161}, []),
        ({"src_ip": ["10.0.0.1", {"a": 1}, None, "10.0.0.1", "x"]}, ["10.0.0.1"]),
        ({"sender": "Boss <boss@corp.example>"}, ["boss@corp.example"]),
        ({"sender": "no address"}, []),
        ({"sender": "a@b@c"}, []),
        ({"domain": "Exämple.COM."}, ["exämple.com"]),
        ({"domain": "no_dots"}, []),
        ({"domain": "-bad-.example"}, []),
        ({"domain": "a" * 300 + ".example"}, []),
        (
            {"urls": ["https://a.example/x", "javascript:alert(1)", "https://a.example/ x", "//x"]},
            ["https://a.example/x"],
        ),
        ({"sha256": "ABCDEF0123456789" * 4}, ["abcdef0123456789" * 4]),
        ({"sha256": "abc"}, []),
        ({"sha256": "g" * 64}, []),
        ({"hostname": "web 1"}, []),
        ({"hostname": "web\r\nX-Evil: 1"}, []),
        ({"user": "bob\x00"}, []),
        ({"user": "b" * 257}, []),
        ({"user": True}, ["true"]),
    ],
)
def test_an_observable_is_what_it_claims_or_is_left_out(data: dict[str, Any], observed: list[str]) -> None:
    assert [seen.value for seen in generic({"title": "x", "data": data}).observables] == observed


def test_long_values_are_cut_and_what_identifies_something_never_is() -> None:
    long = "a" * 1_000_000
    alert = generic({"title": long, "description": long, "data": {"subject": long, "url": "https://x/" + long}})
    assert (len(alert.title), len(alert.description), len(str(alert.attributes["subject"]))) == (1024, 65_536, 4096)
    assert alert.observables == ()


def test_a_title_is_one_line_without_control_characters() -> None:
    assert generic({"title": "  a\r\n\tb\x1b[31m\u2028c  "}).title == "a b [31m c"


def test_a_crowd_of_values_is_kept_within_bounds() -> None:
    data: dict[str, Any] = {f"k{number}": number for number in range(5000)}
    ips = [f"192.0.2.{number}" for number in range(256)] * 50
    alert = generic({"title": "x", "data": {**data, "src_ip": ips, "ips": ips}, **{f"u{n}": 1 for n in range(500)}})
    assert len(alert.attributes) <= 80
    assert len(alert.observables) <= 200
    assert len(alert.unmapped) == 100


def test_a_sender_cannot_overwrite_what_the_pack_says_nor_use_odd_names() -> None:
    data = {"alert_type": "forged", "resolved": "no", "": 1, "a b": 1, "<b>": 1, "ok.name-1": 2, "é": 3}
    attributes = generic({"title": "x", "alert_type": "real", "status": "resolved", "data": data}).attributes
    assert attributes == {"alert_type": "real", "resolved": True, "ok.name-1": 2}


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=30)
NAMES = st.sampled_from(
    ["title", "data", "rule", "agent", "alert", "alerts", "labels", "annotations", "src_ip", "sender", "timestamp",
     "severity", "id", "mitre", "groups", "syscheck", "tls", "sni", "event_type", "user", "urls", "attachments",
     "status"]
) | st.text(max_size=4)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)


@pytest.mark.parametrize("name", ["generic", "wazuh", "suricata", "alertmanager"])
@settings(max_examples=150, deadline=None)
@given(delivery=st.dictionaries(NAMES, ANYTHING, max_size=8))
def test_whatever_comes_is_mapped_or_refused(name: str, delivery: dict[str, Any]) -> None:
    essential: dict[str, dict[str, Any]] = {
        "generic": {"title": "x"},
        "wazuh": {"rule": {"mitre": delivery, "groups": delivery.get("groups"), "description": "x"}},
        "suricata": {"event_type": "alert", "alert": {"signature": "x", "metadata": delivery}},
        "alertmanager": {"alerts": [{"labels": delivery, "annotations": {**delivery, "summary": "x"}}]},
    }
    mapper, whole = SOURCES[name].mapper, {**delivery, **essential[name]}
    (alert,) = mapper.alerts(whole, received_at=NOW, signed=False, delivery_id=None)
    assert (alert.title, alert.source) == ("x", name)
    assert alert.dedupe_key
    with contextlib.suppress(Unmappable):  # and bare, nothing else is raised
        mapper.alerts(delivery, received_at=NOW, signed=False, delivery_id=None)


# --- packs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("title: t\n", "title: a.[\n", "map.title: is not JMESPath"),
        ("title: t\n", "title: nonsense(a)\n", "map.title: calls nonsense(), which does not exist"),
        ("phishing: phish", "phishing: '('", "is not a regular expression"),
        ("phishing: phish", "fishing: phish", "map.category.tests.1.match.fishing"),
        ("default: low", "default: loud", "map.severity.default"),
        ("{at_least: 5, severity: medium}", "{at_least: 5, severity: low}, {at_least: 6, severity: high}",
         "bands go from the highest to the lowest"),
        ("role: internal(a) && 'victim' || 'actor'", "role: internal(", "map.observables.0.role"),
        ("dedupe_key: [k, '_delivery.tenant']", "dedupe_key: []", "map.dedupe_key"),
        ("resolved: over", "verification: [{type: md5, headers: [X]}]", "verification.0"),
        ("resolved: over", "verification: [{type: token, headers: ['X Y']}]", "verification.0.token.headers.0"),
    ],
)  # fmt: skip
def test_a_pack_that_is_wrong_says_where(old: str, new: str, problem: str) -> None:
    assert old in PACK
    text = PACK.replace(old, new)
    with pytest.raises(PackError) as caught:
        pack(text)
    assert problem in str(caught.value)
    assert caught.value.line > 1


def test_every_path_a_pack_reads_is_known_so_that_the_rest_is_named() -> None:
    paths = list(pack().paths())
    assert {"t", "s", "kind", "hosts", "k", "over"} <= set(paths)
    assert "actor" not in paths
