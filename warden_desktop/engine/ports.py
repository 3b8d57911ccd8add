"""What the engine needs from outside: Protocols of a few methods each, and the values that cross them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from warden_desktop.domain.action import Outcome, ProposedAction, RequestPreview, Verb
from warden_desktop.domain.events import Event, TriageEvent
from warden_desktop.domain.incident import Incident, IncidentRow
from warden_desktop.domain.verdict import Finding, TriageAnalysis


class Recorded(NamedTuple):
    """An event and its place in the log: 1, 2, 3 ... without holes."""

    seq: int
    event: TriageEvent


class JournalError(Exception):
    """The journal could not do what was asked; the text says what happened and what to do next."""


class JournalBusy(JournalError):
    """Too much is queued; ask again in `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class EventRefused(JournalError):
    """The event itself cannot be recorded, so trying again makes no sense."""


class DeadLetter(NamedTuple):
    """An event a named subscriber could not handle after its retries. There is one at most for each of both."""

    subscriber: str
    recorded: Recorded
    error: str
    attempts: int


class Journal(Protocol):
    """The log. All methods are called on the loop; none blocks it."""

    @property
    def last_seq(self) -> int:
        """The seq of the newest durable event; 0 for an empty log."""

    def on_committed(self, deliver: Callable[[Sequence[Recorded]], None]) -> None:
        """From now on call `deliver` on the loop, in log order, with each batch of fresh events, before the futures of
        their publishers resolve."""

    def append(self, events: Sequence[Event]) -> asyncio.Future[tuple[Recorded, ...]]:
        """Record all of `events` or none, in this order, atomically. Resolves once they are durable. An event whose id
        is already in the log is not recorded again: the result has the one that is, and it is not delivered again.
        The caller may cancel the future or complete it with an error when its patience is over; that undoes nothing.
        Fails with JournalError, for events that cannot be recorded with EventRefused; raises JournalBusy when too much
        is queued. Never delivers before it has returned."""

    async def read(
        self,
        after: int,
        limit: int,
        *,
        kinds: Collection[str] | None = None,
        incident_id: UUID | None = None,
    ) -> list[Recorded]:
        """Up to `limit` events with seq > `after`, oldest first."""

    async def history(
        self,
        before: int | None,
        limit: int,
        *,
        kinds: Collection[str] | None = None,
        incident_id: UUID | None = None,
        text: str = "",
    ) -> list[Recorded]:
        """Up to `limit` events with seq < `before` (None: the end), newest first; `text` is a case-insensitive
        substring of the stored event."""

    async def find(self, event_id: UUID) -> Recorded | None:
        """The event of that id."""

    async def cursor(self, name: str) -> int:
        """How far a named subscriber has got: the seq of the last event it is done with; 0 for a new one."""

    async def move_cursor(self, name: str, seq: int) -> None:
        """Durably remember how far a named subscriber has got."""

    async def bury(self, letter: DeadLetter) -> None:
        """Keep a dead letter, in the place of an earlier one of the same subscriber and event."""

    async def dead_letters(self, subscriber: str | None = None) -> list[DeadLetter]:
        """All dead letters, or those of one subscriber, oldest first."""

    async def remove_dead_letter(self, subscriber: str, seq: int) -> bool:
        """Forget a dead letter. False when there is none."""

    async def close(self) -> None:
        """Commit what is queued and close the file."""


class ReadModel(Protocol):
    """The incident table on disk: can be thrown away and rebuilt from the log."""

    async def rows(self) -> list[IncidentRow]:
        """All rows, oldest first."""

    async def update(self, rows: Sequence[IncidentRow], cursor: str, seq: int) -> None:
        """Insert or replace rows and move the projector's cursor, in one transaction."""

    async def clear(self, cursor: str) -> None:
        """Throw all rows away and set the cursor to 0."""

    async def whole(self, incident_ids: Collection[UUID], upto: int) -> list[Incident]:
        """These incidents as the log up to event `upto` makes them, archived events included; unknown ones left out."""

    async def touched(self, after: int) -> list[UUID]:
        """The incidents that have events after event `after`, in the order of the first of these."""

    def everyone(self, upto: int) -> AsyncIterator[list[Incident]]:
        """All incidents there ever were as the log up to event `upto` makes them, page by page, oldest first."""


class Latch(Protocol):
    """The kill switch's memory: readable without a database, by a process that is not this one."""

    def read(self) -> Mapping[str, Engagement]:
        """What is engaged, by scope. Raises nothing: an unreadable latch reads as everything engaged."""

    @property
    def released(self) -> Mapping[str, Engagement]:
        """Who released what, and why, by scope; as of the last read."""

    def write(self, engaged: Mapping[str, Engagement], released: Engagement | None = None) -> None:
        """Make it say `engaged`, as a change of what was last read: what another process engaged since then stands.
        `released` says who released, and why. Durable on return. Raises OSError."""


class Engagement(NamedTuple):
    """One engaged scope: who, why, when (ISO 8601, UTC)."""

    scope: str
    by: str
    reason: str
    at: str


class Enricher(Protocol):
    """Adds facts to an incident. Called with a deadline; may raise anything, which becomes EnrichmentFailed."""

    @property
    def name(self) -> str: ...

    @property
    def configured(self) -> bool: ...

    async def enrich(self, incident: Incident) -> Sequence[Finding]: ...


class Analyst(Protocol):
    """Turns an enriched incident into a verdict with evidence."""

    @property
    def name(self) -> str: ...

    async def analyse(self, incident: Incident) -> TriageAnalysis: ...


class Stopped(Exception):
    """The kill switch forbids this action now."""


class Responder(Protocol):
    """Carries actions out. `act` calls `gate` immediately before every single side effect; `gate` raises Stopped."""

    @property
    def name(self) -> str: ...

    @property
    def simulated(self) -> bool: ...

    @property
    def verbs(self) -> frozenset[Verb]: ...

    def preview(self, action: ProposedAction) -> RequestPreview:
        """Exactly what `act` would send, secrets masked; pure. Raises ValueError when it cannot be built."""

    async def act(self, action: ProposedAction, gate: Callable[[], None]) -> Outcome:
        """Do it once. Returns the outcome; a time-out or a lost connection after sending is Result.UNKNOWN."""


class Conditions(Protocol):
    """The CEL expressions of policy and playbooks."""

    def check(self, expression: str) -> None:
        """Raises ValueError, saying where, when `expression` does not parse."""

    def on(self, facts: Mapping[str, object]) -> Callable[[str], bool]:
        """A function that tells whether an expression holds for `facts`; it raises ValueError when it cannot tell."""
