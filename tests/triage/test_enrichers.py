"""The offline enrichers on real values and real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.triage.room import alert, enriched, enrichers, findings_of, opened, seen
from warden_desktop.adapters.enrichers.lookalike import Protected
from warden_desktop.adapters.enrichers.names import distance, registrable, skeleton
from warden_desktop.domain.address import AddressClass, address_class
from warden_desktop.domain.facts import facts_of, observables_of
from warden_desktop.domain.verdict import EnrichmentStatus
from warden_desktop.engine.recall import Past


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("8.8.8.8", "public"), ("10.1.2.3", "private"), ("172.31.0.1", "private"), ("192.168.1.1", "private"),
        ("127.0.0.1", "loopback"), ("::1", "loopback"), ("169.254.169.254", "link_local"), ("fe80::1", "link_local"),
        ("100.64.0.9", "cgnat"), ("224.0.0.1", "multicast"), ("ff02::1", "multicast"), ("203.0.113.9", "documentation"),
        ("2001:db8::1", "documentation"), ("fd00::1", "private"), ("2606:4700::1", "public"),
        ("0.0.0.0", "unspecified"), ("::ffff:10.0.0.1", "private"), ("64:ff9b::a00:1", "private"),
        ("2002:a00:1::", "private"),
        ("240.0.0.1", "reserved"), ("not one", "invalid"), ("10.0.0.1/8", "invalid"),
    ],
)  # fmt: skip
def test_an_address_has_its_class(value: str, kind: str) -> None:
    assert address_class(value) is AddressClass(kind)


PROTECTED = Protected(["example.test"], ["paypal.com", "microsoft.com", "barclays.co.uk"], ["co.uk"])


@pytest.mark.parametrize(
    ("domain", "of"),
    [
        ("paypa1.com", "paypal.com"), ("rnicrosoft.com", "microsoft.com"), ("micorsoft.com", "microsoft.com"),
        ("examp1e-support.test", "example.test"), ("login-paypal.net", "paypal.com"),
        ("bardays.co.uk", "barclays.co.uk"), ("xn--pypal-4ve.com", "paypal.com"),
        ("paypal.com.account-check.test", "paypal.com"),
    ],
)  # fmt: skip
def test_a_lookalike_is_told(domain: str, of: str) -> None:
    alike = PROTECTED.resemblance(domain)
    assert alike is not None
    assert (alike.finding, alike.protected) == ("lookalike_of", of)


@pytest.mark.parametrize(
    "domain", ["paypal.com", "mail.paypal.com", "example.test", "stationery.example", "co.uk", "x"]
)
def test_what_is_no_lookalike_is_not(domain: str) -> None:
    assert PROTECTED.resemblance(domain) is None


def test_the_same_name_elsewhere_is_told_apart() -> None:
    alike = PROTECTED.resemblance("paypal.support")
    assert alike is not None
    assert alike.finding == "same_name_as"


def test_names_are_compared_as_the_eye_does() -> None:
    assert skeleton("рауpal") == skeleton("paypal")
    assert (distance("paypal", "papyal"), distance("paypal", "paypal"), distance("paypal", "stripe")) == (1, 0, 3)
    assert registrable("a.b.barclays.co.uk", ["co.uk"]) == "barclays.co.uk"


async def test_text_becomes_observables_and_urls_have_hosts(tmp_path: Path) -> None:
    one = alert(
        "t", seen("url", "https://evil.example/x", "infrastructure", "data.url"), description="to 203[.]0[.]113[.]9"
    )
    keys = {(one.key, one.role) for one in observables_of(await enriched(opened(one), enrichers(tmp_path)))}
    assert ("domain:evil.example", "infrastructure") in keys
    assert ("ip:203.0.113.9", "infrastructure") in keys


async def test_a_message_is_read(tmp_path: Path) -> None:
    one = alert(
        "t", spf="FAIL (203.0.113.1)", dkim="none", dmarc="pass", sender="it@paypa1.com",
        sender_display="PayPal Service",
        reply_to="x@other.test", sender_domain_age_days="4",
    )  # fmt: skip
    found = facts_of(await enriched(opened(one), enrichers(tmp_path)))["found"]
    assert isinstance(found, dict)
    wanted = {"spf": "fail", "dkim": "none", "dmarc": "pass", "reply_to_differs": "other.test",
              "display_name_mismatch": "paypal.com", "sender_domain_age_days": 4}  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted


async def test_an_alert_without_a_message_has_no_mail_findings(tmp_path: Path) -> None:
    incident = await enriched(opened(alert("t", spf="banana", sender_domain_age_days=-3)), enrichers(tmp_path))
    assert findings_of(incident, "spf") == findings_of(incident, "sender_domain_age_days") == []


async def test_lists_match_networks_subdomains_and_hashes(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    digest = "0" * 64
    (lists / "mine.txt").write_text(f"203.0.113.0/25  # rented\nbad.example\n{digest}\n2001:db8::/32\n")
    (lists / "good.txt").write_text("# kind: allow\n203.0.113.7\n")
    one = alert("t", seen("ip", "203.0.113.7", "actor"), seen("ip", "203.0.113.200"), seen("domain", "a.b.bad.example"),
                seen("hash", digest.upper()), seen("ip", "2001:db8::5"), seen("domain", "notbad.example"),
                seen("ip", "::ffff:203.0.113.8"))  # fmt: skip
    incident = await enriched(opened(one), enrichers(tmp_path))
    blocked = {finding.observable for finding in findings_of(incident, "block_list") if finding.value == "mine"}
    assert blocked == {
        "ip:203.0.113.7", "domain:a.b.bad.example", f"hash:{digest.upper()}", "ip:2001:db8::5", "ip:::ffff:203.0.113.8",
    }  # fmt: skip
    assert [finding.observable for finding in findings_of(incident, "allow_list")] == ["ip:203.0.113.7"]
    assert "rented" in findings_of(incident, "block_list")[0].detail


async def test_a_wrong_line_in_a_list_is_named(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "mine.txt").write_text("203.0.113.9\nwhat is this\n")
    incident = await enriched(opened(alert("t", seen("ip", "203.0.113.9"))), enrichers(tmp_path))
    failed = [one for one in incident.enrichments if one.status is EnrichmentStatus.FAILED]
    assert [one.provider for one in failed] == ["block_list"]
    assert "mine.txt:2" in failed[0].detail


async def test_the_inventory_knows_machines_and_people(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text(
        "name,address,owner,criticality,tags\nfin-1,10.0.0.9,Finance,high,a;b\nx-1,,,low,\n"
    )
    (tmp_path / "users.csv").write_text("user,name,department,privileged,manager\nroot.b,B,IT,true,c\n")
    one = alert(
        "t", seen("host", "X-1.corp.example"), seen("ip", "10.0.0.9", "victim", "src"), seen("user", "CORP\\Root.B")
    )
    incident = await enriched(opened(one), enrichers(tmp_path))
    found = facts_of(incident)["found"]
    assert isinstance(found, dict)
    assert found["asset"] == {"name": "fin-1", "owner": "Finance", "criticality": "high", "tags": ["a", "b"]}
    assert found["user"]["privileged"] is True
    assert seen("host", "fin-1", "victim", "src") in observables_of(incident)


async def test_an_inventory_that_is_not_there_is_not_configured(tmp_path: Path) -> None:
    incident = await enriched(opened(alert()), enrichers(tmp_path))
    states = {one.provider: one.status for one in incident.enrichments}
    assert states["inventory"] is EnrichmentStatus.NOT_CONFIGURED
    assert states["address_class"] is EnrichmentStatus.COMPLETE


async def test_a_wrong_inventory_is_named(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text("name,criticality\na,low\nb,enormous\n")
    incident = await enriched(opened(alert()), enrichers(tmp_path))
    (failed,) = (one for one in incident.enrichments if one.status is EnrichmentStatus.FAILED)
    assert "assets.csv:3" in failed.detail


async def test_earlier_incidents_are_told(tmp_path: Path) -> None:
    def ask(value: str, incident_id: object, category: str) -> Past:
        return Past(3, 2, 1, 1, 1) if value == "web-01" else Past()

    incident = await enriched(opened(alert("t", seen("host", "web-01"))), enrichers(tmp_path, ask=ask))
    (told,) = findings_of(incident, "seen_before")
    assert told.detail.startswith("web-01 was in 3 earlier incidents: 1 open and judged malicious")
