"""JSON, JSON lines, forms, and deliveries wrapped into others."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden_desktop.adapters.sources.forms import BadForm, Form, content_types, read
from warden_desktop.adapters.sources.forms.envelopes import Envelope, opened
from warden_desktop.adapters.sources.raw import raw_bytes, raw_text


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":1}\n{"a":2}\n', [{"a": 1}, {"a": 2}]),
        (b'{"a":1}\r\n\r\n{"a":2}', [{"a": 1}, {"a": 2}]),
        (b'{"a":1}\n', {"a": 1}),
        (b'[{"a":1},\n{"a":2}]', [{"a": 1}, {"a": 2}]),
        (b'{\n"a":1\n}', {"a": 1}),
    ],
)
def test_json_lines_are_several_deliveries(body: bytes, value: object) -> None:
    assert read("ndjson", body) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [(b'{"a":1}\n{"a":', "line 2: not JSON"), (b'{"a":1}\n\n{"a":1,"a":2}', "line 3: the key 'a'"), (b"", "not JSON"),
     (b"1\n" * 2001, "2001 lines")],
)  # fmt: skip
def test_a_bad_line_is_told(body: bytes, why: str) -> None:
    with pytest.raises(BadForm, match=why) as caught:
        read("ndjson", body)
    assert caught.value.code == "bad_json"


def test_a_form_holds_json_or_is_the_delivery() -> None:
    assert read("form", urlencode({"payload": '{"a": "é&="}'}).encode()) == {"a": "é&="}
    assert read("form", b"sid=1&search_name=x+y&empty=") == {"sid": "1", "search_name": "x y", "empty": ""}
    assert read("form", b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "bad_form"), (b"payload=%7B", "bad_json"), (b"a=1&a=2", "bad_form"), (b"a=%FF", "bad_form"),
     (b"\xff=1", "bad_form"), (b"a", "bad_form"), (b"&".join([b"a=1"] * 1001), "bad_form"), (b"payload=", "bad_json"),
     (b'payload={"a":1,"a":2}', "bad_json")],
)  # fmt: skip
def test_what_is_no_form_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(BadForm) as caught:
        read("form", body)
    assert caught.value.code == code


@pytest.mark.parametrize("form", ["json", "ndjson", "form"])
@given(body=st.binary(max_size=60) | st.lists(st.sampled_from([b"{", b"}", b'"a"', b":", b"\n", b"[", b"]", b"%", b"=",
       b"&", b"payload=", b"1", b",", b"\xed\xa0\x80", b"%ED%A0%80"]), max_size=30).map(b"".join))  # fmt: skip
def test_any_bytes_are_a_value_that_can_be_stored_or_are_refused(form: Form, body: bytes) -> None:
    try:
        found = read(form, body)
    except BadForm:
        return
    assert orjson.dumps(found)


def test_every_form_has_its_usual_content_type() -> None:
    assert content_types("json") == ("application/json",)
    assert content_types("mail") == ("message/rfc822",)


# --- wrapped ------------------------------------------------------------------------------------------------------

INNER = {"detail": {"severity": 8}}


def b64(value: Any) -> str:
    return base64.b64encode(orjson.dumps(value)).decode()


def test_json_wrapped_as_text_is_opened() -> None:
    sns = {"Type": "Notification", "Message": orjson.dumps(INNER).decode()}
    assert opened(sns, [Envelope(path="Message")]) == {"Type": "Notification", "Message": INNER}
    pubsub = {"message": {"data": b64(INNER), "id": 1}}
    wrapped = [Envelope(path="message.data", encoding="base64")]
    assert opened(pubsub, wrapped) == {"message": {"data": INNER, "id": 1}}
    assert pubsub["message"]["data"] == b64(INNER)
    assert opened([pubsub, {}], wrapped) == [{"message": {"data": INNER, "id": 1}}, {}]


@pytest.mark.parametrize("text", ["hello", '{"a":1,"a":2}', "", "[" * 100, None, 5, {"x": 1}])
def test_what_is_no_json_stays_as_it_is(text: object) -> None:
    assert opened({"Message": text}, [Envelope(path="Message")]) == {"Message": text}
    assert opened({"Message": text}, [Envelope(path="Message.data.x")]) == {"Message": text}
    assert opened({"Message": text}, [Envelope(path="Message", encoding="base64")]) == {"Message": text}


def test_envelopes_may_be_nested() -> None:
    outer = {"Message": orjson.dumps({"data": b64(INNER)}).decode()}
    envelopes = [Envelope(path="Message"), Envelope(path="Message.data", encoding="base64")]
    assert opened(outer, envelopes) == {"Message": {"data": INNER}}


# --- kept to the byte ---------------------------------------------------------------------------------------------


@given(st.binary(max_size=50) | st.binary(max_size=9).map(lambda tail: b"data:application/octet-stream;base64," + tail))
def test_any_delivery_is_kept_to_the_byte(body: bytes) -> None:
    assert raw_bytes(raw_text(body)) == body
    raw_text(body).encode("utf-8", "strict")


def test_text_is_kept_as_it_is() -> None:
    assert raw_text("é\r\n\x00".encode()) == "é\r\n\x00"
    assert raw_text(b"\xff") == "data:application/octet-stream;base64,/w=="
