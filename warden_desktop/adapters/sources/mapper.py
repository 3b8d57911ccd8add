"""A vendor's delivery made into alerts, as its pack says.

Everything that can be prepared is prepared once, in the constructor. A delivery may hold anything: what does not have
the right type counts as absent, what is too long is cut, and only a delivery with nothing to call an alert is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from warden_desktop.adapters.sources.classifying import CategoryReader, SeverityReader
from warden_desktop.adapters.sources.expression import Expression, Get, nothing
from warden_desktop.adapters.sources.moments import moment
from warden_desktop.adapters.sources.observing import ObservableReader
from warden_desktop.adapters.sources.pack import SourcePack
from warden_desktop.adapters.sources.values import attribute, line, scalars, text
from warden_desktop.domain.alert import Alert, Severity

DELIVERIES = UUID("5b1f8f57-52b0-4d6a-9d0e-3c1b6f0c2f6e")
"""The namespace of alert ids that derive from a delivery id."""

MOST_ALERTS = 2_000
ATTRIBUTES = 80
WHOLE = "_delivery"

_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?", re.ASCII)
_ATTRIBUTE = re.compile(r"[A-Za-z][\w.-]{0,63}", re.ASCII)
_LINK = re.compile(r"https?://[^\s\x00-\x1f\x7f]{1,2040}")
_PLAIN_KEY = 200


class Unmappable(Exception):
    """Valid JSON, but not what this source sends; the text says what did not map and why."""


class Mapper:
    """One pack, compiled."""

    def __init__(self, pack: SourcePack) -> None:
        self._pack = pack
        self._source = pack.name
        fields = pack.map
        self._require = [(_get(one.holds), one.why) for one in pack.require]
        self._split = Expression(pack.split) if pack.split else None
        self._resolved = _get(pack.resolved)
        self._delivery_id = _get(pack.delivery_id.path)
        self._title = _get(fields.title)
        self._description = _get(fields.description)
        self._target = _get(fields.target)
        self._words = {
            name: _get(path)
            for name in ("external_id", "rule_id", "rule_name")
            if (path := getattr(fields, name)) is not None
        }
        self._link = _get(fields.link)
        self._techniques = _get(fields.techniques)
        self._times = [_get(path) for path in fields.occurred_at]
        self._severity = SeverityReader(fields.severity)
        self._category = CategoryReader(fields.category)
        self._observables = ObservableReader(fields.observables)
        self._attributes = [(name, _get(path)) for name, path in fields.attributes.items()]
        self._attributes_of = _get(fields.attributes_of)
        self._key = [_get(path) for path in fields.dedupe_key]
        self._known = _roots(pack) | {WHOLE}

    def delivery_id(self, parsed: object) -> str | None:
        """The name the delivery has for itself in its body, if the pack knows where."""
        return text(self._delivery_id(parsed), 512) or None

    def alerts(self, parsed: object, *, received_at: datetime, signed: bool, delivery_id: str | None) -> list[Alert]:
        """All alerts of a delivery. Raises Unmappable, for all of them when one is."""
        return list(self.each(parsed, received_at=received_at, signed=signed, delivery_id=delivery_id))

    def each(self, parsed: object, *, received_at: datetime, signed: bool, delivery_id: str | None) -> Iterator[Alert]:
        """The same one by one, for a reader that has other things to do in between."""
        for index, (one, prefix) in enumerate(self._elements(parsed)):
            yield self._alert(one, prefix, received_at, signed, _alert_id(self._source, delivery_id, index))

    def _elements(self, parsed: object) -> list[tuple[dict[str, Any], str]]:
        if not isinstance(parsed, list) or not parsed:
            return self._of_one(parsed, "")
        if len(parsed) > MOST_ALERTS:
            raise Unmappable(f"the delivery: has {len(parsed)} alerts, and {MOST_ALERTS} is the most")
        found = [element for index, one in enumerate(parsed) for element in self._of_one(one, f"[{index}].")]
        if len(found) > MOST_ALERTS:
            raise Unmappable(f"the delivery: has {len(found)} alerts, and {MOST_ALERTS} is the most")
        return found

    def _of_one(self, parsed: object, place: str) -> list[tuple[dict[str, Any], str]]:
        """The alerts of one delivery of a list of them, or of the only one."""
        if not isinstance(parsed, dict):
            raise Unmappable(f"the delivery{place[:-1]}: must be an object, but is {_kind(parsed)}")
        self._check(parsed)
        if self._split is None:
            return [(parsed, place)]
        elements = self._split.get(parsed)
        if not isinstance(elements, list):
            raise Unmappable(f"{self._split.text}: must be a list of alerts, but is {_kind(elements)}")
        if not elements:
            raise Unmappable(f"{self._split.text}: the list is empty")
        if len(elements) > MOST_ALERTS:
            raise Unmappable(f"{self._split.text}: has {len(elements)} alerts, and {MOST_ALERTS} is the most")
        where = f"{place}{self._split.text}"
        return [_element(element, f"{where}[{index}].", parsed) for index, element in enumerate(elements)]

    def _check(self, parsed: dict[str, Any]) -> None:
        for holds, why in self._require:
            if nothing(holds(parsed)):
                raise Unmappable(why)

    def _alert(self, one: dict[str, Any], prefix: str, received_at: datetime, signed: bool, id: UUID) -> Alert:
        title = line(self._title(one))
        if not title:
            raise Unmappable(f"{prefix}{self._pack.map.title}: nothing there to use as the title")
        resolved = not nothing(self._resolved(one))
        attributes = self._read_attributes(one)
        if resolved:
            attributes["resolved"] = True
        target = line(self._target(one), 256)
        return Alert(
            id=id,
            source=self._source,
            title=title,
            description=text(self._description(one), 65_536),
            severity=Severity.INFO if resolved else self._severity.read(one),
            category=self._category.read(one),
            occurred_at=self._occurred_at(one, received_at),
            received_at=received_at,
            target=target,
            observables=self._observables.read(one, prefix),
            techniques=_techniques(self._techniques(one)),
            link=_link(self._link(one)),
            attributes=attributes,
            unmapped=tuple(key[:128] for key in one if key not in self._known)[:100],
            dedupe_key=self._dedupe_key(one) or _digest(f"{title}\n{target}"),
            signed=signed,
            **{name: line(get(one), 256) for name, get in self._words.items()},
        )

    def _occurred_at(self, one: dict[str, Any], received_at: datetime) -> datetime:
        for get in self._times:
            found = moment(get(one), received_at)
            if found is not None:
                return found
        return received_at

    def _read_attributes(self, one: dict[str, Any]) -> dict[str, str | int | float | bool]:
        found = {name: value for name, get in self._attributes if (value := attribute(get(one))) is not None}
        further = self._attributes_of(one)
        if isinstance(further, dict):
            for name, given in further.items():
                if len(found) >= ATTRIBUTES:
                    break
                if name not in found and isinstance(given, str | int | float) and _ATTRIBUTE.fullmatch(name):
                    value = attribute(given)
                    if value is not None:
                        found[name] = value
        return found

    def _dedupe_key(self, one: dict[str, Any]) -> str:
        parts = [_canonical(get(one)) for get in self._key]
        if not any(parts):
            return ""
        key = "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
        return key if len(key) <= _PLAIN_KEY else _digest(key)


def _element(element: object, prefix: str, whole: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if not isinstance(element, dict):
        raise Unmappable(f"{prefix[:-1]}: must be an object, but is {_kind(element)}")
    return {**element, WHOLE: whole}, prefix


def _get(path: str | None) -> Get:
    return Expression(path).get if path else lambda value: None


def _alert_id(source: str, delivery_id: str | None, index: int) -> UUID:
    return uuid4() if delivery_id is None else uuid5(DELIVERIES, f"{source}/{index}/{delivery_id}")


def _kind(value: object) -> str:
    if value is None:
        return "missing"
    return {dict: "an object", list: "a list", str: "text", bool: "true or false"}.get(type(value), "a number")


def _techniques(value: object) -> tuple[str, ...]:
    words = (text(word, 16).upper() for _, word in scalars(value))
    return tuple(dict.fromkeys(word for word in words if _TECHNIQUE.fullmatch(word)))


def _link(value: object) -> str:
    return value if isinstance(value, str) and _LINK.fullmatch(value) else ""


def _canonical(value: object) -> str:
    """The same text for the same value, whatever order its keys came in."""
    if nothing(value):
        return ""
    if isinstance(value, dict | list):
        return _digest(json.dumps(value, sort_keys=True, separators=(",", ":")))
    return text(value, 65_536)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _roots(pack: SourcePack) -> frozenset[str]:
    """The top-level fields of an alert that the pack reads anywhere."""
    return frozenset(root for path in pack.paths() for root in Expression(path).roots)
