"""Who may deliver, what counts once, and what is kept for a person to look at."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import stat
import time
from uuid import UUID

import orjson
import pytest

from tests.webhook.at_the_door import GOOD, Bench, Open, Reply
from warden_desktop.adapters.webhook import Limits

SECRET, OLD = b"current secret", b"previous secret"
BODY = orjson.dumps(GOOD)


def signature(body: bytes = BODY, key: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


@pytest.fixture
def guarded(bench: Bench) -> Bench:
    """A door whose generic source has a secret."""
    bench.secrets["generic"] = (SECRET,)
    return bench


# --- signatures ---------------------------------------------------------------------------------------------------


async def test_a_signed_delivery_is_accepted_and_marked_signed(guarded: Bench) -> None:
    reply = await guarded.post(BODY, X_Warden_Signature=signature())
    assert reply.status == 202
    assert guarded.intake.alerts[UUID(reply.json["alert_id"])].signed


async def test_whatever_is_wrong_with_a_signature_the_answer_is_the_same(guarded: Bench) -> None:
    now = int(time.time())
    stamped = f"{now - 301}.".encode() + BODY
    wrong = [
        {},
        {"X_Warden_Signature": signature(key=b"other")},
        {"X_Warden_Signature": signature(BODY + b" ")},
        {"X_Warden_Signature": ""},
        {"X_Warden_Signature": "sha256="},
        {"X_Warden_Signature": "sha256=" + "é" * 32},
        {"X_Warden_Signature": "sha1=" + signature()[7:]},
        {"X_Warden_Signature": signature()[:-2]},
        {"X_Warden_Signature": signature(stamped), "X_Warden_Timestamp": str(now - 301)},
        {"X_Warden_Signature": signature(stamped), "X_Warden_Timestamp": str(now)},
        {"X_Warden_Signature": signature(), "X_Warden_Timestamp": str(now)},
        {"X_Warden_Signature": signature(b"x." + BODY), "X_Warden_Timestamp": "x"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
    ]
    replies = [await guarded.post(BODY, **headers) for headers in wrong]
    assert {reply.status for reply in replies} == {401}
    assert len({reply.body for reply in replies}) == 1
    assert not guarded.intake.alerts


async def test_a_signature_covers_the_time_that_comes_with_it(guarded: Bench) -> None:
    stamp = str(int(time.time()) - 290)
    given = signature(stamp.encode() + b"." + BODY)
    assert (await guarded.post(BODY, X_Warden_Signature=given, X_Warden_Timestamp=stamp)).status == 202
    assert (await guarded.post(BODY, X_Warden_Signature=given)).status == 401


async def test_a_body_is_not_even_parsed_before_its_sender_is_known(guarded: Bench) -> None:
    assert (await guarded.post(b"{not json")).status == 401
    assert not guarded.quarantine.list()


async def test_while_a_secret_is_rotated_both_are_good_and_then_only_the_new(guarded: Bench) -> None:
    guarded.secrets["generic"] = (SECRET, OLD)
    assert (await guarded.post(BODY, X_Warden_Signature=signature(key=OLD))).status == 202
    assert (await guarded.post(BODY, X_Warden_Signature=signature())).status == 202
    guarded.secrets["generic"] = (SECRET,)
    assert (await guarded.post(BODY, X_Warden_Signature=signature(key=OLD))).status == 401


async def test_alertmanager_proves_itself_with_its_token(bench: Bench) -> None:
    bench.secrets["alertmanager"] = (SECRET,)
    delivery = {"alerts": [{"labels": {"alertname": "x"}}]}
    assert (await bench.post(delivery, "alertmanager", Authorization="Bearer current secret")).status == 202
    assert (await bench.post(delivery, "alertmanager", Authorization="current")).status == 401


async def test_wazuh_does_not_take_the_secret_itself_for_a_signature(bench: Bench) -> None:
    bench.secrets["wazuh"] = (SECRET,)
    delivery = {"rule": {"description": "x"}}
    assert (await bench.post(delivery, "wazuh", Authorization="Bearer current secret")).status == 401


async def test_without_a_secret_a_signature_makes_nothing_signed(bench: Bench) -> None:
    reply = await bench.post(BODY, X_Warden_Signature=signature(key=b""))
    assert not bench.intake.alerts[UUID(reply.json["alert_id"])].signed


async def test_a_keychain_that_does_not_answer_lets_nothing_unsigned_in(bench: Bench) -> None:
    bench.locked = True
    reply = await bench.post(GOOD)
    assert (reply.status, reply.json["error"]) == (503, "keychain")
    assert "retry-after" in reply.headers


# --- duplicates ---------------------------------------------------------------------------------------------------


async def test_the_same_delivery_again_is_a_duplicate(bench: Bench) -> None:
    first = await bench.post(GOOD, X_Delivery_ID="d-1")
    again = await bench.post(GOOD, X_Delivery_ID="d-1")
    assert (first.status, again.status) == (202, 200)
    assert again.json == {"duplicate": True, **first.json}
    assert len(bench.intake.alerts) == 1


async def test_the_same_id_for_another_body_is_a_conflict(bench: Bench) -> None:
    await bench.post(GOOD, X_Delivery_ID="d-1")
    reply = await bench.post({"title": "other"}, X_Delivery_ID="d-1")
    assert (reply.status, reply.json["error"]) == (422, "delivery_conflict")


async def test_ids_of_different_sources_have_nothing_to_do_with_each_other(bench: Bench) -> None:
    wazuh = {"rule": {"description": "x"}}
    assert (await bench.post(GOOD, X_Delivery_ID="1")).status == 202
    assert (await bench.post(wazuh, "wazuh", X_Delivery_ID="1")).status == 202
    assert len(bench.intake.alerts) == 2


async def test_deliveries_without_an_id_each_count(bench: Bench) -> None:
    assert [(await bench.post(GOOD)).status for _ in range(2)] == [202, 202]
    assert len(bench.intake.alerts) == 2


async def test_a_delivery_may_name_itself_in_its_body(bench: Bench) -> None:
    named = {**GOOD, "delivery_id": "abc"}
    assert [(await bench.post(named)).status for _ in range(2)] == [202, 200]


async def test_a_delivery_five_times_at_once_counts_once(bench: Bench) -> None:
    bench.intake.gate = asyncio.Event()

    replies: list[Reply] = []

    async def post() -> None:
        replies.append(await bench.post(GOOD, X_Delivery_ID="once"))
        if len(replies) == 4 and bench.intake.gate is not None:
            bench.intake.gate.set()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(post())
    assert sorted(reply.status for reply in replies) == [202, 409, 409, 409, 409]
    assert len(bench.intake.alerts) == 1
    assert (await bench.post(GOOD, X_Delivery_ID="once")).status == 200


async def test_many_deliveries_five_times_each_count_once_each(bench: Bench) -> None:
    async with asyncio.TaskGroup() as tasks:
        posts = [tasks.create_task(bench.post(GOOD, X_Delivery_ID=f"d{n % 30}")) for n in range(150)]
    assert {post.result().status for post in posts} <= {202, 200, 409}
    assert len(bench.intake.alerts) == 30


async def test_a_delivery_that_failed_may_come_again(bench: Bench) -> None:
    bench.intake.failing = True
    assert (await bench.post(GOOD, X_Delivery_ID="d")).status == 503
    bench.intake.failing = False
    assert (await bench.post(GOOD, X_Delivery_ID="d")).status == 202


# --- quarantine ---------------------------------------------------------------------------------------------------


async def test_what_could_not_be_read_is_kept_to_the_byte_with_the_reason(bench: Bench) -> None:
    body = b'{"a":1,"a":\xff2}\n\x00'
    reply = await bench.post(body)
    assert (reply.status, reply.json["error"]) == (400, "bad_json")
    (entry,) = bench.quarantine.list()
    assert (entry.source, entry.code, entry.size) == ("generic", "bad_json", len(body))
    assert bench.quarantine.body(entry.id) == body


@pytest.mark.parametrize(
    ("source", "delivery", "why"),
    [
        ("generic", [], "must be an object, but is a list"),
        ("generic", 7, "must be an object, but is a number"),
        ("generic", {}, "nothing there to use as the title"),
        ("wazuh", {"title": "x"}, "rule: every Wazuh alert has an object of that name"),
        ("wazuh", {"rule": "x"}, "rule: every Wazuh alert has an object of that name"),
        ("suricata", {"event_type": "dns"}, 'event_type: must be "alert"'),
        ("alertmanager", {"alerts": {}}, "alerts: a version 4 delivery has a list"),
        ("alertmanager", {"alerts": []}, "alerts: the list is empty"),
        ("alertmanager", {"alerts": [{"labels": {"alertname": "x"}}, 5]}, r"alerts[1]: must be an object"),
        ("alertmanager", {"alerts": [{"labels": {}}]}, "alerts[0]."),
        ("alertmanager", {"alerts": [{"labels": {"alertname": "x"}}] * 2001}, "2000 is the most"),
    ],
)
async def test_the_wrong_shape_is_told_what_did_not_map_and_kept(
    bench: Bench, source: str, delivery: object, why: str
) -> None:
    reply = await bench.post(delivery, source)
    assert (reply.status, reply.json["error"]) == (422, "wrong_shape")
    assert why in reply.json["detail"]
    assert not bench.intake.alerts
    (entry,) = bench.quarantine.list()
    assert (entry.source, entry.detail) == (source, reply.json["detail"])


async def test_the_quarantine_is_private_and_survives_a_restart(bench: Bench, open_door: Open) -> None:
    await bench.post(b"{")
    (entry,) = bench.quarantine.list()
    again = await open_door()
    assert again.quarantine.list() == (entry,)
    assert again.quarantine.body(entry.id) == b"{"
    path = bench.quarantine._path(entry.id)
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


async def test_the_quarantine_keeps_the_newest_up_to_its_limits(open_door: Open) -> None:
    bench = await open_door(Limits(quarantine_entries=3, quarantine_bytes=100))
    for size in (1, 2, 3, 4):
        await bench.post(b"{" * size)
    assert [entry.size for entry in bench.quarantine.list()] == [4, 3, 2]
    await bench.post(b"{" * 97)
    assert [entry.size for entry in bench.quarantine.list()] == [97]
    assert len(os.listdir(bench.quarantine._directory)) == 1


async def test_a_quarantine_that_cannot_write_harms_nothing(open_door: Open) -> None:
    bench = await open_door()
    bench.quarantine._directory.write_text("in the way")
    assert (await bench.post(b"{")).status == 400
    assert bench.quarantine.list() == ()


async def test_a_token_in_another_encoding_is_just_wrong(guarded: Bench) -> None:
    odd = base64.b64encode(SECRET).decode()
    assert (await guarded.post(BODY, Authorization=f"Bearer {odd}")).status == 401
