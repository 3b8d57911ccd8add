"""Other people's test vectors, where they are present, and our own stand-in for Amazon."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
SAMPLES = VECTORS.parent / "samples"

TOPIC = "arn:aws:sns:eu-west-1:123456789012:findings"
CERTIFICATE = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
CERTIFICATE_URL = f"https://sns.eu-west-1.amazonaws.com/{CERTIFICATE}"


def vectors(name: str) -> dict[str, Any]:
    """A file of vectors; empty where it is not present."""
    path = VECTORS / name
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


class Amazon:
    """Signs as SNS does, with a certificate of its own making."""

    def __init__(self, now: datetime | None = None) -> None:
        now = now or datetime.now(UTC)
        self._key = generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
        built = built.serial_number(x509.random_serial_number())
        built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        self.pem = built.sign(self._key, SHA256()).public_bytes(Encoding.PEM)

    def install(self, directory: Path) -> None:
        """Put the certificate where a person would."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / CERTIFICATE).write_bytes(self.pem)

    def message(self, version: str = "2", **fields: str) -> dict[str, str]:
        """A signed notification, or whatever `Type` says."""
        message = {
            "Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Message": '{"title": "a finding"}',
            "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL, **fields,
        }  # fmt: skip
        return {**message, "Signature": base64.b64encode(self.sign(message)).decode()}

    def sign(self, message: Mapping[str, str]) -> bytes:
        """The signature of a message as the documentation has it: names in order, a line each."""
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        if message["Type"] == "Notification":
            names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        algorithm = SHA1() if message["SignatureVersion"] == "1" else SHA256()
        return self._key.sign(text.encode(), PKCS1v15(), algorithm)
