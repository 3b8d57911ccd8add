"""The door's connections: bounded in number and patience, and slow clients cannot keep quick ones out.

Theory of operation: of the connections the door has, some are being served and the rest keep us waiting, for headers,
a body, or nothing at all. When there are as many as allowed, the next one stays in the kernel's queue until there is
room, and the connection that has kept us waiting longest makes room, unless it is so young that its request may still
be on the way. A quick client is served within that time, so it is never the one; five hundred clients that drip a byte
a second only push out each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from time import monotonic
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from warden_desktop.adapters.webhook.refusals import Refusal, Tally, refused

log = logging.getLogger(__name__)

YOUNG = 0.03
"""Seconds in which a connection may say what it wants before it can be made to give way."""

QUEUED = 1024
"""Connections that may wait in the kernel."""

OUT_OF_FILES = 0.2
"""Seconds to wait when a connection could not be accepted, for instance because no descriptor is left."""


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


class Connections(web.Server):
    """aiohttp's low-level server over a bounded number of connections."""

    def __init__(self, handler: Any, most: int, tally: Tally, **settings: Any) -> None:
        super().__init__(handler, **settings)
        self._most = most
        self._tally = tally
        self._waiting: dict[Any, float] = {}  # since when, the longest first
        self._served: set[Any] = set()
        self._freed = asyncio.Event()

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._served)

    async def accept(self, listening: socket.socket) -> None:
        """Accept connections, for ever, as there is room. Nothing that one of them brings about ends this."""
        while True:
            try:
                await self._knock(listening)
                await self._admit(listening.accept()[0])
            except BlockingIOError:  # it has left again
                continue
            except Exception as error:
                log.warning("a connection could not be accepted: %s", error)
                await asyncio.sleep(OUT_OF_FILES)

    async def _admit(self, accepted: socket.socket) -> None:
        try:
            await self._room()
        except asyncio.CancelledError:
            accepted.close()
            raise
        try:
            await self._loop.connect_accepted_socket(self, accepted)
        except OSError:  # it left while it waited
            accepted.close()

    async def _knock(self, listening: socket.socket) -> None:
        """Wait until somebody wants in. (`sock_accept` would lose the connection it accepts while it is cancelled.)"""
        knocked = self._loop.create_future()
        self._loop.add_reader(listening, _resolve, knocked)
        try:
            await knocked
        finally:
            self._loop.remove_reader(listening)

    async def _room(self) -> None:
        while len(self) >= self._most and not self._make_room():
            self._freed.clear()
            oldest = next(iter(self._waiting.values()), None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if oldest is None else oldest + YOUNG - monotonic()):
                    await self._freed.wait()

    def _make_room(self) -> bool:
        handler, since = next(iter(self._waiting.items()), (None, 0.0))
        if handler is None or monotonic() - since < YOUNG:
            return False
        del self._waiting[handler]
        transport = self._connections[handler]
        handler.force_close()
        transport.abort()
        self._tally.evicted += 1
        return True

    # --- what becomes of a connection ---------------------------------------------------------------------------

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._waiting[handler] = monotonic()

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._waiting.pop(handler, None)
        self._served.discard(handler)
        self._freed.set()

    def serving(self, handler: Any) -> None:
        """The connection has said all it has to say; from now on it waits for us."""
        if self._waiting.pop(handler, None) is not None:
            self._served.add(handler)

    def served(self, handler: Any) -> None:
        """The connection has its answer, and keeps us waiting again."""
        if handler in self._served:
            self._served.discard(handler)
            self._waiting[handler] = monotonic()
            self._freed.set()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on one loopback address. Raises OSError."""
    address = "127.0.0.1" if host.lower() == "localhost" else host
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere this option lets two programs share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(QUEUED)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
