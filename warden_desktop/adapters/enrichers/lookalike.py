"""Tells domains that pretend to be one of ours or a well-known brand, and those that are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from warden_desktop.adapters.enrichers.names import decoded, distance, registrable, scripts, skeleton, tokens
from warden_desktop.adapters.enrichers.observables import Extractor
from warden_desktop.domain.alert import Observable, ObservableType
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

DOMAINS_AT_MOST = 30
LONGEST_LABEL = 63


class Resemblance(NamedTuple):
    """That a domain resembles a protected one: `finding` is its name, `how` the half sentence."""

    finding: str
    protected: str
    how: str


class Protected:
    """The domains nobody else should look like: our own and known brands."""

    def __init__(self, own: Collection[str], brands: Collection[str], suffixes: Collection[str]) -> None:
        """Domains in lower case; `suffixes` are public suffixes of two labels ("co.uk")."""
        self._own = frozenset(domain.lower().strip(".") for domain in own)
        self._suffixes = frozenset(suffixes)
        self._names = [(_name(one, self._suffixes), one) for one in (*sorted(self._own), *sorted(brands))]
        self._known = {one for _, one in self._names}
        self.resemblance = lru_cache(maxsize=4096)(self._resemblance)

    def owner(self, domain: str) -> str:
        """The protected domain that `domain` is or lies below; "" when there is none."""
        labels = domain.lower().strip(".").split(".")
        below = (".".join(labels[index:]) for index in range(len(labels)))
        return next((one for one in below if one in self._known), "")

    def is_own(self, domain: str) -> bool:
        """Whether `domain` is one of our own."""
        return domain in self._own

    def named(self, word: str) -> str:
        """The protected domain whose name `word` is ("paypal"); "" when there is none."""
        return next((original for name, original in self._names if name == word), "")

    def _resemblance(self, domain: str) -> Resemblance | None:
        """What `domain` pretends to be, or None; domains that are protected pretend nothing."""
        if self.owner(domain):
            return None
        shown = decoded(domain)
        name = _name(shown, self._suffixes)[:LONGEST_LABEL]
        told = (_compared(name, protected, original) for protected, original in self._names)
        return next((one for one in told if one), None) or _borrowed(shown, self._names, self._suffixes)


class LookalikeEnricher:
    """Implements ports.Enricher. Findings "lookalike_of", "same_name_as", "punycode" and "well_known" per domain."""

    name = "lookalike"
    configured = True

    def __init__(self, extractor: Extractor, protected: Protected) -> None:
        self._extractor = extractor
        self._protected = protected

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        return tuple(finding for one, domain in self._domains(incident) for finding in self._about(one, domain))

    def _domains(self, incident: Incident) -> list[tuple[Observable, str]]:
        found = [(one, _domain_of(one)) for one in self._extractor.observables(incident)]
        return [(one, domain) for one, domain in found if domain][:DOMAINS_AT_MOST]

    def _about(self, one: Observable, domain: str) -> Iterator[Finding]:
        owner = self._protected.owner(domain)
        if owner:
            whose = "one of our own domains" if self._protected.is_own(owner) else "a well-known domain"
            yield _finding("well_known", owner, f"{domain} belongs to {owner}, {whose}", one)
        if "xn--" in domain:
            yield _finding("punycode", decoded(domain), f"{domain} reads {_spelled(decoded(domain))} on screen", one)
        alike = self._protected.resemblance(domain)
        if alike:
            yield _finding(alike.finding, alike.protected, f"{domain} {alike.how} {alike.protected}", one)


def read_domains(path: Path) -> frozenset[str]:
    """The domains in a text file, one a line, `#` starts a comment. Raises OSError."""
    lines = (line.partition("#")[0].strip().lower() for line in path.read_text(encoding="utf-8").splitlines())
    return frozenset(line for line in lines if line)


def _name(domain: str, suffixes: Collection[str]) -> str:
    return registrable(domain, suffixes).partition(".")[0]


def _compared(name: str, protected: str, original: str) -> Resemblance | None:
    if name == protected:
        return Resemblance("same_name_as", original, "has the name, under another ending, of")
    if skeleton(name) == skeleton(protected):
        return Resemblance("lookalike_of", original, "is written with look-alike characters of")
    if len(protected) >= 5 and distance(name, protected) <= (2 if len(protected) >= 10 else 1):
        return Resemblance("lookalike_of", original, "differs by a letter or two from")
    return _word(name, protected, original)


def _word(name: str, protected: str, original: str) -> Resemblance | None:
    """The protected name as one word of several: "example-support", "examp1e-login"."""
    words = tokens(name)
    if len(words) < 2 or len(protected) < 4:
        return None
    if any(skeleton(word) == skeleton(protected) for word in words):
        return Resemblance("lookalike_of", original, "carries, among other words, the name of")
    return None


def _borrowed(shown: str, names: Iterable[tuple[str, str]], suffixes: Collection[str]) -> Resemblance | None:
    """A protected domain in front of somebody else's: "paypal.com.account-check.test"."""
    front = shown.removesuffix(registrable(shown, suffixes))
    labels = front.split(".")
    for _, original in names:
        parts = original.split(".")
        if any(labels[index : index + len(parts)] == parts for index in range(len(labels))):
            return Resemblance("lookalike_of", original, "begins with the whole name of")
    return None


def _domain_of(one: Observable) -> str:
    if one.type is ObservableType.DOMAIN:
        return one.value.lower().strip(". ")[:253]
    if one.type is ObservableType.EMAIL and "@" in one.value:
        return one.value.rpartition("@")[2].lower().strip("<>. ")[:253]
    return ""


def _spelled(shown: str) -> str:
    mixed = [label for label in shown.split(".") if len(scripts(label)) > 1]
    escaped = "".join(one if one.isascii() else f"\\u{ord(one):04x}" for one in shown)
    return f"{escaped} (with mixed alphabets)" if mixed else escaped


def _finding(name: str, value: str, detail: str, one: Observable) -> Finding:
    return Finding(name=name, value=value, detail=detail, observable=one.key, path=one.path)
