"""A journal in memory, for tests of the engine that are not about the disk. Keeps the port's promises, and can be told
to be slow, full or failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from uuid import UUID

from warden_desktop.domain.events import Event
from warden_desktop.domain.incident import Incident, IncidentRow
from warden_desktop.engine.ports import DeadLetter, JournalBusy, JournalError, Recorded


class MemoryJournal:
    """Commits on the next turn of the loop, in order."""

    def __init__(self) -> None:
        self.log: list[Recorded] = []
        self.cursors: dict[str, int] = {}
        self.letters: list[DeadLetter] = []
        self.broken = ""
        self.hung = False
        self.room = 20_000
        self._by_id: dict[UUID, Recorded] = {}
        self._deliver: Callable[[Sequence[Recorded]], None] = lambda batch: None
        self._queue: list[tuple[Sequence[Event], asyncio.Future[tuple[Recorded, ...]]]] = []

    @property
    def last_seq(self) -> int:
        return len(self.log)

    def on_committed(self, deliver: Callable[[Sequence[Recorded]], None]) -> None:
        self._deliver = deliver

    def append(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]]:
        if len(self._queue) >= self.room:
            raise JournalBusy(f"{len(self._queue)} publishes wait", retry_after=1.5)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[Recorded, ...]] = loop.create_future()
        self._queue.append((events, future))
        loop.call_soon(self._commit)
        return future

    def resume(self) -> None:
        """Answer again after having hung."""
        self.hung = False
        self._commit()

    def _commit(self) -> None:
        if self.hung:
            return
        queue, self._queue = self._queue, []
        for events, future in queue:
            self._commit_one(events, future)

    def _commit_one(self, events: Sequence[Event], future: asyncio.Future[tuple[Recorded, ...]]) -> None:
        if self.broken:
            if not future.done():
                future.set_exception(JournalError(self.broken))
            return
        before = self.last_seq
        records = tuple(self._record(event) for event in events)
        if fresh := self.log[before:]:
            self._deliver(fresh)
        if not future.done():
            future.set_result(records)

    def _record(self, event: Event) -> Recorded:
        if event.id not in self._by_id:
            self._by_id[event.id] = Recorded(self.last_seq + 1, event)  # type: ignore[arg-type]
            self.log.append(self._by_id[event.id])
        return self._by_id[event.id]

    async def read(
        self, after: int, limit: int, *, kinds: Collection[str] | None = None, incident_id: UUID | None = None
    ) -> list[Recorded]:
        return [one for one in self.log[after:] if _matches(one, kinds, incident_id)][:limit]

    async def history(
        self,
        before: int | None,
        limit: int,
        *,
        kinds: Collection[str] | None = None,
        incident_id: UUID | None = None,
        text: str = "",
    ) -> list[Recorded]:
        older = self.log if before is None else self.log[: before - 1]
        return [one for one in reversed(older) if _matches(one, kinds, incident_id)][:limit]

    async def find(self, event_id: UUID) -> Recorded | None:
        return self._by_id.get(event_id)

    async def cursor(self, name: str) -> int:
        return self.cursors.get(name, 0)

    async def move_cursor(self, name: str, seq: int) -> None:
        self.cursors[name] = seq

    async def bury(self, letter: DeadLetter) -> None:
        await self.remove_dead_letter(letter.subscriber, letter.recorded.seq)
        self.letters.append(letter)

    async def dead_letters(self, subscriber: str | None = None) -> list[DeadLetter]:
        return [letter for letter in self.letters if subscriber in (None, letter.subscriber)]

    async def remove_dead_letter(self, subscriber: str, seq: int) -> bool:
        before = len(self.letters)
        self.letters = [one for one in self.letters if (one.subscriber, one.recorded.seq) != (subscriber, seq)]
        return len(self.letters) < before

    async def close(self) -> None:
        self._commit()


def _matches(recorded: Recorded, kinds: Collection[str] | None, incident_id: UUID | None) -> bool:
    event = recorded.event
    return (kinds is None or event.kind in kinds) and (incident_id is None or event.incident_id == incident_id)


class MemoryReadModel:
    """The incident table, in memory."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.table: dict[UUID, IncidentRow] = {}

    async def rows(self) -> list[IncidentRow]:
        return list(self.table.values())

    async def update(self, rows: Sequence[IncidentRow], cursor: str, seq: int) -> None:
        self.table.update({row.id: row for row in rows})
        self._journal.cursors[cursor] = seq

    async def clear(self, cursor: str) -> None:
        self.table.clear()
        self._journal.cursors[cursor] = 0

    async def whole(self, incident_ids: Collection[UUID], upto: int) -> list[Incident]:
        folded = (self._folded(one, upto) for one in incident_ids)
        return [incident for incident in folded if incident is not None]

    def _folded(self, incident_id: UUID, upto: int) -> Incident | None:
        return Incident.folded(one.event for one in self._journal.log[:upto] if one.event.incident_id == incident_id)

    async def touched(self, after: int) -> list[UUID]:
        ids = dict.fromkeys(one.event.incident_id for one in self._journal.log[after:])
        return [id for id in ids if id is not None]

    async def everyone(self, upto: int) -> AsyncIterator[list[Incident]]:
        ids = dict.fromkeys(one.event.incident_id for one in self._journal.log[:upto])
        yield await self.whole([id for id in ids if id is not None], upto)
