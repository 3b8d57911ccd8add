"""The command line while the application is down, was killed, hangs, or cannot start."""

from __future__ import annotations

import json
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from tests.commands.terminal import Terminal, eventually
from tests.commands.vendor import vendor_at_work
from tests.journeys.deliveries import brute_force, web_shell
from warden_desktop.commands.client import NotRunning


def test_sigterm_ends_it_with_0_and_takes_its_address_down(terminal: Terminal) -> None:
    with terminal.application() as console:
        assert console.stop() == 0
    down = terminal.run("approvals", "approve", "00")
    assert down.code == 1 and "no application is running" in down.err


def test_ctrl_c_ends_it_with_0(terminal: Terminal) -> None:
    with terminal.application() as console:
        console.process.send_signal(signal.SIGINT)
        assert console.process.wait(30) == 0


def test_followers_end_with_the_application(terminal: Terminal) -> None:
    with terminal.application() as console:
        following = terminal.begin("events", "--follow", "--json")
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["kind"] == "application_started"
        assert console.post(web_shell()) == 202
        assert json.loads(following.stdout.readline())["kind"] == "alert_received"
        console.stop()
        _, err = following.communicate(timeout=30)
        assert (following.returncode, err) == (0, "")


def test_after_a_kill_everything_recorded_is_listed(terminal: Terminal) -> None:
    with terminal.application() as console:
        for number in range(40):
            assert console.post(brute_force(number) if number % 2 else web_shell(number, f"web-{number:02}")) == 202
        console.kill()
    events = terminal.run("events", "--json").rows
    opened = [one["incident_id"] for one in events if one["kind"] == "incident_created"]
    asked = {one["action_id"] for one in events if one["kind"] == "approval_requested"}
    assert opened
    incidents = terminal.run("incidents", "--json")
    assert incidents.code == 0
    assert sorted(one["id"] for one in incidents.rows) == sorted(opened)
    assert {one["id"] for one in terminal.run("approvals", "list", "--json").rows} == asked
    target = incidents.rows[0]["target"]
    found = terminal.run("incidents", "--query", f"target:{target}", "--json").rows
    assert [one["id"] for one in found] == [incidents.rows[0]["id"]]
    assert len(terminal.run("incidents").out.splitlines()) == len(opened) + 1


def test_a_table_that_lags_behind_the_log_hides_nothing(terminal: Terminal) -> None:
    with terminal.application() as console:
        console.post(web_shell())
        console.waiting(1)
    whole, waiting = terminal.run("incidents", "--json"), terminal.run("approvals", "list", "--json")
    assert whole.rows and waiting.rows
    with _database(terminal) as database:
        database.execute("DELETE FROM incident; UPDATE cursor SET seq = 1 WHERE name = 'projector'")
    assert terminal.run("incidents", "--json") == whole
    assert terminal.run("approvals", "list", "--json") == waiting
    assert terminal.run("rebuild") == (0, "1 incidents rebuilt\n", "")
    assert terminal.run("incidents", "--json") == whole


def test_a_tampered_log_ends_the_check_with_4_and_names_the_entry(terminal: Terminal) -> None:
    with terminal.application() as console:
        console.post(web_shell())
        console.waiting(1)
    assert terminal.run("audit", "verify").code == 0
    with _database(terminal) as database:
        database.execute("UPDATE event SET body = CAST(replace(body, 'web-01', 'web-99') AS BLOB) WHERE seq = 2")
    found = terminal.run("audit", "verify")
    assert found.code == 4 and "BROKEN at entry 2" in found.out
    (row,) = terminal.run("audit", "verify", "--json").rows
    assert (row["ok"], row["first_bad"]) == (False, 2)
    assert terminal.run("doctor").code != 0


def test_the_kill_switch_engaged_while_it_is_down_holds_when_it_starts(terminal: Terminal) -> None:
    assert terminal.run("kill-switch", "engage", "--reason", "before it starts").code == 0
    with terminal.application() as console:
        (scope,) = console.api.get("/api/kill-switch")["scopes"]
        assert (scope["scope"], scope["reason"]) == ("everything", "before it starts")
    assert terminal.run("kill-switch", "release", "--reason", "it is over").code == 0
    with terminal.application() as console:
        assert console.api.get("/api/kill-switch")["engaged"] is False


def test_the_kill_switch_engaged_while_it_hangs_stops_what_was_approved_meanwhile(terminal: Terminal) -> None:
    with vendor_at_work() as vendor:
        terminal.environment["WARDEN_ACTIONS_CONNECTOR_URL"] = vendor.url
        with terminal.application() as console:
            console.post(web_shell())
            action = next(one for one in console.waiting(1) if one["level"] == "analyst")
            console.process.send_signal(signal.SIGSTOP)
            approving = threading.Thread(target=_approved_as_soon_as_possible, args=(console.api, action["id"]))
            approving.start()
            assert terminal.run("kill-switch", "engage", "--reason", "it hangs").code == 0
            assert terminal.run("kill-switch", "status", "--json").rows[0]["engaged"] is True
            console.process.send_signal(signal.SIGCONT)
            approving.join(30)

            (scope,) = eventually(lambda: console.api.get("/api/kill-switch")["scopes"])
            assert (scope["scope"], scope["reason"], scope["by"].partition(":")[0]) == ("everything", "it hangs", "cli")
            activated = eventually(lambda: terminal.run("events", "--kind", "KillSwitchActivated", "--json").rows)
            assert activated[-1]["reason"] == "it hangs"
            listed = eventually(lambda: terminal.run("approvals", "list", "--json").rows)
            assert next(one["state"] for one in listed if one["id"] == action["id"]) in {"held", "waiting"}
        assert vendor.received == []
        assert terminal.run("events", "--kind", "ActionStarted", "--json").rows == []


def _approved_as_soon_as_possible(api: object, action_id: str) -> None:
    with suppress(NotRunning):
        api.post(f"/api/approvals/{action_id}/approve", {})  # type: ignore[attr-defined]


def test_reading_while_it_hangs_reads_the_log(terminal: Terminal) -> None:
    with terminal.application() as console:
        console.post(web_shell())
        waiting = console.waiting(1)
        console.process.send_signal(signal.SIGSTOP)
        listed = terminal.run("approvals", "list", "--json")
        assert listed.code == 0
        assert {one["id"] for one in waiting} <= {one["id"] for one in listed.rows}


def test_no_display_is_one_line_that_names_headless(terminal: Terminal) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        terminal.environment.pop(name, None)
    done = terminal.run()
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1 and "--headless" in done.err
    assert not terminal.data_dir.exists()


def test_a_port_that_is_taken_is_said_in_a_line(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = terminal.run("--headless", "--port", str(taken.getsockname()[1]))
    assert (done.code, done.out) == (2, "")
    assert "cannot listen" in done.err and "--port" in done.err
    assert "Traceback" not in done.err


def test_a_pack_that_is_wrong_is_named_with_its_file_and_line(terminal: Terminal) -> None:
    packs = terminal.data_dir / "packs" / "playbooks"
    packs.mkdir(parents=True, mode=0o700)
    terminal.data_dir.chmod(0o700)
    (packs / "mine.yaml").write_text("name: mine\ntitle: Mine\nwhen: [\n")
    for words in (("--headless", "--port", "0"), ("replay", "--from", "resources/demo/morning.yaml")):
        done = terminal.run(*words)
        assert (done.code, done.out) == (2, "")
        assert "mine.yaml" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize(
    ("settings", "said"), [("[webhook]\nport = 'many'\n", "webhook.port"), ("=", "settings.toml"), ("[x]\ny=1\n", "x")]
)
def test_settings_that_are_wrong_are_said(settings: str, said: str, terminal: Terminal) -> None:
    terminal.data_dir.mkdir(mode=0o700)
    (terminal.data_dir / "settings.toml").write_text(settings)
    done = terminal.run("--headless", "--port", "0")
    assert (done.code, done.out) == (2, "")
    assert said in done.err and "Traceback" not in done.err


def test_a_directory_that_others_can_read_is_refused(terminal: Terminal) -> None:
    terminal.data_dir.mkdir(mode=0o755)
    for words in (("--headless", "--port", "0"), ("kill-switch", "engage"), ("rebuild",)):
        done = terminal.run(*words)
        assert (done.code, done.out) == (2, "")
        assert "chmod 700" in done.err


def test_where_nothing_was_ever_started(terminal: Terminal) -> None:
    for words in (("incidents",), ("approvals", "list"), ("events",), ("replay", "--from", "1")):
        done = terminal.run(*words)
        assert (done.code, done.out) == (1, "")
        assert "there is no journal here" in done.err
    assert terminal.run("kill-switch", "status") == (0, "released: actions may run\n", "")
    assert terminal.run("audit", "verify").code == 2
    assert terminal.run("send", __file__, "--source", "wazuh").code == 1
    assert terminal.run("events", "--follow").code == 1
    assert not terminal.data_dir.exists()


def test_damage_is_said_in_a_line(terminal: Terminal) -> None:
    with terminal.application():
        pass
    (terminal.data_dir / "warden.db").write_bytes(b"not a database at all" * 1_000)
    for words in (("incidents",), ("events",), ("--headless", "--port", "0"), ("rebuild",)):
        done = terminal.run(*words)
        assert (done.code, done.out) == (1, "")
        assert "warden.db" in done.err and "Traceback" not in done.err


def test_an_address_left_behind_by_a_kill_is_not_asked(terminal: Terminal) -> None:
    with terminal.application() as console:
        port = console.ready["port"]
        console.kill()
    with socket.create_server(("127.0.0.1", port)) as stranger:
        stranger.settimeout(0)
        assert terminal.run("incidents", "--json") == (0, "", "")
        with pytest.raises(BlockingIOError):
            stranger.accept()


@pytest.mark.parametrize("words", [("--help",), ("incidents", "--help"), ("replay", "--help")])
def test_help(words: tuple[str, ...], terminal: Terminal) -> None:
    done = terminal.run(*words)
    assert done.code == 0 and done.out.startswith("usage: warden-desktop")


def test_help_names_every_command_of_the_readme(terminal: Terminal) -> None:
    told = terminal.run("--help").out
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    commands = {
        line.split("warden-desktop ")[1].split()[0] for line in readme.splitlines() if "| `warden-desktop " in line
    }
    named = {name.strip("`,|") for name in commands if not name.startswith("[")}
    assert named and {name for name in named if f"    {name}" not in told} == set()


def test_a_command_that_does_not_exist(terminal: Terminal) -> None:
    done = terminal.run("conquer")
    assert (done.code, done.out) == (2, "")
    assert "invalid choice: 'conquer'" in done.err


def _database(terminal: Terminal) -> apsw.Connection:
    connection = apsw.Connection(str(terminal.data_dir / "warden.db"))
    return connection
