"""Small events and rows for tests of the journal."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import CommentAdded, Event, FaultRaised
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def fault(detail: str = "it broke", event_id: UUID | None = None) -> FaultRaised:
    """An event without an incident."""
    return FaultRaised(id=event_id or uuid4(), actor="test", component="disk", severity=Severity.LOW, detail=detail)


def comment(incident: UUID, text: str = "seen") -> CommentAdded:
    """An event of an incident."""
    return CommentAdded(actor="analyst:alice", incident_id=incident, text=text)


def faults(count: int) -> list[Event]:
    """Many, told apart by their detail."""
    return [fault(f"number {number}") for number in range(count)]


def row(**changes: object) -> IncidentRow:
    """An open incident about web-01."""
    plain = IncidentRow(
        uuid4(), "Web shell written", Severity.HIGH, Status.PENDING_APPROVAL, "web-01", "wazuh", "web_shell",
        Verdict.TRUE_POSITIVE, 0.94, "alice", 3, 1, NOON, NOON, None, ("T1505.003",), ("unsigned",),
        "web shell written web-01 wazuh 203.0.113.7",
    )  # fmt: skip
    return IncidentRow(**{**plain._asdict(), **changes})
