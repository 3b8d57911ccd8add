"""The bundled packs do what their examples say, and make sense of what vendors really send."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from warden_desktop.adapters.sources import Source, Unmappable, load_sources
from warden_desktop.adapters.sources.examples import differences
from warden_desktop.assets import resource
from warden_desktop.domain.alert import Alert, Severity

SOURCES = load_sources(resource("sources"))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
SOURCE_OF = {
    "wazuh": "wazuh",
    "suricata": "suricata",
    "alertmanager": "alertmanager",
    "email_gateway": "generic",
}
FOUND = sorted(path for folder in SOURCE_OF for path in (SAMPLES / folder).glob("*.json"))
OTHERS = sorted(path for path in SAMPLES.glob("*/*.json") if path.parent.name not in SOURCE_OF)


def mapped(source: Source, path: Path) -> list[Alert]:
    parsed = orjson.loads(path.read_bytes())
    return source.mapper.alerts(parsed, received_at=NOW, signed=False, delivery_id=None)


def test_the_four_sources_are_bundled() -> None:
    assert set(SOURCES) >= {"generic", "wazuh", "suricata", "alertmanager"}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_example_becomes_what_its_author_says(source: Source) -> None:
    assert differences(source.pack) == []


def test_the_samples_are_whole_where_they_are_present() -> None:
    assert {path.parent.name for path in FOUND} == (set(SOURCE_OF) if SAMPLES.exists() else set())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_real_delivery_becomes_an_alert_a_person_can_work_with(path: Path) -> None:
    (alert,) = mapped(SOURCES[SOURCE_OF[path.parent.name]], path)
    assert len(alert.title) > 10
    assert alert.severity.rank >= Severity.MEDIUM.rank
    assert alert.occurred_at != alert.received_at
    assert alert.category != "suspicious_activity"
    assert alert.unmapped == ()
    if path.parent.name != "alertmanager":  # that sample names no host
        assert alert.target
        assert alert.observables


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_generic_source_makes_something_of_any_vendor_or_says_why_not(path: Path) -> None:
    try:
        made = [alert.title for alert in mapped(SOURCES["generic"], path)]
    except Unmappable as why:
        made = [str(why)]
    assert all(made)
    assert len(made) == 1
