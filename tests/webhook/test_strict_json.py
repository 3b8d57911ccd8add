"""What counts as JSON at the door: RFC 8259 with one meaning only."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.at_the_door import Bench
from warden_desktop.adapters.strict_json import DEEPEST, BadJson, parse

SUITE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "jsontestsuite" / "test_parsing"
VECTORS = sorted(SUITE.glob("*.json"))

DUPLICATES = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
"""Valid by the grammar, but two parsers may read two things: refused on purpose."""


def accepted(raw: bytes) -> bool:
    try:
        parse(raw)
    except BadJson:
        return False
    return True


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_parsing_suite_is_judged_as_it_says(path: Path) -> None:
    raw = path.read_bytes()
    if path.name[0] == "i":
        assert accepted(raw) in (True, False)  # either, but never anything else than a refusal
    else:
        assert accepted(raw) is (path.name[0] == "y" and path.name not in DUPLICATES)


def test_the_parsing_suite_is_whole_where_it_is_present() -> None:
    kinds = {path.name[0] for path in VECTORS}
    assert kinds == ({"y", "n", "i"} if SUITE.exists() else set())


async def test_the_door_takes_no_file_of_the_suite_that_is_not_json(bench: Bench) -> None:
    for path in VECTORS:
        status = (await bench.post(path.read_bytes())).status
        if path.name[0] == "n" or path.name in DUPLICATES:
            assert status == 400, path.name
        else:
            assert status in ((202, 422) if path.name[0] == "y" else (202, 400, 422)), path.name


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"[Infinity]", "not JSON"),
        (b"[1e999]", "not JSON"),
        (b'"\xff"', "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b'"\\udc00\\ud800"', "not JSON"),
        (b'{"a":1,"a":1}', "'a' is there twice"),
        (b'{"a":1,"\\u0061":2}', "'a' is there twice"),
        (b'[{"x":{"k":1,"k":2}}]', "'k' is there twice"),
        (b"[18446744073709551616]", "64 bits"),
        (b"[-9223372036854775809]", "64 bits"),
        (b"[" + b"9" * 300 + b"]", "64 bits"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b"[" * 100_000, "not JSON"),
        (b"[" * 900 + b"]" * 900, "deeper than 64"),
    ],
)
def test_what_is_refused_is_told_why(raw: bytes, why: str) -> None:
    with pytest.raises(BadJson, match=why):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"[18446744073709551615,-9223372036854775808]", [2**64 - 1, -(2**63)]),
        (b"[" * DEEPEST + b"]" * DEEPEST, None),
        (b"[" + b"[]," * 500 + b"[]]", None),
        (b'"1234567890123456789012345"', "1234567890123456789012345"),
        (b"[1.1234567890123456789012345]", [1.1234567890123457]),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b' \n{"a" : 1 , "b":{"a":2}} ', {"a": 1, "b": {"a": 2}}),
    ],
)
def test_what_has_one_meaning_is_read(raw: bytes, value: object) -> None:
    assert parse(raw) == (orjson.loads(raw) if value is None else value)


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(VALUES)
def test_everything_python_writes_comes_back_as_it_was(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_parse_or_be_refused(raw: bytes) -> None:
    assert accepted(raw) in (True, False)
