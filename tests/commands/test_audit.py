"""`audit` and `archive` as an auditor uses them: exit codes, files, and what is said."""

from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path

import apsw
import pytest

from tests.commands.terminal import Terminal
from tests.journal import cases

INCIDENTS, OPEN = 10, 2
ENTRIES = INCIDENTS * cases.EVENTS
ENDED = (INCIDENTS - OPEN) * cases.EVENTS


@pytest.fixture
def audited(terminal: Terminal) -> Terminal:
    """A terminal on a data directory with a log and its table; the application is down."""
    terminal.data_dir.mkdir(mode=0o700)
    cases.write(terminal.data_dir / "warden.db", INCIDENTS, OPEN)
    assert terminal.run("rebuild").code == 0
    return terminal


def execute(terminal: Terminal, sql: str) -> None:
    connection = apsw.Connection(str(terminal.data_dir / "warden.db"))
    connection.execute(sql)
    connection.close()


def test_a_whole_log_is_told_so(audited: Terminal) -> None:
    plain = audited.run("audit", "verify")
    assert (plain.code, plain.err) == (0, "")
    assert plain.out.startswith(f"the chain holds: {ENTRIES} entries, head ")
    (row,) = audited.run("audit", "verify", "--json").rows
    assert (row["ok"], row["entries"], row["checkpoints"], row["first_bad"]) == (True, ENTRIES, 1, None)


def test_the_first_bad_entry_is_named_with_exit_4(audited: Terminal) -> None:
    execute(audited, "UPDATE event SET kind = 'forged' WHERE seq IN (7, 9)")
    found = audited.run("audit", "verify")
    assert found.code == 4
    assert "BROKEN at entry 7" in found.out


def test_a_checkpoint_kept_elsewhere_shows_a_cut_tail(audited: Terminal, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(audited.run("audit", "checkpoint").out, "utf-8")
    assert json.loads(kept.read_text("utf-8"))["size"] == ENTRIES
    assert audited.run("audit", "verify", "--checkpoint", str(kept)).code == 0
    execute(audited, "DELETE FROM event WHERE seq > 100; DELETE FROM checkpoint")
    (audited.data_dir / "warden.db-tail").unlink()
    assert audited.run("audit", "verify").code == 0
    found = audited.run("audit", "verify", "--checkpoint", str(kept), "--json")
    assert found.code == 4
    assert found.rows[0]["first_bad"] == 101


@pytest.mark.parametrize("content", [None, "no checkpoint\n"])
def test_a_file_that_is_no_checkpoint_is_a_usage_error(audited: Terminal, tmp_path: Path, content: str | None) -> None:
    kept = tmp_path / "kept.json"
    if content is not None:
        kept.write_text(content, "utf-8")
    found = audited.run("audit", "verify", "--checkpoint", str(kept))
    assert found.code == 2
    assert "kept.json" in found.err


def test_a_log_that_nothing_signed_has_no_checkpoint(audited: Terminal) -> None:
    execute(audited, "DELETE FROM checkpoint")
    found = audited.run("audit", "checkpoint")
    assert found.code == 1
    assert "nothing is signed yet" in found.err


def test_an_export_is_for_its_owner_and_whole(audited: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    found = audited.run("audit", "export", str(file))
    assert (found.code, found.err) == (0, "")
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert (len(lines), lines[-1]["end"]) == (ENTRIES + 3, ENTRIES)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name("log.jsonl.new").exists()


def test_an_export_that_cannot_be_written_says_so(audited: Terminal, tmp_path: Path) -> None:
    found = audited.run("audit", "export", str(tmp_path / "nowhere" / "log.jsonl"))
    assert found.code == 1
    assert "cannot be written" in found.err


def test_old_entries_are_archived_and_everything_still_holds(audited: Terminal) -> None:
    before = audited.run("incidents", "--json").rows
    moved = audited.run("archive", "--older-than", "1d", "--json")
    assert (moved.code, moved.err) == (0, "")
    assert [row["last"] for row in moved.rows] == [ENDED, ENDED]
    assert "belongs to an incident that is open" in str(moved.rows[-1]["held"])
    (file,) = (audited.data_dir / "archive").iterdir()
    with gzip.open(file) as content:
        assert len(content.readlines()) == ENDED + 2
    (row,) = audited.run("audit", "verify", "--json").rows
    assert (row["ok"], row["archived"], row["entries"]) == (True, ENDED, ENTRIES)
    assert audited.run("incidents", "--json").rows == before
    assert audited.run("rebuild").code == 0
    assert audited.run("incidents", "--json").rows == before


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1y", ""])
def test_an_age_that_is_none_is_a_usage_error(audited: Terminal, age: str) -> None:
    assert audited.run("archive", f"--older-than={age}").code == 2


@pytest.mark.parametrize("words", [("audit", "verify"), ("audit", "export", "x"), ("archive", "--older-than", "1d")])
def test_where_there_is_no_log_that_is_said(terminal: Terminal, words: tuple[str, ...]) -> None:
    found = terminal.run(*words)
    assert found.code == 2
    assert "there is no log" in found.err
