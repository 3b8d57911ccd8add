"""Between an event and its row: what is stored, and how it is read back years later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast

from pydantic import ValidationError

from warden_desktop.adapters.journal.upcast import current
from warden_desktop.domain.events import EVENT, EVENT_TYPES, Event, TriageEvent, kind_of
from warden_desktop.engine.ports import EventRefused, JournalError, Recorded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KNOWN = frozenset(EVENT_TYPES)


class Columns(NamedTuple):
    """The columns of an event's row that do not depend on its place in the log."""

    id: bytes
    kind: str
    at: int
    incident_id: bytes | None
    version: int
    body: bytes


class Entry(NamedTuple):
    """An event ready to be stored, and the very object, so that nobody has to decode what was just encoded."""

    event: TriageEvent
    columns: Columns


class Stored(NamedTuple):
    """The columns of a row that reading needs."""

    seq: int
    kind: str
    version: int
    body: bytes


_READ: Mapping[tuple[str, int], Callable[[bytes], TriageEvent]] = {
    (kind_of(event_type), event_type.VERSION): event_type.__pydantic_validator__.validate_json
    for event_type in EVENT_TYPES
}
"""How an event of a kind is read whose version is today's: by its own class, without looking for it in the union."""

STORED = ", ".join(Stored._fields)


def micros(at: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return (at - EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """The inverse of `micros`."""
    return EPOCH + timedelta(microseconds=at)


def encode(event: Event) -> Entry:
    """Raises EventRefused for an event that could not be read back."""
    if type(event) not in _KNOWN:
        raise EventRefused(f"{type(event).__name__} is not one of the recorded events; add it to TriageEvent")
    try:
        body = event.__pydantic_serializer__.to_json(event)  # model_dump_json without the way through str
    except ValueError as error:
        raise EventRefused(f"a {event.kind} cannot be written as JSON: {error}") from error
    incident = event.incident_id.bytes if event.incident_id is not None else None
    columns = Columns(event.id.bytes, event.kind, micros(event.at), incident, event.VERSION, body)
    return Entry(cast(TriageEvent, event), columns)


def decode(stored: Stored) -> Recorded:
    """The event of a row, brought up to today's version. Raises JournalError, naming the row."""
    try:
        read = _READ.get((stored.kind, stored.version))
        if read is not None:
            return Recorded(stored.seq, read(stored.body))
        return Recorded(stored.seq, EVENT.validate_json(current(stored.kind, stored.version, stored.body)))
    except ValueError as error:
        raise JournalError(
            f"event {stored.seq} ({stored.kind}, version {stored.version}) in the journal cannot be read: "
            f"{_reason(error)}. Run `warden-desktop audit verify` to see whether the file was changed."
        ) from error


def _reason(error: ValueError) -> str:
    """In one line, and without the values, which an attacker may have written."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
