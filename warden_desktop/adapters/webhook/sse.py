"""GET /events: the log, live, as server-sent events. `id` is the event's number, `event` its kind, `data` its JSON.

Theory of operation: events are numbered without holes, so the number of the last one sent is all a stream must
remember. It listens first and reads afterwards: what the client has not seen up to the head comes from the log, what
follows from the broadcast. Whenever the next event is not the last one's successor (events were missed, or came twice
around the seam), the log fills the gap or the event is passed over. So a client that reconnects with `Last-Event-ID`
sees every event once and in order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import orjson
from aiohttp import web

from warden_desktop.adapters.webhook.limits import Limits
from warden_desktop.adapters.webhook.refusals import Refusal
from warden_desktop.domain.shape import event_json
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import Recorded
from warden_desktop.engine.receiver import Closed, Lagged, Receiver

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that both ends notice a connection that died."""

PAGE = 500

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Server": "warden-desktop",
}


class Stream:
    """Serves event streams, `limits.streams` of them at once."""

    def __init__(self, bus: Bus, limits: Limits, heartbeat: float = HEARTBEAT) -> None:
        self._bus = bus
        self._limits = limits
        self._heartbeat = heartbeat
        self._receivers: set[Receiver] = set()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Stream until the client goes or the application stops."""
        if len(self._receivers) >= self._limits.streams:
            raise Refusal(503, "busy", f"{self._limits.streams} streams are open already.", retry_after=5)
        receiver = self._bus.listen()
        self._receivers.add(receiver)
        try:
            reader = _Reader(request, self._bus, receiver, _last_seen(request, receiver.position), self._limits)
            return await reader.run(self._heartbeat)
        finally:
            self._receivers.discard(receiver)
            receiver.close()

    def stop(self) -> None:
        """End all streams."""
        for receiver in tuple(self._receivers):
            receiver.close()


class _Reader:
    """One client's stream."""

    def __init__(self, request: web.BaseRequest, bus: Bus, receiver: Receiver, after: int, limits: Limits) -> None:
        self._request = request
        self._bus = bus
        self._receiver = receiver
        self._after = after
        self._patience = limits.body_timeout
        self._response = web.StreamResponse(headers=_HEADERS)

    async def run(self, heartbeat: float) -> web.StreamResponse:
        self._response.force_close()
        await self._response.prepare(self._request)
        with contextlib.suppress(ConnectionError, TimeoutError, Closed):
            await self._write(b": the log follows\n\n")
            await self._catch_up(self._receiver.position)
            while True:
                await self._step(heartbeat)
        return self._response

    async def _step(self, heartbeat: float) -> None:
        try:
            recorded = await asyncio.wait_for(self._receiver.next(), heartbeat)
        except TimeoutError:
            await self._write(b": still here\n\n")
            return
        except Lagged:
            await self._catch_up(self._receiver.position)
            return
        missed, further = self._receiver.drain(PAGE)
        if missed or recorded.seq > self._after + 1:
            await self._catch_up(self._receiver.position)
        else:
            await self._send((recorded, *further))

    async def _catch_up(self, until: int) -> None:
        """Send from the log what lies between the last event sent and `until`."""
        while self._after < until:
            page = await self._bus.read(self._after, min(PAGE, until - self._after))
            if not page:
                return
            await self._send(page)

    async def _send(self, events: Iterable[Recorded]) -> None:
        fresh = [recorded for recorded in events if recorded.seq > self._after]
        if fresh:
            await self._write(b"".join(map(_frame, fresh)))
            self._after = fresh[-1].seq

    async def _write(self, data: bytes) -> None:
        async with asyncio.timeout(self._patience):
            await self._response.write(data)


def _last_seen(request: web.BaseRequest, head: int) -> int:
    """Where the client wants to go on; at the head when it does not say."""
    given = request.headers.get("Last-Event-ID", "").strip()
    if not given:
        return head
    if not given.isascii() or not given.isdecimal() or len(given) > 18:
        raise Refusal(400, "last_event_id", "Last-Event-ID must be the number of an event.")
    return min(int(given), head)


def _frame(recorded: Recorded) -> bytes:
    data = orjson.dumps(event_json(recorded.seq, recorded.event))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (recorded.seq, recorded.event.kind.encode(), data)
