"""What kind of address an IP address is: whether it can be somebody outside, or only ever one of ours."""

from __future__ import annotations

import ipaddress
from enum import StrEnum

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressClass(StrEnum):
    """After the IANA special-purpose registries. DOCUMENTATION (RFC 5737, RFC 3849) appears in tests and examples."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link_local"
    CGNAT = "cgnat"
    MULTICAST = "multicast"
    DOCUMENTATION = "documentation"
    UNSPECIFIED = "unspecified"
    RESERVED = "reserved"
    INVALID = "invalid"

    @property
    def outside(self) -> bool:
        """Whether such an address can be blocked without cutting off something of ours."""
        return self in (AddressClass.PUBLIC, AddressClass.DOCUMENTATION)


_DOCUMENTATION = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)
_CGNAT = ipaddress.ip_network("100.64.0.0/10")
_CARRIES_IPV4 = tuple(
    ipaddress.ip_network(network)
    # NAT64 (RFC 6052), local NAT64 (RFC 8215), IPv4-translated (RFC 2765), IPv4-compatible (RFC 4291; not :: and ::1)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")
)
_UNIQUE_LOCAL = ipaddress.ip_network("fc00::/7")
_RFC1918 = tuple(ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def address_class(value: str) -> AddressClass:
    """The class of the address written in `value`; INVALID when it is not one address."""
    try:
        address = unwrapped(ipaddress.ip_address(value.strip()))
    except ValueError:
        return AddressClass.INVALID
    return _class_of(address)


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped, IPv4-compatible, translated, 6to4 or NAT64 one, so that no notation hides
    10.0.0.1."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _CARRIES_IPV4) and int(address) >> 24:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _class_of(address: Address) -> AddressClass:
    if address.is_unspecified:
        return AddressClass.UNSPECIFIED
    if address.is_loopback:
        return AddressClass.LOOPBACK
    if any(address in network for network in _DOCUMENTATION):
        return AddressClass.DOCUMENTATION
    if address in _CGNAT:
        return AddressClass.CGNAT
    if address in _UNIQUE_LOCAL or any(address in network for network in _RFC1918):
        return AddressClass.PRIVATE
    return _rare(address)


def _rare(address: Address) -> AddressClass:
    if address.is_link_local:
        return AddressClass.LINK_LOCAL
    if address.is_multicast:
        return AddressClass.MULTICAST
    return AddressClass.PUBLIC if address.is_global else AddressClass.RESERVED
