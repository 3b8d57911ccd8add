"""Current incidents: the fold of the log, kept as it grows.

Every incident has a row (`IncidentRow`); the whole of it is in memory while it is open and for a while after it ended.
Older ones are folded from the log when somebody asks (`load`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from warden_desktop.domain.alert import Alert
from warden_desktop.domain.events import AlertCorrelated, Event, IncidentCreated
from warden_desktop.domain.incident import Action, Incident, IncidentRow
from warden_desktop.engine.collector import collector_at_rest
from warden_desktop.engine.ports import Journal, ReadModel, Recorded

CURSOR = "projector"
ENDED_KEPT = 2_000


class Incidents:
    """The incident store. `apply` is its only writer; attach it to the bus."""

    def __init__(self, journal: Journal, read_model: ReadModel) -> None:
        self._journal = journal
        self._read_model = read_model
        self._rows: dict[UUID, IncidentRow] = {}
        self._whole: dict[UUID, Incident] = {}
        self._ended: OrderedDict[UUID, None] = OrderedDict()
        self._by_key: dict[tuple[str, str], UUID] = {}
        self._owners: dict[UUID, UUID] = {}
        self._changed: dict[UUID, None] = {}
        self._loading: dict[UUID, list[Recorded]] = {}
        self._seq = 0

    # --- reading ------------------------------------------------------------------------------------------------

    def get(self, incident_id: UUID) -> Incident | None:
        """The incident, when it is in memory: all open ones are."""
        return self._whole.get(incident_id)

    def rows(self) -> Mapping[UUID, IncidentRow]:
        """The row of every incident, oldest first. The mapping is live."""
        return self._rows

    def open(self) -> Iterator[Incident]:
        """Every open incident."""
        return (incident for incident in tuple(self._whole.values()) if incident.status.open)

    def action(self, action_id: UUID) -> tuple[Incident, Action] | None:
        """The action of that id and its incident, when in memory."""
        incident = self._whole.get(self._owners.get(action_id, action_id))
        action = incident.action(action_id) if incident else None
        return (incident, action) if incident and action else None

    def actions(self) -> Iterator[tuple[Incident, Action]]:
        """Every action in memory, with its incident."""
        for incident in tuple(self._whole.values()):
            for action in incident.actions:
                yield incident, action

    def same_alert(self, alert: Alert, since: datetime) -> Incident | None:
        """The incident that last had an alert of this source and dedupe key, if it was seen since `since`."""
        owner = self._by_key.get((alert.source, alert.dedupe_key))
        incident = self._whole.get(owner) if owner else None
        return incident if incident and incident.last_seen >= since else None

    async def load(self, incident_id: UUID) -> Incident | None:
        """The incident, from memory or folded from the log and kept again; None when there is no such incident."""
        if incident_id not in self._whole and incident_id in self._rows:
            await self._bring_back(incident_id)
        return self._whole.get(incident_id)

    async def _bring_back(self, incident_id: UUID) -> None:
        meanwhile = self._loading.setdefault(incident_id, [])
        try:
            found = await self._read_model.whole([incident_id], self._seq)
        finally:
            self._loading.pop(incident_id, None)
        if found and incident_id not in self._whole:
            self._adopt(found[0])
            for recorded in meanwhile:
                self._change(found[0].id, recorded.event)

    # --- changing -----------------------------------------------------------------------------------------------

    def apply(self, recorded: Recorded) -> None:
        """Fold one more event of the log."""
        event = recorded.event
        self._seq = recorded.seq
        if event.incident_id is None:
            return
        if isinstance(event, IncidentCreated):
            self._keep(Incident.opened_by(event))
            self._by_key[event.alert.source, event.alert.dedupe_key] = event.incident_id
            return
        if event.incident_id not in self._whole:
            self._loading.get(event.incident_id, []).append(recorded)
            return
        self._change(event.incident_id, event)

    def _change(self, incident_id: UUID, event: Event) -> None:
        before = self._whole[incident_id]
        if isinstance(event, AlertCorrelated):
            self._by_key[event.alert.source, event.alert.dedupe_key] = incident_id
        after = before.after(event)
        if after is not before:
            self._keep(after)

    def _keep(self, incident: Incident) -> None:
        self._hold(incident)
        self._rows[incident.id] = incident.row
        self._changed[incident.id] = None

    def _hold(self, incident: Incident) -> None:
        self._whole[incident.id] = incident
        for action in incident.actions:
            self._owners[action.id] = incident.id
        self._age(incident)

    def _age(self, incident: Incident) -> None:
        if incident.status.open:
            self._ended.pop(incident.id, None)
            return
        self._ended[incident.id] = None
        self._ended.move_to_end(incident.id)
        if len(self._ended) > ENDED_KEPT:
            self._forget(self._ended.popitem(last=False)[0])

    def _forget(self, incident_id: UUID) -> None:
        incident = self._whole.pop(incident_id)
        for action in incident.actions:
            self._owners.pop(action.id, None)
        for alert in incident.alerts:
            if self._by_key.get((alert.source, alert.dedupe_key)) == incident_id:
                del self._by_key[alert.source, alert.dedupe_key]

    # --- start-up and the table on disk -------------------------------------------------------------------------

    async def restore(self, now: datetime, recent: timedelta) -> None:
        """Bring the store up to the end of the log: the rows from the table on disk; whole the incidents that are open,
        of those touched within `recent` the newest, and those the table does not know as they are. Call before the bus
        starts."""
        known = await self._journal.cursor(CURSOR)
        if known == 0:
            return await self.rebuild()
        with collector_at_rest(to_stay=True):
            await self._restore(known, now - recent)

    async def _restore(self, known: int, since: datetime) -> None:
        self._seq = self._journal.last_seq
        self._rows = {row.id: row for row in await self._read_model.rows()}
        wanted, newer = self._wanted(since), await self._read_model.touched(known)
        for incident in await self._read_model.whole(wanted, self._seq):
            self._adopt(incident)
        for incident in await self._read_model.whole(newer, self._seq):
            self._adopt(incident)
            self._keep(incident)

    async def rebuild(self) -> None:
        """Throw the table away and make it anew from the log. Instead of `restore`."""
        await self._read_model.clear(CURSOR)
        self._seq = self._journal.last_seq
        with collector_at_rest(to_stay=True):
            async for page in self._read_model.everyone(self._seq):
                for incident in page:
                    self._adopt(incident)
                    self._keep(incident)
        await self.save()

    def _wanted(self, since: datetime) -> list[UUID]:
        rows = self._rows.values()
        ended = sorted((row.updated_at, row.id) for row in rows if not row.status.open and row.updated_at >= since)
        return [id for _, id in ended[-ENDED_KEPT:]] + [row.id for row in rows if row.status.open]

    def _adopt(self, incident: Incident) -> None:
        """Hold an incident whole whose row is as it should be."""
        for alert in incident.alerts:
            self._by_key[alert.source, alert.dedupe_key] = incident.id
        self._hold(incident)

    async def save(self) -> None:
        """Write the rows that changed to the table on disk, with the position they stand for. Raises JournalError."""
        changed, seq = self._changed, self._seq
        if not changed:
            return
        self._changed = {}
        try:
            await self._read_model.update([self._rows[one] for one in changed], CURSOR, seq)
        except BaseException:
            self._changed = {**changed, **self._changed}
            raise
