"""The demonstration: a morning of recorded deliveries, replayed through the application's own webhook.

A file of deliveries has `name`, `title` and `deliveries`: a list of {at: seconds from the start, source, about: for
readers, delivery: the body, every: seconds after which it comes again (none: once)}. In a body a string that is exactly
a marker is replaced by its value:

    {{now}}        the moment it is sent, ISO 8601; {{now-90}}: ninety seconds before
    {{id}}         a text that is new each time
    {{address}}    an address of a documentation range (203.0.113.0/24), another one each time
"""

from __future__ import annotations

import asyncio
import heapq
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import Field, JsonValue

from warden_desktop.adapters.packs import load_pack
from warden_desktop.domain.record import Record
from warden_desktop.domain.record import now as current

Post = Callable[[str, bytes], Awaitable[None]]
"""Sends a body to a source; deals with refusals itself."""

_NOW = re.compile(r"\{\{now(?:-(\d{1,6}))?\}\}")
_FIRST_HOST, _HOSTS = 100, 120


class Delivery(Record):
    """One recorded delivery."""

    at: float = Field(ge=0)
    source: str = Field(min_length=1)
    about: str = ""
    delivery: dict[str, JsonValue]
    every: float | None = Field(default=None, ge=1)

    def body(self, sent_at: datetime, number: int) -> bytes:
        """The delivery as JSON, with its markers filled; `number` is a different one for each sending."""
        return json.dumps(_filled(self.delivery, sent_at, number), ensure_ascii=False).encode()


class Recording(Record):
    """A file of deliveries."""

    name: str
    title: str
    deliveries: tuple[Delivery, ...] = Field(min_length=1)


def load(path: Path) -> tuple[Delivery, ...]:
    """The deliveries in `path`, in the order in which they come. Raises PackError naming file, line and field."""
    return tuple(sorted(load_pack(path, Recording).deliveries, key=lambda one: one.at))


async def play(
    deliveries: Sequence[Delivery],
    post: Post,
    speed: float = 1.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now: Callable[[], datetime] = current,
) -> None:
    """Post every delivery at its time, `speed` times as fast as recorded. Returns after the last one; never, when one
    of them repeats."""
    due = [(one.at, index) for index, one in enumerate(deliveries)]
    heapq.heapify(due)
    clock = 0.0
    number = 0
    while due:
        at, index = heapq.heappop(due)
        one = deliveries[index]
        if at > clock:
            await sleep((at - clock) / speed)
            clock = at
        number += 1
        await post(one.source, one.body(now(), number))
        if one.every is not None:
            heapq.heappush(due, (at + one.every, index))


def _filled(value: JsonValue, sent_at: datetime, number: int) -> JsonValue:
    if isinstance(value, dict):
        return {name: _filled(one, sent_at, number) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, sent_at, number) for one in value]
    return _marked(value, sent_at, number) if isinstance(value, str) else value


def _marked(value: str, sent_at: datetime, number: int) -> str:
    moment = _NOW.fullmatch(value)
    if moment:
        return (sent_at - timedelta(seconds=int(moment[1] or 0))).isoformat()
    marker = _MARKERS.get(value)
    return marker(sent_at, number) if marker else value


_MARKERS: Final[dict[str, Callable[[datetime, int], str]]] = {
    "{{id}}": lambda sent_at, number: f"{sent_at:%Y%m%dT%H%M%S%f}.{number}",
    "{{address}}": lambda sent_at, number: f"203.0.113.{_FIRST_HOST + number * 7 % _HOSTS}",
}
