"""Every signature scheme a pack can name: others' vectors, rotation, clocks, and what comes near but is not it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tests.sources.vectors import VECTORS, vectors
from warden_desktop.adapters.sources.signature import AnyScheme, Scheme, authentic, problem_with, signed_headers

SCHEME: TypeAdapter[AnyScheme] = TypeAdapter(Scheme)
NOW = 1_795_000_000.0
BODY = b'{"title": "x"}'
STANDARD, SLACK = vectors("webhook-signatures/standard-webhooks.json"), vectors("webhook-signatures/slack.json")
STRIPE = vectors("webhook-signatures/stripe.json")
WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def scheme(**fields: Any) -> AnyScheme:
    return SCHEME.validate_python(fields)


ALL = {
    "plain": scheme(type="hmac", headers=["X-Signature"]),
    "sha384": scheme(type="hmac", headers=["X-Signature"], algorithm="sha384", encoding="base64", prefix="v="),
    "sha512": scheme(type="hmac", headers=["X-Signature"], algorithm="sha512", encoding="base64url"),
    "sha1": scheme(type="hmac", headers=["X-Signature"], algorithm="sha1", weak=True),
    "stamped": scheme(type="hmac_sha256", headers=["X-Signature"], timestamp={"header": "X-Time", "required": True}),
    "body first": scheme(
        type="hmac", headers=["X-Cs-Primary-Signature", "X-Cs-Secondary-Signature"], encoding="base64",
        signed="{body}{timestamp}", timestamp={"header": "X-Cs-Delivery-Timestamp", "clock": "iso8601"},
    ),
    "milliseconds": scheme(type="hmac", headers=["S"], timestamp={"header": "T", "clock": "milliseconds"}),
    "token": scheme(type="token", headers=["Authorization"], prefix="Bearer "),
    "github": scheme(type="github"),
    "slack": scheme(type="slack"),
    "stripe": scheme(type="stripe"),
    "pagerduty": scheme(type="pagerduty"),
    "grafana": scheme(type="grafana"),
    "standard_webhooks": scheme(type="standard_webhooks"),
    "svix": scheme(type="standard_webhooks", header="svix"),
}  # fmt: skip


def secret_of(name: str, number: int = 1) -> bytes:
    if name in ("standard_webhooks", "svix"):
        return b"whsec_" + base64.b64encode(b"secret number %d, long" % number)
    return b"secret number %d" % number


def signed(name: str, number: int = 1, body: bytes = BODY, now: float = NOW) -> dict[str, str]:
    return signed_headers([ALL[name]], secret_of(name, number), body, now, "d-1")


def holds(name: str, headers: dict[str, str], *numbers: int, body: bytes = BODY, now: float = NOW) -> bool:
    return authentic([ALL[name]], headers, body, [secret_of(name, number) for number in numbers], now)


# --- all of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_who_has_the_secret_is_believed_and_nobody_else(name: str) -> None:
    assert holds(name, signed(name), 1)
    assert not holds(name, signed(name), 2)
    assert not holds(name, {}, 1)


@pytest.mark.parametrize("name", ALL)
def test_while_two_secrets_are_alive_either_will_do(name: str) -> None:
    assert holds(name, signed(name, 1), 2, 1)
    assert holds(name, signed(name, 2), 2, 1)
    assert not holds(name, signed(name, 3), 2, 1)


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"token"}))
def test_every_byte_of_the_body_is_signed(name: str) -> None:
    headers = signed(name)
    assert not holds(name, headers, 1, body=BODY + b" ")
    assert not holds(name, headers, 1, body=BODY.replace(b"x", b"X"))
    assert holds(name, signed(name, body=b"\xff\x00\r\n"), 1, body=b"\xff\x00\r\n")


@pytest.mark.parametrize("name", ["stamped", "body first", "milliseconds", "slack", "stripe", "grafana", "svix"])
def test_a_clock_may_be_five_minutes_off_and_not_more(name: str) -> None:
    headers = signed(name)
    assert all(holds(name, headers, 1, now=NOW + late) for late in (-299, 299))
    assert not any(holds(name, headers, 1, now=NOW + late) for late in (-302, 302))


@pytest.mark.parametrize("name", ["stamped", "body first", "milliseconds", "slack", "grafana", "svix"])
def test_the_time_can_be_neither_changed_nor_taken_away(name: str) -> None:
    headers = signed(name)
    (time,) = (header for header in headers if "imestamp" in header or "Time" in header or header == "T")
    later = signed(name, now=NOW + 100)[time]
    assert not holds(name, {**headers, time: later}, 1)
    assert not holds(name, {header: value for header, value in headers.items() if header != time}, 1)


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
def test_no_header_however_odd_is_believed_or_raises(name: str, data: st.DataObject) -> None:
    odd = st.text(st.characters(exclude_categories=["Cc"]), max_size=60).map(
        lambda text: text.encode("utf-8", "replace").decode("latin-1").encode().decode("utf-8", "surrogateescape")
    )
    near = st.sampled_from(
        ["v1=", "v0=", "t=1,v1=", "sha256=", "v1,", "v1a,", "é" * 20, "=" * 50, "v1=," * 40, "\udcff"]
    )
    headers = {header: data.draw(st.one_of(odd, near)) for header in signed(name)}
    assert not holds(name, headers, 1, 2)


def test_one_scheme_of_several_is_enough() -> None:
    schemes = [ALL["github"], ALL["slack"], ALL["token"]]
    assert authentic(schemes, {"Authorization": "Bearer k"}, BODY, [b"k"], NOW)
    assert authentic(schemes, signed("slack"), BODY, [secret_of("slack")], NOW)


# --- others' vectors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", [one for one in STANDARD.get("cases", []) if "headers" in one], ids=lambda one: one["name"]
)
def test_standard_webhooks_vectors_are_judged_as_published(case: dict[str, Any]) -> None:
    secret = case.get("secret", STANDARD["secret"]).encode()
    right = authentic(
        [ALL["standard_webhooks"]],
        case["headers"],
        STANDARD["body"].encode(),
        [secret],
        case.get("now", STANDARD["now"]),
    )
    assert right is (case["expect"] == "accept")


@pytest.mark.parametrize("case", SLACK.get("cases", []))
def test_slack_vectors_are_judged_as_published(case: dict[str, Any]) -> None:
    headers = {"X-Slack-Signature": case["header"], "X-Slack-Request-Timestamp": case["timestamp"]}
    right = authentic([ALL["slack"]], headers, case["body"].encode(), [SLACK["secret"].encode()], case["now"])
    assert right is (case["expect"] == "accept")


def test_stripe_vectors_are_judged_as_published() -> None:
    for case in STRIPE.get("cases", []):
        secret, body, now = (case.get(name, STRIPE.get(name)) for name in ("secret", "body", "now"))
        right = authentic([ALL["stripe"]], {"Stripe-Signature": case["header"]}, body.encode(), [secret.encode()], now)
        assert right is (case["expect"] == "accept")
    assert bool(STRIPE) is (VECTORS / "webhook-signatures" / "stripe.json").exists()


def test_the_published_vectors_are_read_where_they_are_present() -> None:
    assert bool(STANDARD) is bool(SLACK) is VECTORS.exists()


# --- one by one ---------------------------------------------------------------------------------------------------


def digest(signed: bytes, key: bytes = b"secret number 1") -> str:
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


def test_pagerduty_signs_once_for_each_secret_it_has() -> None:
    theirs, ours = digest(BODY, b"other"), digest(BODY)
    assert holds("pagerduty", {"X-PagerDuty-Signature": f"v1={theirs},v1={ours}"}, 1)
    assert holds("pagerduty", {"X-PagerDuty-Signature": f"v1={theirs}, v1={ours}"}, 1)
    assert not holds("pagerduty", {"X-PagerDuty-Signature": f"v1={theirs},v2={ours}"}, 1)
    assert not holds("pagerduty", {"X-PagerDuty-Signature": ours}, 1)
    crowd = ",".join([f"v1={theirs}"] * 100 + [f"v1={ours}"])
    assert not holds("pagerduty", {"X-PagerDuty-Signature": crowd}, 1)


def test_stripe_headers_have_one_time_and_may_have_other_versions() -> None:
    right = digest(b"%d.%b" % (NOW, BODY))
    assert holds("stripe", {"Stripe-Signature": f"t={NOW:.0f},v1={'0' * 64},v0={right},v1={right}"}, 1)
    assert not holds("stripe", {"Stripe-Signature": f"t={NOW:.0f},v0={right}"}, 1)
    assert not holds("stripe", {"Stripe-Signature": f"v1={right}"}, 1)
    assert not holds("stripe", {"Stripe-Signature": f"t=1,t={NOW:.0f},v1={right}"}, 1)


def test_grafana_without_a_timestamp_header_signs_the_body_alone() -> None:
    headers = {"X-Grafana-Alerting-Signature": digest(BODY)}
    assert holds("grafana", headers, 1)
    strict = scheme(type="grafana", required=True)
    assert not authentic([strict], headers, BODY, [b"secret number 1"], NOW)


def test_github_wants_its_prefix() -> None:
    assert holds("github", {"X-Hub-Signature-256": f"sha256={digest(BODY)}"}, 1)
    assert not holds("github", {"X-Hub-Signature-256": digest(BODY)}, 1)


def test_a_second_header_may_hold_the_signature_of_the_other_secret() -> None:
    first, second = (signed("body first", number) for number in (1, 2))
    both = {**first, "X-Cs-Secondary-Signature": second["X-Cs-Primary-Signature"]}
    assert holds("body first", both, 1)
    assert holds("body first", both, 2)


def test_several_signatures_may_stand_in_one_header() -> None:
    several = scheme(type="hmac", headers=["S"], prefix="s=", separator=";")
    headers = {"S": f"s={'0' * 64}; s={digest(BODY)}"}
    assert authentic([several], headers, BODY, [b"secret number 1"], NOW)


def test_v1a_is_checked_with_the_public_key() -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    secret = b"whpk_" + base64.b64encode(public)
    made = base64.b64encode(private.sign(b"m.%d.%b" % (NOW, BODY))).decode()
    headers = {"webhook-id": "m", "webhook-timestamp": f"{NOW:.0f}", "webhook-signature": f"v1,AAAA v1a,{made}"}
    standard = [ALL["standard_webhooks"]]
    assert authentic(standard, headers, BODY, [secret], NOW)
    assert authentic(standard, headers, BODY, [secret_of("svix"), secret], NOW)
    assert not authentic(standard, headers, BODY + b" ", [secret], NOW)
    assert not authentic(standard, {**headers, "webhook-signature": f"v1,{made}"}, BODY, [secret], NOW)
    assert signed_headers(standard, secret, BODY, NOW, "m") == {}


def test_who_knows_the_public_key_cannot_use_it_as_a_shared_secret() -> None:
    public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    forged = base64.b64encode(hmac.digest(public, b"m.%d.%b" % (NOW, BODY), "sha256")).decode()
    headers = {"webhook-id": "m", "webhook-timestamp": f"{NOW:.0f}", "webhook-signature": f"v1,{forged}"}
    assert not authentic([ALL["standard_webhooks"]], headers, BODY, [b"whpk_" + base64.b64encode(public)], NOW)


@pytest.mark.parametrize("short", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr"])
def test_a_secret_may_lack_its_padding(short: str) -> None:
    padded = short + "=" * (-len(short) % 4)
    headers = signed_headers([ALL["standard_webhooks"]], padded.encode(), BODY, NOW, "m")
    assert authentic([ALL["standard_webhooks"]], headers, BODY, [short.encode()], NOW)


@pytest.mark.parametrize("secret", ["whsec_", "", "whsec_???", "whpk_AAAA", "whsk_" + "A" * 44])
def test_a_secret_that_can_prove_nothing_is_told_before_it_is_kept(secret: str) -> None:
    assert problem_with([ALL["standard_webhooks"]], secret.encode())
    assert not problem_with([ALL["standard_webhooks"], ALL["token"]], secret.encode())
    headers = {"webhook-id": "m", "webhook-timestamp": f"{NOW:.0f}", "webhook-signature": "v1," + "A" * 44}
    assert not authentic([ALL["standard_webhooks"]], headers, BODY, [secret.encode()], NOW)


def test_a_good_secret_has_no_problem() -> None:
    assert problem_with([ALL["standard_webhooks"]], WHSEC.encode()) == ""
    assert problem_with([], b"x") == ""


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ({"value": [{"clientState": "k"}, {"clientState": "k"}]}, True),
        ({"value": [{"clientState": "k"}, {"clientState": "x"}]}, False),
        ({"value": [{"clientState": "x"}]}, False),
        ({"value": [{"clientState": ["k"]}]}, False),
        ({"value": []}, False),
        ({}, False),
        ([], False),
        ("k", False),
        ({"value": [{"clientState": "k"}] * 101}, False),
    ],
)
def test_a_secret_inside_the_body_must_be_in_all_its_places(said: object, right: bool) -> None:
    graph = scheme(type="body_token", path="value[].clientState")
    assert authentic([graph], {}, orjson.dumps(said), [b"k"], NOW) is right
    assert not authentic([graph], {}, b"{" + orjson.dumps(said), [b"k"], NOW)


# --- packs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"type": "hmac", "headers": ["S"], "algorithm": "sha1"}, "weak: true"),
        ({"type": "hmac", "headers": ["S"], "weak": True}, "weak: true"),
        ({"type": "hmac", "headers": ["S"], "algorithm": "md5"}, "sha256"),
        ({"type": "hmac_sha256", "headers": ["S"], "algorithm": "sha512"}, "use type: hmac"),
        ({"type": "hmac", "headers": ["S"], "signed": "{body}"}, "{timestamp}"),
        ({"type": "hmac", "headers": []}, "at least 1"),
        ({"type": "slack", "tolerance": 86_400}, "3600"),
        ({"type": "body_token", "path": "a.["}, "JMESPath"),
        ({"type": "magic"}, "aws_sns"),
    ],
)
def test_a_scheme_that_protects_nothing_is_no_scheme(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why.replace("{", r"\{")):
        scheme(**fields)
