"""How fast the bus delivers, beside asyncio queues, and what it adds to the journal: `python -m tests.bench.bench_bus`.

Ratios within one run, the two taking turns, medians of `ROUNDS`. Every figure counts events, each published once and
taken one by one by every reader: an event to 4 receivers is one, not four.

In memory: the events are made beforehand, and the journal is a stand-in that numbers them and commits at once.

- `delivered`: batches of `BATCH`, as the journal's group commit hands them over;
- `published`: `await bus.publish(*events)` with `BATCH` events each, the future and the numbering included;
- `one by one`: `await bus.publish(event)` for each.

The queues: one producer that puts each event into an `asyncio.Queue` for each consumer, and awaits when one is full.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, cast
from uuid import UUID, uuid4

from tests.bench.bench_journal import Bare, events, rate
from tests.memory_journal import MemoryJournal
from tests.samples_of_events import alert
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal
from warden_desktop.adapters.journal.rows import encode
from warden_desktop.domain.events import ActionApproved, AlertReceived, CommentAdded, Event
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import Recorded
from warden_desktop.engine.receiver import Closed, Receiver
from warden_desktop.engine.tasks import Work

ROUNDS = 7
COUNT = 200_000
BATCH = 256
SECONDS = 1.0
REFERENCE_2K_TO_16 = 8_200
"""Events a second of the bus to be surpassed, 2 KB alerts to 16 receivers, on a machine of this kind."""


def small(number: int) -> Event:
    return CommentAdded(actor="analyst:alice", incident_id=uuid4(), text=str(number))


def large(number: int) -> Event:
    received = alert(f"alert {number}")
    raw = received.model_dump_json()
    return AlertReceived(id=received.id, actor="webhook:wazuh", alert=received, raw=raw + " " * (2048 - len(raw)))


class Instant(MemoryJournal):
    """Commits at once, and looks for no known ids."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()

    def append(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]]:
        future: asyncio.Future[tuple[Recorded, ...]] = self._loop.create_future()
        recorded = numbered(len(self.log), events)
        self.commit(recorded)
        future.set_result(recorded)
        return future

    def commit(self, recorded: Sequence[Recorded]) -> None:
        self.log += recorded
        self._deliver(recorded)

    async def read(
        self, after: int, limit: int, *, kinds: Collection[str] | None = None, incident_id: UUID | None = None
    ) -> list[Recorded]:
        assert kinds is None and incident_id is None
        return self.log[after : after + limit]


def numbered(after: int, events: Sequence[Event]) -> tuple[Recorded, ...]:
    return tuple(map(Recorded, range(after + 1, after + 1 + len(events)), cast("Sequence[Any]", events)))


async def drink(receiver: Receiver, count: int) -> None:
    """Take `count` events, looking at each."""
    got = 0
    try:
        while got < count:
            for recorded in await receiver.take():
                got += recorded.seq > 0
    except Closed:
        return


async def ignore(recorded: Recorded) -> None:
    """A handler that has nothing to do."""


async def delivered(bus: Bus, journal: Instant, ready: Sequence[Event]) -> None:
    batches = [numbered(start, ready[start : start + BATCH]) for start in range(0, len(ready), BATCH)]
    for batch in batches:
        journal.commit(batch)
        await asyncio.sleep(0)


async def published(bus: Bus, journal: Instant, ready: Sequence[Event]) -> None:
    for start in range(0, len(ready), BATCH):
        await bus.publish(*ready[start : start + BATCH])
        await asyncio.sleep(0)


async def one_by_one(bus: Bus, journal: Instant, ready: Sequence[Event]) -> None:
    for place, event in enumerate(ready):
        await bus.publish(event)
        if place % BATCH == 0:
            await asyncio.sleep(0)


Way = Callable[[Bus, Instant, Sequence[Event]], Coroutine[Any, Any, None]]


async def by_bus(
    ready: Sequence[Event], readers: int, way: Way, kinds: tuple[type[Event], ...] | None = (ActionApproved,)
) -> float:
    """Events a second to `readers` receivers and three named subscribers of `kinds`."""
    journal = Instant()
    bus = Bus(journal)
    subscribers = [bus.subscribe(f"worker {number}", ignore, kinds=kinds) for number in range(3)]
    async with asyncio.TaskGroup() as group:
        work = Work(group)
        bus.start(work.spawn)
        receivers = [bus.listen() for _ in range(readers)]
        await asyncio.sleep(0.01)
        began = perf_counter()
        drinking = [group.create_task(drink(receiver, len(ready))) for receiver in receivers]
        await way(bus, journal, ready)
        await asyncio.gather(*drinking, *(subscriber.idle() for subscriber in subscribers))
        seconds = perf_counter() - began
        assert bus.pulse().missed == 0
        assert all(one.handled == (0 if kinds else len(ready)) for one in subscribers)
        await bus.stop()
        work.end()
    return len(ready) / seconds


async def by_queues(ready: Sequence[Event], readers: int) -> float:
    queues: list[asyncio.Queue[Event]] = [asyncio.Queue(10_000) for _ in range(readers)]

    async def consume(queue: asyncio.Queue[Event]) -> None:
        got = 0
        while got < len(ready):
            got += (await queue.get()).id is not None

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for queue in queues:
            group.create_task(consume(queue))
        for event in ready:
            for queue in queues:
                if queue.full():
                    await queue.put(event)
                else:
                    queue.put_nowait(event)
    return len(ready) / (perf_counter() - began)


async def in_memory() -> None:
    ready = [small(number) for number in range(COUNT)]
    alerts = [large(number) for number in range(2_000)] * (COUNT // 2_000)
    for readers in (4, 16):
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            "asyncio.Queue fan-out": partial(by_queues, ready, readers),
            "delivered": partial(by_bus, ready, readers, delivered),
            "delivered, subscribers take all": partial(by_bus, ready, readers, delivered, None),
            "published": partial(by_bus, ready, readers, published),
            "published one by one": partial(by_bus, ready, readers, one_by_one),
            "2 KB alerts delivered": partial(by_bus, alerts, readers, delivered),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, measure in ways.items():
                gc.collect()
                rates[name].append(await measure())
        peer = median(rates["asyncio.Queue fan-out"])
        print(f"to {readers} receivers and 3 named subscribers:")
        for name, found in rates.items():
            print(f"  {name:32} {median(found):12,.0f} events/s   {median(found) / peer:5.2f} x the queues")
        if readers == 16:
            ratio = median(rates["2 KB alerts delivered"]) / REFERENCE_2K_TO_16
            print(f"  2 KB alerts: {ratio:.0f} x the reference figure")


async def bus_rate(folder: Path, in_flight: int) -> tuple[float, float, float]:
    """Publishes a second, and the latency's p50 and p99 in milliseconds."""
    journal = SqliteJournal.open(folder / FILE_NAME, asyncio.get_running_loop())
    bus, fresh = Bus(journal), events()
    receivers = [bus.listen() for _ in range(4)]
    try:
        found = await rate(in_flight, lambda: bus.publish(next(fresh)))
        assert receivers[0].lag or receivers[0].missed
        pulse = bus.pulse()
        return found, pulse.p50_ms, pulse.p99_ms
    finally:
        await bus.stop()
        await journal.close()


async def bare_rate(folder: Path, in_flight: int) -> float:
    bare = Bare(folder / FILE_NAME, asyncio.get_running_loop())
    fresh = events()
    columns = encode(next(fresh)).columns
    try:
        return await rate(in_flight, lambda: bare.append((next(fresh).id.bytes, *columns[1:], bytes(32))))
    finally:
        bare.close()


async def durable(folder: Path) -> None:
    print("durable publishes of 2 KB events through the bus, hash chain included:")
    for in_flight in (1, 32, 512):
        ours: list[tuple[float, float, float]] = []
        bare: list[float] = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory(dir=folder) as own:
                ours.append(await bus_rate(Path(own), in_flight))
            with tempfile.TemporaryDirectory(dir=folder) as own:
                bare.append(await bare_rate(Path(own), in_flight))
        found, p50, p99 = (median(column) for column in zip(*ours, strict=True))
        peer = median(bare)
        print(
            f"  {in_flight:4} in flight {found:10,.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms"
            f"   bare thread {peer:10,.0f}/s   ratio {found / peer:.2f}"
        )


async def main(folder: Path) -> None:
    await in_memory()
    await durable(folder)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())))
