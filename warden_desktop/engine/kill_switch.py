"""The kill switch: one press, and nothing more is sent.

Theory of operation: a stop is a scope that is *engaged*, in memory and in the latch file. `check` looks at both, and
runs before an action starts and again immediately before every single send, so a stop holds from the moment either of
the two says so, whichever process pressed it; and what was approved before a stop was released does not start after it
(`check_approval`). `engage` does not wait for anything: on return memory and latch say stop,
and everything in flight in the scope is cancelled. What the stop did is told by events that follow; if they cannot be
recorded, the stop stands all the same. Releasing is the opposite: recorded first, then lifted. Nothing resumes by
itself.

The switch fails towards stopping: an unreadable latch, a scope it does not understand, a race of press and release.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import Any
from uuid import UUID

from warden_desktop.domain.action import ActionState, ProposedAction, Result, Verb
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import (
    ActionHeld,
    Event,
    FaultRaised,
    KillSwitchActivated,
    KillSwitchReceipt,
    KillSwitchReleased,
)
from warden_desktop.domain.incident import Incident
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.ledger import Ledger
from warden_desktop.engine.ports import Engagement, JournalError, Latch, Recorded, Stopped

log = logging.getLogger(__name__)

EVERYTHING = "everything"
LATCH_ITSELF = "latch"
"""The `by` of the stop that an unreadable latch means. It does not lift by itself when the latch can be read again."""

STOPS_LOOKED_AT = 1_000
"""How many of the newest presses and releases are looked at when the application starts."""

LOOK_EVERY = 0.1
"""Seconds between looks at the latch for what another process did."""

WAIT_FOR_THE_LAST = 2.0
"""Seconds the receipt waits for what was cancelled to end; what has not ended by then counts as unknown."""


_DEFINITE = frozenset({Result.SUCCEEDED, Result.FAILED})


class Flight:
    """One attempt to act, as the switch sees it. `gate` must run immediately before every single send."""

    def __init__(self, action: ProposedAction, check: Callable[[ProposedAction], None]) -> None:
        self.action = action
        self.sent = False
        self.stopped = False
        self.result: Result | None = None
        self.cancel: Callable[[], object] = bool
        self.ended = asyncio.Event()
        self.ended_at = 0.0
        self._check = check

    def gate(self) -> None:
        """Raises Stopped when the switch forbids this action now; otherwise what follows counts as sent."""
        self._check(self.action)
        self.sent = True


class KillSwitch:
    """Engages and releases stops. `spawn` owns what follows a stop; `clock` gives aware UTC."""

    def __init__(
        self,
        bus: Bus,
        incidents: Incidents,
        ledger: Ledger,
        latch: Latch,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._bus = bus
        self._incidents = incidents
        self._ledger = ledger
        self._latch = latch
        self._spawn = spawn
        self._clock = clock
        self._seen = latch.read()
        self._engaged: dict[str, Engagement] = dict(self._seen)
        self._flights: set[Flight] = set()
        self._presses = 0
        self._released_at: dict[str, int] = {}
        bus.attach(self._note)

    # --- what stands --------------------------------------------------------------------------------------------

    @property
    def engaged(self) -> Mapping[str, Engagement]:
        """The engaged scopes; a live view."""
        return MappingProxyType(self._engaged)

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return len(self._flights)

    def check(self, action: ProposedAction) -> None:
        """Raises Stopped, saying who stopped it and why, while memory or the latch forbids `action`."""
        for engagement in (*self._engaged.values(), *self._latch.read().values()):
            if covers(engagement.scope, action):
                raise Stopped(
                    f"The kill switch stands for {engagement.scope} (by {engagement.by}, {engagement.at[:19]}): "
                    f"{engagement.reason or 'no reason given'}."
                )

    def check_approval(self, action: ProposedAction, seq: int) -> None:
        """Raises Stopped while `action` is forbidden, and when its approval, recorded as `seq`, is from before a
        release: nothing resumes by itself."""
        self.check(action)
        for scope, released_at in self._released_at.items():
            if seq <= released_at and covers(scope, action):
                raise Stopped(f"It was approved before the stop of {scope} was released; it must be approved again.")

    def _note(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, KillSwitchReleased):
            self._released_at[recorded.event.scope] = recorded.seq

    @contextmanager
    def flight(self, action: ProposedAction) -> Iterator[Flight]:
        """Register an attempt for as long as it lasts, so that a stop can cancel it."""
        flight = Flight(action, self.check)
        self._flights.add(flight)
        try:
            yield flight
        finally:
            self._flights.discard(flight)
            flight.ended_at = perf_counter()
            flight.ended.set()

    # --- engaging -----------------------------------------------------------------------------------------------

    def engage(self, scope: str = EVERYTHING, *, reason: str, actor: str) -> None:
        """Stop `scope`: "everything", "connector:NAME", "verb:NAME" or "incident:ID". On return nothing new can start
        and what was in flight is cancelled. Engaging what stands already gives it `reason`, so that one may stop first
        and explain afterwards. Raises DeskError only for a scope of no known form."""
        pressed = perf_counter()
        check_scope(scope)
        engagement = Engagement(scope, actor, reason, self._clock().isoformat())
        fresh = self._stand(engagement, pressed)
        try:
            self._latch.write({**self._latch.read(), **self._engaged})
            self._seen = self._latch.read()
        except OSError as error:
            self._fault(f"The stop stands, but not in the latch file: {error}. It would not survive a restart.")
        log.warning("kill switch engaged for %s by %s%s", scope, actor, "" if fresh else " (it stood already)")

    def _stand(self, engagement: Engagement, pressed: float) -> bool:
        standing = self._engaged.get(engagement.scope)
        self._presses += 1
        self._engaged[engagement.scope] = _explained(standing, engagement.reason) if standing else engagement
        hit = self._cancel(engagement.scope)
        if standing is None or hit:
            self._tell(engagement, hit, pressed)
        elif self._engaged[engagement.scope] != standing:
            self._publish(_activated(engagement))
        return standing is None

    def _cancel(self, scope: str) -> list[Flight]:
        hit = [flight for flight in self._flights if covers(scope, flight.action)]
        for flight in hit:
            flight.stopped = True
            flight.cancel()
        return hit

    def _tell(self, engagement: Engagement, hit: list[Flight], pressed: float) -> None:
        """Nothing here may undo the stop, so nothing here may raise."""
        activated = _activated(engagement)
        settling = self._settle(activated, hit, pressed, perf_counter())
        try:
            self._bus.publish_with_fallback(activated)
            self._spawn(settling)
        except Exception:
            settling.close()
            log.exception("the kill switch stands, but what it did cannot be recorded")

    async def _settle(self, cause: KillSwitchActivated, hit: list[Flight], pressed: float, stood: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_FOR_THE_LAST):
                for flight in hit:
                    await flight.ended.wait()
        last = max([stood, *(flight.ended_at or perf_counter() for flight in hit)])
        held = await self._hold(cause)
        receipt = KillSwitchReceipt.because(
            cause, actor=cause.actor, scope=cause.scope, milliseconds=(last - pressed) * 1000, **_sorted_out(hit, held)
        )
        self._bus.publish_with_fallback(receipt)

    async def _hold(self, cause: KillSwitchActivated) -> list[UUID]:
        """Mark what was approved and has not started. It cannot start either way: the gate is shut."""
        queued = [
            (incident.id, action.id)
            for incident, action in self._incidents.actions()
            if action.state is ActionState.APPROVED and covers(cause.scope, action.proposed)
        ]
        for incident_id, action_id in queued:
            try:
                await self._ledger.record(incident_id, partial(_held, action_id=action_id, cause=cause))
            except (PublishError, JournalError, LookupError) as error:
                log.error("action %s is stopped, but that is not recorded: %s", action_id, error)
        return [action_id for _, action_id in queued]

    # --- releasing ----------------------------------------------------------------------------------------------

    async def release(self, scope: str = EVERYTHING, *, reason: str, actor: str) -> None:
        """Lift a stop, once that is recorded. Held actions stay held. Raises DeskError; then the stop stands."""
        self.look()
        if scope not in self._engaged:
            raise DeskError("not_engaged", f"The kill switch does not stand for {scope}.")
        presses, engagement, latched = self._presses, self._engaged[scope], self._latch.read().get(scope)
        try:
            await self._bus.publish(KillSwitchReleased(actor=actor, scope=scope, reason=reason))
        except PublishError as error:
            raise DeskError("not_recorded", f"Not released: it could not be recorded. {error}") from error
        if presses != self._presses or _pressed_anew(latched, self._latch.read().get(scope)):
            self._stands_after_all(engagement)
            raise DeskError("stopped", "Not released: the kill switch was pressed again meanwhile.")
        self._lift(scope, engagement, Engagement(scope, actor, reason, self._clock().isoformat()))
        log.warning("kill switch released for %s by %s", scope, actor)

    def _lift(self, scope: str, engagement: Engagement, released: Engagement) -> None:
        standing = {**self._latch.read(), **self._engaged}
        standing.pop(scope, None)
        try:
            self._latch.write(standing, released)
        except OSError as error:
            self._stands_after_all(engagement)
            raise DeskError("latch", f"Not released: the latch file cannot be written ({error}).") from error
        self._seen = self._latch.read()
        self._engaged.pop(scope, None)

    def _stands_after_all(self, engagement: Engagement) -> None:
        self._bus.publish_with_fallback(_activated(engagement))

    # --- other processes ----------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Follow what other processes do to the latch, for as long as the application runs."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY)

    def look(self) -> None:
        """Look at the latch once: engage here what another process engaged, lift what it released. A latch that cannot
        be read releases nothing, and what it does not have yet is written to it."""
        seen, now = self._seen, self._latch.read()
        for scope, engagement in now.items():
            if scope not in self._engaged:
                self._stand(engagement, perf_counter())
        if _by_latch(now):
            return
        self._seen = now
        for scope in seen.keys() - now.keys():
            if scope in self._engaged and (scope in self._latch.released or self._engaged[scope].by != LATCH_ITSELF):
                self._lifted_elsewhere(scope)
        if self._engaged.keys() - now.keys():
            self._write_again()

    def _lifted_elsewhere(self, scope: str) -> None:
        del self._engaged[scope]
        self._released_at[scope] = self._bus.last_seq
        self._publish(self._release_of(scope))

    def _release_of(self, scope: str) -> KillSwitchReleased:
        told = self._latch.released.get(scope)
        actor, reason = (told.by, told.reason) if told else (LATCH_ITSELF, "released by another process")
        return KillSwitchReleased(actor=actor, scope=scope, reason=reason)

    def _write_again(self) -> None:
        with suppress(OSError):  # told when it failed first; tried again at the next look
            self._latch.write({**self._latch.read(), **self._engaged})
            self._seen = self._latch.read()

    async def recover(self) -> None:
        """Call before the bus starts: record what was pressed and released while the application was down."""
        kinds = ("kill_switch_activated", "kill_switch_released")
        told = await self._bus.history(None, STOPS_LOOKED_AT, kinds=kinds)
        stood: dict[str, Engagement] = {}
        for recorded in reversed(told):
            self._note(recorded)
            if isinstance(recorded.event, KillSwitchActivated):
                stood[recorded.event.scope] = _told(recorded.event)
            elif isinstance(recorded.event, KillSwitchReleased):
                stood.pop(recorded.event.scope, None)
        if _by_latch(self._engaged):
            self._engaged = {**stood, **self._engaged}
        missed = [_activated(self._engaged[scope]) for scope in self._engaged.keys() - stood.keys()]
        events = [*missed, *map(self._release_of, stood.keys() - self._engaged.keys())]
        if events:
            await self._bus.publish(*events)

    def _fault(self, detail: str) -> None:
        log.error("%s", detail)
        self._publish(
            FaultRaised(actor="kill_switch", component="kill_switch", severity=Severity.CRITICAL, detail=detail)
        )

    def _publish(self, event: Event) -> None:
        try:
            self._bus.publish_with_fallback(event)
        except Exception:
            log.exception("not recorded: %s", event.kind)


def covers(scope: str, action: ProposedAction) -> bool:
    """Whether a stop of `scope` forbids `action`. What is no scope we know, a typing error perhaps, forbids all."""
    kind, _, name = scope.partition(":")
    if kind == "connector" and name:
        return action.connector == name
    if kind == "verb" and name in set(Verb):
        return action.verb == name
    return not (kind == "incident" and _is_id(name)) or str(action.incident_id) == name


def _pressed_anew(before: Engagement | None, now: Engagement | None) -> bool:
    return now is not None and now != before and now.by != LATCH_ITSELF


def _by_latch(engaged: Mapping[str, Engagement]) -> bool:
    return EVERYTHING in engaged and engaged[EVERYTHING].by == LATCH_ITSELF


def _told(event: KillSwitchActivated) -> Engagement:
    return Engagement(event.scope, event.actor, event.reason, event.at.isoformat())


def _explained(standing: Engagement, reason: str) -> Engagement:
    return standing._replace(reason=reason or standing.reason)


def _activated(engagement: Engagement) -> KillSwitchActivated:
    return KillSwitchActivated(actor=engagement.by, scope=engagement.scope, reason=engagement.reason)


def check_scope(scope: str) -> None:
    """Raises DeskError when `scope` is not everything, connector:NAME, verb:NAME or incident:ID."""
    kind, _, name = scope.partition(":")
    known = scope == EVERYTHING or (kind == "connector" and name) or (kind == "verb" and name in set(Verb))
    if not known and not (kind == "incident" and _is_id(name)):
        raise DeskError(
            "unknown_scope", f"{scope!r} is no scope. Use everything, connector:NAME, verb:NAME or incident:ID."
        )


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _held(incident: Incident, action_id: UUID, cause: KillSwitchActivated) -> list[Event]:
    action = incident.action(action_id)
    if action is None or action.state is not ActionState.APPROVED:
        return []
    return [
        ActionHeld.because(
            cause, actor=cause.actor, part=str(action_id), incident_id=incident.id, action_id=action_id,
            reason=f"The kill switch stands for {cause.scope}.",
        )
    ]  # fmt: skip


def _sorted_out(hit: list[Flight], held: list[UUID]) -> dict[str, Any]:
    """Held or stopped before anything was sent; sent, but what came of it is unknown; sent and over before the stop."""
    unsent = [flight.action.id for flight in hit if not flight.sent]
    definite = [flight.action.id for flight in hit if flight.sent and flight.result in _DEFINITE]
    unknown = [flight.action.id for flight in hit if flight.action.id not in {*unsent, *definite}]
    return {
        "held": tuple(dict.fromkeys((*held, *unsent))),
        "unknown": tuple(unknown),
        "already_sent": tuple(definite),
    }
