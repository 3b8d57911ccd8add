"""What a publisher gets: order, no holes, all or nothing, once, and the truth about what is durable."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from tests.journal.stories import fault, faults
from tests.samples_of_events import SAMPLES
from warden_desktop.adapters.journal import SqliteJournal, open_reader
from warden_desktop.adapters.journal.writer import MOST_BYTES, MOST_EVENTS
from warden_desktop.domain.events import EVENT, Event
from warden_desktop.engine.ports import JournalBusy, JournalError, Recorded


class Heard:
    """What the journal delivered."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.recorded: list[Recorded] = []
        self.batches = 0
        journal.on_committed(self._deliver)

    def _deliver(self, fresh: object) -> None:
        assert isinstance(fresh, list)
        self.recorded += fresh
        self.batches += 1

    @property
    def seqs(self) -> list[int]:
        return [one.seq for one in self.recorded]


async def test_every_event_comes_back_as_it_was(journal: SqliteJournal) -> None:
    recorded = await journal.append(SAMPLES)
    assert [one.event for one in recorded] == list(SAMPLES)
    assert await journal.read(0, 100) == list(recorded)


async def test_what_is_delivered_is_the_object_that_was_published(journal: SqliteJournal) -> None:
    heard = Heard(journal)
    event = fault()
    (recorded,) = await journal.append([event])
    assert recorded.event is event
    assert heard.recorded[0].event is event


async def test_concurrent_publishers_share_one_order_without_holes(journal: SqliteJournal) -> None:
    heard = Heard(journal)

    async def publish(count: int) -> list[int]:
        return [one.seq for event in faults(count) for one in await journal.append([event])]

    seqs = await asyncio.gather(*(publish(20) for _ in range(30)))
    assert heard.seqs == list(range(1, 601))
    assert sorted(seq for own in seqs for seq in own) == heard.seqs
    assert all(own == sorted(own) for own in seqs)
    assert journal.last_seq == 600


async def test_what_queued_together_becomes_durable_together(journal: SqliteJournal) -> None:
    heard = Heard(journal)
    await asyncio.gather(*(journal.append([event]) for event in faults(300)))
    assert heard.seqs == list(range(1, 301))
    assert journal.stats.committed_batches < 5


async def test_the_loop_learns_of_a_large_transaction_in_portions(journal: SqliteJournal) -> None:
    told: list[str] = []
    journal.on_committed(lambda fresh: told.append(f"delivered {fresh[0].seq} to {fresh[-1].seq}"))
    futures = [journal.append([event]) for event in faults(1_000)]
    for seq, future in enumerate(futures, 1):
        future.add_done_callback(lambda _, seq=seq: told.append(f"resolved {seq}"))  # type: ignore[misc]
    await asyncio.gather(*futures)
    await asyncio.sleep(0)
    delivered = 0
    for line in told:
        word, *numbers = line.split()
        if word == "delivered":
            assert int(numbers[0]) == delivered + 1
            delivered = int(numbers[2])
            assert delivered - int(numbers[0]) < 256
        else:
            assert int(numbers[0]) <= delivered
    assert delivered == 1_000
    assert journal.stats.queued == 0


async def test_delivery_comes_before_the_publisher_goes_on(journal: SqliteJournal) -> None:
    told: list[str] = []
    journal.on_committed(lambda fresh: told.append(f"delivered {len(fresh)}"))
    future = journal.append([fault()])
    future.add_done_callback(lambda _: told.append("resolved"))
    await future
    await asyncio.sleep(0)
    assert told == ["delivered 1", "resolved"]


async def test_the_same_id_counts_once(journal: SqliteJournal) -> None:
    heard = Heard(journal)
    event = fault("first")
    again = fault("a second account of it", event.id)
    (first,) = await journal.append([event])
    (second,) = await journal.append([again])
    assert second == first
    assert heard.recorded == [first]


async def test_the_same_id_counts_once_among_those_that_wait_together(journal: SqliteJournal) -> None:
    heard = Heard(journal)
    event = fault()
    futures = [journal.append([event, other]) for other in faults(5)]
    results = await asyncio.gather(*futures)
    assert {result[0].seq for result in results} == {1}
    assert heard.seqs == [1, 2, 3, 4, 5, 6]


async def test_new_and_known_events_mix_in_one_publish(journal: SqliteJournal) -> None:
    heard = Heard(journal)
    known, new = fault(), fault()
    await journal.append([known])
    result = await journal.append([new, known])
    assert [one.seq for one in result] == [2, 1]
    assert heard.seqs == [1, 2]


async def test_nothing_is_an_answer(journal: SqliteJournal) -> None:
    assert await journal.append([]) == ()
    assert journal.last_seq == 0


async def test_an_event_that_cannot_be_written_fails_alone(journal: SqliteJournal) -> None:
    class Unheard(Event):
        kind: str = "unheard"

    good = journal.append([fault()])
    bad = journal.append([fault(), Unheard(actor="test")])
    unwritable = journal.append([fault().model_copy(update={"detail": "\ud800"})])
    assert (await good)[0].seq == 1
    with pytest.raises(JournalError, match="Unheard"):
        await bad
    with pytest.raises(JournalError, match="JSON"):
        await unwritable
    assert journal.last_seq == 1


async def test_cancelling_a_publisher_leaves_no_half_of_it(journal: SqliteJournal) -> None:
    heard = Heard(journal)
    publishes = [faults(3) for _ in range(50)]

    async def publish(events: list[Event]) -> None:
        await journal.append(events)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(publish(events)) for events in publishes]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
    await journal.append([fault()])
    stored = {one.event.id for one in await journal.read(0, 1000)}
    assert all(len(stored & {event.id for event in events}) == 3 for events in publishes)
    assert heard.seqs == list(range(1, 152))


async def test_too_much_in_the_queue_is_refused_with_a_time_to_come_back(journal: SqliteJournal) -> None:
    waiting = journal.append(faults(MOST_EVENTS))
    with pytest.raises(JournalBusy) as refused:
        journal.append([fault()])
    assert refused.value.retry_after > 0
    assert journal.stats.queued == MOST_EVENTS
    await waiting
    assert journal.stats.queued == 0
    assert (await journal.append([fault()]))[0].seq == MOST_EVENTS + 1


async def test_what_could_never_fit_is_an_error_at_once(journal: SqliteJournal) -> None:
    with pytest.raises(JournalError, match="more than the journal takes"):
        await journal.append(faults(MOST_EVENTS + 1))
    with pytest.raises(JournalError, match="more than the journal takes"):
        await journal.append([fault("x" * (MOST_BYTES + 1))])
    assert journal.stats.queued == 0


async def test_closing_commits_what_is_queued(path: Path) -> None:
    journal = SqliteJournal.open(path, asyncio.get_running_loop())
    futures = [journal.append([event]) for event in faults(100)]
    await journal.close()
    assert all(future.done() for future in futures)
    with open_reader(path) as reader:
        assert reader.last_seq == 100
    with pytest.raises(JournalError, match="closed"):
        await journal.append([fault()])
    with pytest.raises(JournalError, match="closed"):
        await journal.read(0, 1)
    await journal.close()


async def test_reopening_goes_on_where_it_ended(path: Path) -> None:
    for run in range(3):
        journal = SqliteJournal.open(path, asyncio.get_running_loop())
        assert journal.last_seq == run * 10
        await journal.append(faults(10))
        await journal.close()
    with open_reader(path) as reader:
        verification = reader.verify()
    assert (verification.ok, verification.entries) == (True, 30)


async def test_a_listener_that_fails_does_not_keep_publishers_waiting(path: Path) -> None:
    loop = asyncio.get_running_loop()
    handler, errors = loop.get_exception_handler(), list[object]()
    loop.set_exception_handler(lambda _, context: errors.append(context.get("exception")))
    journal = SqliteJournal.open(path, loop)

    def fail(_: object) -> None:
        raise ValueError("the fold is wrong")

    try:
        journal.on_committed(fail)
        assert (await journal.append([fault()]))[0].seq == 1
    finally:
        await journal.close()
        loop.set_exception_handler(handler)
    assert [str(error) for error in errors] == ["the fold is wrong"]


async def test_bodies_are_stored_as_the_event_writes_itself(journal: SqliteJournal, path: Path) -> None:
    event = fault("Größe 10 µm")
    await journal.append([event])
    body: bytes = await journal.write(lambda connection: connection.execute("SELECT body FROM event").get)
    assert body == event.model_dump_json().encode()
    assert EVENT.validate_json(body) == event
    assert await journal.find(uuid4()) is None
