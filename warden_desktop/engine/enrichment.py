"""Asks all enrichers about one incident at once. One that fails, hangs or rests never holds the others back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from warden_desktop.domain.incident import Incident
from warden_desktop.domain.record import now
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus
from warden_desktop.engine.ports import Enricher

FAILURES_TO_REST = 5
"""Failures in a row after which an enricher is left alone for a while."""

REST = 30.0
"""Seconds an enricher rests; then one question is let through, and its answer decides."""

ERROR_KEPT = 500


class Answer(NamedTuple):
    """What came of asking one enricher: an enrichment, or an error."""

    provider: str
    enrichment: Enrichment | None
    error: str


class Breaker:
    """Remembers how an enricher has been doing."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._rests_until = float("-inf")

    @property
    def resting(self) -> bool:
        return self._clock() < self._rests_until

    def record(self, worked: bool) -> None:
        """An answer came, or did not."""
        self._failures = 0 if worked else self._failures + 1
        if self._failures >= FAILURES_TO_REST:
            self._rests_until = self._clock() + REST


class EnrichmentPhase:
    """All enrichers, each with its time-out and its circuit breaker."""

    def __init__(
        self, enrichers: Sequence[Enricher], *, timeout: float, deadline: float, clock: Callable[[], float]
    ) -> None:
        """`timeout` and `deadline` in seconds: for one enricher, and for all of them together. `clock` is monotonic."""
        self._enrichers = tuple(enrichers)
        self._patience = min(timeout, deadline)
        self._breakers = {enricher.name: Breaker(clock) for enricher in enrichers}

    async def ask(self, incident: Incident) -> list[Answer]:
        """One answer per enricher, in their order. Raises nothing but cancellation."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(enricher, incident)) for enricher in self._enrichers]
        return [task.result() for task in tasks]

    async def _ask(self, enricher: Enricher, incident: Incident) -> Answer:
        breaker = self._breakers[enricher.name]
        if breaker.resting:
            return Answer(enricher.name, None, f"rests for up to {REST:g} s after {FAILURES_TO_REST} failures in a row")
        try:
            if not enricher.configured:
                return _not_configured(enricher)
            async with asyncio.timeout(self._patience):
                findings = tuple(await enricher.enrich(incident))
            answer = Enrichment(
                provider=enricher.name, status=EnrichmentStatus.COMPLETE, findings=findings, as_of=now()
            )
        except Exception as error:
            breaker.record(worked=False)
            return Answer(enricher.name, None, self._said(error))
        breaker.record(worked=True)
        return Answer(enricher.name, answer, "")

    def _said(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._patience:g} s"
        return f"{type(error).__name__}: {error}"[:ERROR_KEPT]


def _not_configured(enricher: Enricher) -> Answer:
    absent = Enrichment(provider=enricher.name, status=EnrichmentStatus.NOT_CONFIGURED, as_of=now())
    return Answer(enricher.name, absent, "")
