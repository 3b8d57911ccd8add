"""POST /webhooks/{source}: what happens to a delivery, in the order in which it must happen.

Content type, size, the body's bytes, who sent them, the sender's allowance, whether it came before, what it says, what
it means, and only when it is durable, 202. Nothing is parsed before its sender has proved who it is, but for the two
schemes whose proof is inside the body (see sources/sns.py and sources/signature_body.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web

from warden_desktop.adapters.keychain import KeychainError
from warden_desktop.adapters.sources import BadForm, Source, Unmappable
from warden_desktop.adapters.sources.raw import raw_text
from warden_desktop.adapters.webhook.challenges import Challenges, echo, verification
from warden_desktop.adapters.webhook.guards import check_content, read_body
from warden_desktop.adapters.webhook.limits import Limits, Quota
from warden_desktop.adapters.webhook.quarantine import Quarantine
from warden_desktop.adapters.webhook.refusals import Refusal, Tally, answer, unauthorized
from warden_desktop.domain.alert import Alert
from warden_desktop.domain.record import now
from warden_desktop.engine.bus import PublishError
from warden_desktop.engine.intake import DeliveryConflict, Receipt

AT_ONCE = 32_768
"""Bytes of a form with a slow reader that are read on the loop; more are read in a thread."""

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
        self._challenges = Challenges(quarantine)
        self._quota = Quota(limits.rate, limits.burst)
        self._in_flight: set[tuple[str, str]] = set()

    async def receive(self, request: web.BaseRequest, source: Source, on_read: Callable[[], None]) -> web.Response:
        """Serve one delivery; `on_read` is called once its body is here. Raises Refusal."""
        echoed = echo(request, source)
        if echoed is not None:
            return echoed
        check_content(request, source.pack.content_types)
        body = await read_body(request, self._limits)
        on_read()
        secrets = self._secrets_of(source)
        await self._check(request.headers, body, source, secrets)
        self._charge(source.name, 1)
        try:
            return await self._understood(request, source, body, secrets)
        except BadForm as wrong:
            raise await self._quarantined(400, wrong.code, str(wrong), source, body) from None
        except Unmappable as wrong:
            raise await self._quarantined(422, "wrong_shape", str(wrong), source, body) from None

    def verify(self, request: web.BaseRequest, source: Source) -> web.Response:
        """Serve a vendor's GET that tries the address. Raises Refusal."""
        return verification(request, source, self._secrets_of(source))

    def _charge(self, source: str, alerts: int) -> None:
        wait = self._quota.charge(source, alerts) if alerts else 0
        if wait:
            raise Refusal(429, "over_quota", "This source sends more than it may.", retry_after=wait)

    def _secrets_of(self, source: Source) -> Sequence[bytes]:
        try:
            return self._secrets(source.name)
        except KeychainError as error:  # it may hold a secret, so nothing unsigned is taken meanwhile
            raise Refusal(503, "keychain", "The keychain does not answer.", retry_after=10) from error

    async def _check(self, headers: Mapping[str, str], body: bytes, source: Source, secrets: Sequence[bytes]) -> None:
        """With a secret set, the sender must prove who it is. Without one we are on loopback only."""
        if secrets and not source.authentic(headers, body, secrets, time.time()):
            await self._challenges.note_missing_certificate(source, body, secrets)
            raise unauthorized()

    async def _understood(
        self, request: web.BaseRequest, source: Source, body: bytes, secrets: Sequence[bytes]
    ) -> web.Response:
        parsed = await _read(source, body)
        challenged = await self._challenges.reply(source, body, parsed, secrets)
        if challenged is not None:
            return challenged
        delivery_id = source.delivery_id(request.headers) or source.mapper.delivery_id(parsed)
        with self._once(source.name, delivery_id):
            alerts = await _mapped(source, parsed, bool(secrets), delivery_id)
            self._charge(source.name, len(alerts) - 1)
            return self._answer(source.name, await self._recorded(alerts, raw_text(body)))

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
            if error.hopeless:
                detail = "It holds text that cannot be stored; sending it again cannot help."
                raise Refusal(422, "wrong_shape", detail) from error
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


async def _read(source: Source, body: bytes) -> object:
    if source.pack.form == "json" or len(body) <= AT_ONCE:
        return source.read(body)
    return await asyncio.to_thread(source.read, body)


async def _mapped(source: Source, parsed: object, signed: bool, delivery_id: str | None) -> list[Alert]:
    alerts = []
    for alert in source.mapper.each(parsed, received_at=now(), signed=signed, delivery_id=delivery_id):
        alerts.append(alert)
        if len(alerts) % BREATH == 0:
            await asyncio.sleep(0)
    return alerts
