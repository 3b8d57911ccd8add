"""The door: an HTTP server on loopback that takes deliveries in, and the control API beside it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Collection, Iterator, Mapping

from aiohttp import web

from warden_desktop.adapters.sources import Source
from warden_desktop.adapters.sources.challenge import OktaChallenge
from warden_desktop.adapters.webhook.connections import Connections, listen
from warden_desktop.adapters.webhook.control import Control
from warden_desktop.adapters.webhook.deliveries import Deliveries, Intake, Secrets
from warden_desktop.adapters.webhook.guards import LOOPBACK, check_host, check_origin
from warden_desktop.adapters.webhook.limits import Limits
from warden_desktop.adapters.webhook.metrics import CONTENT_TYPE, Metrics, exposition
from warden_desktop.adapters.webhook.quarantine import Quarantine
from warden_desktop.adapters.webhook.refusals import Refusal, Tally, answer, refused, text, unknown, wrong_method
from warden_desktop.adapters.webhook.routes import ANY, Route, Routes

log = logging.getLogger(__name__)

GRACE = 2.0
"""Seconds a stop waits for requests being served."""

LINGER = 2.0
"""Seconds the rest of a refused body is read and thrown away, so that its sender sees the answer, not a broken pipe."""


class DoorError(Exception):
    """The server cannot be started; the text says why and what to do."""


class Door:
    """The webhook server. Everything it needs is handed in; `start` binds, `stop` lets requests finish."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sources: Mapping[str, Source],
        intake: Intake,
        secrets: Secrets,
        health: Callable[[], Mapping[str, str]],
        quarantine: Quarantine,
        limits: Limits,
        metrics: Metrics = dict,
        control: Control | None = None,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        """`secrets` gives a source's 0 to 2 secrets, `health` what is wrong by component, `metrics` further values;
        `allowed_hosts` are names besides loopback's that a request may be addressed to."""
        self._host = host
        self._port = port
        self._sources = sources
        self._health = health
        self._limits = limits
        self._metrics = metrics
        self._control = control
        self._hosts = frozenset({*LOOPBACK, host.lower(), *(name.lower() for name in allowed_hosts)})
        self.tally = Tally()
        self._deliveries = Deliveries(intake, secrets, limits, quarantine, self.tally)
        self._routes = Routes((*self._own_routes(), *(control.routes() if control else ())))
        self._connections: Connections | None = None
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()
        self._stopping = False

    def _own_routes(self) -> Iterator[Route]:
        yield Route(ANY, "/webhooks/{}", self._webhook)
        yield Route("GET", "/healthz", self._tell_health)
        yield Route("GET", "/metrics", self._tell_metrics)

    # --- starting and stopping ----------------------------------------------------------------------------------

    async def start(self) -> tuple[str, int]:
        """Listen, and return the address and the port. Raises DoorError."""
        if self._host.lower() not in LOOPBACK:
            raise DoorError(
                f"The webhook server listens on loopback only; {self._host} is not. Others on the network could send "
                "alerts unseen: put a proxy with TLS and signatures in front, and use --host 127.0.0.1."
            )
        try:
            self._listening = listen(self._host, self._port)
        except OSError as error:
            raise DoorError(
                f"The webhook server cannot listen on {self._host}:{self._port} ({error.strerror}). Is another program "
                "there? Choose another port with --port, or 0 for any."
            ) from error
        self._connections = Connections(self._serve, self._limits.connections, self.tally, **self._settings())
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._accepting = self._tasks.create_task(self._connections.accept(self._listening), name="door: accept")
        host, port, *_ = self._listening.getsockname()
        return host, port

    def _settings(self) -> dict[str, object]:
        return {
            "auto_decompress": False,
            "keepalive_timeout": self._limits.header_timeout,  # also what bounds the time for headers
            "lingering_time": LINGER,
            "access_log": None,
            "max_headers": 64,
        }

    async def stop(self) -> None:
        """Refuse what comes, end the streams, let what is being served finish, and close."""
        self._stopping = True
        if self._control is not None:
            self._control.stop()
        if self._accepting is None or self._listening is None or self._connections is None:
            return
        self._accepting.cancel()
        await self._tasks.__aexit__(None, None, None)
        self._listening.close()
        await asyncio.sleep(0)  # what has just arrived begins to be served
        self._connections.pre_shutdown()
        await self._connections.shutdown(GRACE)
        self._accepting = None

    # --- serving ------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._routed(request)
        except Refusal as refusal:
            self.tally.refused[refusal.code] += 1
            return refused(refusal)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:
            log.exception("serving %s failed", request.method)
            self.tally.refused["internal"] += 1
            return refused(Refusal(500, "internal", "An error of ours; it is in the log. Send it again later."))
        finally:
            if self._connections is not None:
                self._connections.served(request.protocol)

    async def _routed(self, request: web.BaseRequest) -> web.StreamResponse:
        check_host(request, self._hosts)
        check_origin(request)
        if self._stopping:
            raise Refusal(503, "stopping", "The application is stopping.", retry_after=5)
        handler, parts = self._routes.find(request.method, request.path)
        if request.method == "GET":
            self._read(request)
        return await handler(request, *parts)

    def _read(self, request: web.BaseRequest) -> None:
        if self._connections is not None:
            self._connections.serving(request.protocol)

    async def _webhook(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        source = self._sources.get(name)
        if source is None:
            raise unknown()
        tried = isinstance(source.pack.challenge, OktaChallenge)
        if request.method == "POST":
            return await self._deliveries.receive(request, source, lambda: self._read(request))
        if request.method == "GET" and tried:
            return self._deliveries.verify(request, source)
        raise wrong_method(("GET", "POST") if tried else ("POST",))

    async def _tell_health(self, request: web.BaseRequest) -> web.StreamResponse:
        causes = dict(self._health())
        return answer({"status": "failing" if causes else "ok", "causes": causes}, 503 if causes else 200)

    async def _tell_metrics(self, request: web.BaseRequest) -> web.StreamResponse:
        count = len(self._connections) if self._connections is not None else 0
        return text(exposition(self._metrics(), self.tally, count), CONTENT_TYPE)
