"""The latch file keeps what it was told, and when in doubt everything is stopped."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from warden_desktop.adapters.latch import FileLatch
from warden_desktop.engine.kill_switch import EVERYTHING, LATCH_ITSELF
from warden_desktop.engine.ports import Engagement

STOP = Engagement("verb:isolate_host", "analyst:alice", "näh \u202e <b>", "2026-01-01T00:00:00+00:00")


def test_what_is_written_is_read_by_another_reader(tmp_path: Path) -> None:
    FileLatch(tmp_path / "latch").write({STOP.scope: STOP})
    assert FileLatch(tmp_path / "latch").read() == {STOP.scope: STOP}


def test_no_file_means_nothing_was_ever_engaged(tmp_path: Path) -> None:
    assert FileLatch(tmp_path / "latch").read() == {}


def test_only_its_owner_may_read_it_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    FileLatch(tmp_path / "latch").write({STOP.scope: STOP})
    assert stat.S_IMODE((tmp_path / "latch").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["latch"]


def test_a_change_by_somebody_else_is_seen_at_the_next_read(tmp_path: Path) -> None:
    reader, writer = FileLatch(tmp_path / "latch"), FileLatch(tmp_path / "latch")
    for engaged in ({STOP.scope: STOP}, {}, {EVERYTHING: STOP._replace(scope=EVERYTHING)}):
        writer.write(engaged)
        assert reader.read() == engaged


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b"{}", b'{"engaged": 1}', b'{"engaged": [{"scope": 1}]}', b"\xff\x00"]
)
def test_garbage_means_everything_is_engaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "latch").write_bytes(content)
    found = FileLatch(tmp_path / "latch").read()
    assert found[EVERYTHING].by == LATCH_ITSELF
    assert found[EVERYTHING].reason.startswith("latch unreadable")


def test_a_directory_in_its_place_means_everything_is_engaged(tmp_path: Path) -> None:
    (tmp_path / "latch").mkdir()
    assert EVERYTHING in FileLatch(tmp_path / "latch").read()


def test_a_file_that_goes_away_means_everything_is_engaged(tmp_path: Path) -> None:
    latch = FileLatch(tmp_path / "latch")
    latch.write({})
    assert latch.read() == {}
    (tmp_path / "latch").unlink()
    assert EVERYTHING in latch.read()


def test_a_latch_that_cannot_be_written_keeps_what_it_had(tmp_path: Path) -> None:
    latch = FileLatch(tmp_path / "gone" / "latch")
    with pytest.raises(OSError, match="gone"):
        latch.write({STOP.scope: STOP})
    assert latch.read() == {}
