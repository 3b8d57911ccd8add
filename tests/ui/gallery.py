"""Pictures of every page and state of the queue, in both themes and two sizes: `python -m tests.ui.gallery DIRECTORY`.

Needs a display; under Xvfb the pictures are what an analyst would see.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import UUID

os.environ["QT_API"] = "pyside6"

from PySide6.QtWidgets import QApplication, QWidget

from tests.ui.morning import HOSTILE, STORIES, Story, proposals, story
from tests.ui.world_b import ACTOR, World, world
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.record import now
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict
from warden_desktop.loop import make_loop
from warden_desktop.settings import Settings
from warden_desktop.ui.theme import Theme, apply
from warden_desktop.ui.window import Window, build_window

SIZES = {"small": (1280, 800), "large": (2560, 1440)}


async def fill(made: World) -> list[UUID]:
    """The morning: fourteen incidents, three with actions that wait, two ended."""
    ids = []
    for told in STORIES:
        incident_id, events = story(told, now() - timedelta(minutes=told.minutes))
        await made.bus.publish(*events)
        ids.append(incident_id)
    for place in (0, 1, 4):
        await made.bus.publish(proposals(ids[place], STORIES[place].target, now()))
    await made.settle()
    await made.desk.comment(ids[1], text="Asked the web team about deployments.", actor=ACTOR)
    await made.desk.assign(ids[2], assignee="alice", actor=ACTOR)
    await made.desk.assign(ids[3], assignee="bob", actor=ACTOR)
    for place in (11, 13):
        await made.desk.resolve(ids[place], resolution=Status.FALSE_POSITIVE, reason="Own scanner", actor=ACTOR)
    await made.settle()
    return ids


async def fill_hostile(made: World) -> None:
    """Incidents whose every text is an attack on the reader."""
    for title, target in HOSTILE:
        told = Story(title[:1024], Severity.HIGH, target, "gene\u202eric", "<b>x</b>", Verdict.SUSPICIOUS, 0.6, 2, 0)
        _, events = story(told, now())
        await made.bus.publish(*events)
    await made.settle()


def opened(made: World, theme: Theme, demo: bool = True, remembered: Path | None = None) -> Window:
    """The real window over a world."""
    window = build_window(
        made.desk, made.bus.listen(), made.start, theme, ACTOR, Settings(),
        save=lambda settings: None, endpoint="127.0.0.1:8787", demo=demo, remembered=remembered,
    )  # fmt: skip
    window.main.resize(*SIZES["small"])
    window.main.show()
    return window


async def pause(seconds: float = 0.15) -> None:
    """Let the window paint."""
    await asyncio.sleep(seconds)


class Camera:
    """Takes the same picture in each size and theme."""

    def __init__(self, directory: Path, theme: Theme) -> None:
        self._directory, self._theme = directory, theme

    async def take(self, name: str, widget: QWidget, *, sizes: bool = False) -> None:
        for look in ("dark", "light"):
            self._theme.use(look)
            for size in SIZES if sizes else ("small",):
                if sizes:
                    widget.resize(*SIZES[size])
                await pause()
                widget.grab().save(str(self._directory / f"{name}-{look}{'-' + size if sizes else ''}.png"))
        self._theme.use("dark")
        if sizes:
            widget.resize(*SIZES["small"])


async def shoot(directory: Path, theme: Theme) -> None:
    camera = Camera(directory, theme)
    await _empty(camera, theme)
    await _full(camera, theme)
    await _hostile(camera, theme)


async def _empty(camera: Camera, theme: Theme) -> None:
    with tempfile.TemporaryDirectory() as place:
        async with world(Path(place)) as made:
            window = opened(made, theme, demo=False)
            await camera.take("empty", window.main)
            _close(window)


async def _full(camera: Camera, theme: Theme) -> None:
    with tempfile.TemporaryDirectory() as place:
        async with world(Path(place)) as made:
            ids = await fill(made)
            window = opened(made, theme)
            await pause(1.2)
            await camera.take("full", window.main)
            window.main.show_incident(ids[1])
            await camera.take("summary", window.main, sizes=True)
            for name, page in (("timeline", 1), ("evidence", 2), ("actions", 3), ("raw", 4)):
                window.main.queue.detail.tabs.setCurrentIndex(page)
                await camera.take(name, window.main)
            window.main.queue.detail.summary.cited.emit("data.srcip")
            await camera.take("cited", window.main)
            await _states(camera, made, window)
            for page_name in ("approvals", "actions", "live", "settings"):
                window.main.show_page(page_name)
                await camera.take(f"page-{page_name}", window.main)
            _close(window)


async def _states(camera: Camera, made: World, window: Window) -> None:
    queue = window.main.queue
    queue.detail.tabs.setCurrentIndex(0)
    queue.filter.line.setText("severity:>=hihg web*")
    await camera.take("wrong-query", window.main)
    queue.filter.line.setText("nothing-has-this-word")
    await camera.take("no-match", window.main)
    queue.filter.line.setText("")
    queue.filter.apply()
    await pause()
    await made.incident("Ransom note written to a share", severity=Severity.CRITICAL, host="fs-03")
    await camera.take("pill", window.main)
    window.main.show_keys()
    await _sheet(camera, "keys", window.main.keys)
    incident = queue.detail.incident
    assert incident is not None
    queue.decisions.false_positive(incident)
    await _sheet(camera, "reason", queue.decisions.sheet)
    made.desk.engage(reason="Wrong host isolated, checking", actor=ACTOR)
    await pause(0.3)
    await camera.take("stopped", window.main)
    window.main.kill_switch.sheet.close()  # type: ignore[attr-defined]
    await made.desk.release(reason="Checked", actor=ACTOR)
    await pause(0.3)


async def _sheet(camera: Camera, name: str, sheet: QWidget | None) -> None:
    assert sheet is not None
    await camera.take(name, sheet)
    sheet.close()


async def _hostile(camera: Camera, theme: Theme) -> None:
    with tempfile.TemporaryDirectory() as place:
        async with world(Path(place)) as made:
            await fill_hostile(made)
            window = opened(made, theme)
            window.main.queue.view.go(1)
            await pause(0.5)
            await camera.take("hostile", window.main)
            window.main.queue.view.go(3)
            await camera.take("hostile-long", window.main)
            _close(window)


def _close(window: Window) -> None:
    window.frames.stop()
    window.tray.icon.hide()
    for widget in QApplication.topLevelWidgets():
        widget.hide()
    window.main.deleteLater()


def main(arguments: list[str]) -> None:
    directory = Path(arguments[0] if arguments else "gallery")
    directory.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    theme = Theme("dark")
    apply(app, theme)
    loop = make_loop(app)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(shoot(directory, theme))


if __name__ == "__main__":
    main(sys.argv[1:])
