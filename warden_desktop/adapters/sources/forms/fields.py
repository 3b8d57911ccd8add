"""Urlencoded forms: JSON in the field `payload`, as GitHub and Slack have it, or plain fields."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from warden_desktop.adapters.sources.forms.errors import BadForm
from warden_desktop.adapters.sources.forms.structured import json_text

PAYLOAD = "payload"
MOST = 1_000
CODE = "bad_form"


def fields(body: bytes) -> Any:
    """The value of `payload`, else the fields by name. Raises BadForm."""
    if body.lstrip()[:1] in (b"{", b"["):  # a vendor that lets one choose; no form begins so
        return json_text(body)
    found = _pairs(body)
    if PAYLOAD in found:
        return json_text(found[PAYLOAD].encode())
    if not found:
        raise BadForm(CODE, "there is no field")
    return found


def _pairs(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), True, True, "utf-8", "strict", MOST)
    except ValueError as error:  # not ASCII or not UTF-8 behind its escapes among them
        raise BadForm(CODE, f"not a urlencoded form: {error}"[:300]) from None
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadForm(CODE, f"the field {twice[:64]!r} is there twice")
    return found
