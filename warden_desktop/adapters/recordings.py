"""Deliveries that came once and can be fed again: out of the log, out of a file.

A file is either the demonstration's YAML form (see demo.py; what repeats there comes once), or one JSON object a line:

    {"source": "wazuh", "delivery": {...}, "at": 12.5}

`delivery` is the body as an object, or as text when it is to be fed to the character; `at` is the second from the start
at which it came, or an ISO 8601 moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue, ValidationError

from warden_desktop.adapters.demo import load
from warden_desktop.adapters.journal import JournalReader
from warden_desktop.domain.events import AlertReceived
from warden_desktop.domain.record import Record

PAGE = 200


class RecordedDelivery(NamedTuple):
    """One delivery as it came. `ids`: of the alerts it became then, which it becomes again; `part`: how much of the
    recording is over with it, 0 to 1."""

    source: str
    body: str
    at: datetime
    signed: bool
    ids: tuple[UUID, ...]
    part: float


class RecordingError(Exception):
    """A file of deliveries cannot be used; the text names file and line and says what is wrong."""


def from_log(reader: JournalReader, first: int, last: int) -> Iterator[RecordedDelivery]:
    """The deliveries recorded from entry `first` to entry `last`, both included. One that brought several alerts counts
    where its first alert is. Raises JournalError."""
    alerts: list[AlertReceived] = []
    for seq, event in _received(reader, first, last):
        if event.raw_in is None:
            if alerts:
                yield _recorded(alerts, (seq - first) / (last - first + 1))
            alerts = [event]
        elif alerts and event.raw_in == alerts[0].id:
            alerts.append(event)
    if alerts:
        yield _recorded(alerts, 1.0)


def _received(reader: JournalReader, first: int, last: int) -> Iterator[tuple[int, AlertReceived]]:
    after = first - 1
    while page := reader.read(after, PAGE, kinds=("alert_received",)):
        for seq, event in page:
            if seq > last:
                return
            assert isinstance(event, AlertReceived)
            yield seq, event
        after = page[-1].seq


def _recorded(alerts: Sequence[AlertReceived], part: float) -> RecordedDelivery:
    first = alerts[0]
    ids = tuple(one.alert.id for one in alerts)
    return RecordedDelivery(first.alert.source, first.raw, first.alert.received_at, first.alert.signed, ids, part)


def from_file(path: Path, now: datetime) -> list[RecordedDelivery]:
    """The deliveries of a file, in the order in which they came. Seconds count so that the last one comes `now`.

    Raises PackError for YAML and RecordingError for JSON lines, saying where.
    """
    found = _from_yaml(path, now) if path.suffix in {".yaml", ".yml"} else _from_lines(path, now)
    found.sort(key=lambda one: one.at)
    return [one._replace(part=(index + 1) / len(found)) for index, one in enumerate(found)]


def _from_yaml(path: Path, now: datetime) -> list[RecordedDelivery]:
    deliveries = load(path)
    start = now - timedelta(seconds=max(one.at for one in deliveries))
    return [
        _unsigned(one.source, one.body(start + timedelta(seconds=one.at), number).decode(), start, one.at)
        for number, one in enumerate(deliveries, 1)
    ]


class _Line(Record):
    source: str = Field(min_length=1)
    delivery: dict[str, JsonValue] | str
    at: Annotated[float, Field(ge=0, strict=True)] | Annotated[AwareDatetime, Field(strict=True)] = 0.0


def _from_lines(path: Path, now: datetime) -> list[RecordedDelivery]:
    lines = list(_lines(path))
    start = now - timedelta(seconds=max((one.at for one in lines if isinstance(one.at, float)), default=0.0))
    return [_unsigned(one.source, _body(one.delivery), start, one.at) for one in lines]


def _lines(path: Path) -> Iterator[_Line]:
    try:
        with path.open(encoding="utf-8") as stream:
            for number, text in enumerate(stream, 1):
                if text.strip():
                    yield _line(path, number, text)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path}: is not text ({error})") from error


def _line(path: Path, number: int, text: str) -> _Line:
    try:
        return _Line.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RecordingError(f"{path}:{number}: {where + ': ' if where else ''}{first['msg']}") from None


def _body(delivery: dict[str, JsonValue] | str) -> str:
    return delivery if isinstance(delivery, str) else json.dumps(delivery, ensure_ascii=False)


def _unsigned(source: str, body: str, start: datetime, at: float | datetime) -> RecordedDelivery:
    moment = at if isinstance(at, datetime) else start + timedelta(seconds=at)
    return RecordedDelivery(source, body, moment, signed=False, ids=(), part=0.0)
