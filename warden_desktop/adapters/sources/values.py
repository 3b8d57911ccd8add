"""Values as they come from outside, made into text and observables, or into nothing when they are not what they claim.

What identifies something (an address, a host, a hash) is never cut or repaired: acting on half of it would hit
something else. It is left out then, and stays in the raw delivery.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from warden_desktop.domain.alert import ObservableType

LONGEST = 4096
ITEMS = 100
"""Elements looked at in one list."""


def text(value: object, limit: int = LONGEST) -> str:
    """A scalar as text, cut at `limit`; "" for null, lists and objects."""
    if isinstance(value, str):
        return value[:limit]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:limit] if isinstance(value, int | float) else ""


def line(value: object, limit: int = 1024) -> str:
    """A scalar as one line: runs of blanks, line ends and control characters become one space."""
    word = text(value, limit * 2)
    if not word.isprintable() or "  " in word:
        word = _BLANKS.sub(" ", word)
    return word.strip()[:limit].strip()


def scalars(value: object) -> Iterator[tuple[str, object]]:
    """The scalars of a value: itself, or the elements of a list, each with what its path needs appended."""
    if isinstance(value, list):
        for index, element in enumerate(value[:ITEMS]):
            if isinstance(element, str | int | float):
                yield f"[{index}]", element
    elif isinstance(value, str | int | float):
        yield "", value


def attribute(value: object) -> str | int | float | bool | None:
    """What an alert keeps of a value: scalars as they are (text cut), lists of scalars joined, nothing of the rest."""
    if value is None:
        return None
    if isinstance(value, str):
        return value[:LONGEST] or None
    if isinstance(value, bool | int | float):
        return value
    joined = ", ".join(text(element, 512) for _, element in scalars(value))
    return joined[:LONGEST] or None


def observed(kind: ObservableType, value: object) -> tuple[ObservableType, str] | None:
    """The observable a value is: its type (a host that is an address is an IP) and its normal form; None when it is not
    one."""
    word = text(value, LONGEST + 1).strip()
    if not word or len(word) > LONGEST:
        return None
    if kind in _MAY_BE_ADDRESS:
        address = _ip(word)
        if address:
            return ObservableType.IP, address
    normal = _CHECKS[kind](word)
    return (kind, normal) if normal else None


_ADDRESS = re.compile(r"[0-9A-Fa-f:.\[\]]+")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])?")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s\x00-\x1f\x7f]+")
_EMAIL = re.compile(r"[^@\s<>\x00-\x1f]{1,64}@[^@\s<>\x00-\x1f]{1,253}")
_IN_BRACKETS = re.compile(r"<([^<>]*)>\s*\Z")
_HASH = re.compile(r"[0-9a-fA-F]+")
_HASH_LENGTHS = frozenset({32, 40, 56, 64, 96, 128})


def _ip(word: str) -> str:
    if len(word) > 64 or not _ADDRESS.fullmatch(word):
        return ""
    try:
        return str(ipaddress.ip_address(word.strip("[]")))
    except ValueError:
        return ""


def _domain(word: str) -> str:
    name = word.rstrip(".").lower()
    return name if _DOMAIN.fullmatch(name) else ""


def _url(word: str) -> str:
    return word if _URL.fullmatch(word) else ""


def _email(word: str) -> str:
    inside = _IN_BRACKETS.search(word[-512:])
    address = inside.group(1).strip() if inside else word
    return address.lower() if _EMAIL.fullmatch(address) else ""


def _hash(word: str) -> str:
    return word.lower() if len(word) in _HASH_LENGTHS and _HASH.fullmatch(word) else ""


def _name(longest: int) -> Callable[[str], str]:
    return lambda word: word if len(word) <= longest and not _CONTROL.search(word) else ""


def _host(word: str) -> str:
    return word if len(word) <= 253 and not _BLANKS.search(word) else ""


_T = ObservableType
_MAY_BE_ADDRESS = frozenset({_T.HOST, _T.DOMAIN})
_CHECKS: dict[ObservableType, Callable[[str], str]] = {
    _T.IP: _ip,
    _T.DOMAIN: _domain,
    _T.URL: _url,
    _T.EMAIL: _email,
    _T.MESSAGE_ID: _name(998),
    _T.HASH: _hash,
    _T.HOST: _host,
    _T.USER: _name(256),
    _T.FILE: lambda word: word,
    _T.PROCESS: lambda word: word,
    _T.COMMAND: lambda word: word,
}
