"""Amazon's signatures: real messages of theirs where they are present, and our own stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.vectors import CERTIFICATE, CERTIFICATE_URL, TOPIC, VECTORS, Amazon, vectors
from warden_desktop.adapters.sources.certificates import Certificates
from warden_desktop.adapters.sources.signature import AwsSns, authentic, problem_with
from warden_desktop.adapters.sources.signature_parts import Claim
from warden_desktop.adapters.sources.sns import amazons, certificate_address, read

SNS = AwsSns(type="aws_sns")
REAL = vectors("aws-sns/vectors.json")
MESSAGES: list[dict[str, Any]] = [*REAL.get("valid_http", []), *REAL.get("valid_lambda_casing", [])]


@pytest.fixture(scope="module")
def amazon() -> Amazon:
    return Amazon()


@pytest.fixture
def certificates(tmp_path: Path, amazon: Amazon) -> Certificates:
    amazon.install(tmp_path)
    return Certificates(tmp_path)


def proved(message: dict[str, Any], certificates: Certificates, topic: str = TOPIC, late: float = 0) -> bool:
    now = datetime.now(UTC).timestamp() + late
    return authentic([SNS], {}, orjson.dumps(message), [topic.encode()], now, certificates)


# --- Amazon's own -------------------------------------------------------------------------------------------------


def real(tmp_path: Path, message: dict[str, Any]) -> Certificates:
    """The expired certificate under the name the message asks for."""
    name = (message.get("SigningCertURL") or message["SigningCertUrl"]).rpartition("/")[2]
    (tmp_path / name).write_bytes((VECTORS / "aws-sns" / REAL["certificate_file"]).read_bytes())
    return Certificates(tmp_path)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: f"{one['MessageId'][:8]}-{one['SignatureVersion']}")
def test_what_amazon_signed_is_amazons(tmp_path: Path, message: dict[str, Any]) -> None:
    certificates, topic = real(tmp_path, message), message["TopicArn"].encode()
    then = datetime.fromisoformat(message["Timestamp"]).timestamp()
    body = orjson.dumps(message)
    assert authentic([SNS], {}, body, [topic], then + 60, certificates)
    assert not authentic([SNS], {}, body, [TOPIC.encode()], then, certificates)
    assert not authentic([SNS], {}, body, [topic], then + 7200, certificates)
    assert not authentic([SNS], {}, body, [topic], then, Certificates(tmp_path / "nowhere"))
    for field in ("Message", "MessageId", "Timestamp", "TopicArn", "Signature", "SignatureVersion"):
        forged = {**message, field: message[field] + "1"}
        assert not authentic([SNS], {}, orjson.dumps(forged), [topic, topic + b"1"], then, certificates)


@pytest.mark.parametrize("url", REAL.get("reject_cert_urls", []))
def test_a_certificate_from_elsewhere_is_not_amazons(url: str) -> None:
    assert certificate_address({"SigningCertURL": url}) is None


def test_the_published_vectors_are_read_where_they_are_present() -> None:
    assert len(MESSAGES) == (10 if VECTORS.exists() else 0)


# --- the stand-in's -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("fields", [{}, {"Subject": "s"}, {"Message": "ünï\nçödé"}, {"Type": "SubscriptionConfirmation",
                         "Token": "t", "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?a=b"}])  # fmt: skip
def test_both_versions_and_all_types_are_checked(
    amazon: Amazon, certificates: Certificates, version: str, fields: dict[str, str]
) -> None:
    assert proved(amazon.message(version, **fields), certificates)


def test_a_subject_that_was_not_signed_is_a_forgery(amazon: Amazon, certificates: Certificates) -> None:
    assert not proved({**amazon.message(), "Subject": "forged"}, certificates)


def test_a_null_subject_is_no_subject(amazon: Amazon, certificates: Certificates) -> None:
    assert proved({**amazon.message(), "Subject": None}, certificates)


def test_who_else_has_an_account_at_amazon_is_not_us(amazon: Amazon, certificates: Certificates) -> None:
    assert not proved(amazon.message(TopicArn=TOPIC + "2"), certificates)
    assert proved(amazon.message(), certificates, topic=f"{TOPIC}3\n {TOPIC}")


def test_another_signature_version_is_refused(amazon: Amazon, certificates: Certificates) -> None:
    assert not proved({**amazon.message("2"), "SignatureVersion": "1"}, certificates)
    assert not proved({**amazon.message(), "SignatureVersion": "3"}, certificates)


@pytest.mark.parametrize("late", [-3700, 3700, 90_000])
def test_an_old_message_is_refused(amazon: Amazon, certificates: Certificates, late: float) -> None:
    assert not proved(amazon.message(), certificates, late=late)


def test_a_certificate_that_was_not_valid_then_proves_nothing(tmp_path: Path) -> None:
    expired = Amazon(datetime(2020, 1, 1, tzinfo=UTC))
    expired.install(tmp_path)
    assert not proved(expired.message(), Certificates(tmp_path))


def test_what_is_no_certificate_proves_nothing(tmp_path: Path, amazon: Amazon) -> None:
    (tmp_path / CERTIFICATE).write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert not proved(amazon.message(), Certificates(tmp_path))


def test_a_certificate_put_there_later_is_found_at_once(tmp_path: Path, amazon: Amazon) -> None:
    certificates = Certificates(tmp_path)
    assert not proved(amazon.message(), certificates)
    amazon.install(tmp_path)
    assert proved(amazon.message(), certificates)


@pytest.mark.parametrize(
    "name", ["../secret.pem", "a/b.pem", ".pem", "x.txt", "", "C:x.pem", "a\x00.pem", "x" * 300 + ".pem", "-.pem"]
)
def test_a_name_leads_nowhere_else(tmp_path: Path, amazon: Amazon, name: str) -> None:
    (tmp_path / "secret.pem").write_bytes(amazon.pem)
    inside = tmp_path / "certificates"
    inside.mkdir()
    assert Certificates(inside).find(name) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com:443/x.pem", "https://user@sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.pem?y=.pem", "https://sns.eu-west-1.amazonaws.com/x.pem#.pem",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/x.pem", "https://SNS.x.amazonaws.com.evil/x.pem",
        "https://sns.amazonaws.com/x.pem", "https://sns.a.amazonaws.com/x.pem", "https://[::1/x.pem", "",
        "https://sns.eu-west-1.amazonaws.com/ x.pem", "https://sns.eu-west-1.amazonaws.com/\r\nx.pem",
        "https://sns.éu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com" + "/" * 3000 + "x.pem",
    ],
)  # fmt: skip
def test_addresses_that_look_like_amazons_are_not(url: str) -> None:
    address = certificate_address({"SigningCertURL": url})
    assert address is None or (amazons(url) and not address.name.startswith("x"))


def test_amazons_addresses_are() -> None:
    for host in ("sns.eu-west-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn", "sns.us-gov-west-1.amazonaws.com"):
        assert certificate_address({"SigningCertURL": f"https://{host}/{CERTIFICATE}"}) is not None


# --- what is missing ----------------------------------------------------------------------------------------------


def missing(message: dict[str, Any], certificates: Certificates, *topics: str) -> object:
    claim = Claim({}, orjson.dumps(message), datetime.now(UTC).timestamp(), certificates)
    return SNS.missing(claim, [topic.encode() for topic in topics])


def test_the_certificate_that_is_missing_is_named(tmp_path: Path, amazon: Amazon, certificates: Certificates) -> None:
    message, none = amazon.message(), Certificates(tmp_path / "none")
    assert missing(message, none, TOPIC) == missing(message, none) == (CERTIFICATE, CERTIFICATE_URL)
    assert missing(message, certificates, TOPIC) is None
    assert missing(message, none, "arn:another") is None
    assert missing({**message, "SigningCertURL": "https://evil.example/x.pem"}, none, TOPIC) is None


@pytest.mark.parametrize("secret", [TOPIC, f"{TOPIC} {TOPIC}-2.fifo", "arn:aws-cn:sns:cn-north-1:123456789012:x"])
def test_the_secret_of_sns_is_its_topics(secret: str) -> None:
    assert problem_with([SNS], secret.encode()) == ""


@pytest.mark.parametrize("secret", ["", "hunter2", "arn:aws:sqs:eu-west-1:123456789012:x", f"{TOPIC} x"])
def test_another_secret_is_told_before_it_is_kept(secret: str) -> None:
    assert "ARN" in problem_with([SNS], secret.encode())


NAMES = st.sampled_from(["Type", "Timestamp", "SigningCertURL", "Signature"]) | st.text()
MESSAGE = st.recursive(st.none() | st.text(), lambda one: st.dictionaries(NAMES, one))


@given(st.binary(max_size=200) | MESSAGE.map(orjson.dumps))
def test_anything_else_is_not_amazons_and_raises_nothing(body: bytes) -> None:
    assert not authentic([SNS], {}, body, [TOPIC.encode()], 0.0, Certificates(Path("/nowhere")))
    assert isinstance(read(body), dict)
