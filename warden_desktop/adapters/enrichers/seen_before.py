"""Says how many earlier incidents share an observable with this one and how they ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from warden_desktop.adapters.enrichers.observables import Extractor
from warden_desktop.domain.alert import Observable
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

OBSERVABLES_AT_MOST = 50

Ask = Callable[[str, UUID, str], Mapping[str, int]]
"""(value, this incident's id, its category) -> incidents, same_category, false_positive, confirmed, malicious_open."""


class SeenBeforeEnricher:
    """Implements ports.Enricher. Finding "seen_before" per observable that earlier incidents had, most telling first."""

    name = "seen_before"
    configured = True

    def __init__(self, extractor: Extractor, ask: Ask) -> None:
        """`ask` answers from memory: it is called on the loop, once for each observable."""
        self._extractor = extractor
        self._ask = ask

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        observables = self._extractor.observables(incident)[:OBSERVABLES_AT_MOST]
        told = [(one, self._ask(one.value, incident.id, incident.category)) for one in observables]
        known = [(one, past) for one, past in told if past["incidents"]]
        known.sort(key=lambda pair: (pair[1]["malicious_open"], pair[1]["same_category"], pair[1]["incidents"]), reverse=True)
        return tuple(_finding(one, past) for one, past in known)


def _finding(one: Observable, past: Mapping[str, int]) -> Finding:
    return Finding(
        name="seen_before", value=dict(past), detail=_said(one, past), observable=one.key, path=one.path
    )


def _said(one: Observable, past: Mapping[str, int]) -> str:
    ended = [
        f"{past[name]} {words}"
        for name, words in (
            ("malicious_open", "open and judged malicious"),
            ("confirmed", "of this kind confirmed"),
            ("false_positive", "of this kind ended as false positive"),
        )
        if past[name]
    ]
    times = "one earlier incident" if past["incidents"] == 1 else f"{past['incidents']} earlier incidents"
    return f"{one.value} was in {times}" + (f": {', '.join(ended)}" if ended else "")
