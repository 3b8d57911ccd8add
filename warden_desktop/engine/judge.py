"""Policy applied to the present: guardrails, mode, the facts of an incident, and what was done within the hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from warden_desktop.domain.action import VERBS, ActionState, ProposedAction, Verb
from warden_desktop.domain.address import address_class
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.events import ActionApproved
from warden_desktop.domain.facts import facts_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.policy import Allow, Decision, Guardrails, decide
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.ports import Conditions, Recorded

HOUR = timedelta(hours=1)
_NOT_USED = frozenset(
    {ActionState.WAITING, ActionState.HELD, ActionState.DENIED, ActionState.EXPIRED, ActionState.STALE}
)


class _Use(NamedTuple):
    verb: Verb
    at: datetime


class Judge:
    """Decides on actions as of now, and keeps count of the approved ones for the limits."""

    def __init__(
        self,
        bus: Bus,
        incidents: Incidents,
        guardrails: Guardrails,
        conditions: Conditions,
        mode: Callable[[], Mode],
        clock: Callable[[], datetime],
    ) -> None:
        """Raises ValueError, naming the rule, when a condition of the guardrails does not parse."""
        guardrails.verify(conditions.check)
        self.guardrails = guardrails
        self._incidents = incidents
        self._conditions = conditions
        self._mode = mode
        self._clock = clock
        self._used: dict[UUID, _Use] = {}
        self._reserved: dict[UUID, Verb] = {}
        self._counted_from_log = False
        bus.attach(self._note)

    def decide(self, action: ProposedAction, incident: Incident, *, starting: bool = False) -> Decision:
        """The decision on `action` now. One that is allowed counts at once, so that many at once stay within limits.

        `starting`: it was approved before; of the others only those approved before it count against its limit.
        """
        usage = self._usage(action, self._used.get(action.id) if starting else None)
        decision = decide(action, incident, self.guardrails, self._mode(), self._holds(action, incident), usage)
        if isinstance(decision, Allow):
            self._used.setdefault(action.id, _Use(action.verb, self._clock()))
        return decision

    def reserve(self, action: ProposedAction) -> None:
        """Count `action` against its limit while a person's approval of it is being recorded."""
        self._reserved[action.id] = action.verb

    def unreserve(self, action_id: UUID) -> None:
        """The approval is recorded, and counts as such, or it is not."""
        self._reserved.pop(action_id, None)

    def _holds(self, action: ProposedAction, incident: Incident) -> Callable[[str], bool]:
        @cache
        def bound() -> Callable[[str], bool]:
            return self._conditions.on({**facts_of(incident), "action": facts_of_action(action)})

        return lambda expression: bound()(expression)

    def _usage(self, action: ProposedAction, own: _Use | None) -> Counter[Verb]:
        """How often each limited verb was approved within the hour, this action itself left out."""
        if action.verb not in self.guardrails.limits:
            return Counter()
        self._count_from_log()
        since = self._clock() - HOUR
        self._used = {one: use for one, use in self._used.items() if use.at > since}
        used = {one: use.verb for one, use in self._used.items() if self._counts(one) and (not own or use.at < own.at)}
        meant = used if own else {**used, **self._reserved}
        return Counter(verb for one, verb in meant.items() if one != action.id)

    def _counts(self, action_id: UUID) -> bool:
        """What is no longer in memory has ended, and was used."""
        found = self._incidents.action(action_id)
        return found is None or found[1].state not in _NOT_USED

    def _count_from_log(self) -> None:
        if self._counted_from_log:
            return
        self._counted_from_log = True
        for _, action in self._incidents.actions():
            if action.decided_at is not None:
                self._used.setdefault(action.id, _Use(action.verb, action.decided_at))

    def _note(self, recorded: Recorded) -> None:
        approved = recorded.event
        found = self._incidents.action(approved.action_id) if isinstance(approved, ActionApproved) else None
        if found is not None:
            self._used[found[1].id] = _Use(found[1].verb, approved.at)


def facts_of_action(action: ProposedAction) -> dict[str, object]:
    """What conditions see of an action, as `action`: {verb, risk, reversible, type, target, key, address_class,
    parameters, proposed_by, connector}. `key` is "type:value", as findings name observables; `address_class` is ""
    unless the target is an address. What is missing is "".
    """
    facts, target = VERBS[action.verb], action.target
    kind = target.type.value if target.type else ""
    return {
        "verb": action.verb.value,
        "risk": facts.risk.value,
        "reversible": facts.reversible,
        "type": kind,
        "target": target.value,
        "key": f"{kind}:{target.value}",
        "address_class": address_class(target.value).value if target.type is ObservableType.IP else "",
        "parameters": dict(action.parameters),
        "proposed_by": action.proposed_by,
        "connector": action.connector,
    }
