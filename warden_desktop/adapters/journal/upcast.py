"""How events written by older versions are read: the only place that knows how an event looked before.

A change to an event that old rows do not satisfy raises the class's VERSION and adds one function here, from the old
version to the next. Functions of one kind run one after the other until the event is as it is written today.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from warden_desktop.domain.events import EVENT_TYPES, kind_of

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTS: Mapping[tuple[str, int], Upcast] = {}
"""(kind, version) to the function that turns an event of that version into one of the next."""

VERSIONS: Mapping[str, int] = {kind_of(event_type): event_type.VERSION for event_type in EVENT_TYPES}
"""The version of each kind that is written today."""


def current(
    kind: str,
    version: int,
    body: bytes,
    *,
    versions: Mapping[str, int] = VERSIONS,
    upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS,
) -> bytes:
    """`body` as today's version would have been written. Raises ValueError when no path leads there."""
    newest = versions.get(kind)
    if newest == version:
        return body
    if newest is None or version > newest:
        raise ValueError("it was written by a newer version of this program")
    fields: dict[str, Any] = json.loads(body)
    for step in range(version, newest):
        if (kind, step) not in upcasts:
            raise ValueError(f"nothing is known of version {step} of {kind}")
        fields = upcasts[kind, step](fields)
    return json.dumps(fields).encode()
