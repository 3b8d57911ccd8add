"""How incidents, actions and events look in JSON: the one public shape that HTTP and the command line both give out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from warden_desktop.domain.events import Event
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.record import Record

Json = dict[str, Any]


def incident_json(incident: Incident) -> Json:
    """An incident. `verdict` and `confidence` are null until there is an analysis; times are ISO 8601 in UTC.

    `alerts` are the first and the newest ones, `alert_count` how many there were; `observables`, `enrichments`,
    `analysis` and `alerts` have the fields of the domain's records of those names.
    """
    analysis = incident.analysis
    return {
        **_plain(incident, _INCIDENT),
        "verdict": analysis.verdict.value if analysis else None,
        "confidence": analysis.confidence if analysis else None,
        "actions": [action_json(incident, action) for action in incident.actions],
    }


def action_json(incident: Incident, action: Action) -> Json:
    """An action. `target` is the plain value and `target_type` its kind (null: the incident as a whole); `digest` is
    what an approval binds; `request` exactly what would be sent, once that is known."""
    proposed = action.proposed
    return {
        "id": str(action.id),
        "incident_id": str(incident.id),
        "incident_title": incident.title,
        "verb": proposed.verb.value,
        "target": proposed.target.value,
        "target_type": proposed.target.type.value if proposed.target.type else None,
        "state": action.state.value,
        "simulated": action.simulated,
        **_plain(proposed, _PROPOSED),
        **_plain(action, _ACTION),
        "digest": action.digest or proposed.digest,
        "why": proposed.reason,
    }


def event_json(seq: int, event: Event) -> Json:
    """An event: its place in the log and its own fields."""
    return {"seq": seq, **event.model_dump(mode="json")}


_INCIDENT = (
    "id", "title", "severity", "status", "target", "source", "category", "created_at", "updated_at", "decided_at",
    "last_seen", "alerts", "alert_count", "observables", "techniques", "enrichments", "analysis", "analysis_error",
    "playbook", "comments", "assignee", "level", "resolution", "tickets", "tags", "feedback",
)  # fmt: skip
_PROPOSED = ("parameters", "evidence", "proposed_by", "connector", "expires_at")
_ACTION = (
    "level", "rule", "reason", "request", "asked_at", "decided_by", "decided_at", "started_at", "finished_at",
    "outcome",
)  # fmt: skip


def _plain(record: Record, fields: Sequence[str]) -> Json:
    dumped = record.model_dump(mode="json", include=set(fields))
    return {field: dumped[field] for field in fields}
