"""Policy applied to the present: guardrails, mode, the facts of an incident, and what was done within the hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
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
        self._approved: dict[UUID, datetime] = {}
        self._counted_from_log = False
        bus.attach(self._note)

    def decide(self, action: ProposedAction, incident: Incident) -> Decision:
        """The decision on `action` now. One that is allowed counts at once, so that many at once stay within limits."""
        decision = decide(
            action, incident, self.guardrails, self._mode(), self._holds(action, incident), self._usage(action)
        )
        if isinstance(decision, Allow):
            self._approved[action.id] = self._clock()
        return decision

    def _holds(self, action: ProposedAction, incident: Incident) -> Callable[[str], bool]:
        @cache
        def bound() -> Callable[[str], bool]:
            return self._conditions.on({**facts_of(incident), "action": facts_of_action(action)})

        return lambda expression: bound()(expression)

    def _usage(self, action: ProposedAction) -> Counter[Verb]:
        """How often each limited verb was approved within the hour, this action itself left out."""
        if action.verb not in self.guardrails.limits:
            return Counter()
        self._count_from_log()
        since = self._clock() - HOUR
        self._approved = {one: at for one, at in self._approved.items() if at > since}
        found = (self._incidents.action(one) for one in self._approved if one != action.id)
        return Counter(one[1].verb for one in found if one is not None and one[1].state not in _NOT_USED)

    def _count_from_log(self) -> None:
        if self._counted_from_log:
            return
        self._counted_from_log = True
        for _, action in self._incidents.actions():
            if action.decided_at is not None and action.id not in self._approved:
                self._approved[action.id] = action.decided_at

    def _note(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, ActionApproved):
            self._approved[recorded.event.action_id] = recorded.event.at


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
