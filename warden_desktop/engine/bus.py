"""The bus: record, then deliver. One append-only log, and three ways to read it.

Theory of operation
-------------------
`publish(events)` hands the events to the journal and returns once they are durable. The journal calls `_deliver` with
every batch it commits, on the loop, in log order, before any publisher of that batch wakes up. So there is one order,
the log's, and everybody sees it; what could not be recorded was never seen by anyone.

Delivery does three things and none of them waits, so no reader, however slow or broken, delays a publisher or another
reader:

1. *Folds* (`attach`) run, synchronously: the current incidents. When a publisher or a subscriber wakes up, current
   state already includes the event it wakes up for. A fold that raises is logged and passed over.
2. The batch enters the *ring*, the newest events in memory, shared by all readers by reference and bounded in number
   and in bytes.
3. Readers are told that the head has moved.

**Broadcast receivers** (`listen`) are positions in the ring. One costs a publisher next to nothing, however much it
reads. One that falls more than its capacity behind learns exactly how many events it missed (`Lagged`) and reads just
those from the log (`resync`). One that wants every event reads with `take` or `async for`, which turn to the log for
what the ring no longer holds. Numbers have no holes, so there is neither a gap nor a repeat.

**Named subscribers** (`subscribe`) are durable positions in the log: at least once, in order per incident, many
incidents at once. One reads the ring while it keeps up and the log when it does not, so a slow one falls behind onto
disk, drops nothing and holds a bounded number of events. A batch with none of its kinds does not even wake it.

- Its events go into *lanes*, usually one per incident. A lane has one event in hand; workers, as many as its
  concurrency allows, take the lanes that may begin, in log order.
- An event that fails is tried again after a while. Its lane waits, and takes up no worker meanwhile. After the last
  retry it becomes a *dead letter*, and the lane goes on: `DeadLetters` lists, retries and discards them. Not so when
  the handler failed because it could not publish: that is the disk's fault, and the event is tried until it works.
- Its position is the event before the oldest it has not finished with. It is saved a few times a second, so after a
  crash some events come again; workers therefore derive the ids of their events from the cause, and the journal
  records an id once. An event that became a dead letter before the crash does not come again.

**History** is reading the log: `read` forwards, `history` backwards, `find` by id.

Publishing
----------
*From a fold or a handler*: it is queued in the journal like any other, so it waits its turn in the one order. A handler
may await it; a fold cannot, and uses `publish_with_fallback`.

*Cancelling* a publisher leaves all of its events or none: none while it waits in line, all once the journal has taken
them. Nobody knows which, so try again with the same ids.

*Back-pressure*: the journal holds a bounded number of events and bytes that are not yet durable. When it is full,
publishers stand in line, first come, first served, and only the first of them asks again. The line is bounded too. A
publisher that is not served within its patience, or finds the line full, gets PublishError, and the door answers 503.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable, Sequence
from contextlib import suppress
from time import perf_counter
from uuid import UUID

from warden_desktop.domain.events import AlertReceived, Event, kind_of
from warden_desktop.engine.health import Health
from warden_desktop.engine.lanes import Lane
from warden_desktop.engine.patience import Patience
from warden_desktop.engine.ports import EventRefused, Journal, JournalBusy, JournalError, Recorded
from warden_desktop.engine.pulse import BusPulse, Latency
from warden_desktop.engine.receiver import Receiver
from warden_desktop.engine.ring import Ring, weight
from warden_desktop.engine.subscription import Handler, Interest, Spawn, Subscription

log = logging.getLogger(__name__)

Fold = Callable[[Recorded], None]

LONGEST_LINE = 1_024
"""Publishers that may wait for a journal that is full; one more is refused at once."""

ASK_AGAIN = 0.01
"""Seconds after which the first in line asks the journal again."""

ALERT_RECEIVED = kind_of(AlertReceived)


def by_incident(recorded: Recorded) -> Hashable:
    """The usual lane: the incident; events of no incident share one."""
    incident_id = recorded.event.incident_id
    return None if incident_id is None else incident_id.int  # hashed in C, unlike a UUID


class PublishError(Exception):
    """The event is not durable, so it never happened. `retry_after`: seconds after which trying again makes sense;
    `hopeless`: it makes none, since the event itself cannot be recorded."""

    def __init__(self, detail: str, retry_after: float = 2.0, hopeless: bool = False) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.hopeless = hopeless


def _endless(error: Exception) -> bool:
    return isinstance(error, PublishError) and not error.hopeless


class Bus:
    """In-process event bus over a journal. Lives on one loop; see the theory of operation above."""

    def __init__(
        self, journal: Journal, *, memory: int = 32_768, patience: float = 10.0, health: Health | None = None
    ) -> None:
        """`memory`: events kept in the ring; `patience`: seconds a publisher waits for a slow journal; `health` is told
        when the journal fails and when it records again."""
        self._journal = journal
        self._health = health or Health()
        self._patience = Patience(patience)
        self._line = asyncio.Lock()
        self._in_line = 0
        self._folds: list[Fold] = []
        self._ring = Ring(memory, journal.last_seq)
        self._receivers: set[Receiver] = set()
        self._missed = 0
        self._subscriptions: dict[str, Subscription] = {}
        self._spawn: Spawn | None = None
        self._fallbacks: set[asyncio.Future[tuple[Recorded, ...]]] = set()
        self._latency = Latency()
        self._first = journal.last_seq
        self.failed_publishes = 0
        journal.on_committed(self._deliver)

    # --- publishing ---------------------------------------------------------------------------------------------

    async def publish(self, *events: Event) -> tuple[Recorded, ...]:
        """Record `events` atomically, in this order, and return once they are durable and current state has them.

        An event whose id is already recorded is not recorded again; its old record is returned in its place.
        Raises PublishError when they are not durable. Cancelling the caller records all of them or none.
        """
        began = perf_counter()
        try:
            recorded = await self._patience.wait_for(self._append(events) or await self._stand_in_line(events))
        except JournalError as error:
            raise self._refusal(error) from error
        self._latency.took(perf_counter() - began)
        return recorded

    def _append(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]] | None:
        """None when the journal is full, or others wait already."""
        if self._in_line:
            return None
        with suppress(JournalBusy):
            return self._journal.append(events)
        return None

    async def _stand_in_line(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]]:
        if self._in_line >= LONGEST_LINE:
            raise JournalBusy(f"{self._in_line} publishers wait for the journal already; is the disk too slow?")
        self._in_line += 1
        try:
            async with asyncio.timeout(self._patience.seconds), self._line:
                return await self._ask_again(events)
        except TimeoutError:
            detail = f"The journal has been full for {self._patience.seconds:g} s; is the disk too slow?"
            raise JournalBusy(detail) from None
        finally:
            self._in_line -= 1

    async def _ask_again(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]]:
        while True:
            try:
                return self._journal.append(events)
            except JournalBusy as busy:
                await asyncio.sleep(min(busy.retry_after, ASK_AGAIN))

    def _refusal(self, error: JournalError) -> PublishError:
        self._failed(error)
        retry_after = error.retry_after if isinstance(error, JournalBusy) else 2.0
        return PublishError(str(error), retry_after, hopeless=isinstance(error, EventRefused))

    def _failed(self, error: BaseException) -> None:
        self.failed_publishes += 1
        if not isinstance(error, EventRefused):
            self._health.failed("journal", str(error))

    def publish_with_fallback(self, *events: Event) -> None:
        """Record `events` if possible: a failure is logged and counted, never raised. For facts nobody waits for."""
        try:
            future = self._journal.append(events)
        except JournalError as error:
            self._lost(events, error)
            return
        self._fallbacks.add(future)
        future.add_done_callback(lambda done: self._settled(done, events))

    def _settled(self, future: asyncio.Future[tuple[Recorded, ...]], events: Sequence[Event]) -> None:
        self._fallbacks.discard(future)
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._lost(events, error)

    def _lost(self, events: Sequence[Event], error: BaseException) -> None:
        self._failed(error)
        log.error("not recorded: %s: %s", ", ".join(event.kind for event in events), error)

    # --- delivering ---------------------------------------------------------------------------------------------

    def _deliver(self, batch: Sequence[Recorded]) -> None:
        if self._folds:
            for recorded in batch:
                self._fold(recorded)
        kinds = {recorded.event.kind for recorded in batch}
        self._ring.extend(batch, sum(map(weight, batch)) if ALERT_RECEIVED in kinds else 0)
        for wake in self._ring.waited():
            self._call(wake)
        for subscription in self._subscriptions.values():
            subscription.wake(kinds, batch[0].seq)
        self._health.works("journal")

    def _call(self, wake: Callable[[], None]) -> None:
        try:
            wake()
        except Exception:
            log.exception("a receiver failed when it was told of new events")

    def _fold(self, recorded: Recorded) -> None:
        for fold in self._folds:
            try:
                fold(recorded)
            except Exception:
                log.exception("a fold failed on event %d (%s)", recorded.seq, recorded.event.kind)

    # --- reading ------------------------------------------------------------------------------------------------

    def attach(self, fold: Fold) -> None:
        """Call `fold` first on every event from now on, synchronously and in order. It must be quick."""
        self._folds.append(fold)

    def listen(self, capacity: int = 10_000) -> Receiver:
        """A broadcast receiver that starts at the head. Close it when done."""
        receiver = Receiver(self._ring, capacity, self._journal.read, self._forget)
        self._receivers.add(receiver)
        return receiver

    def _forget(self, receiver: Receiver) -> None:
        if receiver in self._receivers:
            self._receivers.remove(receiver)
            self._missed += receiver.missed

    def subscribe(
        self,
        name: str,
        handler: Handler,
        *,
        kinds: Collection[type[Event]] | None = None,
        concurrency: int = 32,
        lane: Lane = by_incident,
    ) -> Subscription:
        """A durable named subscriber. `handler` is awaited for each event of `kinds` (None: all): one after the other
        within a `lane`, up to `concurrency` lanes at once.

        Raises ValueError when the name is taken. Starts at once if the bus runs, else with `start`.
        """
        if name in self._subscriptions:
            raise ValueError(f"the bus already has a subscriber named {name!r}")
        wanted = None if kinds is None else frozenset(kind_of(kind) for kind in kinds)
        interest = Interest(name, handler, wanted, concurrency, lane, _endless)
        subscription = self._subscriptions[name] = Subscription(interest, self._journal, self._ring)
        if self._spawn is not None:
            subscription.start(self._spawn)
        return subscription

    async def unsubscribe(self, name: str) -> None:
        """Stop a named subscriber; its position stays in the log for the next one of that name, which can come once
        this one has stopped. Raises LookupError when there is none."""
        subscription = self.subscription(name)
        try:
            await subscription.stop()
        finally:
            self._subscriptions.pop(name, None)

    def start(self, spawn: Spawn) -> None:
        """Begin to serve named subscribers. `spawn` owns the tasks."""
        self._spawn = spawn
        for subscription in self._subscriptions.values():
            subscription.start(spawn)

    async def stop(self) -> None:
        """Stop the subscribers, saving their positions, and end the receivers. The journal stays open."""
        self._spawn = None
        for subscription in tuple(self._subscriptions.values()):
            await subscription.stop()
        for receiver in tuple(self._receivers):
            receiver.close()

    @property
    def last_seq(self) -> int:
        """The newest delivered event's place in the log."""
        return self._ring.head

    def subscription(self, name: str) -> Subscription:
        """The named subscriber. Raises LookupError when there is none."""
        if name not in self._subscriptions:
            raise LookupError(f"the bus has no subscriber named {name!r}")
        return self._subscriptions[name]

    @property
    def subscriptions(self) -> Collection[Subscription]:
        """The named subscribers, for counters."""
        return self._subscriptions.values()

    def pulse(self) -> BusPulse:
        """How the bus is doing, for counters."""
        return BusPulse(
            last_seq=self.last_seq,
            published=self.last_seq - self._first,
            failed=self.failed_publishes,
            waiting=self._in_line,
            p50_ms=self._latency.percentile(0.5),
            p99_ms=self._latency.percentile(0.99),
            receivers=len(self._receivers),
            missed=self._missed + sum(receiver.missed for receiver in self._receivers),
            subscribers=tuple(subscription.pulse() for subscription in self._subscriptions.values()),
        )

    async def read(
        self, after: int, limit: int, *, kinds: Collection[str] | None = None, incident_id: UUID | None = None
    ) -> list[Recorded]:
        """Up to `limit` events after seq `after`, oldest first."""
        return await self._journal.read(after, limit, kinds=kinds, incident_id=incident_id)

    async def history(
        self,
        before: int | None,
        limit: int,
        *,
        kinds: Collection[str] | None = None,
        incident_id: UUID | None = None,
        text: str = "",
    ) -> list[Recorded]:
        """Up to `limit` events before seq `before` (None: the end), newest first."""
        return await self._journal.history(before, limit, kinds=kinds, incident_id=incident_id, text=text)

    async def find(self, event_id: UUID) -> Recorded | None:
        """The event of that id, or None."""
        return await self._journal.find(event_id)


__all__ = ["Bus", "PublishError", "Receiver", "Recorded", "Subscription"]
