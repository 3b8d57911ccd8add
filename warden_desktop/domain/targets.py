"""Who and what an action would touch, however it is written, and whether a protection's pattern means it.

Alerts are written by attackers: case, domain prefixes (`CORP\\dc01`), suffixes (`dc01.corp.example`, `dc01.`, `dc01$`),
letters that look alike or that directories take for the same (accents, Cyrillic), the machine's address and IPv4
addresses inside IPv6 ones must not slip past a protection. And a target is one thing: wildcards, lists and pieces
of a query language are none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from warden_desktop.domain.action import ProposedAction, Target
from warden_desktop.domain.address import Address, unwrapped
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.incident import Incident

_UNSEEN = frozenset({"Cf", "Cc", "Mn", "Me"})
_HOST_PARAMETERS = ("host", "hostname", "device")
_PEOPLE_PARAMETERS = ("user", "username", "account")


_PLAIN: Mapping[ObservableType, re.Pattern[str]] = {
    ObservableType.HOST: re.compile(r"[\w.$:\\-]{1,255}"),
    ObservableType.USER: re.compile(r"[\w .$@+'#~\\-]{1,320}"),
    ObservableType.EMAIL: re.compile(r"[\w.+='#~&!%/-]{1,64}@[\w.-]{1,253}"),
    ObservableType.DOMAIN: re.compile(r"[\w-]+(\.[\w-]+)+\.?"),
    ObservableType.MESSAGE_ID: re.compile(r"[^\s,;]{1,998}"),
    ObservableType.PROCESS: re.compile(r"[^\x00-\x1f\x7f]{1,1024}"),
}
"""What one plain target of each kind looks like. A domain has at least two labels: nobody means all of `com`."""

_ALIKE = str.maketrans(
    "\u0430\u0432\u0441\u0501\u0435\u04bb\u043d\u0456\u0458\u043a\u043c\u043e\u0440\u051b\u0455\u0442\u0443\u0445\u051d"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131\u0111\u0142\u00f8\u0127\u0167\u0261\u3002",
    "abcdehhijkmopqstyxwabehikmvoptyxidlohtg.",
)
"""Letters of other scripts, in lower case, that look like or are searched as a Latin one; and the ideographic dot."""


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
    hosts += [name for host in hosts for name in _inventoried(host, incident)]
    address = address_of(value) if kind is ObservableType.IP else None
    return Subjects(
        hosts=_spellings(hosts, after="\\", before="."),
        people=_spellings(people, after="\\", before="@"),
        addresses=frozenset() if address is None else frozenset({address}),
        domains=_domains(kind, value),
    )


def what_is_odd(target: Target) -> str:
    """Why `target` is not one plain thing of its kind; "" when it is."""
    if target.type is ObservableType.IP:
        single = address_of(target.value) is not None and "%" not in target.value
        return "" if single else "The target is not one single IP address."
    plain = _PLAIN.get(target.type) if target.type else None
    if plain is None or plain.fullmatch(target.value.strip()):
        return ""
    return f"The target is not one plain {target.type}: it is too long, or has characters that no {target.type} has."


def _inventoried(host: str, incident: Incident) -> Iterator[str]:
    """The names that the inventory has for `host`, which may be written as an address."""
    for enrichment in incident.enrichments:
        for finding in enrichment.findings:
            known = finding.value if finding.name == "asset" and isinstance(finding.value, dict) else {}
            if "name" in known and _same(finding.observable.partition(":")[2], host):
                yield str(known["name"])


def _same(one: str, other: str) -> bool:
    return canonical(one) == canonical(other) or (address_of(one) is not None and address_of(one) == address_of(other))


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
    found |= {one.rstrip("$") for one in found}  # as directories name machine accounts
    return frozenset(found - {""})


@lru_cache(maxsize=8192)
def canonical(name: str) -> str:
    """One spelling for all writings of a name: compatibility forms, accents, look-alikes, invisible characters, case
    and a final dot gone."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    kinds = ((one, unicodedata.category(one)) for one in letters)
    shown = "".join("-" if kind == "Pd" else one for one, kind in kinds if kind not in _UNSEEN)
    return shown.translate(_ALIKE).strip().rstrip(". ")


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
