"""Signatures of other people's making, and our own with a clock."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from warden_desktop.adapters.sources.signature import Hmac, Timestamp, Token, authentic

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "webhook-signatures" / "github.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text("utf-8"))["cases"] if VECTORS.exists() else []
GITHUB = Hmac(type="hmac_sha256", headers=("X-Hub-Signature-256",), prefix="sha256=")
STAMPED = GITHUB.model_copy(update={"timestamp": Timestamp(header="X-Time")})
NOW = 1_795_000_000.0


def digest(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("name", case["expect"]))
def test_published_vectors_are_judged_as_published(case: dict[str, Any]) -> None:
    headers, body = {"X-Hub-Signature-256": case["header"]}, case["body"].encode()
    assert authentic([GITHUB], headers, body, [case["secret"].encode()], NOW) is (case["expect"] == "accept")


def test_the_published_vectors_are_read_where_they_are_present() -> None:
    assert bool(CASES) == VECTORS.exists()


def test_a_signature_may_be_base64() -> None:
    scheme = Hmac(type="hmac_sha256", headers=("S",), encoding="base64")
    assert authentic([scheme], {"S": base64.b64encode(digest(b"k", b"body")).decode()}, b"body", [b"k"], NOW)
    assert not authentic([scheme], {"S": digest(b"k", b"body").hex()}, b"body", [b"k"], NOW)


@pytest.mark.parametrize(("offset", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_the_clock_may_be_off_by_five_minutes(offset: int, good: bool) -> None:
    stamp = str(int(NOW) + offset)
    headers = {"X-Time": stamp, "X-Hub-Signature-256": digest(b"k", f"{stamp}.body".encode()).hex()}
    assert authentic([STAMPED], headers, b"body", [b"k"], NOW) is good


def test_a_required_timestamp_is_required() -> None:
    strict = GITHUB.model_copy(update={"timestamp": Timestamp(header="X-Time", required=True)})
    headers = {"X-Hub-Signature-256": digest(b"k", b"body").hex()}
    assert not authentic([strict], headers, b"body", [b"k"], NOW)
    assert authentic([STAMPED], headers, b"body", [b"k"], NOW)


def test_one_scheme_that_holds_is_enough() -> None:
    token = Token(type="token", headers=("Authorization",), prefix="Bearer ")
    assert authentic([GITHUB, token], {"Authorization": "Bearer k"}, b"", [b"k"], NOW)


@pytest.mark.parametrize(("schemes", "secrets"), [([], [b"k"]), ([GITHUB], []), ([GITHUB], [b""])])
def test_what_cannot_be_checked_is_not_authentic(schemes: list[Hmac], secrets: list[bytes]) -> None:
    headers = {"X-Hub-Signature-256": digest(b"", b"body").hex()}
    assert not authentic(schemes, headers, b"body", secrets, NOW)
