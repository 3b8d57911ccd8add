"""When it happened, in the ways senders write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""A clock may be wrong by this much before its word is not taken: one in the far future would stay on top for ever."""

_NUMBER = re.compile(r"\d{9,19}(?:\.\d{1,9})?", re.ASCII)


def moment(value: object, received_at: datetime) -> datetime | None:
    """The instant `value` names, in UTC: ISO 8601 (naive means UTC), RFC 2822, or seconds since 1970 or thousandths,
    millionths or billionths of them, as number or text. None for anything else, and for what lies before 1990 or more
    than `AHEAD` of us."""
    try:
        found = _read(value)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, OSError, IndexError):
        return None
    return found if EARLIEST <= found <= received_at + AHEAD else None


def _read(value: object) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _since_1970(float(value))
    if not isinstance(value, str) or len(value) > 64:
        raise TypeError("not a time")
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _since_1970(float(text))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def _since_1970(number: float) -> datetime:
    if number > 1e20:
        raise ValueError("too large for nanoseconds")
    while number > 1e11:  # seconds stay below it until the year 5138
        number /= 1000
    return datetime.fromtimestamp(number, UTC)
