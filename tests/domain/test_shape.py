"""The JSON that HTTP and the command line give out."""

from __future__ import annotations

import json

from tests.samples_of_events import SAMPLES
from warden_desktop.domain.events import EVENT
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.shape import action_json, event_json, incident_json

INCIDENT = {
    "id", "title", "severity", "status", "target", "source", "verdict", "confidence", "created_at", "alerts",
    "observables", "techniques", "actions",
}  # fmt: skip
ACTION = {"id", "incident_id", "verb", "target", "state", "simulated"}


def whole() -> Incident:
    incident = Incident.folded(event for event in SAMPLES if event.incident_id is not None)
    assert incident is not None
    return incident


def test_an_incident_has_what_the_contract_says_and_is_plain_json() -> None:
    incident = whole()
    shown = incident_json(incident)
    assert set(shown) >= INCIDENT
    assert json.loads(json.dumps(shown)) == shown
    assert incident.analysis is not None
    assert (shown["verdict"], shown["confidence"]) == (incident.analysis.verdict.value, incident.analysis.confidence)
    assert [one["id"] for one in shown["actions"]] == [str(action.id) for action in incident.actions]


def test_an_incident_without_an_analysis_claims_no_verdict() -> None:
    shown = incident_json(whole().model_copy(update={"analysis": None}))
    assert (shown["verdict"], shown["confidence"]) == (None, None)


def test_an_action_has_what_the_contract_says_and_what_an_approval_binds() -> None:
    incident = whole()
    for action in incident.actions:
        shown = action_json(incident, action)
        assert set(shown) >= ACTION
        assert (shown["target"], shown["incident_id"]) == (action.target.value, str(incident.id))
        assert shown["digest"] == action.proposed.digest
        assert json.loads(json.dumps(shown)) == shown


def test_an_event_is_its_own_fields_and_its_number() -> None:
    for seq, event in enumerate(SAMPLES, 1):
        shown = event_json(seq, event)
        assert shown.pop("seq") == seq
        assert EVENT.validate_python(shown) == event
