"""Logs of older versions still open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.journal.stories import fault
from tests.samples_of_events import SAMPLES
from warden_desktop.adapters.journal.rows import Stored, decode, encode
from warden_desktop.adapters.journal.upcast import current
from warden_desktop.domain.events import EVENT, FaultRaised
from warden_desktop.engine.ports import JournalError

VERSIONS = {"fault_raised": 3}


def part_to_component(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 called it part."""
    return {"component": fields.pop("part"), **fields}


def level_to_severity(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 2 counted levels."""
    return {"severity": ("info", "low", "medium", "high", "critical")[fields.pop("level")], **fields}


UPCASTS = {("fault_raised", 1): part_to_component, ("fault_raised", 2): level_to_severity}


def test_an_old_event_is_read_as_it_would_be_written_today() -> None:
    event = fault("Größe")
    old = json.loads(event.model_dump_json())
    old["part"], old["level"] = old.pop("component"), 1
    del old["severity"]
    body = current("fault_raised", 1, json.dumps(old).encode(), versions=VERSIONS, upcasts=UPCASTS)
    assert EVENT.validate_json(body) == event


def test_todays_event_is_not_touched() -> None:
    body = b"not even JSON"
    assert current("fault_raised", 3, body, versions=VERSIONS, upcasts=UPCASTS) is body


@pytest.mark.parametrize(("kind", "version"), [("fault_raised", 4), ("unheard_of", 1)])
def test_what_a_newer_version_wrote_is_said_so(kind: str, version: int) -> None:
    with pytest.raises(ValueError, match="newer version"):
        current(kind, version, b"{}", versions=VERSIONS, upcasts=UPCASTS)


def test_a_missing_step_is_named() -> None:
    with pytest.raises(ValueError, match="version 2 of fault_raised"):
        current("fault_raised", 2, b"{}", versions=VERSIONS, upcasts={})


def test_a_row_that_cannot_be_read_is_named() -> None:
    with pytest.raises(JournalError, match=r"event 7 \(fault_raised, version 1\)"):
        decode(Stored(7, "fault_raised", FaultRaised.VERSION, b'{"kind": "fault_raised"}'))


def test_every_event_survives_the_way_to_disk_and_back() -> None:
    for seq, event in enumerate(SAMPLES, start=1):
        columns = encode(event).columns
        assert decode(Stored(seq, columns.kind, columns.version, columns.body)) == (seq, event)
