"""Where connectors may connect to: never to link-local and metadata addresses, however they are written."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from warden_desktop.domain.address import Address, unwrapped

_REFUSED = tuple(
    ip_network(network)
    # link-local (with the metadata service of most clouds), and the metadata addresses outside of it
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")
)


def refused(address: str) -> bool:
    """Whether `address`, an IP address in any notation, is one that connectors must not reach."""
    found = _parsed(address)
    return found is not None and any(found in network for network in _REFUSED)


def check_base_url(text: str, *, with_secret: bool, allow_link_local: bool) -> None:
    """Raises ValueError when `text` is no base URL that a connector may use."""
    try:
        url = URL(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{text!r} is not the URL of an HTTP server")
    if url.user or url.password or url.raw_query_string or url.fragment:
        raise ValueError("a base URL has no user, password, query or fragment")
    if not allow_link_local and refused(url.host):
        raise ValueError(f"{url.host} is a link-local or metadata address; a connector may not reach it")
    if url.scheme == "http" and with_secret and not _loopback(url.host):
        raise ValueError(f"{text} would carry the secret in clear text; use https")


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses those that lead to a refused address."""

    def __init__(self, *, allow_link_local: bool) -> None:
        self._names = ThreadedResolver()
        self._allow_link_local = allow_link_local

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises OSError when one of them is refused, or there is none."""
        found = await self._names.resolve(host, port, family)
        for one in found:
            if not self._allow_link_local and refused(one["host"]):
                raise OSError(f"{host} leads to {one['host']}, a link-local or metadata address; it is refused")
        return found

    async def close(self) -> None:
        """Nothing to free."""
        await self._names.close()


def _parsed(address: str) -> Address | None:
    try:
        return unwrapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return None


def _loopback(host: str) -> bool:
    found = _parsed(host)
    return host == "localhost" or (found is not None and found.is_loopback)
