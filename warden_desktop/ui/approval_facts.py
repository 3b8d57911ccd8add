"""What an approver must know before deciding, worked out from the incident and from what was done before."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from warden_desktop.domain.action import VERBS, Level, Risk
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.verdict import Evidence, Finding
from warden_desktop.engine.kill_switch import covers
from warden_desktop.ui.words import odd_characters

TYPED_AT_MOST = 64
"""A longer target is confirmed by its first characters only: the point is a deliberate act, not a typing test."""

_TYPED_OF_LONG = 24
SHOWN_ODD = 12


def oddities(value: str) -> tuple[str, ...]:
    """What in `value` may not be what it seems: odd characters with their code points, spaces at the ends."""
    edges = ("a space at its end or beginning (U+0020)",) if value != value.strip(" ") else ()
    return (*odd_characters(value)[:SHOWN_ODD], *edges)


class Blast(NamedTuple):
    """How far this reaches: real uses of the verb in the last hour and day, those under way, and what was done to the
    same target before, newest first."""

    this_hour: int
    this_day: int
    under_way: int
    before: tuple[Action, ...]


def blast(known: Iterable[tuple[Incident, Action]], action: Action, at: datetime) -> Blast:
    """What `known` actions say about doing `action` at the instant `at`. Simulated uses reach nothing: not counted."""
    hour = day = under_way = 0
    before = []
    for _, other in known:
        if other.started_at is None or other.id == action.id:
            continue
        if other.target == action.target:
            before.append(other)
        if other.verb is action.verb and not other.simulated:
            hour += at - other.started_at <= timedelta(hours=1)
            day += at - other.started_at <= timedelta(days=1)
            under_way += other.finished_at is None
    before.sort(key=lambda one: one.started_at or at, reverse=True)
    return Blast(hour, day, under_way, tuple(before[:3]))


def cited(incident: Incident, action: Action) -> tuple[Evidence, ...]:
    """The evidence the proposal cites, weightiest first."""
    evidence = incident.analysis.evidence if incident.analysis else ()
    wanted = frozenset(action.proposed.evidence)
    return tuple(sorted((one for one in evidence if one.id in wanted), key=lambda one: -abs(one.weight)))


def known_of_target(incident: Incident, action: Action) -> tuple[Finding, ...]:
    """What enrichers found about the very thing that would be acted on: its owner, its class, its history."""
    key = f"{action.target.type}:{action.target.value}"
    return tuple(
        finding for enrichment in incident.enrichments for finding in enrichment.findings if finding.observable == key
    )


def to_type(action: Action) -> str:
    """What must be typed to confirm what cannot be undone; "" when nothing must."""
    facts = VERBS[action.verb]
    if facts.reversible or facts.risk.rank < Risk.MEDIUM.rank:
        return ""
    value = action.target.value.strip()
    return value if len(value) <= TYPED_AT_MOST else value[:_TYPED_OF_LONG].strip()


def decisive(action: Action) -> bool:
    """Whether what is shown is what would be bound: the proposal's digest is the one approval was asked for."""
    return bool(action.digest) and action.digest == action.proposed.digest and action.request is not None


def needed(action: Action) -> Level:
    """Who must approve."""
    return action.level or Level.ANALYST


def time_left(action: Action, at: datetime) -> timedelta:
    """How long until nobody may approve it any more; zero when that has passed."""
    return max(action.proposed.expires_at - at, timedelta())


def stopped_by(engaged: Collection[str], action: Action) -> str:
    """The scope of the kill switch that holds the action; "" when none does."""
    return next((scope for scope in engaged if covers(scope, action.proposed)), "")
