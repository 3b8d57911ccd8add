"""An action and its pack's template become one exact request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, cast
from urllib.parse import quote, urlencode

from pydantic import JsonValue

from warden_desktop.adapters.responders.pack import REFERENCE, Request
from warden_desktop.domain.action import ProposedAction

_MISSING = object()


class Built(NamedTuple):
    """A request without its credentials. `body` is None when it has none."""

    method: str
    url: str
    headers: dict[str, str]
    body: JsonValue

    @property
    def payload(self) -> bytes | None:
        """The body as it goes over the wire."""
        return None if self.body is None else json.dumps(self.body, separators=(",", ":"), allow_nan=False).encode()


def build(base_url: str, template: Request, action: ProposedAction) -> Built:
    """The request that carries `action` out. Raises ValueError when a value it needs is missing or does not fit."""
    values = _values(action)
    url = base_url.rstrip("/") + _path(template.path, values)
    query = {name: _text(_filled(value, values), name) for name, value in template.query.items()}
    headers = {name: _header(_text(_filled(value, values), name), name) for name, value in template.headers.items()}
    body = _filled(template.body, values)
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    return Built(template.method, f"{url}?{urlencode(query)}" if query else url, headers, body)


def _values(action: ProposedAction) -> dict[str, JsonValue]:
    target: JsonValue = {"type": action.target.type.value if action.target.type else None, "value": action.target.value}
    return {
        "action_id": str(action.id),
        "incident_id": str(action.incident_id),
        "verb": action.verb.value,
        "reason": action.reason,
        "target": target,
        "parameters": dict(action.parameters),
    }


def _looked_up(name: str, values: Mapping[str, JsonValue]) -> object:
    found: object = values
    for step in name.split("."):
        found = found.get(step, _MISSING) if isinstance(found, Mapping) else _MISSING
    return found


def _filled(structure: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(structure, list):
        return [_filled(value, values) for value in structure]
    if not isinstance(structure, dict):
        return structure
    if REFERENCE in structure:
        return _referred(structure, values)
    return {key: _filled(value, values) for key, value in structure.items()}


def _referred(reference: dict[str, JsonValue], values: Mapping[str, JsonValue]) -> JsonValue:
    found = _looked_up(str(reference[REFERENCE]), values)
    if found is not _MISSING:
        return cast(JsonValue, found)
    if "or" not in reference:
        raise ValueError(f"the action has no {reference[REFERENCE]}, which this request needs")
    return reference["or"]


def _path(path: str, values: Mapping[str, JsonValue]) -> str:
    return "".join("/" + _segment(segment, values) for segment in path.removeprefix("/").split("/"))


def _segment(segment: str, values: Mapping[str, JsonValue]) -> str:
    if not segment.startswith("{"):
        return segment
    name = segment[1:-1]
    text = _text(_referred({REFERENCE: name}, values), name)
    if text in ("", ".", ".."):
        raise ValueError(f"{name} is {text!r}, which would lead to another address than the one meant")
    return quote(text, safe="")


def _text(value: JsonValue, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{name} must be a text or a number here")
    return str(value)


def _header(value: str, name: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"header {name} can only carry printable ASCII")
    return value
