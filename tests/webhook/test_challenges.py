"""Vendors that try an address before they send to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.webhook.at_the_door import GOOD, Bench, Open, Reply
from tests.webhook.signed_packs import packed

TOKEN = [{"type": "token", "headers": ["Authorization"]}]


async def tried(open_door: Open, kind: str, **fields: Any) -> Bench:
    bench = await open_door(packs={"demo": packed(challenge={"type": kind}, verification=TOKEN, **fields)})
    bench.secrets["demo"] = (b"new secret", b"old secret")
    return bench


# --- Okta ---------------------------------------------------------------------------------------------------------


async def asked(bench: Bench, challenge: str | None, secret: str | None = "old secret") -> Reply:
    headers = {"X-Okta-Verification-Challenge": challenge, "Authorization": secret}
    return await bench.ask("GET", "/webhooks/demo", b"", {name: value for name, value in headers.items() if value})


@pytest.mark.parametrize("secret", ["old secret", "new secret"])
async def test_okta_hears_its_challenge_again(open_door: Open, secret: str) -> None:
    bench = await tried(open_door, "okta")
    reply = await asked(bench, '"><script>', secret)
    assert (reply.status, reply.json) == (200, {"verification": '"><script>'})
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.headers["x-content-type-options"] == "nosniff"


async def test_okta_without_the_secret_hears_what_every_stranger_hears(open_door: Open) -> None:
    bench = await tried(open_door, "okta")
    delivery = await bench.post(GOOD, "demo")
    replies = [
        delivery,
        await asked(bench, "c", "wrong"),
        await asked(bench, "c", None),
        await asked(bench, None, "wrong"),
    ]
    bench.secrets["demo"] = ()
    replies.append(await asked(bench, "c"))
    assert {reply.status for reply in replies[:4]} == {401}
    assert {reply.body for reply in replies} == {delivery.body}


@pytest.mark.parametrize("challenge", [None, "x" * 1025])
async def test_an_odd_challenge_is_a_bad_request(open_door: Open, challenge: str | None) -> None:
    assert (await asked(await tried(open_door, "okta"), challenge)).status == 400


async def test_other_sources_have_no_get(open_door: Open) -> None:
    bench = await open_door(packs={"demo": packed()})
    reply = await asked(bench, "c")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    bench = await tried(open_door, "okta")
    reply = await bench.ask("PUT", "/webhooks/demo")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")
    unknown = [await bench.ask(method, "/webhooks/nobody") for method in ("GET", "POST", "PUT")]
    assert {reply.status for reply in unknown} == {404}


# --- Slack's way --------------------------------------------------------------------------------------------------


async def test_a_url_verification_is_answered_to_who_signed_it(open_door: Open) -> None:
    bench = await tried(open_door, "url_verification")
    asked = {"type": "url_verification", "challenge": "3eZbrw", "token": "x"}
    reply = await bench.post(asked, "demo", Authorization="new secret")
    assert (reply.status, reply.json) == (200, {"challenge": "3eZbrw"})
    assert (await bench.post(asked, "demo")).status == 401
    assert not bench.intake.alerts


@pytest.mark.parametrize("other", [{"type": "event", "title": "x"}, {"title": "x", "challenge": "y"}])
async def test_what_is_no_challenge_is_a_delivery(open_door: Open, other: dict[str, str]) -> None:
    bench = await tried(open_door, "url_verification")
    assert (await bench.post(other, "demo", Authorization="new secret")).status == 202


async def test_a_challenge_that_is_no_text_is_not_given_back(open_door: Open) -> None:
    bench = await tried(open_door, "url_verification")
    asked = {"type": "url_verification", "challenge": {"a": 1}}
    assert (await bench.post(asked, "demo", Authorization="new secret")).status == 422
    long = {"type": "url_verification", "challenge": "x" * 5000}
    assert len((await bench.post(long, "demo", Authorization="new secret")).json["challenge"]) == 1024


# --- Microsoft Graph ----------------------------------------------------------------------------------------------


async def validated(bench: Bench, token: str) -> Reply:
    return await bench.ask(
        "POST", f"/webhooks/demo?validationToken={quote(token)}", b"", {"Content-Type": "text/plain"}
    )


@pytest.mark.parametrize(
    ("token", "given_back"),
    [
        ("Validation: Testing client application reachability for subscription Request-Id: 42", None),
        ("a+b/c=%20é", None),
        ("<script>alert('x')</script>", "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;"),
    ],
)
async def test_graph_hears_its_token_as_plain_text(open_door: Open, token: str, given_back: str | None) -> None:
    reply = await validated(await tried(open_door, "graph"), token)
    assert (reply.status, reply.body.decode()) == (200, given_back or token)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("token", ["", "x" * 1025, "a\r\nX-Evil: 1", "a\x00"])
async def test_an_odd_token_is_not_given_back(open_door: Open, token: str) -> None:
    reply = await validated(await tried(open_door, "graph"), token)
    assert reply.status == 400
    assert b"Evil" not in reply.body


async def test_a_token_opens_nothing(open_door: Open) -> None:
    bench = await tried(open_door, "graph")
    reply = await bench.ask(
        "POST", "/webhooks/demo?validationToken=x", orjson.dumps(GOOD), {"Content-Type": "application/json"}
    )
    assert (reply.status, reply.body) == (200, b"x")
    assert not bench.intake.alerts
    assert (await bench.post(GOOD, "demo")).status == 401
    bench = await open_door(packs={"demo": packed()})
    assert (await validated(bench, "x")).status == 415


async def test_from_a_web_page_no_challenge_is_answered(open_door: Open) -> None:
    bench = await tried(open_door, "graph")
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    assert (await bench.ask("POST", "/webhooks/demo?validationToken=x", b"", headers)).status == 403
