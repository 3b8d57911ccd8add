from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from warden_desktop.loop import WardenLoop, make_loop


def run_program(body: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own on a bare `QCoreApplication`, as the command line does."""
    program = "import asyncio, os, signal, sys, threading, time\n"
    program += "from PySide6.QtCore import QCoreApplication, QTimer\nfrom warden_desktop.loop import make_loop\n"
    program += "application = QCoreApplication([])\nloop = make_loop(application)\n" + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


def test_run_returns_the_result_and_raises_the_error(loop: WardenLoop) -> None:
    async def fails() -> None:
        raise LookupError

    assert loop.run_until_complete(asyncio.sleep(0.001, "result")) == "result"
    with pytest.raises(LookupError):
        loop.run_until_complete(fails())
    assert not loop.is_running()


def test_stop_runs_what_was_scheduled_and_leaves_the_rest_for_the_next_run(loop: WardenLoop) -> None:
    ran: list[str] = []

    def last() -> None:
        ran.append("last")
        loop.call_soon(ran.append, "next run")
        loop.stop()

    loop.call_soon(last)
    loop.call_soon(ran.append, "same generation")
    loop.run_forever()
    assert ran == ["last", "same generation"]
    loop.stop()
    loop.run_forever()
    assert ran == ["last", "same generation", "next run"]


def test_a_qt_slot_can_stop_the_loop(loop: WardenLoop) -> None:
    QTimer.singleShot(5, loop.stop)
    loop.run_forever()
    assert not loop.is_running()


def test_nothing_runs_while_only_qt_runs(loop: WardenLoop, qtbot: QtBot) -> None:
    ran: list[str] = []
    loop.call_soon(ran.append, "callback")
    qtbot.wait(10)
    assert ran == []
    loop.run_until_complete(asyncio.sleep(0))
    assert ran == ["callback"]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_must_end_the_program_leaves_the_loop(loop: WardenLoop, error: type[BaseException]) -> None:
    def end() -> None:
        raise error

    loop.call_soon(end)
    with pytest.raises(error):
        loop.run_forever()
    assert loop.run_until_complete(asyncio.sleep(0, "still usable")) == "still usable"


def test_ctrl_c_cancels_the_main_task_of_a_sleeping_runner(qapp: QApplication) -> None:
    ended: list[str] = []

    async def main() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleanly")

    timer = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=lambda: make_loop(qapp)) as runner:
        runner.run(main())
    timer.join()
    assert ended == ["cleanly"]


def test_a_second_ctrl_c_ends_what_the_first_did_not() -> None:
    done = run_program(
        """
        async def main():
            for _ in range(2):
                threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
                try:
                    await asyncio.sleep(30)
                except asyncio.CancelledError:
                    print("asked once", flush=True)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                runner.run(main())
            except KeyboardInterrupt:
                print("left")
        """
    )
    assert (done.stdout, done.stderr, done.returncode) == ("asked once\nleft\nasked once\n", "", 0)


def test_ctrl_c_works_again_after_its_handler_was_removed() -> None:
    done = run_program(
        """
        async def main():
            loop.add_signal_handler(signal.SIGINT, print)
            loop.remove_signal_handler(signal.SIGINT)
            threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
            await asyncio.sleep(30)
        try:
            loop.run_until_complete(main())
        except KeyboardInterrupt:
            print("left")
        """
    )
    assert (done.stdout.splitlines()[:1], done.returncode) == (["left"], 0)


def test_a_second_thread_is_refused_instead_of_ending_at_once(loop: WardenLoop) -> None:
    refused: list[str] = []

    def elsewhere() -> None:
        try:
            loop.run_forever()
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert refused == ["this loop runs a Qt application, and Qt runs one in its own thread only"]


def test_ctrl_c_ends_a_sleeping_loop_without_a_runner(loop: WardenLoop) -> None:
    timer = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    timer.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_between_two_runs_is_handled_in_the_second(loop: WardenLoop) -> None:
    arrived = asyncio.Event()

    async def install() -> None:
        loop.add_signal_handler(signal.SIGUSR1, arrived.set)

    loop.run_until_complete(install())
    os.kill(os.getpid(), signal.SIGUSR1)
    loop.run_until_complete(asyncio.wait_for(arrived.wait(), 5))
    assert arrived.is_set()


def test_a_closed_loop_refuses_work_and_is_freed(qapp: QApplication) -> None:
    loop = make_loop(qapp)
    loop.run_until_complete(asyncio.sleep(0.001))
    loop.close()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_forever()
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None


def test_loops_leave_no_descriptor_open(qapp: QApplication) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    make_loop(qapp).close()
    before = descriptors()
    for _ in range(10):
        with asyncio.Runner(loop_factory=lambda: make_loop(qapp)) as runner:
            runner.run(asyncio.sleep(0.001))
    assert descriptors() == before


async def test_a_running_loop_refuses_to_run_or_close(running: WardenLoop) -> None:
    with pytest.raises(RuntimeError, match="running"):
        running.run_forever()
    with pytest.raises(RuntimeError, match="running"):
        running.close()


async def test_an_async_generator_left_half_way_is_closed(running: WardenLoop) -> None:
    closed = asyncio.Event()

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    async for _ in numbers():
        break
    gc.collect()
    await asyncio.wait_for(closed.wait(), 5)
    assert closed.is_set()


def test_a_program_without_a_window_runs_and_ends() -> None:
    done = run_program(
        """
        async def main():
            await asyncio.to_thread(time.sleep, 0.01)
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('child')")
            return await process.wait()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            print("exit", runner.run(main()))
        """
    )
    assert (done.stdout, done.stderr, done.returncode) == ("child\nexit 0\n", "", 0)


def test_sys_exit_in_a_task_ends_the_program_with_its_code() -> None:
    done = run_program(
        """
        async def main():
            await asyncio.sleep(0.001)
            sys.exit(7)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())
        """
    )
    assert (done.stderr, done.returncode) == ("", 7)
