"""The door's connections: bounded in number and patience, and slow clients cannot keep quick ones out.

Theory of operation: of the connections the door has, some are being served and the rest keep us waiting, for headers,
a body, or nothing at all. When there are as many as allowed and another one comes, the connection that has kept us
waiting longest makes room. A quick client needs a few milliseconds, so it is never the one; five hundred clients that
drip a byte a second only push out each other. Only when all are being served is a newcomer turned away.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from warden_desktop.adapters.webhook.refusals import Refusal, Tally, refused

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
    b'Content-Length: 64\r\n\r\n{"error": "busy", "detail": "All connections are in use; wait."}'
)


class _Connection(RequestHandler):
    """One connection. Broken HTTP gets the door's own answer and no log line: strangers make it."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        code, detail = ("bad_request", "This is not HTTP/1.1.") if status < 500 else ("internal", "An error of ours.")
        response = refused(Refusal(status, code, detail))
        response.force_close()
        return response


class _TurnedAway(asyncio.Protocol):
    """What a newcomer gets when every connection is being served."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(_FULL)
        transport.close()


class Connections(web.Server):
    """aiohttp's low-level server with a bounded number of connections."""

    def __init__(self, handler: Any, most: int, tally: Tally, **settings: Any) -> None:
        super().__init__(handler, **settings)
        self._most = most
        self._tally = tally
        self._waiting: dict[Any, None] = {}

    def __call__(self) -> Any:
        if len(self._connections) >= self._most and not self._make_room():
            self._tally.refused["busy"] += 1
            return _TurnedAway()
        return _Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._waiting[handler] = None

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._waiting.pop(handler, None)

    def serving(self, handler: Any) -> None:
        """The connection has said all it has to say; from now on it waits for us."""
        self._waiting.pop(handler, None)

    def served(self, handler: Any) -> None:
        """The connection has its answer, and keeps us waiting again."""
        if handler in self._connections:
            self._waiting[handler] = None

    def _make_room(self) -> bool:
        for handler in self._waiting:
            del self._waiting[handler]
            transport = self._connections[handler]
            handler.force_close()
            transport.abort()
            self._tally.evicted += 1
            return True
        return False
