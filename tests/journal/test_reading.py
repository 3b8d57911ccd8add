"""What can be found again in the log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from tests.journal.stories import comment, fault, faults
from tests.samples_of_events import INCIDENT, SAMPLES
from warden_desktop.adapters.journal import SqliteJournal, open_reader
from warden_desktop.engine.ports import DeadLetter, JournalError, Recorded


def seqs(found: list[Recorded]) -> list[int]:
    return [one.seq for one in found]


async def test_reading_goes_forward_in_pages(journal: SqliteJournal) -> None:
    await journal.append(faults(25))
    assert seqs(await journal.read(0, 10)) == list(range(1, 11))
    assert seqs(await journal.read(20, 10)) == list(range(21, 26))
    assert await journal.read(25, 10) == []


async def test_history_goes_back_in_pages(journal: SqliteJournal) -> None:
    await journal.append(faults(25))
    assert seqs(await journal.history(None, 3)) == [25, 24, 23]
    assert seqs(await journal.history(23, 3)) == [22, 21, 20]
    assert await journal.history(1, 3) == []


async def test_filters_by_kind_and_incident_agree_with_a_look_at_everything(journal: SqliteJournal) -> None:
    other = uuid4()
    events = [*SAMPLES, comment(other, "one"), fault(), comment(other, "two"), comment(INCIDENT, "three")]
    await journal.append(events)
    everything = await journal.read(0, 1000)
    for kinds in (None, [], ["comment_added"], ["comment_added", "fault_raised", "status_changed"], ["nothing"]):
        for incident in (None, other, INCIDENT, uuid4()):
            wanted = [
                one
                for one in everything
                if (kinds is None or one.event.kind in kinds)
                and (incident is None or one.event.incident_id == incident)
            ]
            assert await journal.read(0, 1000, kinds=kinds, incident_id=incident) == wanted
            assert (
                await journal.read(3, 2, kinds=kinds, incident_id=incident)
                == [one for one in wanted if one.seq > 3][:2]
            )
            assert await journal.history(None, 1000, kinds=kinds, incident_id=incident) == wanted[::-1]
            assert (
                await journal.history(30, 2, kinds=kinds, incident_id=incident)
                == [one for one in wanted[::-1] if one.seq < 30][:2]
            )


@pytest.mark.parametrize(
    ("stored", "asked", "found"),
    [
        ("mimikatz on WEB-01", "MIMIKATZ", True),
        ("100% of it", "0% o", True),
        ("100 of it", "0% o", False),
        ("a_b", "a_b", True),
        ("axb", "a_b", False),
        ('he said "run"', '"run"', True),
        ("C:\\Windows\\a.exe", "c:\\windows", True),
        ("line\nbreak", "line\nbreak", True),
        ("GRÖSSE", "größe", True),
        ("Größe", "GRÖSSE", True),
        ("a!b", "A!B", True),
        ("plain", "absent", False),
    ],
)
async def test_text_is_found_without_regard_to_case_and_as_it_is(
    journal: SqliteJournal, stored: str, asked: str, found: bool
) -> None:
    await journal.append([fault(stored), fault("other")])
    assert seqs(await journal.history(None, 10, text=asked)) == ([1] if found else [])
    assert seqs(await journal.history(None, 10, text=asked, kinds=["fault_raised"])) == ([1] if found else [])


async def test_an_event_is_found_by_its_id(journal: SqliteJournal) -> None:
    event = fault()
    (recorded,) = await journal.append([event])
    assert await journal.find(event.id) == recorded
    assert await journal.find(uuid4()) is None


async def test_a_subscriber_goes_on_where_it_was(path: Path) -> None:
    loop = asyncio.get_running_loop()
    journal = SqliteJournal.open(path, loop)
    assert await journal.cursor("triage") == 0
    await journal.move_cursor("triage", 7)
    await journal.move_cursor("projector", 3)
    await journal.move_cursor("triage", 9)
    await journal.close()
    again = SqliteJournal.open(path, loop)
    assert (await again.cursor("triage"), await again.cursor("projector")) == (9, 3)
    await again.close()


async def test_dead_letters_are_kept_with_their_event(journal: SqliteJournal) -> None:
    first, second = await journal.append(faults(2))
    await journal.bury(DeadLetter("triage", second, "ValueError: \ud800", 3))
    await journal.bury(DeadLetter("projector", first, "KeyError", 5))
    assert await journal.dead_letters() == [
        DeadLetter("triage", second, "ValueError: ?", 3),
        DeadLetter("projector", first, "KeyError", 5),
    ]


async def test_a_search_nobody_waits_for_ends_and_the_next_one_runs(journal: SqliteJournal) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await journal.search(lambda connection: connection.execute(endless).get)
    assert await journal.search(lambda connection: connection.execute("SELECT 1").get) == 1


async def test_a_long_search_delays_no_reader(journal: SqliteJournal) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    async with asyncio.TaskGroup() as group:
        searching = group.create_task(journal.search(lambda connection: connection.execute(endless).get))
        await journal.append(faults(3))
        assert seqs(await journal.read(0, 10)) == [1, 2, 3]
        searching.cancel()


async def test_the_command_line_reads_beside_the_running_application(journal: SqliteJournal, path: Path) -> None:
    await journal.append(SAMPLES)
    with open_reader(path) as reader:
        assert reader.last_seq == len(SAMPLES)
        assert reader.read(0, 1000) == await journal.read(0, 1000)
        assert reader.history(None, 2) == await journal.history(None, 2)
        assert reader.incident_events(INCIDENT) == await journal.read(0, 1000, incident_id=INCIDENT)
        assert reader.find(SAMPLES[0].id) == await journal.find(SAMPLES[0].id)
        assert reader.dead_letters() == []
        assert reader.verify().entries == len(SAMPLES)
        await journal.append([fault()])
        assert reader.last_seq == len(SAMPLES) + 1


async def test_the_command_line_reads_when_the_application_is_down(path: Path) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    await journal.append(SAMPLES)
    await journal.close()
    with open_reader(path) as reader:
        assert [one.event for one in reader.read(0, 1000)] == list(SAMPLES)


def test_asking_where_there_is_no_journal_makes_none(path: Path, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal here"):
        open_reader(path)
    assert list(tmp_path.iterdir()) == []
