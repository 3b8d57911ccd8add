"""Feeds recorded deliveries to a pipeline again, as if they came now but keeping when they came.

Theory of operation: a delivery is read by today's source packs and becomes alerts with the moments and, where they are
known, the ids of then; so they join the same incidents as then. The next delivery waits until nothing more follows from
the one before. So the order of what happens is that of the recording, whatever the speed, and the same recording with
the same packs always gives the same incidents.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from warden_desktop.adapters.recordings import RecordedDelivery
from warden_desktop.adapters.sources import BadForm, Source, Unmappable
from warden_desktop.adapters.sources.raw import raw_bytes
from warden_desktop.domain.alert import Alert
from warden_desktop.engine.intake import DeliveryConflict, Receipt


class Intake(Protocol):
    """Where the alerts go."""

    async def receive(self, alerts: Sequence[Alert], raw: str) -> Sequence[Receipt]: ...


class Replay:
    """One replay. `settled` waits until a pipeline has nothing left to do; `told` is called after each delivery."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        intake: Intake,
        settled: Callable[[], Awaitable[None]],
        told: Callable[[RecordedDelivery], None],
        speed: float | None = None,
    ) -> None:
        """`speed`: 1 is as fast as recorded, 60 an hour in a minute; None is as fast as possible."""
        self._sources = sources
        self._intake = intake
        self._settled = settled
        self._told = told
        self._speed = speed
        self.deliveries = 0
        self.alerts = 0
        self.refused: Counter[str] = Counter()
        """Why deliveries were not taken, and how often."""

    async def run(self, deliveries: Iterable[RecordedDelivery], stopping: asyncio.Event) -> None:
        """Feed all of `deliveries`, or until `stopping`. Raises PublishError and JournalError."""
        loop = asyncio.get_running_loop()
        began, first = loop.time(), None
        for one in deliveries:
            first = first or one.at
            await self._wait(began + self._after(first, one.at), stopping)
            if stopping.is_set():
                return
            await self._feed(one)
            await self._settled()
            self._told(one)

    def _after(self, first: datetime, at: datetime) -> float:
        return (at - first).total_seconds() / self._speed if self._speed else 0.0

    async def _wait(self, due: float, stopping: asyncio.Event) -> None:
        delay = due - asyncio.get_running_loop().time()
        if delay > 0:
            try:
                await asyncio.wait_for(stopping.wait(), delay)
            except TimeoutError:
                return

    async def _feed(self, one: RecordedDelivery) -> None:
        self.deliveries += 1
        try:
            alerts = self._understood(one)
            await self._intake.receive(alerts, one.body)
            self.alerts += len(alerts)
        except (BadForm, Unmappable) as error:
            self.refused[f"{one.source}: {error}"] += 1
        except DeliveryConflict:
            self.refused[f"{one.source}: a delivery id came before with another body"] += 1

    def _understood(self, one: RecordedDelivery) -> list[Alert]:
        source = self._sources.get(one.source)
        if source is None:
            raise Unmappable("there is no such source pack any more")
        parsed = source.read(raw_bytes(one.body))
        alerts = source.mapper.alerts(
            parsed, received_at=one.at, signed=one.signed, delivery_id=source.mapper.delivery_id(parsed)
        )
        if len(alerts) != len(one.ids):
            return alerts
        return [alert.model_copy(update={"id": id}) for alert, id in zip(alerts, one.ids, strict=True)]
