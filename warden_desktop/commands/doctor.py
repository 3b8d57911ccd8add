"""`doctor`: a self-check with a line per finding. Looks, changes nothing, and works while the application runs."""

from __future__ import annotations

import argparse
import http.client
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from warden_desktop import __version__
from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import health, open_reader
from warden_desktop.adapters.keychain import Keychain
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.adapters.packs import PackError, load_packs
from warden_desktop.adapters.sources import load_sources
from warden_desktop.assets import resource
from warden_desktop.commands.client import Client, NotRunning
from warden_desktop.commands.codes import DONE, FAILED
from warden_desktop.commands.output import print_json, printable
from warden_desktop.commands.vital_findings import Finding, fetch, findings
from warden_desktop.domain.playbook import Playbook
from warden_desktop.engine.ports import JournalError
from warden_desktop.settings import SettingsError, load_settings

LOW_SPACE = 1 << 30


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; exit 1 when one is bad."""
    directory = DataDirectory(arguments.data_dir)
    found = [finding for check in CHECKS for finding in check(directory)]
    if arguments.json:
        print_json(finding._asdict() for finding in found)
    else:
        for finding in found:
            print(printable(f"{finding.level:<5} {finding.subject:<12} {finding.detail}"))
    return FAILED if any(finding.level == "bad" for finding in found) else DONE


def _versions(_: DataDirectory) -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    names = ("PySide6-Essentials", "qasync", "pydantic", "aiohttp", "apsw")
    parts = ", ".join(f"{name} {version(name)}" for name in names)
    yield Finding("ok", "versions", f"warden-desktop {__version__}, Python {python}, {parts}")


def _parser(_: DataDirectory) -> Iterator[Finding]:
    from aiohttp import http_parser

    fast = http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy
    yield Finding(
        "ok" if fast else "bad",
        "http",
        "aiohttp's C parser is loaded" if fast else "aiohttp's C parser is missing: install aiohttp from its wheel",
    )


def _running(directory: DataDirectory) -> Iterator[Finding]:
    try:
        status = Client(directory.root).get("/api/kill-switch")
        yield Finding("ok", "application", f"running, mode {status.get('mode', 'unknown')}")
    except NotRunning:
        yield Finding("note", "application", "not running")


def _vitals(directory: DataDirectory) -> Iterator[Finding]:
    endpoint = directory.endpoint()
    if endpoint is None:
        return
    try:
        yield from findings(fetch(endpoint.host, endpoint.port))
    except (OSError, http.client.HTTPException) as error:
        detail = f"does not answer on {endpoint.host}:{endpoint.port}: {error or type(error).__name__}"
        yield Finding("bad", "application", detail)


def _crashes(directory: DataDirectory) -> Iterator[Finding]:
    dumps = sorted(directory.crash.glob("*-[0-9]*T*.txt"), key=lambda path: path.stat().st_mtime)
    if dumps:
        newest = f"the newest is {dumps[-1]}: please report it"
        yield Finding("note", "crash", f"{len(dumps)} stack dumps of freezes and crashes; {newest}")


def _space(directory: DataDirectory) -> Iterator[Finding]:
    if not directory.root.exists():
        yield Finding("note", "data", f"{directory.root} does not exist yet; the first start makes it")
        return
    directory.prepare()
    free = shutil.disk_usage(directory.root).free
    yield Finding("ok" if free > LOW_SPACE else "bad", "data", f"{directory.root}, {free >> 20:,} MiB free")


def _journal(directory: DataDirectory) -> Iterator[Finding]:
    if not directory.database.exists():
        return
    try:
        found = open_reader(directory.database).verify()
    except JournalError as error:
        yield Finding("bad", "journal", str(error))
        return
    detail = (
        f"{found.entries:,} entries, the chain holds"
        if found.ok
        else f"BROKEN at entry {found.first_bad}: {found.problem}"
    )
    yield Finding("ok" if found.ok else "bad", "journal", detail)


def _sizes(directory: DataDirectory) -> Iterator[Finding]:
    if not directory.database.exists():
        return
    try:
        log = health(directory.database)
    except JournalError:
        return  # which the check of the journal has told
    wal = f"{log.wal_bytes >> 10:,} KiB in the write-ahead log"
    archived = f", {log.archives} archives of {log.archive_bytes >> 10:,} KiB" if log.archives else ""
    size = (
        f"entries {log.first:,} to {log.last:,} in {log.file_bytes >> 10:,} KiB, of which {log.used_bytes >> 10:,} used"
    )
    bounded = "" if log.wal_bounded else ", which does not shrink: a reader may hold it open"
    yield Finding("ok" if log.wal_bounded else "note", "size", f"{size}, and {wal}{bounded}{archived}")
    if log.missing:
        yield Finding("bad", "archive", f"files are missing: {', '.join(log.missing)}; put them back from a backup")
    if log.signed:
        yield Finding("ok", "checkpoint", f"the newest is about entry {log.signed:,}")


def _latch(directory: DataDirectory) -> Iterator[Finding]:
    engaged = FileLatch(directory.latch).read() if directory.root.exists() else {}
    for one in engaged.values():
        yield Finding("note", "kill switch", f"ENGAGED {one.scope} by {one.by} at {one.at}: {one.reason}")
    if not engaged:
        yield Finding("ok", "kill switch", "released")


def _settings(directory: DataDirectory) -> Iterator[Finding]:
    try:
        load_settings(directory.settings)
        yield Finding("ok", "settings", str(directory.settings) if directory.settings.exists() else "defaults")
    except SettingsError as error:
        yield Finding("bad", "settings", str(error))


def _packs(directory: DataDirectory) -> Iterator[Finding]:
    loaders: dict[str, Callable[[Path, Path], object]] = {
        "sources": load_sources,
        "playbooks": lambda bundled, own: load_packs(bundled, own, Playbook),
    }
    for kind, load in loaders.items():
        try:
            load(resource(kind), directory.packs / kind)
            yield Finding("ok", kind, "all packs are valid")
        except PackError as error:
            yield Finding("bad", kind, str(error))


def _secrets(directory: DataDirectory) -> Iterator[Finding]:
    keychain = Keychain()
    yield Finding("ok" if keychain.usable else "note", "keychain", keychain.description)


CHECKS = (
    _versions, _parser, _space, _settings, _packs, _secrets, _journal, _sizes, _latch, _crashes, _running, _vitals,
)  # fmt: skip


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("doctor", parents=[shared], help="check this installation and its data")
    parser.set_defaults(run=run)
