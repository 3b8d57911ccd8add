"""A freeze or a crash leaves the stacks of all threads, and the analyst is told of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.architecture.source_tree import CHECKOUT
from warden_desktop.adapters.crash_dumps import KEPT, CrashDumps

PROLOGUE = """
import asyncio, faulthandler, os, signal, sys, threading, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QThread
import warden_desktop.adapters.crash_dumps as crash_dumps
from warden_desktop.loop import make_loop

crash_dumps.FREEZE, crash_dumps.PUT_OFF_EVERY = 0.4, 0.1
folder = Path(sys.argv[1])
told = []
dumps = crash_dumps.CrashDumps(folder, told.append)
application = QCoreApplication([])

async def watched(main):
    dumps.open()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(dumps.watch())
        await main()
        watching.cancel()
    dumps.close()

def run(main):
    with asyncio.Runner(loop_factory=lambda: make_loop(application)) as runner:
        runner.run(watched(main))
"""


def program(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """faulthandler is one for a process, and pytest's own: so a process of its own."""
    code = PROLOGUE + textwrap.dedent(body)
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_freeze_inside_qt_leaves_all_stacks_and_is_told_of(tmp_path: Path) -> None:
    done = program(
        tmp_path,
        """
        import ctypes
        def parses_for_ever():
            ctypes.PyDLL(None).usleep(900_000)  # holds Python's lock, as Qt does

        async def main():
            other = threading.Thread(target=time.sleep, args=(1.5,), name="other", daemon=True)
            other.start()
            await asyncio.sleep(0.2)
            parses_for_ever()
            await asyncio.sleep(0.3)
            print(len(told), told[0].froze, told[0].told)
        run(main)
        """,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.startswith("1 True The application stood still")
    (dump,) = tmp_path.iterdir()
    assert dump.name.startswith("freeze-2")
    assert "parses_for_ever" in dump.read_text()
    assert dump.read_text().count("Thread 0x") >= 2
    assert dump.stat().st_mode & 0o077 == 0


def test_each_freeze_has_its_own_dump_and_a_quiet_run_none(tmp_path: Path) -> None:
    body = """
        async def main():
            await asyncio.sleep(0.2)
            for _ in range(int(os.environ["TIMES"])):
                time.sleep(0.7)
                await asyncio.sleep(0.3)
            await asyncio.sleep(0.6)
        run(main)
        """
    os.environ["TIMES"] = "0"
    assert program(tmp_path, body).returncode == 0
    assert list(tmp_path.iterdir()) == []
    os.environ["TIMES"] = "2"
    assert program(tmp_path, body).returncode == 0
    del os.environ["TIMES"]
    assert len(list(tmp_path.glob("freeze-*.txt"))) == len(list(tmp_path.iterdir())) == 2


def test_what_a_killed_run_left_is_told_at_the_next_start_once(tmp_path: Path) -> None:
    frozen = program(
        tmp_path,
        """
        async def main():
            await asyncio.sleep(0.2)
            time.sleep(0.8)
            os.kill(os.getpid(), signal.SIGKILL)
        run(main)
        """,
    )
    assert frozen.returncode == -signal.SIGKILL
    look = "print([(one.froze, one.path.name[:7]) for one in dumps.open()]); dumps.close()"
    assert program(tmp_path, look).stdout == "[(True, 'freeze-')]\n"
    assert program(tmp_path, look).stdout == "[]\n"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_crash_in_c_is_told_at_the_next_start(tmp_path: Path) -> None:
    crashed = program(
        tmp_path,
        """
        import ctypes
        async def main():
            ctypes.string_at(0)
        run(main)
        """,
    )
    assert crashed.returncode == -signal.SIGSEGV
    look = "print(*(one.told for one in dumps.open())); dumps.close()"
    said = program(tmp_path, look).stdout
    assert "was ended by a fault" in said and "crash/crash-2" in said
    (dump,) = tmp_path.glob("crash-*.txt")
    assert "Segmentation fault" in dump.read_text() and "main" in dump.read_text()


def test_only_the_newest_dumps_are_kept(tmp_path: Path) -> None:
    for day in range(1, KEPT + 6):
        (tmp_path / f"freeze-202401{day:02}T000000Z.txt").write_text("Timeout (")
    done = program(tmp_path, "dumps.open(); dumps.close()")
    assert done.returncode == 0
    assert sorted(one.name for one in tmp_path.iterdir())[0] == "freeze-20240106T000000Z.txt"
    assert len(list(tmp_path.iterdir())) == KEPT


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    dumps = CrashDumps(tmp_path / "missing")
    assert dumps.open() == []
    dumps.alive()
    dumps.close()
    assert list(tmp_path.iterdir()) == []
