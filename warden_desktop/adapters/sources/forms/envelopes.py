"""Deliveries inside deliveries: JSON that another service wrapped as text into its own."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from warden_desktop.adapters.strict_json import BadJson, parse
from warden_desktop.domain.record import Record


class Envelope(Record):
    """A field, by its path of plain names, whose text is JSON (`base64`: after decoding): SNS's `Message`, Pub/Sub's
    `message.data`. Where the text is no JSON it stays text."""

    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9_@-]+(\.[A-Za-z0-9_@-]+)*$", max_length=200)]
    encoding: Literal["text", "base64"] = "text"


def opened(value: Any, envelopes: Sequence[Envelope]) -> Any:
    """The value with the texts in the envelopes read, one after the other; of a list, each element's."""
    if isinstance(value, list):
        return [opened(one, envelopes) for one in value] if envelopes else value
    for envelope in envelopes:
        value = _opened(value, envelope.path.split("."), envelope.encoding)
    return value


def _opened(value: Any, names: Sequence[str], encoding: str) -> Any:
    if not names:
        return _read(value, encoding) if isinstance(value, str) else value
    if not isinstance(value, dict) or names[0] not in value:
        return value
    return {**value, names[0]: _opened(value[names[0]], names[1:], encoding)}


def _read(text: str, encoding: str) -> Any:
    try:
        return parse(base64.b64decode(text, validate=True) if encoding == "base64" else text.encode())
    except (BadJson, ValueError, binascii.Error):
        return text
