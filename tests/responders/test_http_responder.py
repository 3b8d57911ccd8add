"""What goes over the wire, what comes of it, and what never goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.executor.vendor import Vendor, vendor_at_work
from warden_desktop.adapters.packs import load_pack, load_packs
from warden_desktop.adapters.responders.build import build
from warden_desktop.adapters.responders.http import HttpResponder
from warden_desktop.adapters.responders.pack import ConnectorPack, Request
from warden_desktop.adapters.responders.reach import GuardedResolver, check_base_url, refused
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.assets import resource
from warden_desktop.domain.action import ProposedAction, Result, Target, Verb
from warden_desktop.domain.alert import ObservableType
from warden_desktop.engine.ports import Stopped

PACKS = load_packs(resource("connectors"), None, ConnectorPack)
SECRET = "s3cr3t-t0ken"


def action(value: str = "web-01", verb: Verb = Verb.ISOLATE_HOST, **parameters: object) -> ProposedAction:
    return ProposedAction.model_validate(
        {
            "id": UUID("00000000-0000-4000-8000-000000000001"),
            "incident_id": UUID("00000000-0000-4000-8000-000000000002"), "verb": verb,
            "target": Target(type=ObservableType.HOST, value=value), "parameters": parameters, "reason": "example",
            "proposed_by": "test", "connector": "vendor", "expires_at": datetime(2030, 1, 1, tzinfo=UTC),
        }
    )  # fmt: skip


def pack(base_url: str, **fields: object) -> ConnectorPack:
    request = {
        "path": "/devices/{target.value}/isolate", "query": {"note": {"$": "parameters.note", "or": "none"}},
        "headers": {"X-Incident": {"$": "incident_id"}},
        "body": {"host": {"$": "target.value"}, "list": [{"$": "parameters"}], "fixed": True},
    }  # fmt: skip
    return ConnectorPack.model_validate(
        {"name": "vendor", "title": "Vendor", "base_url": base_url, "verbs": {"isolate_host": request}, **fields}
    )


def passes() -> None:
    return None


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_at_work() as running:
        yield running


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "none"}, "Authorization", None),
        ({"type": "bearer", "secret": "token"}, "Authorization", f"Bearer {SECRET}"),
        ({"type": "header", "header": "X-Api-Key", "secret": "token"}, "X-Api-Key", SECRET),
        ({"type": "basic", "user": "warden", "secret": "token"}, "Authorization", "Basic d2FyZGVuOnMzY3IzdC10MGtlbg=="),
    ],
)
async def test_what_is_sent_is_what_was_shown_but_for_the_secret(
    vendor: Vendor, auth: dict[str, str], header: str, value: str | None
) -> None:
    responder = HttpResponder(pack(vendor.url, auth=auth), lambda _: SECRET)
    shown = responder.preview(action(note="a&b"))
    outcome = await responder.act(action(note="a&b"), passes)
    (request,) = vendor.received
    assert outcome.result is Result.SUCCEEDED
    assert vendor.url + request.path == shown.url
    assert request.body == shown.body == {"host": "web-01", "list": [{"note": "a&b"}], "fixed": True}
    assert request.headers.get(header) == value
    assert SECRET not in shown.model_dump_json()
    assert {name: sent for name, sent in request.headers.items() if name in shown.headers and name != header} == {
        name: text for name, text in shown.headers.items() if name != header
    }
    assert shown.headers.get(header, "***").endswith("***")


async def test_a_secret_that_the_server_echoes_is_masked(vendor: Vendor) -> None:
    vendor.manner = "echo"
    for auth in ({"type": "bearer", "secret": "token"}, {"type": "basic", "user": "warden", "secret": "token"}):
        outcome = await HttpResponder(pack(vendor.url, auth=auth), lambda _: SECRET).act(action(), passes)
        assert outcome.response
        assert SECRET not in outcome.response
        assert "d2FyZGVu" not in outcome.response


HOSTILE = ["../../admin", "a/b?c=d#e", "x\r\nHost: evil", '"},"verb":"x', "%2e%2e", "ä\u202e", "a b", "{target.type}"]


@pytest.mark.parametrize("value", HOSTILE)
async def test_an_attackers_value_stays_one_value(vendor: Vendor, value: str) -> None:
    responder = HttpResponder(pack(vendor.url), lambda _: None)
    await responder.act(action(value, note=value), passes)
    (request,) = vendor.received
    path, _, query = request.path.partition("?")
    assert path.count("/") == 3
    assert query.count("=") == 1
    assert request.body["host"] == value


@given(value=st.text(min_size=1, max_size=50))
def test_any_value_makes_one_segment_or_none_at_all(value: str) -> None:
    template = Request.model_validate({"path": "/a/{target.value}/b"})
    try:
        built = build("http://vendor.example/root", template, action(value))
    except (ValueError, UnicodeEncodeError):
        assert value in (".", "..") or not value.isprintable() or any("\ud800" <= one <= "\udfff" for one in value)
        return
    parts = urlsplit(built.url)
    assert (parts.netloc, parts.path.count("/"), parts.query) == ("vendor.example", 4, "")


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_that_would_climb_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="another address"):
        HttpResponder(pack("http://127.0.0.1:1"), lambda _: None).preview(action(value))


@pytest.mark.parametrize(
    "request_of",
    [
        {"path": "/devices/x-{target.value}"},
        {"path": "devices"},
        {"path": "/../admin"},
        {"path": "/{nothing}"},
        {"path": "/a", "body": {"x": {"$": "secret"}}},
        {"path": "/a", "body": {"x": {"$": "verb", "else": 1}}},
        {"path": "/a", "method": "CONNECT"},
    ],
)
def test_a_template_that_pastes_text_or_names_nothing_is_no_pack(request_of: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Request.model_validate(request_of)


@pytest.mark.parametrize(
    ("status", "idempotent", "result"),
    [
        (200, False, Result.SUCCEEDED),
        (206, False, Result.UNKNOWN),
        (307, False, Result.FAILED),
        (403, False, Result.FAILED),
        (500, False, Result.UNKNOWN),
        (503, True, Result.FAILED),
    ],
)
async def test_the_status_says_how_it_went(status: int, idempotent: bool, result: Result) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        template = {"path": "/a", "idempotent": idempotent}
        made = pack(url, verbs={"isolate_host": template})
        outcome = await HttpResponder(made, lambda _: None).act(action(), passes)
    assert (outcome.result, outcome.status_code) == (result, status)


async def test_no_answer_in_time_is_unknown_and_not_sent_again(vendor: Vendor) -> None:
    vendor.manner = "hang"
    outcome = await HttpResponder(pack(vendor.url, timeout=0.2), lambda _: None).act(action(), passes)
    assert outcome.result is Result.UNKNOWN
    assert len(vendor.received) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_dropped_connection_is_unknown_and_not_sent_again_whatever_the_method(
    vendor: Vendor, method: str
) -> None:
    vendor.manner = "drop"
    made = pack(vendor.url, verbs={"isolate_host": {"path": "/a", "method": method, "idempotent": True}})
    outcome = await HttpResponder(made, lambda _: None).act(action(), passes)
    assert outcome.result is Result.UNKNOWN
    assert len(vendor.received) == 1


async def test_the_gate_is_passed_once_and_a_shut_one_lets_nothing_out(vendor: Vendor) -> None:
    passed: list[int] = []
    responder = HttpResponder(pack(vendor.url), lambda _: None)
    await responder.act(action(), lambda: passed.append(len(vendor.received)))
    assert passed == [0]

    def shut() -> None:
        raise Stopped("stop")

    with pytest.raises(Stopped):
        await responder.act(action(), shut)
    assert len(vendor.received) == 1


async def test_nothing_is_sent_where_nobody_listens_and_the_gate_is_never_asked() -> None:
    async with vendor_at_work() as gone:
        url = gone.url
    passed: list[bool] = []
    outcome = await HttpResponder(pack(url), lambda _: None).act(action(), lambda: passed.append(True))
    assert outcome.result is Result.FAILED
    assert passed == []


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("", "set its base URL"),
        ("ftp://vendor.example", "not the URL of an HTTP server"),
        ("https://user:pw@vendor.example", "no user"),
        ("http://169.254.169.254/latest", "link-local or metadata"),
        ("http://[fe80::1]/", "link-local or metadata"),
        ("http://[::ffff:169.254.169.254]/", "link-local or metadata"),
        ("http://vendor.example", "clear text"),
    ],
)
def test_what_is_not_configured_says_what_is_missing_and_offers_no_verb(base_url: str, says: str) -> None:
    responder = HttpResponder(pack(base_url, auth={"type": "bearer", "secret": "token"}), lambda _: SECRET)
    assert not responder.configured
    assert says in responder.missing
    assert responder.verbs == frozenset()
    with pytest.raises(ValueError, match=r".+"):
        responder.preview(action())


def test_a_missing_secret_is_missing_configuration() -> None:
    responder = HttpResponder(pack("https://v.example", auth={"type": "bearer", "secret": "token"}), lambda _: None)
    assert responder.missing == "Vendor is not configured: the secret 'token' is not set."


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "::ffff:a9fe:a9fe", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200"]
)
def test_metadata_addresses_are_refused_in_any_notation(host: str) -> None:
    assert refused(host)
    assert not refused("127.0.0.1")


async def test_a_name_that_leads_to_a_refused_address_is_refused() -> None:
    resolver = GuardedResolver(allow_link_local=False)
    with pytest.raises(OSError, match="refused"):
        await resolver.resolve("2852039166", 80)  # 169.254.169.254 as one number, as the C library reads it
    allowed = await GuardedResolver(allow_link_local=True).resolve("2852039166", 80)
    assert allowed[0]["host"] == "169.254.169.254"


def test_an_address_that_is_allowed_by_name_is_allowed() -> None:
    check_base_url("http://169.254.169.254", with_secret=False, allow_link_local=True)


@pytest.mark.parametrize("name", sorted(PACKS))
def test_every_bundled_pack_makes_of_its_examples_what_they_say(name: str) -> None:
    made = PACKS[name].with_base_url("https://vendor.example")
    assert made.examples
    for example in made.examples:
        proposed = action(verb=example.verb).model_copy(
            update={"target": example.target, "parameters": example.parameters}
        )
        built = build(made.base_url, made.request_of(proposed), proposed)
        assert (built.method, built.url) == (example.request.method, "https://vendor.example" + example.request.path)
        assert built.body == example.request.body
        assert example.request.headers.items() <= built.headers.items()


def test_the_generic_connector_does_every_verb_once_it_has_a_url() -> None:
    made = load_pack(resource("connectors", "generic_http.yaml"), ConnectorPack)
    assert not HttpResponder(made, lambda _: None).configured
    assert HttpResponder(made.with_base_url("http://127.0.0.1:1"), lambda _: None).verbs == frozenset(Verb)


async def test_the_simulated_connector_says_so_everywhere_and_still_asks_the_gate() -> None:
    asked: list[bool] = []
    responder = SimulatedResponder(delay=0)
    ticket = action(verb=Verb.CREATE_TICKET)
    outcome = await responder.act(ticket, lambda: asked.append(True))
    assert asked == [True]
    assert responder.preview(ticket).simulated
    assert outcome.detail.startswith("simulated: nothing was done")
    assert json.loads(outcome.response)["key"].startswith("SIM-")


def test_a_wrong_pack_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: bad\ntitle: Bad\nverbs:\n  isolate_host:\n    path: /x-{target.value}\n")
    with pytest.raises(Exception, match=r"bad.yaml:5: verbs.isolate_host.path"):
        load_pack(path, ConnectorPack)
