"""Alerts become incidents: repeats join, others open, nothing is lost across a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.memory_journal import MemoryJournal, MemoryReadModel
from tests.samples_of_events import RAW
from tests.samples_of_events import alert as sample
from warden_desktop.domain.alert import Alert
from warden_desktop.domain.events import IncidentResolved, StatusChanged
from warden_desktop.domain.record import now
from warden_desktop.domain.status import Status
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.incidents import CURSOR, Incidents
from warden_desktop.engine.intake import ACTOR, DeliveryConflict, Intake
from warden_desktop.engine.tasks import Work

WINDOW = timedelta(hours=4)


class Room:
    """A bus, a store and an intake over one journal, as a start of the application makes them."""

    def __init__(self, journal: MemoryJournal, read_model: MemoryReadModel) -> None:
        self.bus = Bus(journal)
        self.incidents = Incidents(journal, read_model)
        self.bus.attach(self.incidents.apply)
        self.intake = Intake(self.bus, self.incidents, WINDOW)

    async def receive(self, *alerts: Alert) -> None:
        await self.intake.receive(alerts, RAW)

    async def settled(self) -> None:
        await next(one for one in self.bus.subscriptions if one.name == ACTOR).idle()


@asynccontextmanager
async def room(journal: MemoryJournal, read_model: MemoryReadModel) -> AsyncIterator[Room]:
    async with asyncio.TaskGroup() as group:
        work, made = Work(group), Room(journal, read_model)
        await made.incidents.restore(now(), WINDOW)
        made.bus.start(work.spawn)
        try:
            yield made
        finally:
            await made.bus.stop()
            work.end()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def read_model(journal: MemoryJournal) -> MemoryReadModel:
    return MemoryReadModel(journal)


def fresh(key: str = "k", minutes: float = 0) -> Alert:
    at = now() + timedelta(minutes=minutes)
    return sample().model_copy(update={"id": uuid4(), "dedupe_key": key, "received_at": at})


async def test_repeats_join_within_the_window_and_count(journal: MemoryJournal, read_model: MemoryReadModel) -> None:
    async with room(journal, read_model) as made:
        for minutes in (0, 60, 239, 480 + 240):
            await made.receive(fresh(minutes=minutes))
        await made.receive(fresh("other"))
        await made.settled()
        assert [row.alerts for row in made.incidents.rows().values()] == [3, 1, 1]


async def test_a_restart_still_knows_what_to_join(journal: MemoryJournal, read_model: MemoryReadModel) -> None:
    async with room(journal, read_model) as made:
        await made.receive(fresh())
        await made.settled()
        await made.incidents.save()
    async with room(journal, read_model) as made:
        await made.receive(fresh(minutes=1))
        await made.settled()
        (row,) = made.incidents.rows().values()
        assert row.alerts == 2


async def test_a_restart_without_a_saved_table_loses_nothing(
    journal: MemoryJournal, read_model: MemoryReadModel
) -> None:
    async with room(journal, read_model) as made:
        for number in range(20):
            await made.receive(fresh(f"key {number}"))
        await made.settled()
        before = dict(made.incidents.rows())
    async with room(journal, read_model) as made:
        assert dict(made.incidents.rows()) == before
        await made.incidents.save()
    assert (read_model.table, journal.cursors[CURSOR]) == (before, journal.last_seq)


@pytest.mark.parametrize(
    ("ending", "then"), [(Status.RESOLVED, Status.PENDING_REVIEW), (Status.FALSE_POSITIVE, Status.FALSE_POSITIVE)]
)
async def test_what_happens_again_reopens_unless_it_was_judged_false(
    journal: MemoryJournal, read_model: MemoryReadModel, ending: Status, then: Status
) -> None:
    async with room(journal, read_model) as made:
        await made.receive(fresh())
        await made.settled()
        (incident_id,) = made.incidents.rows()
        await made.bus.publish(
            IncidentResolved(incident_id=incident_id, actor="analyst:a", resolution=ending, reason=""),
            StatusChanged(incident_id=incident_id, actor="analyst:a", old=Status.NEW, new=ending),
        )
        await made.receive(fresh(minutes=5))
        await made.settled()
        row = made.incidents.rows()[incident_id]
        assert (row.alerts, row.status) == (2, then)


async def test_one_delivery_of_many_alerts_keeps_its_text_once(
    journal: MemoryJournal, read_model: MemoryReadModel
) -> None:
    async with room(journal, read_model) as made:
        alerts: Sequence[Alert] = [fresh(f"k{number}") for number in range(3)]
        receipts = await made.intake.receive(alerts, RAW)
    received = [one.event for one in journal.log if one.event.kind == "alert_received"]
    assert [event.raw for event in received] == [RAW, "", ""]
    assert [event.raw_in for event in received] == [None, alerts[0].id, alerts[0].id]
    assert [receipt.duplicate for receipt in receipts] == [False] * 3


async def test_the_same_delivery_counts_once_and_a_forged_one_is_refused(
    journal: MemoryJournal, read_model: MemoryReadModel
) -> None:
    async with room(journal, read_model) as made:
        alert = fresh()
        await made.intake.receive([alert], RAW)
        (again,) = await made.intake.receive([alert], RAW)
        assert again.duplicate
        with pytest.raises(DeliveryConflict):
            await made.intake.receive([alert], RAW + " ")
        await made.settled()
        assert [row.alerts for row in made.incidents.rows().values()] == [1]


async def test_a_forged_delivery_with_more_alerts_leaves_nothing_behind(
    journal: MemoryJournal, read_model: MemoryReadModel
) -> None:
    async with room(journal, read_model) as made:
        first, second = fresh("a"), fresh("b")
        await made.intake.receive([first], RAW)
        with pytest.raises(DeliveryConflict):
            await made.intake.receive([first, second], RAW + " ")
        await made.settled()
    assert [one.event.id for one in journal.log if one.event.kind == "alert_received"] == [first.id]


async def test_an_ended_incident_that_left_memory_comes_back_whole(
    journal: MemoryJournal, read_model: MemoryReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warden_desktop.engine.incidents.ENDED_KEPT", 1)
    async with room(journal, read_model) as made:
        for key in ("a", "b", "c"):
            await made.receive(fresh(key))
        await made.settled()
        for incident_id in made.incidents.rows():
            ended = StatusChanged(incident_id=incident_id, actor="a", old=Status.NEW, new=Status.CLOSED)
            await made.bus.publish(ended)
        first = next(iter(made.incidents.rows()))
        assert made.incidents.get(first) is None
        loaded = await made.incidents.load(first)
        assert loaded is not None and loaded.row == made.incidents.rows()[first]
