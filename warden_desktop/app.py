"""The composition root: builds everything in order, runs it, and stops it in stages.

Order of building: journal, current state, engine, door, window. Order of stopping is the order in which facts flow: the
door first, so that nothing new comes in, then the workers, then the table on disk, and the journal last.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import aiohttp

from warden_desktop import __version__
from warden_desktop.adapters.crash_dumps import CrashDumps, Dump
from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.demo import load, play
from warden_desktop.adapters.journal import Keep, SqliteJournal, archive_regularly
from warden_desktop.adapters.keychain import Keychain, KeychainError
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.adapters.packs import load_packs
from warden_desktop.adapters.responders.http import HttpResponder
from warden_desktop.adapters.responders.pack import ConnectorPack
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.adapters.sources import load_sources
from warden_desktop.adapters.webhook import Control, Door, Limits, Quarantine
from warden_desktop.adapters.webhook.metrics import Family, single
from warden_desktop.adapters.webhook.vitals import families
from warden_desktop.assets import resource
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import ApplicationStarted, FaultRaised
from warden_desktop.engine.ports import Responder
from warden_desktop.engine.stages import Stage, stop_in_stages
from warden_desktop.engine.tasks import Work
from warden_desktop.engine.vital_signs import VitalSigns
from warden_desktop.loop import WardenLoop, make_loop
from warden_desktop.loop.garbage import Collector
from warden_desktop.loop.stall_log import StallLog
from warden_desktop.pipeline import Pipeline
from warden_desktop.settings import Settings, settings_toml

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication

    from warden_desktop.ui.shell import Shell

log = logging.getLogger(__name__)

SWITCH_INTERVAL = 0.001
"""Seconds a thread keeps Python to itself: with the usual 5 ms the journal's writer waits behind a busy loop."""
JSON = {"Content-Type": "application/json"}
NOW_AND_THEN = 30.0
"""Seconds between looks at what may wait: the keychain, counts of slow callbacks."""
DOOR_DEADLINE, WORKERS_DEADLINE, TABLE_DEADLINE, JOURNAL_DEADLINE = 5.0, 10.0, 5.0, 10.0
"""Seconds each stage of stopping may take before what still runs is named and left."""


class Options(NamedTuple):
    """What the command line asked for."""

    settings: Settings
    settings_file: Path
    directory: DataDirectory
    demo: bool = False
    headless: bool = False
    ready_file: Path | None = None


class Application(Pipeline):
    """The pipeline with real connectors, a latch that other processes can press, and a door."""

    def __init__(self, options: Options, journal: SqliteJournal, work: Work) -> None:
        directory, keychain = options.directory, Keychain()
        super().__init__(
            journal,
            work,
            options.settings,
            directory,
            responders=_responders(options, keychain),
            latch=FileLatch(directory.latch),
            demo=options.demo,
        )
        self.options = options
        self.keychain = keychain
        self.raise_window: Callable[[], None] | None = None
        self.stalls = StallLog()
        self.vitals = self._vital_signs(asyncio.get_running_loop())
        self.dumps = CrashDumps(directory.crash, self._tell_of)
        self.sources = load_sources(resource("sources"), directory.packs / "sources")
        self.door = self._door(directory)

    def _vital_signs(self, loop: asyncio.AbstractEventLoop) -> VitalSigns:
        assert isinstance(loop, WardenLoop)
        loop.on_slow_callback = self.stalls
        return VitalSigns(self.bus.pulse, lambda: self.journal.stats, loop.take_longest, slow=lambda: self.stalls.count)

    def _door(self, directory: DataDirectory) -> Door:
        webhook = self.options.settings.webhook
        limits = Limits(
            body=webhook.max_body,
            header_timeout=webhook.header_timeout,
            body_timeout=webhook.body_timeout,
            connections=webhook.connections,
        )
        control = Control(self.desk, directory.token(), f"cli:{getpass.getuser()}", limits, self._raise)
        return Door(
            host=webhook.host,
            port=webhook.port,
            sources=self.sources,
            intake=self.intake,
            secrets=self.keychain.get,
            health=lambda: self.health.causes,
            quarantine=Quarantine(directory.root / "quarantine", limits.quarantine_entries, limits.quarantine_bytes),
            limits=limits,
            metrics=self._metrics,
            control=control,
            allowed_hosts=webhook.allowed_hosts,
        )

    def _raise(self) -> None:
        if self.raise_window is not None:
            self.raise_window()

    def _metrics(self) -> list[Family]:
        incidents = single("incidents", "Incidents in the table.", len(self.incidents.rows()))
        return [*families(self.vitals.read()), incidents]

    def _tell_of(self, dump: Dump) -> None:
        """The analyst learns of a freeze or a crash of ours from the log, like of anything else."""
        self.bus.publish_with_fallback(
            FaultRaised(actor="application", component="application", severity=Severity.HIGH, detail=dump.told)
        )

    # --- running ------------------------------------------------------------------------------------------------

    async def start(self) -> tuple[str, int]:
        """Restore the state from the log, start the workers and the door; returns where it listens."""
        await self.run()
        await asyncio.to_thread(self.keychain.load, self.sources)
        for dump in self.dumps.open():
            self._tell_of(dump)
        for watch in (self._look_now_and_then(), self.dumps.watch()):
            self.work.spawn(watch)
        await self.bus.publish(ApplicationStarted(actor="application", version=__version__, mode=self.mode.current))
        host, port = await self.door.start()
        self.options.directory.announce(host, port)
        self._keep_the_log_in_bounds()
        return host, port

    async def _look_now_and_then(self) -> None:
        """Secrets that another process set or rotated; slow callbacks that were not written down yet."""
        while True:
            await asyncio.sleep(NOW_AND_THEN)
            await asyncio.to_thread(self.keychain.load, self.sources)
            self.stalls.flush()

    def watch_vitals(self) -> None:
        """From now on, when all is built and shown: how long that took says nothing about how it runs."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WardenLoop)
        loop.take_longest()
        self.work.spawn(self.vitals.watch())

    def _keep_the_log_in_bounds(self) -> None:
        limits = self.options.settings.journal
        if limits.keep_days or limits.keep_bytes:
            age = timedelta(days=limits.keep_days) if limits.keep_days else None
            self.work.spawn(archive_regularly(self.journal, Keep(age, limits.keep_bytes or None)))

    async def stop(self) -> None:
        """Stop in stages, each with its deadline; afterwards everything is on the disk."""
        await stop_in_stages(
            (
                Stage("the door", self.door.stop, DOOR_DEADLINE),
                Stage("the workers", self.stop_workers, WORKERS_DEADLINE, still=lambda: self.work.running),
                Stage("the incident table", self.save, TABLE_DEADLINE),
            )
        )
        self.stalls.flush(everything=True)
        self.dumps.close()


def _responders(options: Options, keychain: Keychain) -> dict[str, Responder]:
    """Connectors that are configured, else the simulated one: in a demo nothing real is ever reached."""
    found: dict[str, Responder] = {}
    if not options.demo:
        packs = load_packs(resource("connectors"), options.directory.packs / "connectors", ConnectorPack)
        for name, pack in packs.items():
            connector = HttpResponder(_addressed(pack, options.settings), _first_secret(keychain))
            if connector.configured:
                found[name] = connector
    return found or {SimulatedResponder.name: SimulatedResponder()}


def _addressed(pack: ConnectorPack, settings: Settings) -> ConnectorPack:
    actions = settings.actions
    pack = pack.model_copy(update={"timeout": actions.connector_timeout})
    return pack.with_base_url(actions.connector_url) if pack.name == "generic_http" and actions.connector_url else pack


def _first_secret(keychain: Keychain) -> Callable[[str], str | None]:
    def secret(name: str) -> str | None:
        try:
            kept = keychain.get(name)
        except KeychainError as error:
            log.warning("the secret %s cannot be read: %s", name, error)
            return None
        return kept[0].decode("utf-8") if kept else None

    return secret


# --- the process ------------------------------------------------------------------------------------------------------


def run_application(options: Options) -> int:
    """Run until told to stop; returns the exit code. Raises what a person should read: DoorError, PackError, ..."""
    toolkit = _toolkit(options.headless)
    with asyncio.Runner(loop_factory=lambda: make_loop(toolkit)) as runner:
        runner.run(_run(options))
    return 0


def _toolkit(headless: bool) -> QCoreApplication:
    if headless:
        from PySide6.QtCore import QCoreApplication

        return QCoreApplication(["warden-desktop"])
    from PySide6.QtWidgets import QApplication

    application = QApplication(["warden-desktop"])
    application.setApplicationName("Warden Desktop")
    application.setQuitOnLastWindowClosed(False)
    return application


async def _run(options: Options) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    sys.setswitchinterval(SWITCH_INTERVAL)

    def stop() -> None:
        stopping.set()
        loop.remove_signal_handler(signal.SIGINT)  # a second Ctrl-C does not wait for anything

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop)
    journal = SqliteJournal.open(options.directory.database, loop)
    try:
        async with asyncio.TaskGroup() as group:
            application = Application(options, journal, Work(group))
            try:
                await _serve(application, stopping)
            finally:
                await application.stop()
    finally:
        await stop_in_stages((Stage("the journal", journal.close, JOURNAL_DEADLINE),))


async def _serve(application: Application, stopping: asyncio.Event) -> None:
    host, port = await application.start()
    window = None if application.options.headless else open_window(application, f"{host}:{port}", stopping.set)
    try:
        if application.options.demo:
            application.work.spawn(_play_demo(application, host, port))
        if window is not None:
            shown = asyncio.Event()
            window.show(shown.set)
            await shown.wait()
        _say_ready(application.options, host, port)
        application.watch_vitals()
        application.work.spawn(_collected(application))
        log.info("listening on %s:%d, data in %s", host, port, application.options.directory.root)
        await stopping.wait()
    finally:
        if window is not None:
            window.close()


async def _collected(application: Application) -> None:
    """Keep the garbage collector out of frames from now on, when all is built and shown."""
    collector = Collector()
    collector.start()
    await collector.watch(lambda: application.bus.last_seq)


def open_window(application: Application, endpoint: str, leave: Callable[[], None]) -> Shell:
    from warden_desktop.ui.shell import Shell

    options = application.options

    def save(settings: Settings) -> None:
        _replace(options.settings_file, settings_toml(settings))

    shell = Shell(
        application.desk,
        application.bus.listen(),
        application.work.start,
        f"analyst:{getpass.getuser()}",
        options.settings,
        save=save,
        remembered=options.directory.window_state,
        endpoint=endpoint,
        demo=options.demo,
        leave=leave,
    )
    shell.window.main.show_vitals(application.vitals.read)
    shell.show_health(application.health.causes)
    application.health.on_change.append(shell.show_health)
    application.work.on_failure = shell.show_failure
    application.raise_window = shell.show
    return shell


def _say_ready(options: Options, host: str, port: int) -> None:
    if options.ready_file is None:
        return
    said = {"pid": os.getpid(), "host": host, "port": port, "data_dir": str(options.directory.root)}
    _replace(options.ready_file, json.dumps({**said, "version": __version__}))


def _replace(file: Path, text: str) -> None:
    """All of it or nothing: a reader never sees half a file."""
    draft = file.with_name(file.name + ".new")
    draft.write_text(text, "utf-8")
    draft.replace(file)


async def _play_demo(application: Application, host: str, port: int) -> None:
    # Alerts come seconds apart, and the door closes a quiet connection just when the next one would use it.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:

        async def post(source: str, body: bytes) -> None:
            async with session.post(f"http://{host}:{port}/webhooks/{source}", data=body, headers=JSON) as answer:
                await answer.read()

        await play(load(resource("demo", "morning.yaml")), post)
