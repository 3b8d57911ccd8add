"""Who and what an action would touch, however it is written, and whether a protection's pattern means it.

Alerts are written by attackers: case, domain prefixes (`CORP\\dc01`), suffixes (`dc01.corp.example`, `dc01.`),
full-width letters and IPv4 addresses inside IPv6 ones must not slip past a protection.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from warden_desktop.domain.action import ProposedAction
from warden_desktop.domain.address import Address, unwrapped
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.incident import Incident

_HOST_PARAMETERS = ("host", "hostname", "device")
_PEOPLE_PARAMETERS = ("user", "username", "account")


class Subjects(NamedTuple):
    """Every spelling of what an action touches, by kind; names in their canonical form."""

    hosts: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    addresses: frozenset[Address] = frozenset()
    domains: frozenset[str] = frozenset()


def subjects_of(action: ProposedAction, incident: Incident) -> Subjects:
    """What `action` touches: its target, what its parameters name, and for a process the incident's target."""
    kind, value = action.target.type, action.target.value
    hosts = [value] if kind is ObservableType.HOST else _named(action, _HOST_PARAMETERS)
    if kind is ObservableType.PROCESS:
        hosts.append(incident.target)
    people = [value] if kind in (ObservableType.USER, ObservableType.EMAIL) else _named(action, _PEOPLE_PARAMETERS)
    address = address_of(value) if kind is ObservableType.IP else None
    return Subjects(
        hosts=_spellings(hosts, after="\\", before="."),
        people=_spellings(people, after="\\", before="@"),
        addresses=frozenset() if address is None else frozenset({address}),
        domains=_domains(kind, value),
    )


def _named(action: ProposedAction, names: Collection[str]) -> list[str]:
    found = (value for name, value in action.parameters.items() if name.casefold() in names)
    return [value for value in found if isinstance(value, str)]


def _domains(kind: ObservableType | None, value: str) -> frozenset[str]:
    if kind is ObservableType.DOMAIN:
        return frozenset({canonical(value)})
    return frozenset({canonical(value).rpartition("@")[2]}) if kind is ObservableType.EMAIL else frozenset()


def _spellings(values: Collection[str], after: str, before: str) -> frozenset[str]:
    found = set()
    for value in map(canonical, values):
        short = value.rpartition(after)[2]
        # An address is one name: its first number is not a host.
        found |= {value, short} if address_of(short) else {value, short, short.partition(before)[0]}
    return frozenset(found - {""})


@lru_cache(maxsize=8192)
def canonical(name: str) -> str:
    """One spelling for all writings of a name: compatibility forms, invisible characters, case and a final dot gone."""
    shown = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) not in ("Cf", "Cc"))
    return shown.strip().rstrip(".").casefold()


def address_of(value: str) -> Address | None:
    """The single address written in `value`, out of any IPv6 wrapping; None when it is not one."""
    try:
        return unwrapped(ip_address(value.strip()))
    except ValueError:
        return None


def hits_name(pattern: str, names: Collection[str]) -> bool:
    """Whether a pattern with `*` and `?` means one of the (canonical) names."""
    wanted = canonical(pattern)
    return any(fnmatchcase(name, wanted) for name in names)


def hits_network(network: str, addresses: Collection[Address]) -> bool:
    """Whether one of the addresses is in the network; an address of the other IP version never is."""
    wanted = ip_network(network)
    return any(address in wanted for address in addresses)


def hits_domain(pattern: str, domains: Collection[str]) -> bool:
    """Whether a pattern means one of the domains, one below it, or one above it: blocking `example` blocks all."""
    wanted = canonical(pattern)
    return any(
        fnmatchcase(domain, wanted) or domain.endswith("." + wanted) or wanted.endswith("." + domain)
        for domain in domains
    )
