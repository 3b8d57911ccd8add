"""The data directory: private, held by one, and the place where the command line finds the application."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from warden_desktop.adapters.data_directory import AlreadyRunning, DataDirectory, DataDirectoryError

HOLD = """
import sys, time
from pathlib import Path
from warden_desktop.adapters.data_directory import DataDirectory
directory = DataDirectory(Path(sys.argv[1]))
directory.hold()
print("held", flush=True)
time.sleep(60)
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_everything_in_it_is_private(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    directory.hold()
    token = directory.token()
    directory.announce("127.0.0.1", 8787)
    assert mode(directory.root) == 0o700
    assert {mode(path) for path in directory.root.iterdir() if path.is_file()} == {0o600}
    assert len(token) >= 32 and directory.token() == token
    endpoint = directory.endpoint()
    assert endpoint is not None and (endpoint.host, endpoint.port, endpoint.token) == ("127.0.0.1", 8787, token)
    directory.release()
    assert directory.endpoint() is None


def test_one_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    with pytest.raises(DataDirectoryError, match="chmod 700"):
        DataDirectory(tmp_path / "data").prepare()


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    directory.token()
    (directory.root / "control.token").chmod(0o644)
    with pytest.raises(DataDirectoryError, match="chmod 600"):
        directory.token()


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(directory.root)], stdout=subprocess.PIPE)
    assert first.stdout is not None and first.stdout.readline() == b"held\n"
    with pytest.raises(AlreadyRunning):
        directory.hold()
    first.kill()
    first.wait()
    first.stdout.close()
    directory.hold()
    directory.release()


@pytest.mark.parametrize("said", ["", "{", "[]", '{"host": "h"}', '{"host": "h", "port": "x"}'])
def test_a_damaged_announcement_reads_as_nobody_running(tmp_path: Path, said: str) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    directory.token()
    file = directory.root / "endpoint.json"
    file.write_text(said)
    file.chmod(0o600)
    assert directory.endpoint() is None
