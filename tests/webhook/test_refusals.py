"""What each bad request is told. The table is the product's promise: one test for each of its rows."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from tests.webhook.at_the_door import GOOD, Bench, Open
from warden_desktop.adapters.webhook import Limits

JSON = {"Content-Type": "application/json"}


async def test_a_good_delivery_is_accepted_and_named(bench: Bench) -> None:
    reply = await bench.post(GOOD)
    assert reply.status == 202
    assert set(reply.json) == {"alert_id", "event_id"}
    alert = bench.intake.alerts[UUID(reply.json["alert_id"])]
    assert (alert.title, alert.severity, alert.signed) == ("something happened", "high", False)
    assert bench.intake.raw[alert.id] == '{"title":"something happened","severity":"high"}'


async def test_the_raw_delivery_is_kept_to_the_character(bench: Bench) -> None:
    body = '{ "title" :\t"caf\\u00e9 \\/ ☕" }\r\n'.encode()
    assert (await bench.post(body)).status == 202
    assert list(bench.intake.raw.values()) == [body.decode()]


async def test_a_batch_is_answered_with_every_alert(bench: Bench) -> None:
    labels = [{"alertname": "A", "instance": f"h{index}:1"} for index in range(3)]
    alerts = [{"status": "firing", "labels": one, "startsAt": "2026-01-01T00:00:00Z"} for one in labels]
    reply = await bench.post({"version": "4", "alerts": alerts}, "alertmanager")
    assert reply.status == 202
    assert [UUID(one) for one in reply.json["alert_ids"]] == list(bench.intake.alerts)
    assert reply.json["alert_id"] == reply.json["alert_ids"][0]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "127.0.0.1:x", "[::1", "2130706433", "a b"]
)
async def test_a_request_for_another_host_is_misdirected(bench: Bench, host: str) -> None:
    connection = await bench.connect()
    await connection.send(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
    reply = await connection.reply()
    assert (reply.status, reply.json["error"]) == (421, "misdirected")


async def test_a_request_with_no_host_or_with_two_is_not_served(bench: Bench) -> None:
    for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        connection = await bench.connect()
        await connection.send(b"GET /healthz HTTP/1.1\r\n" + hosts + b"\r\n")
        assert (await connection.reply()).status in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1", "[::1]", "[::1]:8787"])
async def test_every_name_of_loopback_is_served(bench: Bench, host: str) -> None:
    assert (await bench.ask("GET", "/healthz", host=host)).status == 200


async def test_a_name_that_was_allowed_is_served(open_door: Open) -> None:
    bench = await open_door(allowed_hosts=("Desk.Example",))
    assert (await bench.ask("GET", "/healthz", host="desk.example:8787")).status == 200


async def test_a_request_line_with_a_whole_url_is_misdirected(bench: Bench) -> None:
    assert (await bench.ask("GET", "http://evil.example/healthz")).status == 421


@pytest.mark.parametrize(
    "header", ["Origin: null", "Origin: http://localhost", "Sec-Fetch-Site: cross-site", "sec-fetch-mode: navigate"]
)
async def test_a_web_page_is_refused_and_told_nothing_about_cors(bench: Bench, header: str) -> None:
    name, value = header.split(": ")
    for method, path in (("POST", "/webhooks/generic"), ("OPTIONS", "/webhooks/generic"), ("GET", "/healthz")):
        reply = await bench.ask(method, path, b"{}", {**JSON, name: value})
        assert (reply.status, reply.json["error"]) == (403, "from_a_web_page")
        assert not [header for header in reply.headers if header.startswith("access-control")]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", "application/json5", ""]
)
async def test_another_content_type_is_refused(bench: Bench, content_type: str) -> None:
    reply = await bench.ask("POST", "/webhooks/generic", b'{"title":"x"}', {"Content-Type": content_type})
    assert (reply.status, reply.json["error"]) == (415, "content_type")


async def test_no_content_type_at_all_is_refused(bench: Bench) -> None:
    assert (await bench.ask("POST", "/webhooks/generic", b'{"title":"x"}')).status == 415


async def test_a_content_type_may_name_its_charset(bench: Bench) -> None:
    assert (await bench.post(GOOD, Content_Type="Application/JSON; charset=utf-8")).status == 202


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity", "zstd", "nonsense"])
async def test_an_encoded_body_is_refused_unread(bench: Bench, encoding: str) -> None:
    reply = await bench.post(b"\x1f\x8b" + b"0" * 100_000, Content_Encoding=encoding)
    assert (reply.status, reply.json["error"]) == (415, "content_encoding")


async def test_an_unknown_path_and_an_unknown_source_look_the_same(bench: Bench) -> None:
    replies = [
        await bench.ask("POST", path, b'{"title":"x"}', JSON)
        for path in ("/webhooks/nobody", "/nowhere", "/webhooks/", "/webhooks/a/b", "/webhooks/%2e%2e", "/", "//")
    ]
    assert {reply.status for reply in replies} == {404}
    assert len({reply.body for reply in replies}) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_a_wrong_method_is_told_the_right_one(bench: Bench, method: str) -> None:
    connection = await bench.connect()
    await connection.send(f"{method} /webhooks/generic HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = await connection.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 ")
    assert b"Allow: POST" in head


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(bench: Bench) -> None:
    connection = await bench.connect()
    head = "POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(f"{head}Content-Length: 1048577\r\n\r\n".encode())
    reply = await connection.reply()
    assert (reply.status, reply.json["error"]) == (413, "too_large")
    assert reply.headers["connection"] == "close"


async def test_a_body_of_exactly_the_limit_is_read(bench: Bench) -> None:
    body = b'{"title":"x","pad":"' + b"p" * (1_048_576 - 22) + b'"}'
    assert len(body) == 1_048_576
    assert (await bench.post(body)).status == 202


async def test_a_large_body_gets_its_answer_although_it_was_sent_in_full(bench: Bench) -> None:
    reply = await bench.post(b"x" * 3_000_000)
    assert (reply.status, reply.json["error"]) == (413, "too_large")


async def test_a_body_in_chunks_is_counted_as_it_comes(open_door: Open) -> None:
    bench = await open_door(Limits(body=1000))
    connection = await bench.connect()
    head = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(3):
        await connection.send(b"190\r\n" + b"x" * 400 + b"\r\n")
    assert (await connection.reply()).status == 413


async def test_chunks_that_arrive_at_once_are_counted_too(open_door: Open) -> None:
    bench = await open_door(Limits(body=100))
    connection = await bench.connect()
    head = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n190\r\n" + b"x" * 400 + b"\r\n0\r\n\r\n")
    assert (await connection.reply()).status == 413


async def test_a_client_that_asks_before_sending_is_told_to_go_on(bench: Bench) -> None:
    connection = await bench.connect()
    head = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(head + b"Expect: 100-continue\r\nContent-Length: 13\r\n\r\n")
    assert await connection.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await connection.send(b'{"title":"x"}')
    assert (await connection.reply()).status == 202


async def test_a_client_that_asks_with_too_large_a_body_is_told_no(bench: Bench) -> None:
    connection = await bench.connect()
    head = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(head + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
    assert (await connection.reply()).status == 413


async def test_a_body_that_drips_is_given_up(open_door: Open) -> None:
    bench = await open_door(Limits(body_timeout=0.2))
    connection = await bench.connect()
    head = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(head + b"Content-Length: 1000\r\n\r\n")
    dripping = asyncio.Event()

    async def drip() -> None:
        while not dripping.is_set():
            await connection.send(b"x")
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drip())
        reply = await connection.reply()
        dripping.set()
    assert (reply.status, reply.json["error"]) == (408, "slow_body")


async def test_headers_that_drip_are_given_up(open_door: Open) -> None:
    bench = await open_door(Limits(header_timeout=0.2))
    connection = await bench.connect()
    await connection.send(b"POST /webhooks/generic HTTP/1.1\r\nHost: loc")
    assert await connection.closed()


async def test_headers_that_drip_on_a_second_request_are_given_up_too(open_door: Open) -> None:
    bench = await open_door(Limits(header_timeout=0.2))
    connection = await bench.connect()
    await connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await connection.reply()).status == 200
    await connection.send(b"GET /heal")
    assert await connection.closed()


async def test_a_connection_that_says_nothing_is_closed(open_door: Open) -> None:
    bench = await open_door(Limits(header_timeout=0.2))
    assert await (await bench.connect()).closed()


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 500 + b"\r\n",
    ],
)
async def test_what_is_not_http_is_refused_in_the_same_form(bench: Bench, noise: bytes) -> None:
    connection = await bench.connect()
    await connection.send(noise)
    reply = await connection.reply()
    assert (reply.status, reply.json["error"]) == (400, "bad_request")
    assert b"Traceback" not in reply.body
    assert await connection.closed()


async def test_a_broken_chunked_body_is_a_bad_request(bench: Bench) -> None:
    connection = await bench.connect()
    head = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
    await connection.send(b"zz\r\n")
    assert (await connection.reply()).status == 400


async def test_a_client_that_leaves_in_the_middle_harms_nobody(bench: Bench) -> None:
    connection = await bench.connect()
    head = b"POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await connection.send(head + b"Content-Length: 1000\r\n\r\nxx")
    await connection.close()
    assert (await bench.post(GOOD)).status == 202


async def test_a_failing_journal_means_try_again_and_no_acknowledgement(bench: Bench) -> None:
    bench.intake.failing = True
    reply = await bench.post(GOOD)
    assert (reply.status, reply.json["error"], reply.headers["retry-after"]) == (503, "not_recorded", "4")
    bench.intake.failing = False
    assert (await bench.post(GOOD)).status == 202


async def test_a_source_over_its_quota_is_told_when_to_come_back(open_door: Open) -> None:
    bench = await open_door(Limits(rate=0.5, burst=2))
    assert [(await bench.post(GOOD)).status for _ in range(3)] == [202, 202, 429]
    reply = await bench.post(GOOD)
    assert (reply.json["error"], reply.headers["retry-after"]) == ("over_quota", "2")
    assert (await bench.post({"rule": {"description": "x"}}, "wazuh")).status == 202


async def test_a_stranger_cannot_use_up_a_sources_quota(open_door: Open) -> None:
    bench = await open_door(Limits(rate=0.001, burst=1))
    bench.secrets["generic"] = (b"secret",)
    assert {(await bench.post(GOOD)).status for _ in range(5)} == {401}
    assert (await bench.post(GOOD, Authorization="Bearer secret")).status == 202


async def test_an_error_of_ours_says_no_more_than_that(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.intake.receive = None  # type: ignore[assignment,method-assign]
    reply = await bench.post(GOOD)
    assert (reply.status, reply.json["error"]) == (500, "internal")
    assert b"NoneType" not in reply.body
    assert "serving POST failed" in caplog.text


async def test_refusals_are_counted_by_what_was_wrong(bench: Bench) -> None:
    await bench.ask("GET", "/nowhere")
    await bench.post(b"{")
    await bench.post(b"[", Content_Type="text/plain")
    metrics = (await bench.ask("GET", "/metrics")).body.decode()
    for code in ("not_found", "bad_json", "content_type"):
        assert f'warden_webhook_refused_total{{code="{code}"}} 1\n' in metrics


async def test_no_answer_names_the_software_that_gave_it(bench: Bench) -> None:
    for reply in (await bench.post(GOOD), await bench.ask("GET", "/nowhere"), await bench.ask("GET", "/metrics")):
        assert reply.headers["server"] == "warden-desktop"
        assert reply.headers["cache-control"] == "no-store"
