"""The control API and the event stream, over a real bus, a real journal and a real desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
import pytest

from tests.executor.room import Room, room
from tests.webhook.at_the_door import Bench, Open, Raw, Reply
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.adapters.webhook import Control, Limits
from warden_desktop.domain.action import ActionState
from warden_desktop.domain.events import CommentAdded
from warden_desktop.domain.mode import Mode
from warden_desktop.engine.dead_letters import DeadLetters
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.operating_mode import OperatingMode

TOKEN = "a token nobody guesses"
LIMITS = Limits(streams=2)


class Console(NamedTuple):
    """A door with a control API, and the room behind it."""

    bench: Bench
    room: Room
    raised: list[bool]

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.bench.ask("GET", path, headers={"Authorization": f"Bearer {TOKEN}", **headers})

    async def post(self, path: str, said: Any) -> Reply:
        body = said if isinstance(said, bytes) else orjson.dumps(said)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        return await self.bench.ask("POST", path, body, headers)

    async def comments(self, count: int) -> list[int]:
        """Publish that many events about nothing; returns their numbers."""
        said = [CommentAdded(incident_id=uuid4(), actor="analyst:a", text=f"line {n}\nbreak") for n in range(count)]
        return [recorded.seq for recorded in await self.room.bus.publish(*said)]


@pytest.fixture
async def console(tmp_path: Path, open_door: Open) -> AsyncIterator[Console]:
    raised: list[bool] = []
    async with room(tmp_path, {"simulated": SimulatedResponder(0)}) as behind:
        mode, letters = OperatingMode(Mode.ASSISTED), DeadLetters(behind.bus, behind.journal)
        desk = Desk(behind.bus, behind.incidents, behind.approvals, behind.kill_switch, mode, letters)
        control = Control(desk, TOKEN, "analyst:alice", LIMITS, lambda: raised.append(True))
        bench = await open_door(LIMITS, control=control)
        yield Console(bench, behind, raised)
        await bench.close()


# --- the token ----------------------------------------------------------------------------------------------------

ROUTES = [
    ("GET", "/api/incidents"), ("GET", "/api/incidents/0"), ("GET", "/api/approvals"), ("GET", "/events"),
    ("POST", "/api/approvals/0/approve"), ("POST", "/api/approvals/0/deny"), ("GET", "/api/kill-switch"),
    ("POST", "/api/kill-switch"), ("POST", "/api/window/raise"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_nothing_is_told_or_done_without_the_token(console: Console, method: str, path: str) -> None:
    for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN},
                  {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer é"}):  # fmt: skip
        reply = await console.bench.ask(method, path, b'{"engage":true}', given)
        assert (reply.status, reply.json["error"]) == (401, "unauthorized")
    assert not console.room.kill_switch.engaged
    assert not console.raised


async def test_a_web_page_gets_nothing_even_with_the_token(console: Console) -> None:
    assert (await console.get("/api/incidents", Origin="http://localhost")).status == 403
    assert (await console.get("/api/incidents", Host="evil.example")).status in (400, 421)


async def test_an_empty_token_opens_nothing(console: Console) -> None:
    control = console.bench.door._control
    assert control is not None
    control._token = b""
    assert (await console.bench.ask("GET", "/api/incidents", headers={"Authorization": "Bearer "})).status == 401


# --- incidents ----------------------------------------------------------------------------------------------------


async def test_incidents_are_listed_newest_first_page_by_page(console: Console) -> None:
    made = [str(await console.room.incident(target=f"host-{number}")) for number in range(5)]
    first = (await console.get("/api/incidents?limit=2")).json
    second = (await console.get(f"/api/incidents?limit=2&cursor={first['cursor']}")).json
    third = (await console.get(f"/api/incidents?limit=2&cursor={second['cursor']}")).json
    pages = [[one["id"] for one in page["incidents"]] for page in (first, second, third)]
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]
    assert third["cursor"] is None


async def test_incidents_are_searched_in_the_windows_language(console: Console) -> None:
    await console.room.incident(target="web-01")
    wanted = str(await console.room.incident(target="db-07"))
    found = (await console.get("/api/incidents?query=target:db-07")).json["incidents"]
    assert [one["id"] for one in found] == [wanted]


@pytest.mark.parametrize("query", ["query=(", "query=severity:purple", "limit=0", "limit=501", "limit=x", "limit=-1"])
async def test_a_wrong_question_is_a_bad_request_that_says_why(console: Console, query: str) -> None:
    reply = await console.get(f"/api/incidents?{query}")
    assert reply.status == 400
    assert len(reply.json["detail"]) > 10


async def test_an_incident_has_what_the_contract_says(console: Console) -> None:
    incident_id = await console.room.incident()
    shown = (await console.get(f"/api/incidents/{incident_id}")).json
    assert {"id", "title", "severity", "status", "target", "source", "verdict", "confidence", "created_at", "alerts",
            "observables", "techniques", "actions"} <= set(shown)  # fmt: skip
    assert (shown["title"], shown["severity"], shown["target"]) == ("Web shell", "high", "web-01")
    assert (shown["verdict"], shown["alert_count"], len(shown["alerts"])) == (None, 1, 1)


async def test_the_beginning_of_an_id_is_enough_when_it_is_unique(console: Console) -> None:
    incident_id = await console.room.incident()
    assert (await console.get(f"/api/incidents/{str(incident_id)[:13]}")).json["id"] == str(incident_id)
    assert (await console.get(f"/api/incidents/{incident_id.hex[:12].upper()}")).json["id"] == str(incident_id)
    assert (await console.get("/api/incidents/zzz")).status == 404


async def test_a_beginning_that_fits_several_is_ambiguous(console: Console) -> None:
    made = [(await console.room.incident()).hex for _ in range(17)]
    shared = next(one[0] for one in made if sum(other[0] == one[0] for other in made) > 1)
    reply = await console.get(f"/api/incidents/{shared}")
    assert (reply.status, reply.json["error"]) == (409, "ambiguous")


# --- deciding -----------------------------------------------------------------------------------------------------


async def test_what_waits_is_listed_and_approved_by_the_beginning_of_its_id(console: Console) -> None:
    action = await console.room.waiting("simulated")
    (listed,) = (await console.get("/api/approvals")).json["approvals"]
    assert (listed["id"], listed["verb"], listed["target"]) == (str(action.id), "isolate_host", "web-01")
    assert (listed["state"], listed["simulated"], listed["target_type"]) == ("waiting", True, "host")
    said = {"level": "senior", "digest": action.digest}
    reply = await console.post(f"/api/approvals/{action.id.hex[:10]}/approve", said)
    assert reply.status == 200
    await console.room.until(lambda: console.room.state(action.id) is ActionState.SIMULATED)
    assert console.room.action(action.id).decided_by == "analyst:alice"
    assert (await console.get("/api/approvals")).json["approvals"] == []


async def test_an_action_that_is_not_the_one_shown_is_not_approved(console: Console) -> None:
    action = await console.room.waiting("simulated")
    reply = await console.post(f"/api/approvals/{action.id}/approve", {"digest": "0" * 64})
    assert (reply.status, reply.json["error"]) == (409, "changed")
    assert console.room.state(action.id) is ActionState.WAITING


async def test_an_approval_is_given_as_an_analyst_unless_it_says_more(console: Console) -> None:
    action = await console.room.waiting("simulated")
    reply = await console.post(f"/api/approvals/{action.id}/approve", {})
    assert (reply.status, reply.json["error"]) == (409, "level_too_low")


async def test_a_denial_wants_its_reason(console: Console) -> None:
    action = await console.room.waiting("simulated")
    without = await console.post(f"/api/approvals/{action.id}/deny", {})
    assert (without.status, without.json["error"]) == (422, "reason_required")
    denied = await console.post(f"/api/approvals/{action.id}/deny", {"reason": "maintenance"})
    assert (denied.status, denied.json["state"], denied.json["reason"]) == (200, "denied", "maintenance")


async def test_a_decision_about_nothing_is_not_found(console: Console) -> None:
    assert (await console.post(f"/api/approvals/{uuid4()}/approve", {})).status == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"level":"king"}', 422), (b'{"a":1,"a":2}', 400), (b"x" * 2_000_000, 413)],
)
async def test_a_body_that_makes_no_sense_decides_nothing(console: Console, said: bytes, status: int) -> None:
    action = await console.room.waiting("simulated")
    assert (await console.post(f"/api/approvals/{action.id}/approve", said)).status == status
    assert console.room.state(action.id) is ActionState.WAITING


# --- kill switch and window ---------------------------------------------------------------------------------------


async def test_the_kill_switch_is_pressed_read_and_released(console: Console) -> None:
    assert (await console.get("/api/kill-switch")).json == {"engaged": False, "scopes": [], "receipt": None}
    pressed = (await console.post("/api/kill-switch", {"engage": True, "reason": "odd"})).json
    (scope,) = pressed["scopes"]
    assert pressed["engaged"]
    assert (scope["scope"], scope["by"], scope["reason"]) == ("everything", "analyst:alice", "odd")
    await console.room.settled()
    released = await console.post("/api/kill-switch", {"engage": False, "reason": "all clear"})
    assert (released.status, released.json["engaged"]) == (200, False)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({}, 422, "wrong_shape"),
        ({"engage": "yes"}, 422, "wrong_shape"),
        ({"engage": True, "scope": "the moon"}, 422, "unknown_scope"),
        ({"engage": False}, 422, "reason_required"),
        ({"engage": False, "reason": "x"}, 409, "not_engaged"),
    ],
)
async def test_what_the_kill_switch_does_not_understand(console: Console, said: Any, status: int, code: str) -> None:
    reply = await console.post("/api/kill-switch", said)
    assert (reply.status, reply.json["error"]) == (status, code)


async def test_the_window_is_raised(console: Console) -> None:
    assert (await console.post("/api/window/raise", {})).json == {"raised": True}
    assert console.raised == [True]


# --- the stream ---------------------------------------------------------------------------------------------------


class Events:
    """A client of /events."""

    def __init__(self, connection: Raw) -> None:
        self.connection = connection
        self._buffer = b""

    async def take(self, count: int) -> list[dict[str, str]]:
        """The next events; comments are passed over."""
        found: list[dict[str, str]] = []
        while len(found) < count:
            frame = await self._frame()
            if not frame.startswith(b":"):
                found.append(dict(line.split(": ", 1) for line in frame.decode().split("\n")))
        return found

    async def _frame(self) -> bytes:
        while b"\n\n" not in self._buffer:
            size = int((await self.connection.reader.readline()).strip(), 16)
            if size == 0:
                raise EOFError
            self._buffer += (await self.connection.reader.readexactly(size + 2))[:-2]
        frame, _, self._buffer = self._buffer.partition(b"\n\n")
        return frame


async def follow(console: Console, after: int | None = None) -> Events:
    connection = await console.bench.connect()
    resume = "" if after is None else f"Last-Event-ID: {after}\r\n"
    head = f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    await connection.send(f"{head}{resume}\r\n".encode())
    answer = await connection.reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Content-Type: text/event-stream\r\n" in answer
    return Events(connection)


async def test_the_stream_shows_what_happens_from_now_on(console: Console) -> None:
    await console.comments(3)
    stream = await follow(console)
    assert await stream._frame() == b": the log follows"
    seqs = await console.comments(2)
    events = await stream.take(2)
    assert [int(event["id"]) for event in events] == seqs
    data = orjson.loads(events[0]["data"])
    assert (events[0]["event"], data["kind"], data["seq"]) == ("comment_added", "comment_added", seqs[0])
    assert data["text"] == "line 0\nbreak"


async def test_a_client_that_comes_back_sees_every_event_once_and_in_order(console: Console) -> None:
    await console.comments(700)
    stream = await follow(console, after=0)

    async def meanwhile() -> None:
        for _ in range(20):
            await console.comments(30)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(meanwhile())
        seen = tasks.create_task(stream.take(1300))
    assert [int(event["id"]) for event in seen.result()] == list(range(1, 1301))
    await stream.connection.close()
    again = await follow(console, after=1290)
    assert [int(event["id"]) for event in await again.take(10)] == list(range(1291, 1301))


async def test_a_client_that_fell_behind_the_memory_reads_the_rest_from_the_log(console: Console) -> None:
    stream = await follow(console, after=0)
    control = console.bench.door._control
    assert control is not None
    (receiver,) = control._stream._receivers
    receiver._capacity = 10
    for _ in range(10):
        await console.comments(100)
    assert [int(event["id"]) for event in await stream.take(1000)] == list(range(1, 1001))


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 30, "²"])
async def test_a_wrong_position_is_a_bad_request(console: Console, after: str) -> None:
    assert (await console.get("/events", **{"Last-Event-ID": after})).status == 400


async def test_a_position_that_was_never_reached_means_from_now_on(console: Console) -> None:
    await console.comments(2)
    stream = await follow(console, after=1_000_000)
    assert await stream._frame() == b": the log follows"
    (seq,) = await console.comments(1)
    assert [int(event["id"]) for event in await stream.take(1)] == [seq]


async def test_there_are_only_so_many_streams(console: Console) -> None:
    streams = [await follow(console), await follow(console)]
    reply = await console.get("/events")
    assert (reply.status, reply.json["error"]) == (503, "busy")
    await streams[0].connection.close()
    await console.comments(1)
    await console.room.until(lambda: len(_streams(console)) < 2)
    await follow(console)


async def test_a_stop_ends_the_streams(console: Console) -> None:
    stream = await follow(console)
    assert await stream._frame() == b": the log follows"
    await console.bench.door.stop()
    with pytest.raises((EOFError, asyncio.IncompleteReadError, ConnectionError, ValueError)):
        await stream.take(1)


def _streams(console: Console) -> set[object]:
    control = console.bench.door._control
    assert control is not None
    return set(control._stream._receivers)
