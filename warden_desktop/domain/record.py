"""The kind of object every fact is made of: immutable, closed, and serialised the same way every time."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value. Unknown fields are errors, so a misspelt field in a pack or a log never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)
