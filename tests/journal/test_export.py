"""An export can be checked by whoever has nothing but the page that describes it."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
import pytest_asyncio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from tests.journal.stories import comment, faults
from tests.samples_of_events import INCIDENT, SAMPLES
from warden_desktop.adapters.journal import SqliteJournal, export, open_reader
from warden_desktop.adapters.journal.signing import PUBLIC
from warden_desktop.assets import resource

Lines = list[dict[str, object]]


@pytest_asyncio.fixture
async def exported(path: Path) -> Path:
    """An export of 70 entries with two checkpoints, texts beyond ASCII and a body that is not UTF-8 among them."""
    for events in ([*SAMPLES, comment(INCIDENT, 'Zoë, 日本, "\\" \u2028 \x00')], faults(70 - len(SAMPLES) - 1)):
        journal = SqliteJournal.open(path, asyncio.get_running_loop())
        await journal.append(events)
        await journal.close()
    file = path.with_name("export.jsonl")
    with open_reader(path) as reader, file.open("wb") as target:
        assert reader.export(target) == 70
    return file


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one on the page."""
    found = re.search(r"```python\n(.*?)```", resource("help", "audit.md").read_text("utf-8"), re.DOTALL)
    assert found
    path = tmp_path_factory.mktemp("page") / "check.py"
    path.write_text(found[1], "utf-8")
    return path


def check(script: Path, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """As the page says, far away from this program."""
    command: list[str | Path] = [sys.executable, "-I", script, *arguments]
    return subprocess.run(command, cwd=script.parent, text=True, capture_output=True)


def test_the_script_on_the_page_accepts_an_export(exported: Path, script: Path) -> None:
    found = check(script, exported)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("OK: entries 1 to 70, head ")
    assert "2 checkpoints" in found.stdout


def test_the_script_is_short_enough_to_be_read() -> None:
    page = resource("help", "audit.md").read_text("utf-8")
    assert len(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0].splitlines()) <= 40


def test_the_signatures_it_writes_out_are_genuine(exported: Path, script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "signatures"
    folder.mkdir()
    assert check(script, exported, folder).returncode == 0
    own = load_pem_public_key(exported.with_name(PUBLIC).read_bytes())
    for message in sorted(folder.glob("*.message")):
        key = load_der_public_key(message.with_suffix(".der").read_bytes())
        assert isinstance(key, Ed25519PublicKey)
        assert key == own
        key.verify(message.with_suffix(".signature").read_bytes(), message.read_bytes())
        with pytest.raises(InvalidSignature):
            key.verify(message.with_suffix(".signature").read_bytes(), message.read_bytes() + b"x")
    assert len(list(folder.glob("*.message"))) == 2


def lines_of(file: Path) -> Lines:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def save(file: Path, lines: Lines) -> None:
    file.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), "utf-8")


def tampered(lines: Lines, dice: random.Random) -> Lines:
    """One thing changed somewhere."""
    at = dice.randrange(len(lines))
    match dice.choice(("value", "value", "delete", "swap", "double", "cut")):
        case "delete":
            return lines[:at] + lines[at + 1 :]
        case "swap":
            other = dice.choice([one for one in range(len(lines)) if one != at])
            lines[at], lines[other] = lines[other], lines[at]
        case "double":
            lines.insert(at, lines[at])
        case "cut":
            return lines[:at]
        case _:
            name = dice.choice([name for name in lines[at] if name not in ("format", "key", "signature", "at")])
            value = lines[at][name]
            lines[at][name] = value + 1 if isinstance(value, int) else _another(value)
    return lines


def _another(value: object) -> str:
    if not isinstance(value, str) or not value:
        return "00" * 16
    return ("1" if value[0] == "0" else "0") + value[1:]


@pytest.mark.parametrize("seed", range(12))
def test_the_script_finds_what_was_changed(exported: Path, script: Path, seed: int) -> None:
    save(exported, tampered(lines_of(exported), random.Random(seed)))
    assert check(script, exported).returncode != 0


def test_our_own_check_finds_what_was_changed(exported: Path) -> None:
    whole, dice = exported.read_bytes(), random.Random(5)
    for _ in range(400):
        exported.write_bytes(whole)
        save(exported, tampered(lines_of(exported), dice))
        with exported.open("rb") as file, pytest.raises(export.ExportError):
            export.check(file)
    exported.write_bytes(whole)
    with exported.open("rb") as file:
        assert export.check(file).last == 70


def test_a_body_that_is_not_text_is_exported_to_the_byte(exported: Path, path: Path, script: Path) -> None:
    from warden_desktop.adapters.journal import chain

    connection = apsw.Connection(str(path))
    connection.execute("DELETE FROM event WHERE seq = 70; DELETE FROM checkpoint WHERE size = 70")
    row = (70, bytes(16), "fault_raised", 0, None, 1, b"\xff\xfe\x00")
    sealed = chain.link(chain.hash_of(connection, 69) or b"", *row)
    connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, sealed))
    connection.close()
    with open_reader(path) as reader, exported.open("wb") as target:
        reader.export(target)
    assert b'"body64":"//4A"' in exported.read_bytes()
    assert check(script, exported).returncode == 0
    with exported.open("rb") as file:
        assert export.check(file).last == 70


def test_a_compressed_export_is_checked_alike(exported: Path) -> None:
    packed = exported.with_suffix(".gz")
    packed.write_bytes(gzip.compress(exported.read_bytes()))
    with gzip.open(packed) as file:
        assert export.check(file).head == _head(exported)


def _head(file: Path) -> bytes:
    return bytes.fromhex(str(lines_of(file)[-1]["head"]))
