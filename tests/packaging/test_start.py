"""packaging/start: what it refuses, what it installs and when, and that it hands over to the application."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

# Stands for .venv/bin/python: writes down each call, one a line, and succeeds.
RECORDER = '#!/bin/sh\necho "$@" >>"$(dirname "$0")/calls"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a directory with a space, whose virtual environment records what is asked of it."""
    root = tmp_path / "war den"
    (root / ".venv" / "bin").mkdir(parents=True)
    shutil.copytree(CHECKOUT / "packaging", root / "packaging")
    shutil.copy(CHECKOUT / "pyproject.toml", root)
    (root / "packaging" / "system-packages").write_text("core bash bash\nwindow bash bash\n", encoding="utf-8")
    python = root / ".venv" / "bin" / "python"
    python.write_text(RECORDER, encoding="utf-8")
    python.chmod(0o755)
    return root


def start(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the script from another directory, on a machine without a display unless one is given."""
    display = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    inherited = {name: value for name, value in os.environ.items() if name not in display}
    command = [str(root / "packaging" / "start"), *arguments]
    return subprocess.run(command, cwd="/", env=inherited | environment, text=True, capture_output=True)


def calls(root: Path) -> list[str]:
    recorded = root / ".venv" / "bin" / "calls"
    return recorded.read_text(encoding="utf-8").splitlines() if recorded.exists() else []


@pytest.mark.parametrize("arguments", [[], ["--demo"], ["--data-dir", "incidents"], ["--port", "0", "--config"]])
def test_without_a_display_it_says_what_to_do_and_installs_nothing(checkout: Path, arguments: list[str]) -> None:
    refused = start(checkout, *arguments)
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert "--headless" in line
    assert "xvfb-run" in line
    assert calls(checkout) == []


@pytest.mark.parametrize(
    "arguments", [["--headless"], ["--data-dir", "d", "--headless"], ["incidents", "--json"], ["--help"]]
)
def test_without_a_display_what_needs_none_starts(checkout: Path, arguments: list[str]) -> None:
    assert start(checkout, *arguments).returncode == 0
    assert calls(checkout)[-1] == " ".join(["-P -m warden_desktop", *arguments])


def test_the_first_run_installs_the_pinned_packages_and_the_second_installs_nothing(checkout: Path) -> None:
    start(checkout, "--demo", DISPLAY=":99")
    first = calls(checkout)
    assert all("install --constraint packaging/constraints.txt" in call for call in first[:-1])
    assert first[-1] == "-P -m warden_desktop --demo"
    start(checkout, "--demo", DISPLAY=":99")
    assert calls(checkout) == [*first, "-P -m warden_desktop --demo"]


def test_a_changed_pin_installs_again(checkout: Path) -> None:
    start(checkout, "doctor")
    before = len(calls(checkout))
    with (checkout / "packaging" / "constraints.txt").open("a", encoding="utf-8") as pins:
        pins.write("something-new==1.0\n")
    start(checkout, "doctor")
    assert any("install" in call for call in calls(checkout)[before:])


def test_a_failed_installation_is_refused_and_tried_again(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    refused = start(checkout, "doctor")
    assert refused.returncode == 2
    assert "pip could not install" in refused.stderr
    python.write_text(RECORDER, encoding="utf-8")
    assert start(checkout, "doctor").returncode == 0
    assert any("install" in call for call in calls(checkout))


def test_missing_system_packages_are_found_by_library_and_by_command(checkout: Path) -> None:
    (checkout / "packaging" / "system-packages").write_text(
        "core libc6 libc.so.6\ncore libmissing libmissing.so.1\ncore bash bash\ncore missing no-such-command\n"
        "test other no-such-command\n",
        encoding="utf-8",
    )
    script = 'root=$1; source "$root/packaging/environment.sh"; missing_packages core window'
    command = ["bash", "-c", script, "bash", str(checkout)]
    assert subprocess.run(command, text=True, capture_output=True).stdout.split() == ["libmissing", "missing"]
