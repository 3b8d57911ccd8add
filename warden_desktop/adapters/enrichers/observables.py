"""Extracts further observables from an incident's free text, and what follows from those it has (a URL's host)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from warden_desktop.adapters.enrichers.encoded import decoded_commands
from warden_desktop.adapters.enrichers.text import READ_AT_MOST, host_of, host_type, sightings
from warden_desktop.domain.address import AddressClass, address_class
from warden_desktop.domain.alert import Alert, Observable, ObservableType, Role
from warden_desktop.domain.facts import OBSERVABLE_FINDING
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

KEPT: Final = 128
"""Incidents whose extraction is remembered, since several enrichers ask for the same one."""

EXTRACTED_AT_MOST: Final = 100

_COMMANDS = frozenset({ObservableType.COMMAND, ObservableType.PROCESS})
_LINKED = frozenset({Role.INFRASTRUCTURE, Role.ACTOR})


class Extractor:
    """What an incident's text holds beyond its observables. One instance serves all enrichers."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, int], tuple[Finding, ...]] = OrderedDict()

    def findings(self, incident: Incident) -> tuple[Finding, ...]:
        """Findings named "observable" and "decoded_command", each observable once and none the alerts already name."""
        key = (incident.id, incident.alert_count)
        if key not in self._kept:
            self._kept[key] = tuple(_extracted(incident))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def observables(self, incident: Incident) -> tuple[Observable, ...]:
        """The incident's own observables, then the extracted ones."""
        return (*incident.observables, *(_observable(one) for one in self.findings(incident) if _is_one(one)))


class ObservableEnricher:
    """Implements ports.Enricher: what the text names becomes observables that playbooks and the window can use."""

    name = "observables"
    configured = True

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        return self._extractor.findings(incident)


def _extracted(incident: Incident) -> Iterator[Finding]:
    known = {one.key.casefold() for one in incident.observables}
    extracted = 0
    for finding in _candidates(incident):
        if finding.name != OBSERVABLE_FINDING:
            yield finding
        elif finding.observable.casefold() not in known and extracted < EXTRACTED_AT_MOST:
            known.add(finding.observable.casefold())
            extracted += 1
            yield finding


def _candidates(incident: Incident) -> Iterator[Finding]:
    for seen in incident.observables[:EXTRACTED_AT_MOST]:
        yield from _implied(seen)
    yield from _nameless(incident)
    for path, text, is_command in _read(incident):
        yield from _told(path, text, is_command)


def _implied(seen: Observable) -> Iterator[Finding]:
    """A URL implies its host, a mail address its domain, with the same part in the story."""
    if seen.type is ObservableType.URL:
        host = host_of(seen.value)
        if host:
            one = Observable(type=host_type(host), value=host, role=seen.role, path=seen.path)
            yield found_observable(one, "the URL")
    elif seen.type is ObservableType.EMAIL and "@" in seen.value:
        domain = seen.value.rpartition("@")[2].strip("<> ").lower()
        if "." in domain:
            role = Role.INFRASTRUCTURE if seen.role in _LINKED else seen.role
            one = Observable(type=ObservableType.DOMAIN, value=domain, role=role, path=seen.path)
            yield found_observable(one, "the mail address")


def _nameless(incident: Incident) -> Iterator[Finding]:
    """When no host is named, our own machine goes by its address."""
    if any(one.type is ObservableType.HOST for one in incident.observables):
        return
    for one in incident.observables:
        ours = one.type is ObservableType.IP and address_class(one.value) is AddressClass.PRIVATE
        if ours and one.role in (Role.VICTIM, Role.ACTOR):
            host = Observable(type=ObservableType.HOST, value=one.value, role=one.role, path=one.path)
            yield found_observable(host, "its address; no host is named")


def _read(incident: Incident) -> Iterator[tuple[str, str, bool]]:
    """The texts of the first and the newest alerts, each once, READ_AT_MOST characters in all."""
    left, known = READ_AT_MOST, set[str]()
    for alert in (incident.alerts[0], *incident.alerts[-4:][::-1]):
        for path, text, is_command in _texts(alert):
            if text not in known and left > 0:
                known.add(text)
                yield path, text[:left], is_command
                left -= len(text)


def _told(path: str, text: str, is_command: bool) -> Iterator[Finding]:
    yield from _in_text(text, path, Role.INFRASTRUCTURE if is_command else Role.UNKNOWN)
    for decoded in decoded_commands(text):
        detail = f"The encoded command says: {decoded[:200]}"
        yield Finding(name="decoded_command", value=decoded, detail=detail, path=path)
        yield from _in_text(decoded, path, Role.INFRASTRUCTURE)


def _texts(alert: Alert) -> Iterator[tuple[str, str, bool]]:
    for seen in alert.observables[:EXTRACTED_AT_MOST]:
        if seen.type in _COMMANDS:
            yield seen.path, seen.value, True
    yield "title", alert.title, False
    yield "description", alert.description, False
    for name, value in alert.attributes.items():
        if isinstance(value, str):
            yield name, value, False


def _in_text(text: str, path: str, role: Role) -> Iterator[Finding]:
    if len(text) < 6:
        return
    for found in sightings(text):
        linked = role is Role.UNKNOWN and (found.type is ObservableType.URL or found.defanged)
        part = Role.INFRASTRUCTURE if linked else role
        one = Observable(type=found.type, value=found.value[:4096], role=part, path=path)
        yield found_observable(one, path or "the text")


def found_observable(one: Observable, place: str) -> Finding:
    """The finding that makes `one` an observable of the incident; `place` says in words where it was found."""
    return Finding(
        name=OBSERVABLE_FINDING,
        value={"type": one.type.value, "value": one.value, "role": one.role.value},
        detail=f"{one.type} {one.value[:200]} was found in {place}",
        observable=one.key,
        path=one.path,
    )


def _is_one(finding: Finding) -> bool:
    return finding.name == OBSERVABLE_FINDING


def _observable(finding: Finding) -> Observable:
    told = finding.value
    assert isinstance(told, dict)
    return Observable.model_validate({**told, "path": finding.path})
