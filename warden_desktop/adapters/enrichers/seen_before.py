"""Says how many earlier incidents share an observable with this one and how they ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from warden_desktop.adapters.enrichers.observables import Extractor
from warden_desktop.domain.alert import Observable
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding
from warden_desktop.engine.recall import Past

OBSERVABLES_AT_MOST = 50

Ask = Callable[[str, UUID, str], Past]
"""(value, this incident's id, its category) -> what other incidents say: `Recall.past`."""


class SeenBeforeEnricher:
    """Implements ports.Enricher. Finding "seen_before" per observable earlier incidents had, most telling first."""

    name = "seen_before"
    configured = True

    def __init__(self, extractor: Extractor, ask: Ask) -> None:
        """`ask` answers from memory: it is called on the loop, once for each observable."""
        self._extractor = extractor
        self._ask = ask

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        observables = self._extractor.observables(incident)[:OBSERVABLES_AT_MOST]
        told = [(one, self._ask(one.value, incident.id, incident.category)) for one in observables]
        known = [(one, past) for one, past in told if past.incidents]
        known.sort(key=_telling, reverse=True)
        return tuple(_finding(one, past) for one, past in known)


def _telling(known: tuple[Observable, Past]) -> tuple[int, int, int]:
    past = known[1]
    return past.malicious_open, past.same_category, past.incidents


def _finding(one: Observable, past: Past) -> Finding:
    detail = _said(one, past)
    return Finding(name="seen_before", value=past._asdict(), detail=detail, observable=one.key, path=one.path)


def _said(one: Observable, past: Past) -> str:
    told = (
        (past.malicious_open, "open and judged malicious"),
        (past.confirmed, "of this kind confirmed"),
        (past.false_positive, "of this kind ended as false positive"),
    )
    ended = ", ".join(f"{count} {words}" for count, words in told if count)
    times = "one earlier incident" if past.incidents == 1 else f"{past.incidents} earlier incidents"
    return f"{one.value} was in {times}" + (f": {ended}" if ended else "")
