"""POST /webhooks/{source}: what happens to a delivery, in the order in which it must happen.

Content type, size, the body's bytes, who sent them, the sender's allowance, whether it came before, what it says, what
it means, and only when it is durable, 202. Nothing is parsed before its sender has proved who it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web

from warden_desktop.adapters.keychain import KeychainError
from warden_desktop.adapters.sources import Source, Unmappable
from warden_desktop.adapters.sources.signature import authentic
from warden_desktop.adapters.webhook.guards import check_content, read_body
from warden_desktop.adapters.webhook.limits import Limits, Quota
from warden_desktop.adapters.webhook.quarantine import Quarantine
from warden_desktop.adapters.webhook.refusals import Refusal, Tally, answer, unauthorized
from warden_desktop.adapters.webhook.strict_json import BadJson, parse
from warden_desktop.domain.alert import Alert
from warden_desktop.domain.record import now
from warden_desktop.engine.bus import PublishError
from warden_desktop.engine.intake import DeliveryConflict, Receipt

BREATH = 16
"""Alerts of one delivery mapped before everybody else on the loop gets a turn."""

Secrets = Callable[[str], Sequence[bytes]]


class Intake(Protocol):
    """Where accepted alerts go."""

    async def receive(self, alerts: Sequence[Alert], raw: str) -> Sequence[Receipt]:
        """Record the alerts of one delivery, all or none. Raises PublishError and DeliveryConflict."""


class Deliveries:
    """The route's handler."""

    def __init__(self, intake: Intake, secrets: Secrets, limits: Limits, quarantine: Quarantine, tally: Tally) -> None:
        self._intake = intake
        self._secrets = secrets
        self._limits = limits
        self._quarantine = quarantine
        self._tally = tally
        self._quota = Quota(limits.rate, limits.burst)
        self._in_flight: set[tuple[str, str]] = set()

    async def receive(self, request: web.BaseRequest, source: Source, on_read: Callable[[], None]) -> web.Response:
        """Serve one delivery; `on_read` is called once its body is here. Raises Refusal."""
        check_content(request, source.pack.content_types)
        body = await read_body(request, self._limits)
        on_read()
        signed = self._signed(request.headers, body, source)
        self._charge(source.name, 1)
        try:
            return await self._understood(request, source, body, signed)
        except BadJson as wrong:
            raise await self._quarantined(400, "bad_json", str(wrong), source, body) from None
        except Unmappable as wrong:
            raise await self._quarantined(422, "wrong_shape", str(wrong), source, body) from None

    def _charge(self, source: str, alerts: int) -> None:
        wait = self._quota.charge(source, alerts) if alerts else 0
        if wait:
            raise Refusal(429, "over_quota", "This source sends more than it may.", retry_after=wait)

    def _signed(self, headers: Mapping[str, str], body: bytes, source: Source) -> bool:
        """Whether the sender proved who it is; with a secret set, it must. Without one we are on loopback only."""
        try:
            secrets = self._secrets(source.name)
        except KeychainError as error:  # it may hold a secret, so nothing unsigned is taken meanwhile
            raise Refusal(503, "keychain", "The keychain does not answer.", retry_after=10) from error
        if not secrets:
            return False
        if not authentic(source.pack.verification, headers, body, secrets, time.time()):
            raise unauthorized()
        return True

    async def _understood(self, request: web.BaseRequest, source: Source, body: bytes, signed: bool) -> web.Response:
        parsed = parse(body)
        delivery_id = source.delivery_id(request.headers) or source.mapper.delivery_id(parsed)
        with self._once(source.name, delivery_id):
            alerts = await _mapped(source, parsed, signed, delivery_id)
            self._charge(source.name, len(alerts) - 1)
            return self._answer(source.name, await self._recorded(alerts, body.decode()))

    @contextlib.contextmanager
    def _once(self, source: str, delivery_id: str | None) -> Iterator[None]:
        if delivery_id is None:
            yield
            return
        name = (source, delivery_id)
        if name in self._in_flight:
            raise Refusal(409, "in_flight", "This delivery is being recorded just now.", retry_after=1)
        self._in_flight.add(name)
        try:
            yield
        finally:
            self._in_flight.discard(name)

    async def _recorded(self, alerts: Sequence[Alert], raw: str) -> Sequence[Receipt]:
        try:
            return await self._intake.receive(alerts, raw)
        except DeliveryConflict:
            detail = "This delivery id came before with another body."
            raise Refusal(422, "delivery_conflict", detail) from None
        except PublishError as error:
            detail = "It could not be recorded, so it was not accepted. Send it again."
            raise Refusal(503, "not_recorded", detail, retry_after=error.retry_after or 2.0) from error

    def _answer(self, source: str, receipts: Sequence[Receipt]) -> web.Response:
        first = receipts[0]
        answered: dict[str, Any] = {"alert_id": str(first.alert_id), "event_id": str(first.event_id)}
        if len(receipts) > 1:
            answered["alert_ids"] = [str(receipt.alert_id) for receipt in receipts]
        if all(receipt.duplicate for receipt in receipts):
            self._tally.duplicates[source] += 1
            return answer({"duplicate": True, **answered})
        self._tally.accepted[source] += len(receipts)
        return answer(answered, 202)

    async def _quarantined(self, status: int, code: str, detail: str, source: Source, body: bytes) -> Refusal:
        await self._quarantine.keep(source.name, code, detail, body)
        return Refusal(status, code, detail[:500])


async def _mapped(source: Source, parsed: object, signed: bool, delivery_id: str | None) -> list[Alert]:
    alerts = []
    for alert in source.mapper.each(parsed, received_at=now(), signed=signed, delivery_id=delivery_id):
        alerts.append(alert)
        if len(alerts) % BREATH == 0:
            await asyncio.sleep(0)
    return alerts
