"""The one way facts about actions are written: looked at and recorded in one turn, with the status that follows.

Theory of operation: deciding, holding, starting and ending an action all read the current state and add to it. Here
they take turns per incident, so two people who decide at once get one outcome, and nothing starts that was denied
meanwhile. The incident's status follows from where its actions stand and is recorded together with what changed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import reduce
from uuid import UUID
from weakref import WeakValueDictionary

from warden_desktop.domain.action import ActionState
from warden_desktop.domain.events import Event, StatusChanged
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.status import Status
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.ports import Recorded

_FOR_A_PERSON = frozenset({ActionState.WAITING, ActionState.HELD})
_FOR_THE_EXECUTOR = frozenset({ActionState.APPROVED, ActionState.RUNNING})
_FOLLOWS = frozenset({Status.ANALYZING, Status.PENDING_REVIEW, Status.PENDING_APPROVAL, Status.EXECUTING})
"""Statuses that follow the actions. The others say more: who escalated or resolved an incident meant it."""


class Ledger:
    """Writes facts about actions, one turn at a time per incident."""

    def __init__(self, bus: Bus, incidents: Incidents) -> None:
        self._bus = bus
        self._incidents = incidents
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._disowned: set[UUID] = set()

    async def record(self, incident_id: UUID, decide: Callable[[Incident], Sequence[Event]]) -> tuple[Recorded, ...]:
        """Record what `decide` makes of the incident's current state, atomically with the status that follows.

        Returns what was recorded, in order; nothing when `decide` gives nothing. Raises LookupError when there is no
        such incident, PublishError when it could not be recorded, and whatever `decide` raises.
        """
        turn = self._turns.setdefault(incident_id, asyncio.Lock())
        async with turn:
            incident = await self._incidents.load(incident_id)
            if incident is None:
                raise LookupError(f"there is no incident {incident_id}")
            events = decide(incident)
            if not events:
                return ()
            return await self._bus.publish(*events, *_status_after(incident, events))

    def disown(self, event_id: UUID) -> None:
        """A person was told that this event is not recorded. Should it be recorded late, it must not be acted on."""
        self._disowned.add(event_id)

    def disowned(self, event_id: UUID) -> bool:
        """Whether a person was told that this event does not count."""
        return event_id in self._disowned


def standing(incident: Incident) -> Status:
    """The status that follows from where the incident's actions stand."""
    states = {action.state for action in incident.actions}
    if states & _FOR_A_PERSON:
        return Status.PENDING_APPROVAL
    return Status.EXECUTING if states & _FOR_THE_EXECUTOR else Status.PENDING_REVIEW


def _status_after(incident: Incident, events: Sequence[Event]) -> list[Event]:
    after = reduce(Incident.after, events, incident)
    new = standing(after)
    if after.status not in _FOLLOWS or new is after.status:
        return []
    return [StatusChanged.because(events[-1], actor=events[-1].actor, old=after.status, new=new)]
