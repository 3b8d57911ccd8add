"""Incidents out of the log itself, for when no application answers: nothing that was recorded is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import open_reader
from warden_desktop.domain.incident import Incident, IncidentRow
from warden_desktop.engine.incidents import CURSOR

PAGE = 5_000


class RecordedIncidents:
    """The incidents of one data directory. The table on disk lags behind the log after a crash; what the log has and
    the table has not is folded here. Raises JournalError. A context manager."""

    def __init__(self, data_dir: Path) -> None:
        self._reader = open_reader(DataDirectory(data_dir).database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def rows(self) -> list[IncidentRow]:
        """The row of every incident, oldest first."""
        behind = self._reader.cursor(CURSOR)  # before the table: what it gains meanwhile is only folded once more
        rows = {row.id: row for row in self._reader.rows()}
        for incident_id in self._touched_since(behind):
            incident = self.whole(incident_id)
            if incident is not None:
                rows[incident_id] = incident.row
        return sorted(rows.values(), key=lambda row: row.created_at)

    def whole(self, incident_id: UUID) -> Incident | None:
        """All of one incident."""
        return self._reader.incident(incident_id)

    def _touched_since(self, after: int) -> Iterator[UUID]:
        touched: dict[UUID, None] = {}
        while page := self._reader.read(after, PAGE):
            touched |= {one.event.incident_id: None for one in page if one.event.incident_id is not None}
            after = page[-1].seq
        return iter(touched)
