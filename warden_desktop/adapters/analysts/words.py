"""The named facts that statements and summaries are written with. Values are quoted as plain text, whatever they hold.

Names: title, source, rule, target, count, category; host, user, file, hash, process, command, url, domain, message_id
(the first such observable, a victim's host or user first); actor (the acting address), address (any), sender,
recipient; the name of any finding ("spf", "lookalike_of"), or with ".said" its own sentence; "attribute.NAME".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

from pydantic import JsonValue

from warden_desktop.domain.alert import Observable, ObservableType, Role
from warden_desktop.domain.facts import OBSERVABLE_FINDING, observables_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

SHOWN: Final = 160
"""Characters shown of one value."""

_NAME = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")
_ANY: Final = (Role.VICTIM, Role.ACTOR, Role.INFRASTRUCTURE, Role.UNKNOWN)
_OUTSIDE_FIRST: Final = (Role.INFRASTRUCTURE, Role.ACTOR, Role.UNKNOWN)
_T = ObservableType

_OBSERVED: Final[dict[str, tuple[ObservableType, tuple[Role, ...]]]] = {
    "host": (_T.HOST, _ANY),
    "user": (_T.USER, _ANY),
    "file": (_T.FILE, _ANY),
    "hash": (_T.HASH, _ANY),
    "process": (_T.PROCESS, _ANY),
    "command": (_T.COMMAND, _ANY),
    "message_id": (_T.MESSAGE_ID, _ANY),
    "url": (_T.URL, _OUTSIDE_FIRST),
    "domain": (_T.DOMAIN, _OUTSIDE_FIRST),
    "actor": (_T.IP, (Role.ACTOR,)),
    "address": (_T.IP, _OUTSIDE_FIRST),
    "server": (_T.IP, (Role.INFRASTRUCTURE,)),
    "sender": (_T.EMAIL, (Role.ACTOR,)),
    "recipient": (_T.EMAIL, (Role.VICTIM,)),
}


class Word(NamedTuple):
    """A value with where it comes from: `path` in the delivery, `source` an enricher's name or "alert"."""

    value: str
    path: str
    source: str
    sentence: bool = False


NOTHING: Final = Word("", "", "alert")


class Words:
    """The words of one incident, looked up by name."""

    def __init__(self, incident: Incident) -> None:
        self._incident = incident
        self._seen = observables_of(incident)

    def get(self, name: str) -> Word | None:
        """The word of that name; None when the incident has none."""
        if name in _OBSERVED:
            return self._observed(*_OBSERVED[name])
        return self._plain(name) or self._attribute(name) or self._found(name)

    def first_of(self, template: str) -> Word:
        """The first word a template names; NOTHING when it names none that is known."""
        found = (self.get(name) for name in _NAME.findall(template))
        return next((word for word in found if word), NOTHING)

    def fill(self, template: str) -> str:
        """The template with its names replaced; a word that is not known reads "unknown"."""
        return _NAME.sub(lambda match: _shown(self.get(match[1])), template)

    def first_filled(self, templates: Iterable[str]) -> str:
        """The first template all of whose words are known, filled; the incident's title when there is none."""
        for template in templates:
            if all(self.get(name) for name in _NAME.findall(template)):
                return self.fill(template)
        return self.fill("{source} reports {title}.")

    def _observed(self, type: ObservableType, roles: tuple[Role, ...]) -> Word | None:
        for role in roles:
            for one in self._seen:
                if one.type is type and one.role is role:
                    return Word(one.value, one.path, self._provider(one))
        return None

    def _provider(self, one: Observable) -> str:
        return "alert" if any(one is own for own in self._incident.observables) else "observables"

    def _plain(self, name: str) -> Word | None:
        alert = self._incident.alerts[0]
        known = {
            "title": self._incident.title,
            "source": self._incident.source,
            "target": self._incident.target,
            "category": self._incident.category.replace("_", " "),
            "severity": alert.severity.value,
            "rule": alert.rule_name or alert.rule_id,
            "count": str(self._incident.alert_count),
        }
        value = known.get(name)
        return (
            Word(value, name, "alert", sentence=name in ("source", "category", "severity", "count")) if value else None
        )

    def _attribute(self, name: str) -> Word | None:
        if not name.startswith("attribute."):
            return None
        key = name.removeprefix("attribute.")
        value = self._incident.alerts[0].attributes.get(key)
        return None if value in (None, "") else Word(str(value), key, "alert")

    def _found(self, name: str) -> Word | None:
        wanted, _, said = name.partition(".")
        for enrichment in self._incident.enrichments:
            for finding in enrichment.findings:
                if finding.name == wanted != OBSERVABLE_FINDING:
                    return Word(_value(finding, said), finding.path, enrichment.provider, sentence=said == "said")
        return None


def plain(text: str, length: int = SHOWN) -> str:
    """`text` on one line, cut, with control, bidi and invisible characters written as escapes."""
    return "".join(map(_visible, text[:length])) + ("…" if len(text) > length else "")


def _visible(one: str) -> str:
    if one in "\n\r\t":
        return " "
    if unicodedata.category(one) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"):
        return f"\\u{ord(one):04x}"
    return one


def _shown(word: Word | None) -> str:
    if word is None:
        return "unknown"
    return plain(word.value, 400) if word.sentence else f"“{plain(word.value)}”"


def _value(finding: Finding, said: str) -> str:
    if said == "said":
        return finding.detail
    value: JsonValue = finding.value
    if isinstance(value, dict):
        return str(value.get(said or "name") or value.get("user") or "")
    return str(value)
