"""Starts the application: finds its directory and settings, holds them, and runs it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from warden_desktop.adapters.data_directory import AlreadyRunning, DataDirectory, default_data_directory
from warden_desktop.adapters.log_file import log_to
from warden_desktop.commands.client import Client, NotRunning, Refused
from warden_desktop.commands.codes import ALREADY_RUNNING, USAGE
from warden_desktop.commands.output import complain
from warden_desktop.settings import Settings, load_settings

DEMO_DIRECTORY = "warden-desktop-demo"


def launch(arguments: argparse.Namespace) -> int:
    """Run until the analyst quits or the process is told to stop."""
    if not arguments.headless and not _has_display():
        complain("no display found: use --headless, or run it under xvfb-run to have a window without a screen")
        return USAGE
    directory = DataDirectory(_data_dir(arguments))
    settings = _settings(arguments, directory)
    directory.prepare()
    try:
        directory.hold()
    except AlreadyRunning:
        return _raise_the_other(directory)
    try:
        log_to(directory.logs, to_terminal=True)
        return _run(arguments, settings, directory)
    finally:
        directory.release()


def _run(arguments: argparse.Namespace, settings: Settings, directory: DataDirectory) -> int:
    # Imported late: what is refused above is refused at once.
    from warden_desktop.app import Options, run_application

    options = Options(
        settings=settings,
        settings_file=_settings_file(arguments, directory),
        directory=directory,
        demo=arguments.demo,
        headless=arguments.headless,
        ready_file=arguments.ready_file,
    )
    return run_application(options)


def _data_dir(arguments: argparse.Namespace) -> Path:
    chosen: Path = arguments.data_dir
    if arguments.demo and chosen == default_data_directory():
        return chosen.with_name(DEMO_DIRECTORY)
    return chosen


def _settings_file(arguments: argparse.Namespace, directory: DataDirectory) -> Path:
    return arguments.config or directory.settings


def _settings(arguments: argparse.Namespace, directory: DataDirectory) -> Settings:
    settings = load_settings(_settings_file(arguments, directory))
    given = {"host": arguments.host, "port": arguments.port}
    wanted = {name: value for name, value in given.items() if value is not None}
    webhook = type(settings.webhook).model_validate({**settings.webhook.model_dump(), **wanted})
    return settings.model_copy(update={"webhook": webhook})


def _has_display() -> bool:
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _raise_the_other(directory: DataDirectory) -> int:
    complain(f"already running for {directory.root}; its window is raised")
    try:
        Client(directory.root).post("/api/window/raise", {})
    except (NotRunning, Refused) as error:
        complain(f"it could not be asked to: {error}")
    return ALREADY_RUNNING
