"""The ReadModel port: the incident table in the journal's file, written by the journal's writer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from warden_desktop.adapters.journal import incidents, stretches
from warden_desktop.adapters.journal.journal import SqliteJournal
from warden_desktop.domain.incident import Incident, IncidentRow
from warden_desktop.domain.query import Query
from warden_desktop.domain.record import now as present

_PAGE = 500


class SqliteReadModel:
    """Lives as long as `journal` is open."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal

    async def rows(self) -> list[IncidentRow]:
        return await self._journal.search(incidents.rows)

    async def update(self, rows: Sequence[IncidentRow], cursor: str, seq: int) -> None:
        await self._journal.write(partial(incidents.update, rows=tuple(rows), cursor=cursor, seq=seq))

    async def clear(self, cursor: str) -> None:
        await self._journal.write(partial(incidents.clear, cursor=cursor))

    async def whole(self, incident_ids: Collection[UUID], upto: int) -> list[Incident]:
        wanted = tuple(incident_ids)
        return await self._journal.search(partial(incidents.whole, incident_ids=wanted, upto=upto))

    async def touched(self, after: int) -> list[UUID]:
        return await self._journal.search(partial(incidents.touched, after=after))

    async def everyone(self, upto: int) -> AsyncIterator[list[Incident]]:
        for source in (stretches.archived_ids, stretches.created_ids):
            after = 0
            while page := await self._journal.search(partial(source, after=after, limit=_PAGE)):
                after = page[-1][0]
                yield await self.whole([id for _, id in page], upto)

    async def search(self, query: Query, limit: int, offset: int = 0, *, now: datetime | None = None) -> list[UUID]:
        """The ids of what `query` finds, newest incident first. Raises JournalError."""
        at = now or present()
        return await self._journal.search(partial(incidents.search, query=query, now=at, limit=limit, offset=offset))
