"""What follows by itself: a ticket that was created is linked, and what policy may close is closed."""

from __future__ import annotations

import json
from collections.abc import Callable

from warden_desktop.domain.action import ActionState, Result, Verb
from warden_desktop.domain.actor import person_of
from warden_desktop.domain.events import (
    ActionExecuted,
    Event,
    IncidentResolved,
    StatusChanged,
    TicketCreated,
)
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.policy import AutoClose, Guardrails
from warden_desktop.domain.status import Status
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ledger import Ledger
from warden_desktop.engine.ports import Recorded

_KEYS = ("key", "number", "ticket", "id")
_URLS = ("url", "html_url", "link")
_LOOSE_ENDS = frozenset({ActionState.FAILED, ActionState.UNKNOWN, ActionState.STALE})


class Followup:
    """Answers outcomes with what follows from them."""

    def __init__(self, bus: Bus, ledger: Ledger, guardrails: Guardrails, mode: Callable[[], Mode]) -> None:
        self._ledger = ledger
        self._guardrails = guardrails
        self._mode = mode
        bus.subscribe("followup", self._on_event, kinds=(ActionExecuted, StatusChanged))

    async def _on_event(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, ActionExecuted) and event.outcome.result is Result.SUCCEEDED:
            await self._ledger.record(event.incident_id, lambda incident: _ticket(incident, event))
        elif isinstance(event, StatusChanged) and event.new is Status.PENDING_REVIEW:
            await self._ledger.record(event.incident_id, lambda incident: self._closed(incident, event))

    def _closed(self, incident: Incident, cause: StatusChanged) -> list[Event]:
        rule = self._guardrails.auto_close
        if rule is None or self._mode() is not Mode.AUTONOMOUS or person_of(cause.actor):
            return []
        if incident.status is not Status.PENDING_REVIEW or not _may_close(rule, incident):
            return []
        reason = f"auto_close: {rule.verdict} with confidence of at least {rule.min_confidence:.0%}"
        return [
            IncidentResolved.because(cause, actor="policy", resolution=Status.FALSE_POSITIVE, reason=reason),
            StatusChanged.because(cause, actor="policy", old=incident.status, new=Status.FALSE_POSITIVE, reason=reason),
        ]


def _may_close(rule: AutoClose, incident: Incident) -> bool:
    analysis = incident.analysis
    if analysis is None or incident.severity.rank > rule.max_severity.rank:
        return False
    if any(action.state in _LOOSE_ENDS for action in incident.actions):
        return False
    sure = analysis.verdict is rule.verdict and analysis.confidence >= rule.min_confidence
    return sure and analysis.analyst in rule.analysts


def _ticket(incident: Incident, cause: ActionExecuted) -> list[Event]:
    action = incident.action(cause.action_id)
    if action is None or action.verb is not Verb.CREATE_TICKET:
        return []
    key, url = _named(action, cause.outcome.response)
    return [
        TicketCreated.because(
            cause, actor="followup", system=action.proposed.connector, key=key, url=url, simulated=cause.simulated
        )
    ]


def _named(action: Action, response: str) -> tuple[str, str]:
    """The ticket's key and address out of what the ticket system answered; a key of our own when it names none."""
    try:
        answer = json.loads(response)
    except (ValueError, RecursionError):
        answer = None
    told = {name: str(value)[:256] for name, value in answer.items()} if isinstance(answer, dict) else {}
    key = next((told[name] for name in _KEYS if told.get(name)), f"{action.proposed.connector}-{str(action.id)[:8]}")
    return key, next((told[name] for name in _URLS if told.get(name)), "")
