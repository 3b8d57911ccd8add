"""Endpoint, cloud and SIEM packs make sense of what those products really send, and of what nobody should."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from warden_desktop.adapters.sources import Source, Unmappable, load_sources
from warden_desktop.adapters.sources.examples import parsed
from warden_desktop.adapters.sources.signature import authentic
from warden_desktop.assets import resource
from warden_desktop.domain.alert import Alert

NAMES = (
    "crowdstrike", "crowdstrike_fdr", "crowdstrike_fusion", "defender_xdr", "elastic", "falco", "falcosidekick",
    "gcp_scc", "graph_security", "guardduty", "guardduty_sns", "qradar", "security_hub", "security_hub_sns", "sentinel",
    "sentinelone", "splunk", "splunk_es", "wiz", "zeek",
)  # fmt: skip
ALL = load_sources(resource("sources"))
SOURCES = {name: ALL[name] for name in NAMES}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"

REAL = {
    # Source and sample: title, severity, category, target, observables that must be there.
    ("falco", "falco/falcosidekick_test_input"): (
        "Test rule", "info", "suspicious_activity", "test-host", ["host:test-host"],
    ),
    ("falcosidekick", "falco/falcosidekick_test_input"): (
        "Test rule", "info", "suspicious_activity", "test-host", ["host:test-host", "process:falcosidekick"],
    ),
    ("elastic", "elastic/kibana_siem_alert"): (
        "Linux Restricted Shell Breakout via awk Commands", "medium", "privilege_escalation", "",
        ["process:bash", "process:nawk"],
    ),
    ("splunk_es", "splunk/es_notable_event"): (
        "Root user use", "info", "privilege_escalation", "xxx.xxx.x.x", ["user:root"],
    ),
    ("graph_security", "microsoft_defender/graph_security_alert"): (
        "Anonymous IP address", "medium", "account_takeover", "homer.simpson@corporation.onmicrosoft.com",
        ["ip:185.220.103.6"],
    ),
    ("sentinel", "microsoft_sentinel/incident"): ("My incident", "info", "suspicious_activity", "", []),
    ("crowdstrike", "crowdstrike/event_stream_detection_summary_critical"): (
        "Known Malware", "critical", "malware", "2.2.2.2",
        ["user:Administrator", "process:msedge.exe", "hash:000000000041c03beaa7ea3547b1940c"],
    ),
    ("sentinelone", "sentinelone/threat_activity_malicious"): (
        "Threat with confidence level malicious detected: eicar.txt", "high", "malware", "BobsPC",
        ["host:BobsPC", "file:/home/ubuntu/eicar.txt", "hash:cf8bd9dfddff007f75adf4c2be48005cea317c62"],
    ),
    ("guardduty", "aws_guardduty/eventbridge_guardduty_finding"): (
        "198.51.100.0 is performing SSH brute force attacks against i-99999999.", "low", "brute_force", "i-99999999",
        ["ip:198.51.100.0", "host:i-99999999", "ip:10.0.0.1"],
    ),
    ("gcp_scc", "gcp_scc/ssh_brute_force_remediated"): (
        "Brute Force: SSH", "high", "brute_force", "instance-1",
        ["ip:192.0.2.100", "user:etd_tester-2", "host:instance-1"],
    ),
    ("wiz", "wiz/issue_alert"): (
        "Recon:EC2/PortProbeUnprotectedPort", "high", "port_scan", "jenkins-aws", ["host:jenkins-aws"],
    ),
}  # fmt: skip
FOUND = [(source, sample) for source, sample in REAL if (SAMPLES / f"{sample}.json").exists()]

RELATED = {
    ("falco", "falcosidekick"), ("falcosidekick", "falco"), ("splunk", "splunk_es"), ("guardduty", "guardduty_sns"),
    ("guardduty_sns", "guardduty"), ("security_hub", "security_hub_sns"), ("security_hub_sns", "security_hub"),
}  # fmt: skip
"""The same object by two ways."""

ODD: tuple[Any, ...] = (None, True, -1.5, 10**18, "", "x" * 5000, "\u202e\x00<", [], {}, [None], [[1]], [{}], {"a": 1})


def alerts(source: Source, delivery: object) -> list[Alert]:
    return source.mapper.alerts(delivery, received_at=NOW, signed=False, delivery_id=None)


def deliveries(source: Source) -> list[Any]:
    return [parsed(source.pack, example) for example in source.pack.examples]


def said_of(source: Source, delivery: object) -> list[str] | str:
    """The titles of its alerts, or why there are none."""
    try:
        return [alert.title for alert in alerts(source, delivery)]
    except Unmappable as why:
        return str(why)


def bent(value: Any) -> Iterator[Any]:
    """The value with every part of it, one after the other, replaced by things nobody promised."""
    yield from ODD
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            for other in bent(value[key]):
                changed = copy.copy(value)
                changed[key] = other
                yield changed


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_person_is_told_where_to_point_the_product_and_where_the_secret_goes(source: Source) -> None:
    assert f"/webhooks/{source.name}" in source.pack.docs
    assert "secret" in source.pack.docs
    assert len(source.pack.examples) >= 2
    assert source.pack.verification


def test_the_samples_are_whole_where_they_are_present() -> None:
    assert len(FOUND) == (len(REAL) if SAMPLES.exists() else 0)


@pytest.mark.parametrize(("source", "sample"), FOUND)
def test_a_real_delivery_says_what_happened_to_whom(source: str, sample: str) -> None:
    title, severity, category, target, seen = REAL[source, sample]
    (alert,) = alerts(SOURCES[source], orjson.loads((SAMPLES / f"{sample}.json").read_bytes()))
    assert (alert.title, alert.severity, alert.category, alert.target) == (title, severity, category, target)
    assert set(seen) <= {observable.key for observable in alert.observables}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_takes_its_own_product_only(source: Source) -> None:
    others = [other for name, other in SOURCES.items() if name != source.name and (source.name, name) not in RELATED]
    for delivery in [delivery for other in others for delivery in deliveries(other)]:
        with pytest.raises(Unmappable):
            alerts(source, delivery)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_whatever_a_field_holds_there_is_an_alert_or_a_reason(source: Source) -> None:
    said = [said_of(source, other) for delivery in deliveries(source) for other in bent(delivery)]
    assert all(said)
    assert len([one for one in said if isinstance(one, list)]) > 100


def test_a_hash_that_falcon_did_not_compute_ties_nothing_together() -> None:
    event = {"Name": "X", "CompositeId": "c", "SHA1String": "0" * 40, "SHA256String": "0" * 64, "MD5String": "0" * 32}
    (alert,) = alerts(SOURCES["crowdstrike"], {"metadata": {"eventType": "EppDetectionSummaryEvent"}, "event": event})
    assert alert.observables == ()


def test_the_name_of_a_topic_is_nobodys_token() -> None:
    kinds = {name: {scheme.type for scheme in source.pack.verification} for name, source in SOURCES.items()}
    assert [name for name, found in kinds.items() if "aws_sns" in found] == ["guardduty_sns", "security_hub_sns"]
    assert [name for name, found in kinds.items() if "aws_sns" in found and len(found) > 1] == []


def test_fusion_signs_the_body_and_then_the_time() -> None:
    body, stamp, secret = b'{"data": {}, "meta": {}}', "2026-11-23T12:00:00Z", b"k" * 32
    signature = base64.b64encode(hmac.digest(secret, body + stamp.encode(), hashlib.sha256)).decode()
    headers = {"X-Cs-Primary-Signature": signature, "X-Cs-Delivery-Timestamp": stamp}
    schemes = SOURCES["crowdstrike_fusion"].pack.verification
    assert authentic(schemes, headers, body, [secret], NOW.timestamp())
    assert not authentic(schemes, headers, body + b" ", [secret], NOW.timestamp())
    assert not authentic(schemes, headers, body, [secret], NOW.timestamp() + 301)
    assert not authentic(schemes, {"X-Cs-Primary-Signature": signature}, body, [secret], NOW.timestamp())
