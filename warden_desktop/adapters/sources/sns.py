"""Amazon SNS: messages signed with a certificate of Amazon's, and which topic they are from.

From docs.aws.amazon.com, "Verifying the signatures of Amazon SNS messages": the signature (RSA PKCS#1 v1.5 with SHA-1
for SignatureVersion 1, with SHA-256 for 2) is over certain fields of the message, name and value a line each. The
certificate is at SigningCertURL, which must be SNS's own host. We fetch nothing: a person downloads it once into
`packs/certificates` of the data directory. The message has to be read to be checked; what is read is held to be
nobody's until it is.

Anybody with an account at Amazon can have a message signed, so a source's secret is the topic it belongs to: its ARN,
or several with blanks between them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate
from pydantic import Field

from warden_desktop.adapters.sources.signature_parts import Claim, any_matches, iso_seconds, raw
from warden_desktop.domain.record import Record

CONFIRMATIONS = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})

_HOST = re.compile(r"sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(?:\.cn)?", re.ASCII)
_HASHES: dict[str, type[SHA1 | SHA256]] = {"1": SHA1, "2": SHA256}
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {"Notification": _NOTIFICATION, **dict.fromkeys(CONFIRMATIONS, _CONFIRMATION)}
_AS_LAMBDA_HAS_IT = {"SigningCertUrl": "SigningCertURL", "SubscribeUrl": "SubscribeURL"}
_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)


class Missing(NamedTuple):
    """A certificate we would need: its file's name and where Amazon has it."""

    name: str
    url: str


class AwsSns(Record):
    """The scheme. SNS repeats a delivery for up to an hour under its first time, so that is how late one may be; its
    MessageId makes it count once."""

    type: Literal["aws_sns"]
    tolerance: Annotated[int, Field(ge=1, le=86_400)] = 3600

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether Amazon signed this for one of the topics in `secrets`."""
        message = read(claim.body)
        return self.from_amazon(claim, message) & of_topic(message, secrets)

    def from_amazon(self, claim: Claim, message: dict[str, str]) -> bool:
        """Whether Amazon signed this message, for whatever topic, and lately."""
        sent = iso_seconds(message.get("Timestamp", ""))
        address = certificate_address(message)
        if sent is None or address is None or abs(claim.now - sent) > self.tolerance:
            return False
        certificate = claim.certificates.find(address.name)
        return certificate is not None and _valid_at(certificate, sent) and _verifies(certificate, message)

    def missing(self, claim: Claim, secrets: Sequence[bytes]) -> Missing | None:
        """The certificate this message needs and we lack, if it may be one of ours otherwise."""
        message = read(claim.body)
        address = certificate_address(message)
        known = address is None or claim.certificates.find(address.name) is not None
        ours = not secrets or of_topic(message, secrets)
        return None if known or not ours else address

    def problem(self, secret: bytes) -> str:
        """Why `secret` can prove nothing; "" when it can."""
        words = secret.decode("utf-8", "replace").split()
        if words and all(map(_ARN.fullmatch, words)):
            return ""
        return "for Amazon SNS the secret is the topic's ARN (arn:aws:sns:region:account:name), or several"


def read(body: bytes) -> dict[str, str]:
    """The texts of a message, under the names HTTP deliveries have; empty for anything else."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return _texts(found) if isinstance(found, dict) else {}


def _texts(found: dict[str, Any]) -> dict[str, str]:
    return {_AS_LAMBDA_HAS_IT.get(name, name): value for name, value in found.items() if isinstance(value, str)}


def of_topic(message: dict[str, str], secrets: Sequence[bytes]) -> bool:
    """Whether the message names one of the topics."""
    return any_matches([raw(message.get("TopicArn", ""))], [topic for secret in secrets for topic in secret.split()])


def amazons(url: str) -> bool:
    """Whether an address is SNS's own, with nothing in it that browsers and we might read differently."""
    if len(url) > 2048 or not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(_HOST.fullmatch(parts.netloc))


def certificate_address(message: dict[str, str]) -> Missing | None:
    """Where the message says its certificate is; None unless that is a place of SNS's."""
    url = message.get("SigningCertURL", "")
    path = urlsplit(url).path if amazons(url) else ""
    name = path.rpartition("/")[2]
    return Missing(name, url) if path.endswith(".pem") and url.endswith(name) else None


def signed_text(message: dict[str, str]) -> bytes:
    """What SNS signs of a message; b"" for a type of message it does not send."""
    fields = [name for name in _SIGNED.get(message.get("Type", ""), ()) if name in message]
    return "".join(f"{name}\n{message[name]}\n" for name in fields).encode("utf-8", "surrogatepass")


def _valid_at(certificate: Certificate, moment: float) -> bool:
    return certificate.not_valid_before_utc.timestamp() <= moment <= certificate.not_valid_after_utc.timestamp()


def _verifies(certificate: Certificate, message: dict[str, str]) -> bool:
    key, text, algorithm = certificate.public_key(), signed_text(message), _HASHES.get(_version(message))
    if not isinstance(key, RSAPublicKey) or algorithm is None or not text:
        return False
    try:
        given = base64.b64decode(message.get("Signature", ""), validate=True)
        key.verify(given, text, PKCS1v15(), algorithm())
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True


def _version(message: dict[str, str]) -> str:
    return message.get("SignatureVersion", "")
