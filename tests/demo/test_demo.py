"""The demonstration: every delivery is one its source takes, the stories are told, and the timing is as recorded."""

from __future__ import annotations

import asyncio
import csv
import ipaddress
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.triage.room import CONDITIONS, MORNING, PLAYBOOKS, analysed, enriched, enrichers, opened
from warden_desktop.adapters.demo import Delivery, load, play
from warden_desktop.adapters.enrichers.inventory import read_inventory
from warden_desktop.adapters.packs import PackError
from warden_desktop.adapters.sources import load_sources
from warden_desktop.assets import resource
from warden_desktop.domain.action import VERBS, Risk
from warden_desktop.domain.address import address_class
from warden_desktop.domain.alert import Alert
from warden_desktop.domain.facts import facts_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.playbook import propose
from warden_desktop.domain.verdict import Verdict

DELIVERIES = load(resource("demo", "morning.yaml"))
SOURCES = load_sources(resource("sources"))


def alerts_of(one: Delivery, number: int = 1) -> list[Alert]:
    parsed = json.loads(one.body(MORNING, number))
    return SOURCES[one.source].mapper.alerts(parsed, received_at=MORNING, signed=False, delivery_id=None)


def test_it_is_a_morning_of_some_forty_alerts_of_ten_kinds_over_two_minutes() -> None:
    once = [one for one in DELIVERIES if one.every is None]
    kinds = {alert.category for one in once for alert in alerts_of(one)}
    assert 38 <= len(once) <= 50
    assert len(kinds) >= 10
    assert max(one.at for one in once) <= 120
    assert {one.source for one in once} == {"wazuh", "suricata", "alertmanager", "generic"}
    assert any(one.every is not None for one in DELIVERIES)


@pytest.mark.parametrize("one", DELIVERIES, ids=lambda one: f"{one.at:g} {one.about}")
def test_every_delivery_is_one_its_source_takes(one: Delivery) -> None:
    for alert in alerts_of(one):
        assert alert.occurred_at <= MORNING
        assert alert.occurred_at >= MORNING - timedelta(minutes=5)
        assert alert.category
        assert "{{" not in alert.model_dump_json()


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, str):
        yield value


def test_every_address_is_private_or_for_documentation() -> None:
    text = " ".join(word for one in DELIVERIES for word in _strings(one.delivery))
    addresses = set(re.findall(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", text))
    assert addresses
    for address in addresses:
        assert str(ipaddress.ip_address(address)) == address
        assert address_class(address) in ("private", "documentation"), address


async def _judged(inventory: bool, tmp_path: Path) -> dict[str, Incident]:
    asked = enrichers(tmp_path, resource("demo") if inventory else None)
    told = {}
    for one in DELIVERIES:
        for alert in alerts_of(one):
            told[one.about] = analysed(await enriched(opened(alert), asked))
    return told


MALICIOUS = (Verdict.TRUE_POSITIVE, Verdict.LIKELY_TRUE_POSITIVE)
BENIGN = (Verdict.FALSE_POSITIVE, Verdict.LIKELY_FALSE_POSITIVE)
NOISE = (
    "background scanning", "a disk fills up", "our own scanner at work", "a removable disk", "a busy server",
    "a configuration check fails", "our own scanner tries the web servers", "a service with an old password",
    "somebody tests the scanner", "a backup did not run", "advertising that somebody is tired of",
    "the backup leaves for the second site", "a traveller with her passkey", "a node is gone",
)  # fmt: skip


async def test_the_stories_are_seen_and_the_noise_is_not_taken_for_them(tmp_path: Path) -> None:
    told = await _judged(True, tmp_path)
    verdicts = {about: incident.analysis.verdict for about, incident in told.items() if incident.analysis}
    for about, verdict in verdicts.items():
        if about.startswith("story"):
            assert verdict in MALICIOUS, (about, verdict)
    for about in NOISE:
        assert verdicts[about] in BENIGN, (about, verdicts[about])


async def test_no_noise_leads_to_anything_dangerous(tmp_path: Path) -> None:
    told = await _judged(True, tmp_path)
    for about in NOISE:
        holds = CONDITIONS.on(facts_of(told[about]))
        _, actions = propose(PLAYBOOKS.values(), told[about], holds, lambda verb: "s", MORNING, told[about].id)
        assert all(VERBS[action.verb].risk is Risk.NONE for action in actions), about


async def test_every_incident_is_told_in_one_readable_sentence(tmp_path: Path) -> None:
    for about, incident in (await _judged(True, tmp_path)).items():
        assert incident.analysis is not None
        assert not incident.analysis.missing, about
        assert "unknown" not in incident.analysis.summary, about
        assert incident.analysis.summary.endswith("."), about


def test_the_inventory_names_the_machines_of_the_stories() -> None:
    inventory = read_inventory([resource("demo", "assets.csv"), resource("demo", "users.csv")])
    assert {"web-01", "10.20.4.11", "fin-ws-14", "dc-01"} <= set(inventory.assets)
    with resource("demo", "assets.csv").open(newline="") as stream:
        assert all(address_class(row["address"]) == "private" for row in csv.DictReader(stream))


async def test_it_plays_at_the_recorded_times_and_repeats() -> None:
    deliveries = (
        Delivery(at=1, source="a", delivery={"n": 1}),
        Delivery(at=3, source="b", delivery={"n": 2, "when": "{{now-60}}", "id": "{{id}}"}, every=10),
        Delivery(at=3, source="c", delivery={"n": 3}),
    )
    slept: list[float] = []
    sent: list[tuple[str, dict[str, object]]] = []

    class Enough(Exception):
        pass

    async def post(source: str, body: bytes) -> None:
        sent.append((source, json.loads(body)))
        if len(sent) == 5:
            raise Enough

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    start = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(Enough):
        await play(deliveries, post, 2.0, sleep, lambda: start + timedelta(seconds=sum(slept)))
    assert [source for source, _ in sent] == ["a", "b", "c", "b", "b"]
    assert slept == [0.5, 1.0, 5.0, 5.0]
    assert sent[1][1]["when"] == "2025-12-31T23:59:01.500000+00:00"
    assert len({body["id"] for source, body in sent if source == "b"}) == 3


async def test_it_ends_when_nothing_repeats() -> None:
    sent: list[str] = []

    async def post(source: str, body: bytes) -> None:
        sent.append(source)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    await play((Delivery(at=0, source="a", delivery={}),), post, 1.0, sleep)
    assert sent == ["a"]


def test_a_wrong_recording_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("name: x\ntitle: x\ndeliveries:\n  - at: soon\n    source: wazuh\n    delivery: {}\n")
    with pytest.raises(PackError, match=r"x\.yaml:4.*at"):
        load(path)
