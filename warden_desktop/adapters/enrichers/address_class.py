"""Says of every address whether it is public, private, loopback, documentation and so on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from warden_desktop.adapters.enrichers.observables import Extractor
from warden_desktop.domain.address import AddressClass, address_class
from warden_desktop.domain.alert import ObservableType, Role
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

ADDRESSES_AT_MOST = 50

_SAID = {
    AddressClass.PUBLIC: "is a public address",
    AddressClass.PRIVATE: "is a private address: one of ours",
    AddressClass.LOOPBACK: "is the machine itself",
    AddressClass.LINK_LOCAL: "is a link-local address: on the same cable",
    AddressClass.CGNAT: "is a shared carrier address (RFC 6598): many subscribers stand behind it",
    AddressClass.MULTICAST: "is a multicast address: a group, not a machine",
    AddressClass.DOCUMENTATION: "is an address reserved for documentation: only examples use it",
    AddressClass.UNSPECIFIED: "is the unspecified address",
    AddressClass.RESERVED: "is a reserved address: nobody should use it",
    AddressClass.INVALID: "is not an address",
}


class AddressClassEnricher:
    """Implements ports.Enricher. Finding "address_class" for each address; "actor_class" for the first acting one."""

    name = "address_class"
    configured = True

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        return tuple(_classified(incident, self._extractor))


def _classified(incident: Incident, extractor: Extractor) -> Iterator[Finding]:
    addresses = [one for one in extractor.observables(incident) if one.type is ObservableType.IP]
    actor_told = False
    for one in addresses[:ADDRESSES_AT_MOST]:
        kind = address_class(one.value)
        detail = f"{one.value} {_SAID[kind]}"
        yield Finding(name="address_class", value=kind.value, detail=detail, observable=one.key, path=one.path)
        if one.role is Role.ACTOR and not actor_told:
            actor_told = True
            yield Finding(name="actor_class", value=kind.value, detail=detail, observable=one.key, path=one.path)
