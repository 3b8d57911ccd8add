"""The incident table: the same to the byte however often it is made from the log, and current again at every start."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from tests.journal.cases import MORNING, case, incident_id
from tests.journal.stories import comment
from tests.journal.test_archive import Store, prepared
from tests.samples_of_events import SAMPLES
from warden_desktop.adapters.journal import Keep, archive, stretches
from warden_desktop.domain.events import Event
from warden_desktop.domain.incident import Incident
from warden_desktop.engine import incidents as store_of_incidents


def mixed(count: int) -> list[Event]:
    """The events of many incidents as they come in: each incident's in order, those of different ones mixed."""
    dice = random.Random(3)
    waiting = [case(number, ended=number % 3 > 0) for number in range(count)]
    story: list[Event] = []
    while waiting:
        at = dice.randrange(min(8, len(waiting)))
        story.append(waiting[at].pop(0))
        waiting = [one for one in waiting if one]
    return [*story, *SAMPLES, *(comment(incident_id(number), "late") for number in range(0, count, 5))]


def dump(path: Path) -> list[object]:
    """The tables, and what the index of texts finds in them."""
    connection = apsw.Connection(str(path))
    connection.execute("CREATE VIRTUAL TABLE temp.word USING fts5vocab('main', 'incident_text', 'instance')")
    tables = [list(connection.execute("SELECT * FROM incident ORDER BY number"))]
    words = list(connection.execute("SELECT term, doc, offset FROM temp.word ORDER BY 1, 2, 3"))
    connection.close()
    return [*tables, words]


async def grown(path: Path, count: int = 40) -> Store:
    """As the application makes it: saved again and again while the events come in."""
    store = await prepared(path)
    for number, event in enumerate(mixed(count)):
        owner = event.incident_id
        if owner is not None:
            await store.incidents.load(owner)
        await store.append(event)
        if number % 7 == 0:
            await store.incidents.save()
    await store.incidents.save()
    return store


@pytest.mark.parametrize("ended_kept", [2_000, 3])
async def test_a_rebuild_gives_the_same_tables_to_the_byte(
    path: Path, ended_kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_of_incidents, "ENDED_KEPT", ended_kept)
    store = await grown(path)
    await store.close()
    before = dump(path)
    assert len(before[0]) == 41  # type: ignore[arg-type]
    store = Store(path)
    await store.incidents.rebuild()
    await store.close()
    assert dump(path) == before


async def test_so_does_a_rebuild_of_what_is_partly_archived(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH", 30)
    monkeypatch.setattr(stretches, "_oldest_of_open", lambda connection: None)
    store = await grown(path)
    await store.incidents.save()
    for _ in range(9):
        assert (await archive(store.journal, Keep(age=timedelta()))).file is not None
    await store.close()
    before = dump(path)
    store = Store(path)
    await store.incidents.rebuild()
    await store.close()
    assert dump(path) == before


async def test_a_start_finds_what_was_recorded_and_not_saved(path: Path) -> None:
    store = await grown(path)
    late = [comment(incident_id(number), "after the last save") for number in range(40)]
    await store.journal.append([*late, *case(50, ended=False)])
    rows, whole = dict(store.incidents.rows()), await store.whole()
    await store.journal.close()
    store = await prepared(path)
    assert store.incidents.rows().keys() == rows.keys()
    again = await store.whole()
    assert {id: len(one.comments) for id, one in again.items()} == {id: len(one.comments) for id, one in whole.items()}
    await store.close()
    before = dump(path)
    store = Store(path)
    await store.incidents.rebuild()
    await store.close()
    assert dump(path) == before


async def test_open_incidents_are_whole_at_once_and_the_newest_ended_ones(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await grown(path)).close()
    monkeypatch.setattr(store_of_incidents, "ENDED_KEPT", 4)
    store = await prepared(path)
    await store.incidents.restore(MORNING, timedelta(days=1))
    held = [store.incidents.get(id) for id in store.incidents.rows()]
    opened = [id for id, row in store.incidents.rows().items() if row.status.open]
    assert {one.id for one in store.incidents.open()} == set(opened)
    assert sum(one is not None for one in held) == len(opened) + 4
    await store.close()


async def test_a_fold_in_one_go_is_the_fold_event_by_event() -> None:
    for events in ([*SAMPLES], case(1, ended=True), case(2, ended=False)):
        one_by_one: Incident | None = None
        for event in events:
            one_by_one = Incident.folded([event]) if one_by_one is None else one_by_one.after(event)
        assert Incident.folded(events) == one_by_one
        middle = len(events) // 2
        first = Incident.folded(events[:middle])
        seen = first.model_copy() if first else None
        assert Incident.folded(events[middle:], first) == one_by_one
        assert first == seen


def test_a_fold_leaves_the_incident_it_begins_with_as_it_was() -> None:
    first = Incident.folded(case(1, ended=True))
    assert first is not None
    seen, without_effect = first.model_copy(), case(1, ended=True)[2]
    after = Incident.folded([without_effect, comment(first.id, "later")], first)
    assert after is not None
    assert (len(after.comments), first) == (1, seen)


async def test_an_interrupted_rebuild_begins_again(path: Path) -> None:
    await (await grown(path)).close()
    before = dump(path)
    store = Store(path)
    await store.read_model.clear(store_of_incidents.CURSOR)
    await store.journal.close()
    store = await prepared(path)
    await store.close()
    assert dump(path) == before
