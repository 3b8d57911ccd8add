"""From delivery to incident: record the alert, then let it join the incident it repeats, or open one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from warden_desktop.domain.alert import Alert
from warden_desktop.domain.events import (
    AlertCorrelated,
    AlertReceived,
    Event,
    IncidentCreated,
    StatusChanged,
    derived_id,
)
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.status import Status
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.ports import JournalError, Recorded

ACTOR = "intake"
_REOPENS = frozenset({Status.RESOLVED, Status.CLOSED})


class Receipt(NamedTuple):
    """What the sender is told. `duplicate`: this very delivery was already recorded."""

    alert_id: UUID
    event_id: UUID
    duplicate: bool


class DeliveryConflict(Exception):
    """A delivery id came again with another body: one of the two is not what its sender says."""


class Intake:
    """Receives alerts from the door and correlates them, in the order they were recorded."""

    def __init__(self, bus: Bus, incidents: Incidents, window: timedelta) -> None:
        """`window`: how long after its last alert an incident still takes in alerts of the same dedupe key."""
        self._bus = bus
        self._incidents = incidents
        self._window = window
        bus.subscribe(ACTOR, self._correlate, kinds=(AlertReceived,), lane=_same_alerts)

    async def receive(self, alerts: Sequence[Alert], raw: str) -> tuple[Receipt, ...]:
        """Record the alerts of one delivery, all or none, and return once they are durable.

        Raises PublishError when they are not, DeliveryConflict when a delivery id was used before for another body.
        """
        events = [
            AlertReceived(
                id=alert.id,
                actor=f"webhook:{alert.source}",
                alert=alert,
                raw="" if index else raw,
                raw_in=alerts[0].id if index else None,
            )
            for index, alert in enumerate(alerts)
        ]
        if len(events) > 1:
            await self._refuse_forged(events[0])
        recorded = await self._bus.publish(*events)
        return tuple(map(_receipt, events, recorded))

    async def _refuse_forged(self, first: AlertReceived) -> None:
        """Before anything is recorded: what a forged delivery has more than the true one must not stay behind."""
        try:
            known = await self._bus.find(first.id)
        except JournalError as error:
            raise PublishError(str(error)) from error
        if known is not None:
            _receipt(first, known)

    async def _correlate(self, recorded: Recorded) -> None:
        received = recorded.event
        assert isinstance(received, AlertReceived)
        alert = received.alert
        incident = self._incidents.same_alert(alert, alert.received_at - self._window)
        if incident is None:
            await self._bus.publish(_opened(received))
        elif all(known.id != alert.id for known in incident.alerts):
            await self._bus.publish(*_joined(received, incident))


def _same_alerts(recorded: Recorded) -> tuple[str, str]:
    """Repeats of one alert are looked at one after the other; others need not wait for them."""
    received = recorded.event
    assert isinstance(received, AlertReceived)
    return received.alert.source, received.alert.dedupe_key


def _receipt(sent: AlertReceived, recorded: Recorded) -> Receipt:
    kept = recorded.event
    assert isinstance(kept, AlertReceived)
    if kept is not sent and kept.raw != sent.raw:
        raise DeliveryConflict(f"delivery {sent.alert.external_id or sent.id} came before with another body")
    return Receipt(kept.alert.id, kept.id, duplicate=kept is not sent)


def _opened(received: AlertReceived) -> Event:
    return IncidentCreated.because(
        received, actor=ACTOR, incident_id=derived_id(received.id, "incident"), alert=received.alert
    )


def _joined(received: AlertReceived, incident: Incident) -> tuple[Event, ...]:
    alert = received.alert
    joined = AlertCorrelated.because(
        received,
        actor=ACTOR,
        incident_id=incident.id,
        alert=alert,
        rule="same source and dedupe key within the window",
        fields={"source": alert.source, "dedupe_key": alert.dedupe_key},
    )
    if incident.status not in _REOPENS:
        return (joined,)
    reopened = StatusChanged.because(
        joined, actor=ACTOR, old=incident.status, new=Status.PENDING_REVIEW, reason="it happened again"
    )
    return joined, reopened
