"""Carries actions out over HTTP, as a connector pack says.

Theory of operation: each attempt has a connection of its own and one send, whatever the client library would like to
try again, and no redirect is followed. The gate of the kill switch is passed when the connection stands and
the first byte is about to be written: before that, nothing was sent, whatever fails; after that, only an answer tells
what happened, and no answer means unknown.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
from aiohttp import ClientRequest, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from warden_desktop.adapters.responders.build import Built, build
from warden_desktop.adapters.responders.pack import BasicAuth, BearerAuth, ConnectorPack, HeaderAuth, NoAuth, Request
from warden_desktop.adapters.responders.reach import GuardedResolver, check_base_url
from warden_desktop.domain.action import VERBS, Outcome, ProposedAction, RequestPreview, Result, Verb

MASK = "***"
CONNECT_WITHIN = 10.0
"""Seconds."""

RESPONSE_READ = 65_536
RESPONSE_KEPT = 4_096

OpenSession = Callable[[ConnectorPack, type[ClientRequest]], AbstractAsyncContextManager[ClientSession]]


def open_session(pack: ConnectorPack, request_class: type[ClientRequest]) -> ClientSession:
    """A session for one attempt: no cookies, no proxies of the environment, no refused addresses."""
    connector = TCPConnector(
        resolver=GuardedResolver(allow_link_local=pack.allow_link_local), force_close=True, use_dns_cache=False
    )
    return ClientSession(
        connector=connector, request_class=request_class, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False,
        # An answer is kept to be read, not unpacked: a small one could unpack to gigabytes.
        headers={"Accept-Encoding": "identity", "User-Agent": "warden-desktop"}, auto_decompress=False,
    )  # fmt: skip


class HttpResponder:
    """Implements ports.Responder over a pack. `secret` gives a secret by name, None when it is not set."""

    simulated = False

    def __init__(
        self, pack: ConnectorPack, secret: Callable[[str], str | None], open_session: OpenSession = open_session
    ) -> None:
        self._pack = pack
        self._secret = secret
        self._open_session = open_session

    @property
    def name(self) -> str:
        return self._pack.name

    @property
    def title(self) -> str:
        return self._pack.title

    @property
    def verbs(self) -> frozenset[Verb]:
        """What it can do; nothing while it is not configured."""
        if not self.configured:
            return frozenset()
        return frozenset(Verb) if self._pack.every_verb else frozenset(self._pack.verbs)

    @property
    def configured(self) -> bool:
        return not self.missing

    @property
    def missing(self) -> str:
        """What it still needs before it can act, as a sentence; "" when it is configured."""
        if not self._pack.base_url:
            return f"{self._pack.title} is not configured: set its base URL."
        try:
            self._check()
        except ValueError as error:
            return f"{self._pack.title} is not configured: {error}."
        return ""

    def preview(self, action: ProposedAction) -> RequestPreview:
        """Exactly what `act` would send, secrets as `***`. Raises ValueError when it cannot be built."""
        self._check()
        template = self._pack.request_of(action)
        built = build(self._pack.base_url, template, action)
        return RequestPreview(
            connector=self.name, simulated=False, method=built.method, url=built.url,
            headers={**built.headers, **_credentials(self._pack, MASK)}, body=built.body, undo=_undo(template, action),
        )  # fmt: skip

    async def act(self, action: ProposedAction, gate: Callable[[], None]) -> Outcome:
        """Send the request once. Raises Stopped from the gate, and ValueError when the request cannot be built."""
        self._check()
        template = self._pack.request_of(action)
        built = build(self._pack.base_url, template, action)
        sent = asyncio.Event()
        try:
            async with self._open_session(self._pack, _gated(gate, sent)) as session:
                return await self._exchange(session, built, template)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _unanswered(error, sent=sent.is_set())

    async def _exchange(self, session: ClientSession, built: Built, template: Request) -> Outcome:
        credentials = _credentials(self._pack, self._secret_value())
        limit = template.timeout or self._pack.timeout
        async with session.request(
            built.method, URL(built.url, encoded=True), data=built.payload,
            headers={**built.headers, **credentials}, allow_redirects=False,
            timeout=ClientTimeout(total=limit, sock_connect=min(limit, CONNECT_WITHIN)),
        ) as response:  # fmt: skip
            text = await _text_of(response)
            return _judged(response, template, self._masked(text, credentials)[:RESPONSE_KEPT])

    def _masked(self, text: str, credentials: Mapping[str, str]) -> str:
        """Servers that echo a request must not put its secret into the log."""
        for value in (*credentials.values(), *(value.partition(" ")[2] for value in credentials.values())):
            text = text.replace(value, MASK) if value else text
        return text.replace(self._secret_value() or MASK, MASK)

    def _check(self) -> None:
        pack = self._pack
        with_secret = not isinstance(pack.auth, NoAuth)
        check_base_url(pack.base_url, with_secret=with_secret, allow_link_local=pack.allow_link_local)
        self._secret_value()

    def _secret_value(self) -> str:
        auth = self._pack.auth
        if isinstance(auth, NoAuth):
            return ""
        value = self._secret(auth.secret)
        if not value:
            raise ValueError(f"the secret {auth.secret!r} is not set")
        return value


def _gated(gate: Callable[[], None], sent: asyncio.Event) -> type[ClientRequest]:
    class GatedRequest(ClientRequest):
        async def send(self, conn: Any) -> ClientResponse:
            if sent.is_set():  # aiohttp sends GET, PUT and DELETE again when the server drops the connection
                raise aiohttp.ClientConnectionError("the server dropped the connection")
            gate()
            sent.set()
            return await super().send(conn)

    return GatedRequest


def _credentials(pack: ConnectorPack, secret: str) -> dict[str, str]:
    match pack.auth:
        case BearerAuth():
            return {"Authorization": f"Bearer {secret}"}
        case HeaderAuth():
            return {pack.auth.header: secret}
        case BasicAuth():
            pair = secret if secret == MASK else b64encode(f"{pack.auth.user}:{secret}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        case NoAuth():
            return {}


def _undo(template: Request, action: ProposedAction) -> str:
    inverse = VERBS[action.verb].inverse
    return template.undo or (f"{VERBS[inverse].label}, as a new action" if inverse else "")


async def _text_of(response: ClientResponse) -> str:
    """The beginning of the body. The status already tells how it went, so a body that breaks off is no failure."""
    try:
        body = await response.content.read(RESPONSE_READ)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return ""
    return body.decode("utf-8", "replace")


def _judged(response: ClientResponse, template: Request, text: str) -> Outcome:
    status = response.status
    result, detail = _verdict(status, template)
    answer = f"{status} {response.reason or ''}".strip()
    return Outcome(result=result, detail=f"{detail}: {answer}", status_code=status, response=text)


def _verdict(status: int, template: Request) -> tuple[Result, str]:
    if status in template.success:
        return Result.SUCCEEDED, "done"
    if 300 <= status < 400:
        return Result.FAILED, "the server wants to send us elsewhere, which is not followed"
    if 400 <= status < 500:
        return Result.FAILED, "refused by the server"
    if status >= 500 and template.idempotent:
        return Result.FAILED, "the server failed"
    return Result.UNKNOWN, "the server's answer does not tell whether it was done"


def _unanswered(error: Exception, *, sent: bool) -> Outcome:
    why = str(error) or type(error).__name__
    if not sent:
        return Outcome(result=Result.FAILED, detail=f"nothing was sent: no connection: {why}")
    return Outcome(result=Result.UNKNOWN, detail=f"sent, but no answer came; it may have taken effect: {why}")
