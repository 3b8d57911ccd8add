"""What was recorded can be fed again: it leads to the same incidents, and to nothing in the world."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.commands.terminal import Terminal, eventually
from tests.commands.vendor import vendor_at_work
from tests.journeys.deliveries import brute_force, web_shell

MORNING = str(Path(__file__).parents[2] / "resources" / "demo" / "morning.yaml")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "data")


def story(terminal: Terminal) -> list[dict[str, Any]]:
    """The incidents of a directory, without what depends on when somebody looked."""
    return [
        {
            **{name: one[name] for name in ("id", "title", "severity", "target", "verdict", "confidence")},
            **{name: one[name] for name in ("techniques", "alert_count", "category")},
            "proposed": sorted((action["verb"], action["target"]) for action in one["actions"]),
        }
        for one in terminal.run("incidents", "--json").rows
    ]  # fmt: skip


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below `folder` with its bytes and when it was last written, but for the index that SQLite makes of an
    empty write-ahead log for whoever reads."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm") and (path.name != "warden.db-wal" or path.stat().st_size)
    }


def recorded(terminal: Terminal) -> None:
    """A night: a web shell on two machines, one of them again, and password guessing."""
    with terminal.application() as console:
        for delivery in (web_shell(), brute_force(1), web_shell(2, "web-02"), web_shell(), brute_force(2), web_shell()):
            console.post(delivery)
            console.settled()


def test_a_log_replayed_gives_the_same_incidents_and_touches_nothing(tmp_path: Path, terminal: Terminal) -> None:
    with vendor_at_work() as vendor:
        terminal.environment |= {"WARDEN_ACTIONS_CONNECTOR_URL": vendor.url, "WARDEN_ACTIONS_MODE": "autonomous"}
        recorded(terminal)
        reached, before, told = len(vendor.received), content(terminal.data_dir), story(terminal)
        assert reached and told

        done = terminal.run("replay", "--from", "1", "--into", str(tmp_path / "again"), "--json")

        assert done.code == 0, done.err
        again = Terminal(tmp_path / "again")
        assert story(again) == told
        assert content(terminal.data_dir) == before
        assert len(vendor.received) == reached
    (report,) = done.rows
    assert report["incidents"] == len(told)
    assert sum(report["verdicts"].values()) == len(told)
    assert sum(report["proposals"].values()) == sum(len(one["proposed"]) for one in told)
    assert report["data_dir"] == str(tmp_path / "again")


def test_in_a_replay_nothing_is_ever_started(tmp_path: Path, terminal: Terminal) -> None:
    terminal.environment["WARDEN_ACTIONS_MODE"] = "autonomous"
    into = tmp_path / "scratch"
    assert terminal.run("replay", "--demo", "--from", MORNING, "--into", str(into)).code == 0
    scratch = Terminal(into)
    states = {action["state"] for one in scratch.run("incidents", "--json").rows for action in one["actions"]}
    assert "held" in states
    assert states <= {"held", "waiting", "denied"}
    assert scratch.run("events", "--kind", "ActionStarted", "--json").rows == []
    assert scratch.run("kill-switch", "status", "--json").rows[0]["engaged"] is True
    assert scratch.run("audit", "verify").code == 0


def test_the_report_says_what_it_led_to_and_where(terminal: Terminal) -> None:
    done = terminal.run("replay", "--demo", "--from", MORNING)
    assert done.code == 0, done.err
    where = done.out.split("--data-dir ")[1].strip()
    try:
        assert "49 deliveries, 49 alerts" in done.out
        assert "true positive" in done.out and "isolate host" in done.out
        assert len(Terminal(Path(where)).run("incidents", "--json").rows) == 39
        assert not terminal.data_dir.exists()
        assert done.err == ""
    finally:
        shutil.rmtree(where)


def test_a_part_of_the_log(tmp_path: Path, terminal: Terminal) -> None:
    recorded(terminal)
    received = [one["seq"] for one in terminal.run("events", "--kind", "AlertReceived", "--json").rows]
    part = ("--from", str(received[1]), "--to", str(received[2]))
    done = terminal.run("replay", *part, "--into", str(tmp_path / "part"), "--json")
    assert done.rows[0]["deliveries"] == 2
    titles = [one["target"] for one in story(Terminal(tmp_path / "part"))]
    assert titles == ["web-02", "bastion-00001"]
    beyond = terminal.run("replay", "--from", "100000")
    assert (beyond.code, beyond.out) == (2, "")
    assert "there is nothing from entry 100000" in beyond.err


def test_one_delivery_with_several_alerts_is_fed_once(tmp_path: Path, terminal: Terminal) -> None:
    alerts = [
        {
            "status": "firing", "labels": {"alertname": "DiskFull", "severity": "warning", "instance": f"db-0{number}"},
            "annotations": {"summary": f"Disk of db-0{number} is nearly full"}, "startsAt": "2026-11-20T09:14:07Z",
            "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"d15cf011000{number}",
        }
        for number in (1, 2)
    ]  # fmt: skip
    delivery = {"version": "4", "status": "firing", "groupKey": "disk", "commonLabels": {}, "alerts": alerts}
    with terminal.application() as console:
        assert console.post(delivery, "alertmanager") == 202
        console.settled()
    done = terminal.run("replay", "--from", "1", "--into", str(tmp_path / "again"), "--json")
    assert (done.rows[0]["deliveries"], done.rows[0]["alerts"]) == (1, 2)
    assert story(Terminal(tmp_path / "again")) == story(terminal)


def test_lines_of_json(tmp_path: Path, terminal: Terminal) -> None:
    lines = tmp_path / "night.jsonl"
    deliveries = [
        {"source": "wazuh", "delivery": web_shell(), "at": 30},
        {"source": "wazuh", "delivery": json.dumps(brute_force()), "at": 0},
        {"source": "wazuh", "delivery": "no JSON at all", "at": 31},
        {"source": "unheard_of", "delivery": {}, "at": 32.5},
    ]
    lines.write_text("\n".join(map(json.dumps, deliveries)) + "\n\n")
    done = terminal.run("replay", "--from", str(lines), "--speed", "100", "--into", str(tmp_path / "a"), "--json")
    (report,) = done.rows
    assert (done.code, report["deliveries"], report["alerts"]) == (0, 4, 2)
    assert sorted(reason.partition(":")[0] for reason in report["refused"]) == ["unheard_of", "wazuh"]
    first, second = reversed(Terminal(tmp_path / "a").run("incidents", "--json").rows)
    assert (first["target"], second["target"]) == ("bastion-00001", "web-01")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"source": "wazuh", "delivery": {}}\n{"source": "wazuh"}\n', "night.jsonl:2: delivery: Field required"),
        ("nonsense\n", "night.jsonl:1:"),
        ('{"source": "wazuh", "delivery": {}, "at": -1}\n', "night.jsonl:1: at"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(text: str, said: str, tmp_path: Path, terminal: Terminal) -> None:
    lines = tmp_path / "night.jsonl"
    lines.write_text(text)
    done = terminal.run("replay", "--from", str(lines))
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "no-such-file.jsonl"),
        ("--from", "no-such-file.yaml"),
        ("--from", MORNING, "--to", "5"),
        ("--from", MORNING, "--speed", "0"),
        (),
    ],
)
def test_what_cannot_be_replayed_is_refused(words: tuple[str, ...], terminal: Terminal) -> None:
    done = terminal.run("replay", *words)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


def test_a_directory_with_something_in_it_is_not_written_to(tmp_path: Path, terminal: Terminal) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    done = terminal.run("replay", "--from", MORNING, "--into", str(tmp_path / "mine"))
    assert done.code == 2
    assert "is not empty" in done.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter"]


def test_ctrl_c_ends_it_and_tells_what_it_had_led_to(tmp_path: Path, terminal: Terminal) -> None:
    into = tmp_path / "again"
    process = terminal.begin("replay", "--demo", "--from", MORNING, "--speed", "1", "--into", str(into), "--json")
    eventually(lambda: (into / "warden.db").exists() and Terminal(into).run("events", "--json").out)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    report = json.loads(out)
    assert (process.returncode, err) == (1, "")
    assert report["complete"] is False
    assert 0 < report["deliveries"] < 49
    assert Terminal(into).run("audit", "verify").code == 0
