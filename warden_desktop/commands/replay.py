"""`replay`: feed recorded deliveries to the real pipeline again, in a directory of its own, where nothing can be done.

Nothing can be done because nothing is there to do it with: the pipeline gets the simulated connector and no other, a
kill switch that is engaged before it is built, no door, no secrets and no notifications.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from warden_desktop.adapters.data_directory import DataDirectory, DataDirectoryError
from warden_desktop.adapters.journal import SqliteJournal, open_reader
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.adapters.recordings import RecordedDelivery, RecordingError, from_file, from_log
from warden_desktop.adapters.replay import Replay
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.adapters.sources import load_sources
from warden_desktop.assets import resource
from warden_desktop.commands.codes import DONE, FAILED, USAGE
from warden_desktop.commands.output import complain
from warden_desktop.commands.replay_report import Report, report_of
from warden_desktop.domain.record import now
from warden_desktop.engine.kill_switch import EVERYTHING
from warden_desktop.engine.ports import Engagement
from warden_desktop.engine.tasks import Work
from warden_desktop.pipeline import Pipeline
from warden_desktop.settings import Settings, load_settings

TELL_EVERY = 0.5
"""Seconds between two looks at the progress, on a terminal."""


def run(arguments: argparse.Namespace) -> int:
    """Replay, and say what it led to. Exit 1 when it was interrupted; what it had led to by then is told."""
    directory = DataDirectory(arguments.data_dir)
    settings = load_settings(directory.settings)
    try:
        with _recording(arguments, directory) as deliveries:
            scratch = _scratch(arguments.into)
            done = _replayed(arguments, settings, directory, scratch, deliveries)
    except RecordingError as error:
        complain(str(error))
        return USAGE
    done.show(as_json=arguments.json)
    return DONE if done.complete else FAILED


@contextmanager
def _recording(arguments: argparse.Namespace, directory: DataDirectory) -> Iterator[Iterable[RecordedDelivery]]:
    """What `--from` names: an entry of the log, or a file."""
    given: str = arguments.start
    if not given.isdecimal():
        if arguments.to is not None:
            raise RecordingError("--to goes with an entry of the log, and --from names a file")
        yield from_file(Path(given), now())
        return
    with open_reader(directory.database) as reader:
        last = reader.last_seq if arguments.to is None else min(arguments.to, reader.last_seq)
        if int(given) > last:
            raise RecordingError(f"there is nothing from entry {given} to {last}; the log has {reader.last_seq}")
        yield from_log(reader, int(given), last)


def _scratch(into: Path | None) -> DataDirectory:
    """An empty data directory with its kill switch engaged. Raises DataDirectoryError."""
    if into is not None and into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise DataDirectoryError(f"{into} is not empty; a replay wants a directory of its own")
    scratch = DataDirectory(into or Path(tempfile.mkdtemp(prefix="warden-replay-")))
    scratch.prepare()
    stop = Engagement(EVERYTHING, "replay", "this is a replay: nothing is done", datetime.now(UTC).isoformat())
    FileLatch(scratch.latch).write({EVERYTHING: stop})
    return scratch


def _replayed(
    arguments: argparse.Namespace,
    settings: Settings,
    directory: DataDirectory,
    scratch: DataDirectory,
    deliveries: Iterable[RecordedDelivery],
) -> Report:
    scratch.hold()
    began = time.monotonic()
    try:
        fed, complete = asyncio.run(_run(arguments, settings, directory, scratch, deliveries))
    finally:
        scratch.release()
    return report_of(scratch, fed, complete=complete, seconds=time.monotonic() - began)


async def _run(
    arguments: argparse.Namespace,
    settings: Settings,
    directory: DataDirectory,
    scratch: DataDirectory,
    deliveries: Iterable[RecordedDelivery],
) -> tuple[Replay, bool]:
    journal = SqliteJournal.open(scratch.database, asyncio.get_running_loop())
    stopping = _interruptible()
    try:
        async with asyncio.TaskGroup() as group:
            simulated = SimulatedResponder()
            pipeline = Pipeline(
                journal,
                Work(group),
                settings,
                directory,
                responders={simulated.name: simulated},
                latch=FileLatch(scratch.latch),
                demo=arguments.demo,
            )
            sources = load_sources(resource("sources"), directory.packs / "sources")
            replay = Replay(sources, pipeline.intake, pipeline.settled, _Progress().tell, arguments.speed)
            await pipeline.run()
            try:
                await replay.run(deliveries, stopping)
            finally:
                await pipeline.end()
    finally:
        await journal.close()
    return replay, not stopping.is_set()


def _interruptible() -> asyncio.Event:
    """Set by Ctrl+C or SIGTERM: the delivery at hand is finished, then the replay ends."""
    stopping = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl+C ends the loop instead
            asyncio.get_running_loop().add_signal_handler(signum, stopping.set)
    return stopping


class _Progress:
    """One line that is written over, on a terminal only."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._count = 0

    def tell(self, one: RecordedDelivery) -> None:
        self._count += 1
        moment = time.monotonic()
        if not sys.stderr.isatty() or (moment - self._told < TELL_EVERY and one.part < 1):
            return
        self._told = moment
        left = (moment - self._began) * (1 - one.part) / max(one.part, 1e-6)
        line = f"{self._count:,} deliveries, {one.part:.0%}, about {left:.0f} s left; Ctrl+C ends it"
        print(f"\r\x1b[K{line if one.part < 1 else ''}", end="", file=sys.stderr, flush=True)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return speed


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "replay", parents=[shared], help="feed recorded deliveries again, in a directory of their own, doing nothing"
    )
    parser.add_argument(
        "--from", dest="start", required=True, metavar="FILE-OR-SEQ",
        help="an entry of the log to begin with, or a file of deliveries: the demonstration's YAML, or JSON lines "
        '{"source", "delivery", "at"}',
    )  # fmt: skip
    parser.add_argument("--to", type=int, metavar="SEQ", help="the last entry of the log (default: the newest)")
    parser.add_argument("--speed", type=_speed, help="1: as recorded, 60: an hour in a minute (default: at once)")
    parser.add_argument("--into", type=Path, metavar="DIR", help="an empty directory (default: a temporary one)")
    parser.add_argument(
        "--demo", action="store_true", default=argparse.SUPPRESS, help="with the demonstration's inventory"
    )
    parser.set_defaults(run=run)
