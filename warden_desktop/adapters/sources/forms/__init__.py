"""Delivery forms: how a body's bytes become the value that a pack maps.

`json`: one JSON value. `ndjson`: one a line, or one array. `form`: a urlencoded form whose field `payload` is JSON, or
whose fields are the delivery; JSON itself too. `cef`, `leef`: one event a line. `mail`: a message as RFC 822 has it.
A list is several deliveries in one. Whatever is read, nothing but BadForm is ever raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from warden_desktop.adapters.sources.forms.cef import cef
from warden_desktop.adapters.sources.forms.errors import BadForm
from warden_desktop.adapters.sources.forms.fields import fields
from warden_desktop.adapters.sources.forms.leef import leef
from warden_desktop.adapters.sources.forms.lines import each_line
from warden_desktop.adapters.sources.forms.mail import mail
from warden_desktop.adapters.sources.forms.structured import json_lines, json_text

Form = Literal["json", "ndjson", "form", "cef", "leef", "mail"]


class _Kind(NamedTuple):
    read: Callable[[bytes], Any]
    content_types: tuple[str, ...]


_TEXT = ("text/plain", "application/octet-stream")
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json")
_KINDS: Mapping[Form, _Kind] = {
    "json": _Kind(json_text, ("application/json",)),
    "ndjson": _Kind(json_lines, _LINES),
    "form": _Kind(fields, ("application/x-www-form-urlencoded", "application/json")),
    "cef": _Kind(each_line(cef, "bad_cef"), _TEXT),
    "leef": _Kind(each_line(leef, "bad_leef"), _TEXT),
    "mail": _Kind(mail, ("message/rfc822",)),
}


def read(form: Form, body: bytes) -> Any:
    """What the body says. Raises BadForm."""
    return _KINDS[form].read(body)


def content_types(form: Form) -> tuple[str, ...]:
    """The media types such a body is usually sent as."""
    return _KINDS[form].content_types


__all__ = ["BadForm", "Form", "content_types", "read"]
