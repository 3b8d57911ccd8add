"""The control API: what the window can do, for the command line, behind a bearer token.

GET  /api/incidents[?query=&limit=&cursor=]   {"incidents": [...], "cursor": text or null}, newest first
GET  /api/incidents/{id}                      an incident; the beginning of an id is enough when it is unique
GET  /api/approvals                           {"approvals": [...]}: actions that wait for a person or are held
POST /api/approvals/{id}/approve | deny       {"reason"?, "digest"?, "level"?} -> the action
GET  /api/kill-switch                         {"engaged": bool, "scopes": [...], "receipt": event or null}
POST /api/kill-switch                         {"engage": bool, "scope"?, "reason"?} -> the same
GET  /api/dead-letters                        {"dead_letters": [...]}: events that a worker gave up on
GET  /api/dead-letters/{id}                   one of them, for instance "triage-12"
POST /api/dead-letters/{id}/retry             {"handled": bool, "dead_letter": it with the new error, or null}
POST /api/dead-letters/{id}/discard           {"reason"} -> {"discarded": true}
POST /api/window/raise                        {"raised": bool}
GET  /events                                  see sse.py
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from aiohttp import web

from warden_desktop.adapters.strict_json import BadJson, parse
from warden_desktop.adapters.webhook.guards import check_content, read_body
from warden_desktop.adapters.webhook.limits import Limits
from warden_desktop.adapters.webhook.refusals import Refusal, answer, unauthorized, unknown
from warden_desktop.adapters.webhook.routes import Handler, Route
from warden_desktop.adapters.webhook.sse import Stream
from warden_desktop.domain.action import ActionState, Level
from warden_desktop.domain.incident import Action, Incident, IncidentRow
from warden_desktop.domain.query import QuerySyntaxError
from warden_desktop.domain.query import parse as parse_query
from warden_desktop.domain.record import now
from warden_desktop.domain.shape import action_json, incident_json
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.letter_shape import letter_json, parsed_id
from warden_desktop.engine.ports import JournalError

PAGE = 50
MOST = 500
BREATH = 1_000
"""Rows looked at before everybody else on the loop gets a turn."""

_STATUS = {"not_found": 404, "not_recorded": 503, "latch": 503} | dict.fromkeys(
    ("reason_required", "unknown_scope", "empty"), 422
)
_UNDECIDED = frozenset({ActionState.WAITING, ActionState.HELD})


class Control:
    """The routes of the control API. They act as `actor` ("analyst:alice") and approve as `level` unless they say.

    The token opens all of it: whoever can read the data directory is the person at this desk.
    """

    def __init__(
        self,
        desk: Desk,
        token: str,
        actor: str,
        limits: Limits,
        raise_window: Callable[[], None] | None = None,
        level: Level = Level.ANALYST,
    ) -> None:
        self._desk = desk
        self._token = token.encode()
        self._actor = actor
        self._limits = limits
        self._raise_window = raise_window
        self._level = level
        self._stream = Stream(desk.bus, limits)

    def routes(self) -> Iterator[Route]:
        """Every route, guarded by the token."""
        served: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/api/incidents", self._incidents),
            ("GET", "/api/incidents/{}", self._incident),
            ("GET", "/api/approvals", self._approvals),
            ("POST", "/api/approvals/{}/approve", self._approve),
            ("POST", "/api/approvals/{}/deny", self._deny),
            ("GET", "/api/kill-switch", self._kill_switch),
            ("POST", "/api/kill-switch", self._switch),
            ("GET", "/api/dead-letters", self._dead_letters),
            ("GET", "/api/dead-letters/{}", self._dead_letter),
            ("POST", "/api/dead-letters/{}/retry", self._retry),
            ("POST", "/api/dead-letters/{}/discard", self._discard),
            ("POST", "/api/window/raise", self._window),
            ("GET", "/events", self._stream.serve),
        )
        return (Route(method, path, self._guarded(handler)) for method, path, handler in served)

    def stop(self) -> None:
        """End the event streams."""
        self._stream.stop()

    def _guarded(self, handler: Handler) -> Handler:
        async def serve(request: web.BaseRequest, *parts: str) -> web.StreamResponse:
            self._authorize(request)
            try:
                return await handler(request, *parts)
            except DeskError as error:
                status = _STATUS.get(error.code, 409)
                raise Refusal(status, error.code, error.detail, retry_after=2 if status == 503 else None) from None
            except JournalError as error:
                raise Refusal(503, "journal", str(error), retry_after=2) from None

        return serve

    def _authorize(self, request: web.BaseRequest) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        scheme, _, token = given.partition(b" ")
        if not (hmac.compare_digest(token.strip(), self._token) and scheme.lower() == b"bearer" and self._token):
            refusal = unauthorized()
            refusal.headers["WWW-Authenticate"] = "Bearer"
            raise refusal

    # --- incidents ----------------------------------------------------------------------------------------------

    async def _incidents(self, request: web.BaseRequest) -> web.Response:
        asked = request.query
        limit = _limit(asked.get("limit", ""))
        found = []
        async for row in self._matching(asked.get("query", ""), asked.get("cursor", "")):
            found.append(row.id)
            if len(found) > limit:
                break
        incidents = [await self._desk.incidents.load(one) for one in found[:limit]]
        shown = [incident_json(incident) for incident in incidents if incident is not None]
        return answer({"incidents": shown, "cursor": str(found[limit - 1]) if len(found) > limit else None})

    async def _matching(self, query: str, cursor: str) -> AsyncIterator[IncidentRow]:
        try:
            wanted = parse_query(query)
        except QuerySyntaxError as error:
            raise Refusal(400, "query", f"At character {error.position + 1}: {error.detail}") from None
        asked_at, passed = now(), not cursor
        for index, row in enumerate(reversed(list(self._desk.incidents.rows().values())), 1):
            if passed and wanted.matches(row, asked_at):
                yield row
            passed = passed or str(row.id) == cursor
            if index % BREATH == 0:
                await asyncio.sleep(0)

    async def _incident(self, request: web.BaseRequest, beginning: str) -> web.Response:
        incident = await self._desk.incidents.load(_only(beginning, self._desk.incidents.rows()))
        if incident is None:
            raise unknown()
        return answer(incident_json(incident))

    # --- approvals ----------------------------------------------------------------------------------------------

    async def _approvals(self, request: web.BaseRequest) -> web.Response:
        waiting = (found for found in self._desk.incidents.actions() if found[1].state in _UNDECIDED)
        return answer({"approvals": [action_json(incident, action) for incident, action in waiting]})

    async def _approve(self, request: web.BaseRequest, beginning: str) -> web.Response:
        said = await self._said(request)
        level = self._level_of(said)
        _, action = self._action(beginning)
        digest = _text(said, "digest") or action.digest or action.proposed.digest
        await self._desk.approve(action.id, digest=digest, actor=self._actor, level=level)
        return self._shown(action.id)

    async def _deny(self, request: web.BaseRequest, beginning: str) -> web.Response:
        said = await self._said(request)
        _, action = self._action(beginning)
        await self._desk.deny(action.id, reason=_text(said, "reason"), actor=self._actor)
        return self._shown(action.id)

    def _level_of(self, said: dict[str, Any]) -> Level:
        given = _text(said, "level") or self._level
        if given not in set(Level):
            raise Refusal(422, "wrong_shape", f"level: must be one of {', '.join(Level)}.")
        return Level(given)

    def _action(self, beginning: str) -> tuple[Incident, Action]:
        known = {action.id: (incident, action) for incident, action in self._desk.incidents.actions()}
        return known[_only(beginning, known)]

    def _shown(self, action_id: UUID) -> web.Response:
        found = self._desk.incidents.action(action_id)
        if found is None:
            raise unknown()
        return answer(action_json(*found))

    # --- dead letters -------------------------------------------------------------------------------------------

    async def _dead_letters(self, request: web.BaseRequest) -> web.Response:
        return answer({"dead_letters": [letter_json(one) for one in await self._desk.dead_letters.list()]})

    async def _dead_letter(self, request: web.BaseRequest, name: str) -> web.Response:
        return answer(letter_json(await self._desk.dead_letters.find(*parsed_id(name))))

    async def _retry(self, request: web.BaseRequest, name: str) -> web.Response:
        await self._said(request)
        left = await self._desk.dead_letters.retry(*parsed_id(name))
        return answer({"handled": left is None, "dead_letter": letter_json(left) if left else None})

    async def _discard(self, request: web.BaseRequest, name: str) -> web.Response:
        said = await self._said(request)
        await self._desk.dead_letters.discard(*parsed_id(name), actor=self._actor, reason=_text(said, "reason"))
        return answer({"discarded": True})

    # --- kill switch and window ---------------------------------------------------------------------------------

    async def _kill_switch(self, request: web.BaseRequest) -> web.Response:
        return self._switch_state()

    async def _switch(self, request: web.BaseRequest) -> web.Response:
        said = await self._said(request)
        engage, scope, reason = said.get("engage"), _text(said, "scope") or "everything", _text(said, "reason")
        if not isinstance(engage, bool):
            raise Refusal(422, "wrong_shape", "engage: must be true or false.")
        if engage:
            self._desk.engage(scope, reason=reason, actor=self._actor)
        else:
            await self._desk.release(scope, reason=reason, actor=self._actor)
        return self._switch_state()

    def _switch_state(self) -> web.Response:
        scopes = [engagement._asdict() for engagement in self._desk.engaged.values()]
        receipt = self._desk.receipt
        shown = receipt.model_dump(mode="json") if receipt is not None else None
        return answer({"engaged": bool(scopes), "scopes": scopes, "receipt": shown})

    async def _window(self, request: web.BaseRequest) -> web.Response:
        if self._raise_window is not None:
            self._raise_window()
        return answer({"raised": self._raise_window is not None})

    async def _said(self, request: web.BaseRequest) -> dict[str, Any]:
        check_content(request, ("application/json",))
        body = await read_body(request, self._limits)
        try:
            said = parse(body or b"{}")
        except BadJson as wrong:
            raise Refusal(400, "bad_json", str(wrong)) from None
        if not isinstance(said, dict):
            raise Refusal(422, "wrong_shape", "The body must be an object.")
        return said


def _limit(text: str) -> int:
    if not text:
        return PAGE
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST:
        raise Refusal(400, "limit", f"limit: must be a number from 1 to {MOST}.")
    return int(text)


def _text(said: dict[str, Any], field: str) -> str:
    value = said.get(field)
    if value is not None and not isinstance(value, str):
        raise Refusal(422, "wrong_shape", f"{field}: must be text.")
    return value or ""


def _only(beginning: str, known: Iterable[UUID]) -> UUID:
    """The one id that begins so."""
    digits = beginning.lower().replace("-", "")
    found = [one for one in known if one.hex.startswith(digits)]
    if not found:
        raise unknown()
    if len(found) > 1:
        raise Refusal(409, "ambiguous", f"{len(found)} ids begin with {beginning}; give more of it.")
    return found[0]
