"""Incident rows for tests of the table: made cheaply, as many as wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.status import Status

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LEVELS = {Severity.CRITICAL: 15, Severity.HIGH: 60}


def row(number: int, **changes: Any) -> IncidentRow:
    """Row `number`, opened that many seconds ago."""
    title = f"Incident {number}"
    made = IncidentRow(
        id=UUID(int=number), title=title, severity=Severity.HIGH, status=Status.PENDING_REVIEW,
        target=f"host-{number % 50}", source=("wazuh", "okta")[number % 2], category="web_shell", verdict=None,
        confidence=0.0, assignee="", alerts=1, waiting=0, created_at=NOW - timedelta(seconds=number),
        updated_at=NOW, decided_at=None, techniques=(), tags=(), text=title.casefold(),
    )  # fmt: skip
    return made._replace(**changes)


def rows(count: int) -> dict[UUID, IncidentRow]:
    """`count` rows by id."""
    return {one.id: one for one in map(row, range(1, count + 1))}
