"""Deliveries that are not JSON, over real sockets, and kept to the byte."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

import orjson
import pytest

from tests.webhook.at_the_door import Bench, Open, Reply
from tests.webhook.signed_packs import packed
from warden_desktop.adapters.sources.raw import raw_bytes

MAIL = b"From: Boss <boss@evil.example>\r\nSubject: Pay \xe4\r\n\r\nhttps://evil.example/x \xff\x00\r\n"

BODIES = {
    "ndjson": (b'{"title": "a"}\n{"title": "b"}\n', "application/x-ndjson", ["a", "b"]),
    "form": (urlencode({"payload": '{"title": "a"}'}).encode(), "application/x-www-form-urlencoded", ["a"]),
    "cef": (b"<13>Sep 19 08:26:10 h CEF:0|V|P|1|2|J\xfcrgen|5|src=192.0.2.1\r\n", "text/plain", ["J\xfcrgen"]),
    "leef": (b"LEEF:2.0|V|P|1|event|^|src=192.0.2.1^x=\xc3\xa4", "text/plain", ["event"]),
    "mail": (MAIL, "message/rfc822", ["Pay \ufffd"]),
}


async def opened(open_door: Open, form: str) -> Bench:
    return await open_door(packs={"demo": packed(form=form)})


async def post(bench: Bench, body: bytes, content_type: str) -> Reply:
    return await bench.ask("POST", "/webhooks/demo", body, {"Content-Type": content_type})


@pytest.mark.parametrize("form", BODIES)
async def test_a_delivery_of_any_form_becomes_alerts_and_is_kept_to_the_byte(open_door: Open, form: str) -> None:
    body, content_type, titles = BODIES[form]
    bench = await opened(open_door, form)
    reply = await post(bench, body, content_type)
    assert reply.status == 202
    assert [alert.title for alert in bench.intake.alerts.values()] == titles
    assert raw_bytes(bench.intake.raw[UUID(reply.json["alert_id"])]) == body


@pytest.mark.parametrize("form", BODIES)
async def test_another_content_type_and_an_encoded_body_are_refused(open_door: Open, form: str) -> None:
    body, content_type, _ = BODIES[form]
    bench = await opened(open_door, form)
    assert (await post(bench, body, "image/png")).status == 415
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    assert (await bench.ask("POST", "/webhooks/demo", body, headers)).status == 415


@pytest.mark.parametrize("form", BODIES)
async def test_what_is_not_of_its_form_is_kept_with_the_reason(open_door: Open, form: str) -> None:
    _, content_type, _ = BODIES[form]
    bench = await opened(open_door, form)
    body = b"\xff\x00{["
    reply = await post(bench, body, content_type)
    code = {"ndjson": "bad_json"}.get(form, f"bad_{form}")
    assert (reply.status, reply.json["error"]) == (400, code)
    (entry,) = bench.quarantine.list()
    assert (entry.code, bench.quarantine.body(entry.id)) == (code, body)


async def test_a_list_of_objects_is_several_alerts(open_door: Open) -> None:
    bench = await opened(open_door, "json")
    reply = await post(bench, b'[{"title": "a"}, {"title": "b"}]', "application/json")
    assert (reply.status, len(reply.json["alert_ids"])) == (202, 2)
    reply = await post(bench, b'[{"title": "a"}, 7]', "application/json")
    assert (reply.status, reply.json["detail"]) == (422, "the delivery[1]: must be an object, but is a number")


async def test_a_large_mail_keeps_nobody_waiting(open_door: Open) -> None:
    bench = await opened(open_door, "mail")
    reply = await post(bench, MAIL + b"<p>text</p>\n" * 30_000, "message/rfc822")
    assert reply.status == 202
    (alert,) = bench.intake.alerts.values()
    assert [seen.value for seen in alert.observables] == ["boss@evil.example", "https://evil.example/x"]


async def test_a_form_may_also_be_sent_as_json(open_door: Open) -> None:
    bench = await opened(open_door, "form")
    assert (await post(bench, orjson.dumps({"title": "a"}), "application/json")).status == 202
