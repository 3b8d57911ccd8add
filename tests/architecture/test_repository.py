"""What the repository holds, what it must not name, and that the two commands the README opens with exist."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import CHECKOUT, write_tree

TOP_LEVEL = {
    "CHANGELOG.md", "LICENSE", "README.md", "packaging", "pyproject.toml", "resources", "tests", "warden_desktop",
}  # fmt: skip

# Where one machine keeps things, and whence it installs them, is nobody else's business.
PRIVATE = [
    re.compile(rb"(?<![\w.~-])/(?:root/\.\w|work/(?:main|shared|\.library)|tmp/warden/|opt/wheels|opt/pypi)"),
    re.compile(rb"(?<![\w.~-])/(?:home|Users)/[\w.-]+/(?:\.venv|\.cache|\.pyenv|\.local/share/warden|src|git|repos)/"),
    re.compile(
        rb"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|registry\.yarnpkg\.com|crates\.io|proxy\.golang\.org"
        rb"|(?:deb|security|ftp)\.debian\.org|rubygems\.org|repo\.maven\.apache\.org)\b",
        re.IGNORECASE,
    ),
]


def repository_files(root: Path) -> list[str]:
    """Everything git keeps or would keep; paths below the root, with forward slashes."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    return sorted(name for name in listed.split("\0") if (root / name).is_file())


def private_findings(root: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        for number, line in enumerate((root / name).read_bytes().splitlines(), start=1):
            yield from (f"{name}:{number}: {found[0].decode()}" for rule in PRIVATE if (found := rule.search(line)))


def test_no_file_names_a_workplace_or_a_package_registry() -> None:
    assert list(private_findings(CHECKOUT, repository_files(CHECKOUT))) == []


@pytest.mark.parametrize(
    "parts",
    [("/wo", "rk/shared/x"), ("see /ro", "ot/.cache"), ("https://py", "pi.org/simple"), ("/home/", "ann/src/w")],
)
def test_a_named_workplace_or_registry_is_found(parts: tuple[str, str], tmp_path: Path) -> None:
    write_tree(tmp_path, {"notes.md": "first line\n" + "".join(parts)})
    assert len(list(private_findings(tmp_path, ["notes.md"]))) == 1


def test_paths_inside_alerts_are_no_workplace(tmp_path: Path) -> None:
    write_tree(tmp_path, {"alert.json": '{"file": "/root/x.sh", "key": "/home/ann/.ssh/id_rsa", "to": "/work/"}'})
    assert list(private_findings(tmp_path, ["alert.json"])) == []


def test_the_top_level_holds_only_what_it_should() -> None:
    top = {name.partition("/")[0] for name in repository_files(CHECKOUT)}
    assert {name for name in top - TOP_LEVEL if not name.startswith(".")} == set()


def test_resources_are_data_only() -> None:
    code = {".py", ".pyc", ".sh", ".so", ".dll", ".exe"}
    assert [name for name in repository_files(CHECKOUT / "resources") if Path(name).suffix in code] == []


@pytest.mark.parametrize("command", ["packaging/start", "packaging/check", ".ci/run"])
def test_the_commands_can_be_run(command: str) -> None:
    assert os.access(CHECKOUT / command, os.X_OK)


def test_the_readme_opens_with_the_two_commands() -> None:
    first_block = re.search(r"^```\w*\n(.*?)^```", (CHECKOUT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert first_block is not None
    assert [m[0] for m in re.finditer(r"\./packaging/\w+", first_block[1])][:2] == [
        "./packaging/start",
        "./packaging/check",
    ]
