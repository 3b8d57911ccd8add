"""The bus: record, then deliver. One append-only log, and three ways to read it.

Theory of operation
-------------------
`publish(events)` hands the events to the journal and returns once they are durable. The journal calls `_deliver` with
every batch it commits, on the loop, in log order, before any publisher of that batch wakes up. So there is one order,
the log's, and everybody sees it; what could not be recorded was never seen by anyone.

Delivery does three things and none of them waits:

1. *Folds* (`attach`) run, synchronously: the current incidents. When a publisher or a subscriber wakes up, current
   state already includes the event it wakes up for.
2. The event enters the *ring*, the newest events in memory, shared by all readers by reference.
3. Readers are told that the head has moved.

A *broadcast receiver* (`listen`) is a position in the ring. It costs a publisher nothing, however many there are. One
that falls more than its capacity behind learns exactly how many events it missed (`Lagged`) and can read them from the
log by their numbers.

A *named subscriber* (`subscribe`) is a durable position in the log: at least once, in order per incident, many
incidents at once. It reads the ring while it keeps up and the log when it does not, so a slow one falls behind onto
disk, drops nothing and delays nobody. What it cannot handle after its retries becomes a dead letter and the subscriber
goes on. Its position is saved a few times a second, so after a crash it may see some events again; workers therefore
derive the ids of their events from the cause, and the journal records an id once.

*History* is reading the log: `read` forwards, `history` backwards, `find` by id.

A publish made while delivering (from a fold) is queued in the journal like any other: it waits its turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable, Sequence
from uuid import UUID

from warden_desktop.domain.events import Event, kind_of
from warden_desktop.engine.health import Health
from warden_desktop.engine.ports import Journal, JournalBusy, JournalError, Recorded
from warden_desktop.engine.receiver import Receiver, Ring
from warden_desktop.engine.subscription import Handler, Lane, Spawn, Subscription

log = logging.getLogger(__name__)

Fold = Callable[[Recorded], None]


def by_incident(recorded: Recorded) -> Hashable:
    """The usual lane: the incident; events of no incident share one."""
    return recorded.event.incident_id


class PublishError(Exception):
    """The event is not durable, so it never happened. `retry_after`: seconds after which trying again makes sense."""

    def __init__(self, detail: str, retry_after: float = 2.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Bus:
    """In-process event bus over a journal. Lives on one loop; see the theory of operation above."""

    def __init__(
        self, journal: Journal, *, memory: int = 32_768, patience: float = 10.0, health: Health | None = None
    ) -> None:
        """`memory`: events kept in the ring; `patience`: seconds a publisher waits for a slow journal; `health` is told
        when the journal fails and when it records again."""
        self._journal = journal
        self._health = health or Health()
        self._patience = patience
        self._folds: list[Fold] = []
        self._ring = Ring(memory, journal.last_seq)
        self._receivers: set[Receiver] = set()
        self._subscriptions: dict[str, Subscription] = {}
        self._spawn: Spawn | None = None
        self._fallbacks: set[asyncio.Future[tuple[Recorded, ...]]] = set()
        self.failed_publishes = 0
        journal.on_committed(self._deliver)

    # --- publishing ---------------------------------------------------------------------------------------------

    async def publish(self, *events: Event) -> tuple[Recorded, ...]:
        """Record `events` atomically, in this order, and return once they are durable and current state has them.

        An event whose id is already recorded is not recorded again; its old record is returned in its place.
        Raises PublishError when they are not durable. Cancelling the caller does not undo the publish.
        """
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(await self._append(events))
        except TimeoutError:
            detail = f"The journal has not answered for {self._patience:g} s; is the disk hanging?"
            self._failed(detail)
            raise PublishError(detail) from None
        except JournalError as error:
            self._failed(str(error))
            raise PublishError(str(error)) from error

    def _failed(self, detail: str) -> None:
        self.failed_publishes += 1
        self._health.failed("journal", detail)

    async def _append(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]]:
        while True:
            try:
                return self._journal.append(events)
            except JournalBusy as busy:
                await asyncio.sleep(min(busy.retry_after, 0.05))

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
        self._failed(str(error))
        log.error("not recorded: %s: %s", ", ".join(event.kind for event in events), error)

    # --- delivering ---------------------------------------------------------------------------------------------

    def _deliver(self, batch: Sequence[Recorded]) -> None:
        self._health.works("journal")
        for recorded in batch:
            self._fold(recorded)
            self._ring.append(recorded)
        for receiver in tuple(self._receivers):
            receiver.wake()
        for subscription in self._subscriptions.values():
            subscription.wake()

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
        receiver = Receiver(self._ring, capacity, self._receivers.discard)
        self._receivers.add(receiver)
        return receiver

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
        subscription = Subscription(name, handler, wanted, concurrency, self._journal, self._ring, PublishError, lane)
        self._subscriptions[name] = subscription
        if self._spawn is not None:
            subscription.start(self._spawn)
        return subscription

    async def unsubscribe(self, name: str) -> None:
        """Stop a named subscriber; its position stays in the log for the next one of that name."""
        await self._subscriptions.pop(name).stop()

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

    @property
    def subscriptions(self) -> Collection[Subscription]:
        """The named subscribers, for counters."""
        return self._subscriptions.values()

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
