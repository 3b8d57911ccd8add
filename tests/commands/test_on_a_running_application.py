"""Every command beside a running application: what it prints for people and for programs, and how it ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from uuid import UUID

import pytest

from tests.commands.conftest import hostile
from tests.commands.terminal import Console, Terminal, eventually
from tests.journeys.deliveries import brute_force, web_shell

INCIDENT = {
    "id", "title", "severity", "status", "target", "source", "verdict", "confidence", "created_at", "alerts",
    "observables", "techniques", "actions",
}  # fmt: skip
ACTION = {"id", "incident_id", "verb", "target", "state", "simulated"}


def test_ready_says_who_listens_where(shared: Terminal, console: Console) -> None:
    ready = console.ready
    assert ready.keys() == {"pid", "host", "port", "data_dir", "version"}
    assert ready["pid"] == console.process.pid
    assert ready["host"] == "127.0.0.1" and 0 < ready["port"] < 65_536
    assert ready["data_dir"] == str(shared.data_dir)
    assert shared.run("--version").out.strip() == f"warden-desktop {ready['version']}"


@pytest.mark.usefixtures("console")
def test_incidents(shared: Terminal) -> None:
    done = shared.run("incidents", "--json")
    assert done.code == 0
    assert all(one.keys() >= INCIDENT for one in done.rows)
    assert [one["target"] for one in done.rows if one["source"] == "wazuh"] == ["web-02", "web-01"]
    told = shared.run("incidents")
    assert told.code == 0
    header, *lines = told.out.splitlines()
    assert header.split() == ["id", "severity", "status", "title", "target", "source", "verdict", "alert_count"]
    assert [line[:8] for line in lines] == [one["id"][:8] for one in done.rows]


@pytest.mark.usefixtures("console")
def test_incidents_that_match(shared: Terminal) -> None:
    assert [one["target"] for one in shared.run("incidents", "--query", "target:web-02", "--json").rows] == ["web-02"]
    assert len(shared.run("incidents", "--limit", "1", "--json").rows) == 1
    assert shared.run("incidents", "--query", "target:nobody", "--json") == (0, "", "")
    wrong = shared.run("incidents", "--query", "severity:>=")
    assert (wrong.code, wrong.out) == (2, "")
    assert "wrong at character" in wrong.err


def test_approvals_are_listed_approved_and_denied_by_the_beginning_of_an_id(shared: Terminal, console: Console) -> None:
    listed = shared.run("approvals", "list", "--json")
    assert listed.code == 0
    assert all(one.keys() >= ACTION and one["state"] == "waiting" for one in listed.rows)
    isolations = [one for one in listed.rows if one["verb"] == "isolate_host" and one["target"].startswith("web-0")]
    told = shared.run("approvals", "list").out.splitlines()
    assert told[0].split()[:3] == ["id", "verb", "target"]
    assert len(told) == len(listed.rows) + 1

    first, second = isolations
    low = shared.run("approvals", "--json", "deny", "--reason", "it is a test machine", second["id"][:13])
    assert (low.code, low.rows[0]["state"]) == (0, "denied")
    assert shared.run("approvals", "deny", second["id"], "--reason", "again").code == 1

    analyst = next(one for one in listed.rows if one["level"] == "analyst" and one["id"] != second["id"])
    approved = shared.run("approvals", "approve", analyst["id"][:13])
    assert (approved.code, approved.out) == (0, f"approved: {analyst['verb']} {analyst['target']}\n")
    assert first["id"] != second["id"]
    reason = [one for one in shared.run("events", "--kind", "ActionDenied", "--json").rows if "action_id" in one]
    assert reason[-1]["action_id"] == second["id"] and reason[-1]["reason"] == "it is a test machine"


@pytest.mark.usefixtures("console")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("approve",), 2, "required: id"),
        (("deny", "0123"), 2, "wants a reason"),
        (("approve", "ffffffff-0000"), 1, ""),
        (("approve", "../kill-switch"), 1, ""),
        (("approve", "\x1b[2J"), 1, ""),
        (("burn", "0123"), 2, "invalid choice"),
    ],
)
def test_decisions_that_cannot_be(words: tuple[str, ...], code: int, said: str, shared: Terminal) -> None:
    done = shared.run("approvals", *words)
    assert (done.code, done.out) == (code, "")
    assert done.err and said in done.err
    assert "Traceback" not in done.err and not done.steers


def test_events(shared: Terminal, console: Console) -> None:
    rows = shared.run("events", "--json").rows
    assert [one["seq"] for one in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["kind"] == "application_started"
    told = shared.run("events").out.splitlines()
    assert [int(line.split()[0]) for line in told[: len(rows)]] == [one["seq"] for one in rows]
    kinds = shared.run("events", "--kind", "AlertReceived", "--kind", "incident_created", "--json").rows
    assert {one["kind"] for one in kinds} == {"alert_received", "incident_created"}
    incident = kinds[-1]["incident_id"]
    UUID(incident)
    assert {one["incident_id"] for one in shared.run("events", "--incident", incident, "--json").rows} == {incident}
    since = rows[-3]["seq"]
    assert next(one["seq"] for one in shared.run("events", "--since", str(since), "--json").rows) == since + 1


@pytest.mark.usefixtures("console")
def test_events_of_a_kind_that_does_not_exist(shared: Terminal) -> None:
    done = shared.run("events", "--kind", "Alarm")
    assert (done.code, done.out) == (2, "")
    assert "no event is called Alarm" in done.err


def test_followed_events_arrive_once_and_in_order_and_end_with_ctrl_c(shared: Terminal, console: Console) -> None:
    head = shared.run("events", "--json").rows[-1]["seq"]
    following = shared.begin("events", "--follow", "--since", str(head - 2), "--kind", "AlertReceived", "--json")
    assert following.stdout is not None
    seen = []
    for number in range(3):
        assert console.post(brute_force(90 + number)) == 202
        seen.append(json.loads(following.stdout.readline()))
    assert [one["alert"]["target"] for one in seen] == [f"bastion-{90 + number:05}" for number in range(3)]
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=30)
    assert (following.returncode, out, err) == (0, "", "")


def test_a_reader_that_goes_away_is_no_error_to_look_at(shared: Terminal, console: Console) -> None:
    process = shared.begin("events", "--json")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(30) in (0, 1)
    process.stderr.close()


def test_send(shared: Terminal, console: Console, tmp_path: Path) -> None:
    delivery = tmp_path / "delivery.json"
    delivery.write_text(json.dumps(web_shell(7, "web-07")))
    done = shared.run("send", str(delivery), "--source", "wazuh", "--json")
    assert (done.code, done.rows[0]["status"]) == (0, 202)
    UUID(done.rows[0]["alert_id"])
    eventually(lambda: shared.run("incidents", "--query", "target:web-07", "--json").rows)
    again = shared.run("send", str(delivery), "--source", "wazuh")
    assert again.code == 0 and again.out.startswith("202 {")

    for source in ("no_such", "../api/incidents", "a b\r\nX: y", "\x1b[2J"):
        refused = shared.run("send", str(delivery), "--source", source)
        assert refused.code == 1 and refused.out.startswith("404 ") and not refused.steers
    delivery.write_text("{")
    assert shared.run("send", str(delivery), "--source", "wazuh").out.startswith("400 ")
    missing = shared.run("send", str(tmp_path / "missing"), "--source", "wazuh")
    assert (missing.code, missing.out) == (2, "")


def test_the_kill_switch(shared: Terminal, console: Console) -> None:
    assert shared.run("kill-switch", "status") == (0, "released: actions may run\n", "")
    engaged = shared.run("kill-switch", "engage", "--scope", "verb:block_ip", "--reason", "too many", "--json")
    (scope,) = engaged.rows[0]["scopes"]
    assert engaged.rows[0]["engaged"] is True
    assert (scope["scope"], scope["reason"], scope["by"].partition(":")[0]) == ("verb:block_ip", "too many", "cli")
    eventually(lambda: console.api.get("/api/kill-switch")["engaged"])
    assert shared.run("kill-switch", "status").out.startswith("ENGAGED verb:block_ip: by cli:")

    assert shared.run("kill-switch", "release", "--scope", "verb:block_ip").code == 2
    assert shared.run("kill-switch", "release", "--reason", "over").code == 1
    released = shared.run("kill-switch", "release", "--scope", "verb:block_ip", "--reason", "looked at it", "--json")
    assert (released.code, released.rows) == (0, [{"engaged": False, "scopes": []}])
    assert console.api.get("/api/kill-switch")["engaged"] is False
    told = eventually(lambda: shared.run("events", "--kind", "KillSwitchReleased", "--json").rows)
    assert told[-1]["reason"] == "looked at it" and told[-1]["actor"].startswith("cli:")


@pytest.mark.usefixtures("console")
@pytest.mark.parametrize("scope", ["nothing", "verb:dance", "incident:12", "\x1b[2J"])
def test_a_scope_that_does_not_exist_is_refused(scope: str, shared: Terminal) -> None:
    done = shared.run("kill-switch", "engage", "--scope", scope)
    assert (done.code, done.out) == (2, "")
    assert "is no scope" in done.err and not done.steers
    assert shared.run("kill-switch", "status", "--json").rows[0]["engaged"] is False


@pytest.mark.usefixtures("console")
def test_a_second_instance_ends_with_3_and_changes_nothing(shared: Terminal) -> None:
    done = shared.run("--headless", "--port", "0")
    assert (done.code, done.out) == (3, "")
    assert "already running" in done.err
    rebuild = shared.run("rebuild")
    assert (rebuild.code, rebuild.out) == (3, "")
    assert "stop it first" in rebuild.err
    assert shared.run("incidents", "--json").code == 0


@pytest.mark.usefixtures("console")
def test_the_self_check_and_the_chain_while_it_runs(shared: Terminal) -> None:
    checked = shared.run("doctor", "--json")
    assert checked.code == 0, checked.out
    assert {one["level"] for one in checked.rows} <= {"ok", "note"}
    assert any(one["subject"] == "application" and "running" in one["detail"] for one in checked.rows)
    assert shared.run("audit", "verify").code == 0
    assert shared.run("audit", "verify", "--json").rows[0]["ok"] is True


@pytest.mark.usefixtures("console")
@pytest.mark.parametrize(
    "words",
    [("incidents",), ("approvals", "list"), ("events",), ("kill-switch", "status"), ("doctor",), ("audit", "verify")],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_alert_steers_the_terminal(words: tuple[str, ...], form: tuple[str, ...], shared: Terminal) -> None:
    done = shared.run(*words, *form)
    assert done.code == 0, done.err
    assert done.out and done.steers == []


@pytest.mark.usefixtures("console")
def test_a_terminal_that_lacks_a_letter_gets_its_number(shared: Terminal) -> None:
    done = shared.run("incidents", "--query", "source:generic", PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (0, "")
    assert "Titre \\xe9" in done.out and done.steers == []


@pytest.mark.usefixtures("console")
def test_what_a_hostile_alert_says_is_still_there_to_read(shared: Terminal) -> None:
    title = str(hostile()["title"])
    rows = shared.run("incidents", "--query", "source:generic", "--json").rows
    assert rows[0]["title"].startswith("Titre é") and "owned" in title
    assert "\\u001b]0;owned\\u0007" in shared.run("events", "--kind", "AlertReceived", "--json").out
