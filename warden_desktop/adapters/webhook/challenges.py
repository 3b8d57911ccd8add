"""Answers to vendors that try an address before they use it. Nothing a vendor names is ever opened."""

from __future__ import annotations

import hashlib
import html
import time
from collections import OrderedDict
from collections.abc import Sequence

from aiohttp import web

from warden_desktop.adapters.sources import Source
from warden_desktop.adapters.sources.challenge import (
    LONGEST,
    GraphChallenge,
    OktaChallenge,
    SnsChallenge,
    UrlVerification,
)
from warden_desktop.adapters.webhook.quarantine import Quarantine
from warden_desktop.adapters.webhook.refusals import Refusal, answer, text, unauthorized

REMEMBERED = 256
CERTIFICATES_NOTED = 8
"""Certificates a stranger can make us write down, in all; each once, and without what was sent."""


class Challenges:
    """What is said to a challenge, and what a person is told of it: an entry in the quarantine."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._told: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._certificates: set[str] = set()

    async def reply(self, source: Source, body: bytes, parsed: object, secrets: Sequence[bytes]) -> web.Response | None:
        """The answer to a delivery that is a challenge and not an alert; its sender is known if it can be. None for
        any other."""
        challenge = source.pack.challenge
        if isinstance(challenge, UrlVerification):
            said = challenge.reply(parsed)
            return answer(said) if said else None
        if isinstance(challenge, SnsChallenge) and (asked := challenge.asks(body)):
            return await self._to_be_confirmed(source, body, asked, secrets)
        return None

    async def _to_be_confirmed(self, source: Source, body: bytes, asked: str, secrets: Sequence[bytes]) -> web.Response:
        """With a secret, the sender is proved already; without, Amazon's signature is asked for nevertheless."""
        if not secrets and not source.from_amazon(body, time.time()):
            await self.note_missing_certificate(source, body, secrets)
            raise unauthorized()
        told = source.name, hashlib.sha256(body).digest()
        if told not in self._told:
            self._told[told] = None
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
            await self._quarantine.keep(source.name, "confirm_subscription", asked, body)
        return answer({"confirmed": False, "detail": "A person is asked to confirm this by hand."})

    async def note_missing_certificate(self, source: Source, body: bytes, secrets: Sequence[bytes]) -> None:
        """Tell a person which certificate is missing, if that is why a delivery cannot be proved."""
        missing = source.missing_certificate(body, secrets, time.time())
        if missing is None or missing.name in self._certificates or len(self._certificates) >= CERTIFICATES_NOTED:
            return
        self._certificates.add(missing.name)
        place = next(iter(source.certificates.directories), "packs/certificates")
        note = (
            "Amazon SNS signs with a certificate that is not here, so its messages are refused. Download "
            f"{missing.url} and put it into {place} as {missing.name}; it is used at once."
        )
        await self._quarantine.keep(source.name, "unknown_certificate", note, b"")


def echo(request: web.BaseRequest, source: Source) -> web.Response | None:
    """Microsoft Graph's token, given back as plain text; None when the request is not about that."""
    challenge = source.pack.challenge
    if not isinstance(challenge, GraphChallenge) or challenge.parameter not in request.query:
        return None
    token = request.query[challenge.parameter]
    if not token or len(token) > LONGEST or not token.isprintable():
        raise Refusal(400, "challenge", f"{challenge.parameter} must be a line of 1 to {LONGEST} characters.")
    return text(html.escape(token), "text/plain")


def verification(request: web.BaseRequest, source: Source, secrets: Sequence[bytes]) -> web.Response:
    """The answer to Okta's one-time GET, for who has the secret. Raises Refusal."""
    challenge = source.pack.challenge
    if not isinstance(challenge, OktaChallenge) or not source.authentic(request.headers, b"", secrets, time.time()):
        raise unauthorized()
    value = request.headers.get(challenge.header, "")
    if not value or len(value) > LONGEST or not value.isprintable():
        raise Refusal(400, "challenge", f"{challenge.header} must be a line of 1 to {LONGEST} characters.")
    return answer({"verification": value})
