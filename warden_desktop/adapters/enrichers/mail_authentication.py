"""Reads what the mail gateway recorded of a message: SPF, DKIM, DMARC, and whether its names fit together.

Attributes it knows (any of the names): `spf`, `dkim`, `dmarc`; `sender`, `from`; `sender_display`, `display_name`;
`reply_to`; `sender_domain_age_days`. Results are the words of RFC 8601 ("pass", "fail", "softfail", "none" ...).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from warden_desktop.adapters.enrichers.lookalike import Protected
from warden_desktop.domain.alert import ObservableType, Role
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

_RESULTS: Final = frozenset(
    {"pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy", "hardfail", "bestguesspass"}
)
_METHODS: Final = {"spf": "SPF", "dkim": "DKIM", "dmarc": "DMARC"}
_ADDRESS = re.compile(r"[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_WORD = re.compile(r"[a-z0-9]{4,}")

Attributes = Mapping[str, str | int | float | bool]


class MailAuthenticationEnricher:
    """Implements ports.Enricher. Findings spf, dkim, dmarc, reply_to_differs, display_name_mismatch and
    sender_domain_age_days; none for an incident without a message."""

    name = "mail_authentication"
    configured = True

    def __init__(self, protected: Protected) -> None:
        self._protected = protected

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        return tuple(self._read(incident.alerts[0].attributes, _sender(incident)))

    def _read(self, attributes: Attributes, sender: str) -> Iterator[Finding]:
        yield from _results(attributes)
        yield from _age(attributes)
        if sender:
            yield from _reply_to(attributes, sender)
            yield from self._display_name(attributes, sender)

    def _display_name(self, attributes: Attributes, sender: str) -> Iterator[Finding]:
        path, shown = _named(attributes, "sender_display", "display_name", "from_name")
        claimed = self._claimed(shown.lower())
        if claimed and self._protected.owner(_domain(sender)) != claimed:
            detail = f"The name shown claims {claimed}, but the address is {sender}"
            yield Finding(name="display_name_mismatch", value=claimed, detail=detail, path=path)

    def _claimed(self, shown: str) -> str:
        address = _ADDRESS.search(shown)
        if address:
            return self._protected.owner(address[1]) or address[1]
        return next(filter(None, map(self._protected.named, _WORD.findall(shown))), "")


def _results(attributes: Attributes) -> Iterator[Finding]:
    for method, label in _METHODS.items():
        path, told = _named(attributes, method, f"authentication_{method}", f"{method}_result")
        word = re.split(r"[^a-z]", told.strip().lower())[0]
        if word in _RESULTS:
            result = "fail" if word == "hardfail" else word
            yield Finding(name=method, value=result, detail=f"{label}: {result}", path=path)


def _age(attributes: Attributes) -> Iterator[Finding]:
    days = attributes.get("sender_domain_age_days")
    if isinstance(days, str) and days.isdecimal() and len(days) < 7:
        days = int(days)
    if isinstance(days, int | float) and not isinstance(days, bool) and 0 <= days < 1e6:
        detail = f"The sender's domain was registered {int(days)} days ago"
        yield Finding(name="sender_domain_age_days", value=int(days), detail=detail, path="sender_domain_age_days")


def _reply_to(attributes: Attributes, sender: str) -> Iterator[Finding]:
    path, reply_to = _named(attributes, "reply_to", "replyto")
    if reply_to and _domain(reply_to) != _domain(sender):
        detail = f"Answers go to {reply_to}, not to the sender {sender}"
        yield Finding(name="reply_to_differs", value=_domain(reply_to), detail=detail, path=path)


def _named(attributes: Attributes, *names: str) -> tuple[str, str]:
    """The first of these attributes that is text, and its name."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value.strip():
            return name, value.strip()[:1024]
    return "", ""


def _sender(incident: Incident) -> str:
    told = _named(incident.alerts[0].attributes, "sender", "from", "sender_address")[1]
    acting = (one.value for one in incident.observables if one.type is ObservableType.EMAIL and one.role is Role.ACTOR)
    return told or next(acting, "")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip("<>. ").lower()
