"""The real application for journeys: a data directory, a door on loopback, a window, and ways to press and type."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import SqliteJournal
from warden_desktop.app import Application, Options
from warden_desktop.domain.incident import Incident
from warden_desktop.engine.tasks import Work
from warden_desktop.settings import ActionSettings, Settings, WebhookSettings, WindowSettings
from warden_desktop.ui.shell import Shell

PATIENCE = 20.0
"""Seconds after which a journey that does not get on has failed. Not a measurement."""


async def until(holds: Callable[[], object]) -> None:
    """Wait until `holds()` is true; fail when it does not become so."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


class Console:
    """One running application and what a person or a product does with it."""

    def __init__(self, application: Application, shell: Shell | None, url: str) -> None:
        self.application = application
        self.url = url
        self._shell = shell

    @property
    def shell(self) -> Shell:
        assert self._shell is not None
        return self._shell

    async def post(self, source: str, delivery: Mapping[str, Any]) -> int:
        """Deliver as the product would; returns the status."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/webhooks/{source}", json=delivery) as answer,
        ):
            await answer.read()
            return answer.status

    def incidents(self) -> list[Incident]:
        """All incidents in memory, oldest first."""
        store = self.application.incidents
        return [incident for incident_id in store.rows() if (incident := store.get(incident_id))]

    async def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Press the mouse on `widget` as a hand would: through the window system, where the widget is drawn."""
        await until(widget.isVisible)
        place = widget.mapToGlobal(at or widget.rect().center())
        await xdotool("mousemove", str(place.x()), str(place.y()))
        await xdotool("click", "1")

    async def key(self, *keys: str) -> None:
        """Type keys, by their X names, into the window that has the keyboard."""
        for key in keys:
            await xdotool("key", "--clearmodifiers", key)


async def xdotool(*arguments: str) -> None:
    """Run xdotool on the display of the tests."""
    process = await asyncio.create_subprocess_exec("xdotool", *arguments)
    assert await process.wait() == 0, f"xdotool {' '.join(arguments)} failed"


OpenConsole = Callable[..., Any]


@pytest.fixture
def open_console(tmp_path: Path) -> OpenConsole:
    """Opens a console on the test's data directory; opening it again is a restart."""

    @asynccontextmanager
    async def opened(
        *, vendor: str = "", window: bool = False, opens_itself: bool = False, at_once: int = 4
    ) -> AsyncIterator[Console]:
        settings = Settings(
            webhook=WebhookSettings(port=0),
            actions=ActionSettings(connector_url=vendor, at_once=at_once),
            window=WindowSettings(open_approvals=opens_itself, theme="dark"),
        )
        directory = DataDirectory(tmp_path / "data")
        directory.prepare()
        directory.hold()
        journal = SqliteJournal.open(directory.database, asyncio.get_running_loop())
        try:
            async with asyncio.TaskGroup() as group:
                options = Options(settings, directory.settings, directory)
                application = Application(options, journal, Work(group))
                async with _running(application, window) as console:
                    yield console
        finally:
            await journal.close()
            directory.release()

    return opened


@asynccontextmanager
async def _running(application: Application, window: bool) -> AsyncIterator[Console]:
    from warden_desktop.app import open_window

    host, port = await application.start()
    shell = open_window(application, f"{host}:{port}", lambda: None) if window else None
    try:
        if shell is not None:
            shown = asyncio.Event()
            shell.show(shown.set)
            await shown.wait()
        yield Console(application, shell, f"http://{host}:{port}")
    finally:
        if shell is not None:
            shell.close()
        await application.stop()


@pytest.fixture
def needs_display() -> None:
    """Clicks through the window system need one."""
    assert QGuiApplication.platformName() == "xcb", "run the tests through packaging/check, which opens a display"
