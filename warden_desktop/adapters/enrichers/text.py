"""Finds addresses, domains, URLs, mail addresses and hashes in free text, defanged forms included.

Every pattern is a single run of a character class with a bound, so that hostile text costs time in proportion to its
length. What looks like a domain counts only with a known top-level domain; one that is also a file ending ("run.sh",
"script.py") counts only inside a URL, a mail address or a defanged form.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from warden_desktop.domain.alert import ObservableType

READ_AT_MOST: Final = 8_192
"""Characters of text that are searched: the worst text of this length takes some 4 ms."""

FOUND_AT_MOST: Final = 64

_URL = re.compile(r"\b(?:https?|ftp)://[^\s\"'<>\\^`{|}\x00-\x20]{3,2048}", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f]{0,4}:[0-9a-f:.]{2,44}(?![\w:])", re.IGNORECASE)
_DOMAIN = re.compile(r"(?<![\w.@/\\-])(?:[a-z0-9_-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,62}(?![\w@/\\-])", re.IGNORECASE)
_HASH = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-z])", re.IGNORECASE)

_FANGS = (
    (re.compile(r"\bh(?:xx|\*\*|tt)p(s?)\s?(?:\[:\]|\[:/{2}\]|:)(?://)?(?=\S)", re.IGNORECASE), r"http\1://"),
    (re.compile(r"\bfxp(s?)(?:\[:\]|:)//", re.IGNORECASE), r"ftp\1://"),
    (re.compile(r"\[:\]"), ":"),
    (re.compile(r"\s?(?:\[(?:\.|dot)\]|\((?:\.|dot)\)|\{(?:\.|dot)\})\s?", re.IGNORECASE), "."),
    (re.compile(r"\s?(?:\[(?:@|at)\]|\((?:@|at)\)|\{(?:@|at)\})\s?", re.IGNORECASE), "@"),
)
_TRAILING = ".,;:!?)]}'\"*_>"

_T = ObservableType

TOP_LEVEL: Final = frozenset(
    "com net org info biz io dev app cloud online site shop store xyz top club live tech support page link click icu "
    "work email zone space website pro mobi name gov edu mil int arpa eu uk de fr it es nl be ch at se no fi dk pl cz "
    "sk hu ro bg gr pt ie lt lv ee ru ua by kz tr il ir cn hk tw jp kr in sg my th vn id ph au nz ca us mx br ar cl co "
    "pe za ng ke eg ma ae sa qa me tv cc to ws su pw tk ml ga cf gq ly am gg example test invalid local localhost "
    "internal lan corp home onion".split()
)
_FILE_ENDINGS: Final = frozenset("sh py pl rs md so ps app zip mov cc".split())


class Sighting(NamedTuple):
    """Something found in text. `defanged`: it was written so that nobody clicks it."""

    type: ObservableType
    value: str
    defanged: bool


def sightings(text: str, top_level: Collection[str] = TOP_LEVEL) -> Iterator[Sighting]:
    """Everything found in the first READ_AT_MOST characters of `text`, at most FOUND_AT_MOST things, each once."""
    seen: set[tuple[ObservableType, str]] = set()
    for found in _raw_sightings(text[:READ_AT_MOST], top_level):
        if (found.type, found.value) not in seen:
            seen.add((found.type, found.value))
            yield found
            if len(seen) >= FOUND_AT_MOST:
                return


def refanged(text: str) -> str:
    """`text` with hxxp, [.], (at) and their like written plainly."""
    for pattern, plain in _FANGS:
        text = pattern.sub(plain, text)
    return text


def host_of(url: str) -> str:
    """The host of a URL in lower case, "" when it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def host_type(host: str) -> ObservableType:
    """Whether the host part of a URL is an address or a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _T.DOMAIN
    return _T.IP


def _raw_sightings(text: str, top_level: Collection[str]) -> Iterator[Sighting]:
    plain = refanged(text)
    fanged = plain != text
    for url in _URL.findall(plain):
        yield from _url(url.rstrip(_TRAILING), fanged and url not in text)
    rest = _URL.sub(" ", plain)
    for mail in _EMAIL.findall(rest):
        yield Sighting(_T.EMAIL, mail.lower().rstrip("."), fanged and mail not in text)
    rest = _EMAIL.sub(" ", rest)
    for candidate in (*_IPV4.findall(rest), *_IPV6.findall(rest)):
        yield from _address(candidate, fanged and candidate not in text)
    for digest in _HASH.findall(rest):
        yield Sighting(_T.HASH, digest.lower(), False)
    for domain in _DOMAIN.findall(rest):
        defanged = fanged and domain not in text
        if _is_domain(domain.lower(), defanged, top_level):
            yield Sighting(_T.DOMAIN, domain.lower(), defanged)


def _url(url: str, defanged: bool) -> Iterator[Sighting]:
    host = host_of(url)
    if host:
        yield Sighting(_T.URL, url, defanged)
        yield Sighting(host_type(host), unquote(host), defanged)


def _address(candidate: str, defanged: bool) -> Iterator[Sighting]:
    try:
        address = ipaddress.ip_address(candidate.rstrip(_TRAILING) if "." in candidate else candidate)
    except ValueError:
        return
    if len(candidate) > 4:  # "::" and "::1" are punctuation more often than addresses
        yield Sighting(_T.IP, str(address), defanged)


def _is_domain(domain: str, defanged: bool, top_level: Collection[str]) -> bool:
    if defanged:
        return True
    ending = domain.rpartition(".")[2]
    return ending.startswith("xn--") or (ending in top_level and ending not in _FILE_ENDINGS)
