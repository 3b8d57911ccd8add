"""Every way of signing, over real sockets, with the real clock."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from tests.sources.vectors import CERTIFICATE, CERTIFICATE_URL, TOPIC, Amazon
from tests.webhook.at_the_door import GOOD, Bench, Open, Reply
from tests.webhook.signed_packs import packed
from warden_desktop.adapters.sources.signature import signed_headers

BODY = orjson.dumps(GOOD)
PLAIN, WHSEC = (b"one", b"two"), tuple(b"whsec_" + base64.b64encode(b"secret %d" % n * 3) for n in (1, 2))

SCHEMES: dict[str, tuple[dict[str, Any], tuple[bytes, ...]]] = {
    "hmac": ({"type": "hmac", "headers": ["X-Signature"], "algorithm": "sha512", "encoding": "base64"}, PLAIN),
    "token": ({"type": "token", "headers": ["X-Token"]}, PLAIN),
    "github": ({"type": "github"}, PLAIN),
    "slack": ({"type": "slack"}, PLAIN),
    "stripe": ({"type": "stripe"}, PLAIN),
    "pagerduty": ({"type": "pagerduty"}, PLAIN),
    "grafana": ({"type": "grafana"}, PLAIN),
    "standard_webhooks": ({"type": "standard_webhooks"}, WHSEC),
}


def sns(topic: str = TOPIC) -> dict[str, Any]:
    return {
        "verification": [{"type": "aws_sns"}], "challenge": {"type": "aws_sns"}, "unwrap": [{"path": "Message"}],
        "content_types": ["text/plain"], "delivery_id": {"path": "MessageId"},
        "map": {"title": "Message.title", "severity": {"from": "x", "default": "low"}, "dedupe_key": ["MessageId"]},
    }  # fmt: skip


async def post(bench: Bench, body: bytes, headers: dict[str, str], content_type: str = "application/json") -> Reply:
    return await bench.ask("POST", "/webhooks/demo", body, {"Content-Type": content_type, **headers})


@pytest.mark.parametrize("name", SCHEMES)
async def test_either_secret_opens_the_door_and_nothing_else_does(open_door: Open, name: str) -> None:
    fields, secrets = SCHEMES[name]
    source = packed(verification=[fields])
    bench = await open_door(packs={"demo": source})
    bench.secrets["demo"] = secrets
    now = time.time()
    good = [signed_headers(source.pack.verification, secret, BODY, now, "d") for secret in secrets]
    replies = [await post(bench, BODY, headers) for headers in good]
    assert [reply.status for reply in replies] == [202, 202]
    assert all(alert.signed for alert in bench.intake.alerts.values())

    stranger = b"whsec_AAAA" if name == "standard_webhooks" else b"three"
    bad = [{}, signed_headers(source.pack.verification, stranger, BODY, now, "d"), dict.fromkeys(good[0], "x")]
    if name in ("slack", "stripe", "grafana", "standard_webhooks"):
        bad.append(signed_headers(source.pack.verification, secrets[0], BODY, now - 310, "d"))
    if name != "token":
        bad.append(signed_headers(source.pack.verification, secrets[0], BODY + b" ", now, "d"))
    refusals = [await post(bench, BODY, headers) for headers in bad]
    assert {reply.status for reply in refusals} == {401}
    assert len({(reply.body, *sorted(reply.headers.keys())) for reply in refusals}) == 1
    assert not bench.quarantine.list()


@pytest.mark.parametrize("name", SCHEMES)
async def test_bytes_are_signed_not_what_they_mean(open_door: Open, name: str) -> None:
    fields, secrets = SCHEMES[name]
    source = packed(verification=[fields])
    bench = await open_door(packs={"demo": source})
    bench.secrets["demo"] = secrets
    body = b' {"title":\r\n"\\u00e4",  "title2": "\xc3\xa4"}\n'
    headers = signed_headers(source.pack.verification, secrets[0], body, time.time(), "d")
    reply = await post(bench, body, headers)
    assert reply.status == 202
    assert bench.intake.raw[UUID(reply.json["alert_id"])].encode() == body


# --- Amazon SNS ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def amazon() -> Amazon:
    return Amazon()


async def at_amazons(open_door: Open, directory: Path, secret: bytes | None = TOPIC.encode()) -> Bench:
    bench = await open_door(packs={"demo": packed(directory, **sns())})
    if secret:
        bench.secrets["demo"] = (secret,)
    return bench


async def notify(bench: Bench, message: dict[str, str]) -> Reply:
    return await post(bench, orjson.dumps(message), {}, "text/plain; charset=UTF-8")


async def test_a_notification_of_our_topic_is_accepted_once(open_door: Open, tmp_path: Path, amazon: Amazon) -> None:
    amazon.install(tmp_path)
    bench = await at_amazons(open_door, tmp_path)
    message = amazon.message()
    assert [(await notify(bench, message)).status for _ in range(2)] == [202, 200]
    (alert,) = bench.intake.alerts.values()
    assert (alert.title, alert.signed) == ("a finding", True)


async def test_whatever_is_wrong_with_a_message_the_answer_is_the_same(
    open_door: Open, tmp_path: Path, amazon: Amazon
) -> None:
    amazon.install(tmp_path)
    bench = await at_amazons(open_door, tmp_path)
    good = amazon.message()
    wrong: list[dict[str, str]] = [
        {**good, "Message": "{}"},
        {**good, "SignatureVersion": "1"},
        {**good, "SigningCertURL": "https://evil.example/" + CERTIFICATE},
        {**good, "Signature": ""},
        amazon.message(TopicArn=TOPIC + "x"),
        amazon.message(Timestamp="2022-07-28T21:23:58.317Z"),
        {},
    ]
    replies = [await notify(bench, message) for message in wrong]
    replies.append(await post(bench, b"{not json", {}, "text/plain"))
    assert {reply.status for reply in replies} == {401}
    assert len({reply.body for reply in replies}) == 1
    assert not bench.quarantine.list()
    assert not bench.intake.alerts


async def test_a_missing_certificate_is_asked_for_once_and_used_at_once(
    open_door: Open, tmp_path: Path, amazon: Amazon
) -> None:
    bench = await at_amazons(open_door, tmp_path / "certificates")
    replies = [await notify(bench, amazon.message()) for _ in range(3)]
    assert {reply.status for reply in replies} == {401}
    (entry,) = bench.quarantine.list()
    assert (entry.code, entry.size) == ("unknown_certificate", 0)
    assert CERTIFICATE_URL in entry.detail
    assert str(tmp_path / "certificates") in entry.detail
    amazon.install(tmp_path / "certificates")
    assert (await notify(bench, amazon.message())).status == 202


async def test_a_stranger_cannot_fill_the_quarantine_with_certificates(
    open_door: Open, tmp_path: Path, amazon: Amazon
) -> None:
    bench = await at_amazons(open_door, tmp_path)
    for number in range(30):
        url = f"https://sns.eu-west-1.amazonaws.com/x{number}.pem"
        assert (await notify(bench, amazon.message(SigningCertURL=url))).status == 401
        assert (await notify(bench, amazon.message(SigningCertURL=url, TopicArn="arn:theirs"))).status == 401
    assert len(bench.quarantine.list()) == 8


CONFIRM = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"


def confirmation(amazon: Amazon, **fields: str) -> dict[str, str]:
    asked = {
        "Type": "SubscriptionConfirmation",
        "Token": "t",
        "SubscribeURL": CONFIRM,
        "Message": "You have chosen ...",
    }
    return amazon.message(**{**asked, **fields})


@pytest.mark.parametrize("secret", [TOPIC.encode(), None])
async def test_a_subscription_is_confirmed_by_a_person(
    open_door: Open, tmp_path: Path, amazon: Amazon, secret: bytes | None
) -> None:
    amazon.install(tmp_path)
    bench = await at_amazons(open_door, tmp_path, secret)
    message = confirmation(amazon)
    replies = [await notify(bench, message) for _ in range(2)]
    assert [(reply.status, reply.json["confirmed"]) for reply in replies] == [(200, False)] * 2
    (entry,) = bench.quarantine.list()
    assert entry.code == "confirm_subscription"
    assert f"Confirm by opening this URL: {CONFIRM}" in entry.detail
    assert bench.quarantine.body(entry.id) == orjson.dumps(message)
    assert not bench.intake.alerts


@pytest.mark.parametrize("secret", [TOPIC.encode(), None])
async def test_a_subscription_nobody_signed_is_not_shown(
    open_door: Open, tmp_path: Path, amazon: Amazon, secret: bytes | None
) -> None:
    amazon.install(tmp_path)
    bench = await at_amazons(open_door, tmp_path, secret)
    assert (await notify(bench, {**confirmation(amazon), "Token": "forged"})).status == 401
    assert not bench.quarantine.list()


async def test_an_address_that_is_not_amazons_is_not_offered(open_door: Open, tmp_path: Path, amazon: Amazon) -> None:
    amazon.install(tmp_path)
    bench = await at_amazons(open_door, tmp_path)
    for url in ("https://evil.example/?sns.eu-west-1.amazonaws.com", "http://169.254.169.254/", ""):
        assert (await notify(bench, confirmation(amazon, SubscribeURL=url))).status == 200
    assert all("do not open" in entry.detail and "evil" not in entry.detail for entry in bench.quarantine.list())


async def test_the_end_of_a_subscription_is_told(open_door: Open, tmp_path: Path, amazon: Amazon) -> None:
    amazon.install(tmp_path)
    bench = await at_amazons(open_door, tmp_path)
    assert (await notify(bench, confirmation(amazon, Type="UnsubscribeConfirmation"))).status == 200
    (entry,) = bench.quarantine.list()
    assert "sends here no more" in entry.detail


async def test_without_a_secret_a_notification_is_unsigned(open_door: Open, tmp_path: Path, amazon: Amazon) -> None:
    bench = await at_amazons(open_door, tmp_path, None)
    assert (await notify(bench, amazon.message())).status == 202
    assert [alert.signed for alert in bench.intake.alerts.values()] == [False]


# --- the secret in the body ---------------------------------------------------------------------------------------


async def test_a_secret_in_the_body_opens_the_door(open_door: Open) -> None:
    fields = [{"type": "body_token", "path": "value[].clientState"}]
    bench = await open_door(packs={"demo": packed(verification=fields, split="value")})
    bench.secrets["demo"] = PLAIN
    good = orjson.dumps({"value": [{"clientState": "two", "title": "x"}]})
    assert (await post(bench, good, {})).status == 202
    bad = [good.replace(b"two", b"six"), b'{"value": [', b"[]", b'{"value": [{"title": "x"}]}']
    replies = [await post(bench, body, {}) for body in bad]
    assert {reply.status for reply in replies} == {401}
    assert len({reply.body for reply in replies}) == 1
