"""The door's answers: what it says when it refuses, and how every answer looks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiohttp import web

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "warden-desktop"}


class Refusal(Exception):
    """A request that is not served: an HTTP status, a code for machines and a sentence for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))

    @property
    def last(self) -> bool:
        """Whether the connection ends here: its body was not read, or it is not to be trusted with another request."""
        return self.status in (408, 413, 503)


def answer(payload: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=orjson.dumps(payload),
        status=status,
        content_type="application/json",
        headers={**_HEADERS, **headers} if headers else _HEADERS,
    )


def text(body: str, content_type: str) -> web.Response:
    """A text answer."""
    return web.Response(text=body, content_type=content_type, charset="utf-8", headers=_HEADERS)


def refused(refusal: Refusal) -> web.Response:
    """The answer to a request that is not served."""
    response = answer({"error": refusal.code, "detail": refusal.detail}, refusal.status, refusal.headers)
    if refusal.last:
        response.force_close()
    return response


def unknown() -> Refusal:
    """The same words for a path that does not exist and for a source that does not."""
    return Refusal(404, "not_found", "There is nothing here.")


def wrong_method(allowed: Iterable[str]) -> Refusal:
    """There is something here, but not for that."""
    methods = ", ".join(sorted(allowed))
    return Refusal(405, "method", f"Use {methods}.", headers={"Allow": methods})


def unauthorized() -> Refusal:
    """The same words whatever was missing or wrong."""
    return Refusal(401, "unauthorized", "The request did not prove where it comes from.")


class Tally:
    """What the door counts."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self.evicted = 0
