"""Pictures of every page, dialog and state of deciding and stopping, for a person to look at.

xvfb-run -s "-screen 0 2560x1440x24" python -m tests.ui.gallery_b DIRECTORY
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QWidget

from tests.ui.world_b import ACTOR, World, world
from warden_desktop.domain.action import Level, Outcome, Result, Verb
from warden_desktop.domain.alert import ObservableType, Severity
from warden_desktop.loop import make_loop
from warden_desktop.settings import Settings
from warden_desktop.ui.actions_page import ActionsPage
from warden_desktop.ui.approvals_page import ApprovalsPage
from warden_desktop.ui.approver import Approver
from warden_desktop.ui.arrange import beside, framed, stacked
from warden_desktop.ui.banner import Banner
from warden_desktop.ui.kill_switch_button import KillSwitchButton
from warden_desktop.ui.live_page import LivePage
from warden_desktop.ui.settings_page import SettingsPage
from warden_desktop.ui.theme import Theme, apply
from warden_desktop.ui.tray import Tray

USUAL, WIDE = QSize(1280, 800), QSize(1920, 1080)
HOSTILE = (
    "<img src='file:///dev/zero'><b>bold</b> \u202egnp.exe\u202c &amp; %s {0} \u200b\u200d"
    "p\u0430ypal.example \n\tline two \x07 " + "very long " * 60
)
HOSTILE_HOST = "web\u200b-01.\u0430cme.example\u202e"


class Gallery:
    """Takes pictures into a directory."""

    def __init__(self, directory: Path, w: World, theme: Theme) -> None:
        self._directory, self._world, self._theme = directory, w, theme

    async def take(self, widget: QWidget, name: str, size: QSize | None = None, *, show: bool = True) -> None:
        if size is not None:
            widget.resize(size)
        if show:
            widget.show()
        await self._world.settle()
        widget.grab().save(str(self._directory / f"{name}-{self._theme.name}.png"))


async def filled(w: World) -> dict[str, UUID]:
    """A morning's worth of actions in every state; the ids of the ones pictures are about."""
    ids: dict[str, UUID] = {}
    shell = await w.incident()
    ids["done"] = await approved(w, await w.propose(shell))
    w.vendor.answer = Outcome(result=Result.FAILED, detail="refused: 403, the API key may not isolate", status_code=403)
    ids["failed"] = await approved(w, await w.propose(shell, Verb.BLOCK_IP, "198.51.100.23"))
    w.vendor.answer = Outcome(result=Result.UNKNOWN, detail="no answer within 30 s after sending")
    doe = await w.propose(shell, Verb.DISABLE_USER, "j.doe", ObservableType.USER)
    ids["unknown"] = await approved(w, doe, Level.SENIOR)
    ids["simulated"] = await approved(
        w, await w.propose(shell, Verb.COLLECT_FORENSICS, "web-01", ObservableType.HOST, connector="simulated")
    )
    denied = await w.propose(shell, Verb.ISOLATE_HOST, "mail-02", ObservableType.HOST)
    await w.desk.deny(denied, reason="Too disruptive now: the mail server is needed until noon.", actor="analyst:bob")
    ids["waiting"] = await w.propose(
        shell, Verb.ISOLATE_HOST, "web-01", ObservableType.HOST, expires_in=timedelta(minutes=12, seconds=30)
    )
    phish = await w.incident("Credential phishing against finance", severity=Severity.CRITICAL, host="mail-02")
    ids["typed"] = await w.propose(phish, Verb.RESET_PASSWORD, "m.mustermann@acme.example", ObservableType.USER)
    ids["rehearsal"] = await w.propose(
        phish, Verb.BLOCK_DOMAIN, "login.acme-support.example", ObservableType.DOMAIN, connector="simulated"
    )
    evil = await w.incident(HOSTILE, host=HOSTILE_HOST, analysed=False)
    ids["hostile"] = await w.propose(
        evil, Verb.ISOLATE_HOST, HOSTILE_HOST, ObservableType.HOST, reason=HOSTILE, expires_in=timedelta(seconds=48)
    )
    await w.settle()
    return ids


async def approved(w: World, action_id: UUID, level: Level = Level.ANALYST) -> UUID:
    found = w.incidents.action(action_id)
    assert found is not None
    await w.desk.approve(action_id, digest=found[1].digest, actor=ACTOR, level=level)
    await w.settle()
    return action_id


async def empty_pages(g: Gallery, w: World, theme: Theme) -> None:
    await g.take(ApprovalsPage(w.desk, w.start, theme, ACTOR), "approvals-empty", USUAL)
    await g.take(ActionsPage(w.desk, w.start, theme, ACTOR), "actions-empty", USUAL)
    await g.take(LivePage(w.desk, w.start, theme, ACTOR), "live-empty", USUAL)


async def pages(g: Gallery, w: World, theme: Theme, ids: dict[str, UUID]) -> None:
    approvals = ApprovalsPage(w.desk, w.start, theme, ACTOR)
    await g.take(approvals, "approvals", USUAL)
    actions = ActionsPage(w.desk, w.start, theme, ACTOR)
    actions.show()
    actions.go_to(ids["done"])
    await g.take(actions, "actions", USUAL)
    actions.go_to(ids["unknown"])
    await g.take(actions, "actions-wide", WIDE)
    live = LivePage(w.desk, w.start, theme, ACTOR)
    live.show()
    await w.settle()
    live.table.selectRow(3)
    await g.take(live, "live", USUAL)
    settings = SettingsPage(w.desk, w.start, theme, ACTOR, Settings(), lambda _: None)
    await g.take(settings, "settings", USUAL)
    settings.fields["webhook", "port"].take("99999")
    settings.fields["window", "open_approvals"].take(False)
    await g.take(settings, "settings-wrong", USUAL)
    settings.search.setText("time")
    await g.take(settings, "settings-search", WIDE)
    banner = Banner(theme)
    banner.show_fault("journal", "The disk is full: nothing can be recorded, so deliveries get 503. Free some space.")
    banner.show_fault("enricher_dns", HOSTILE, Severity.MEDIUM)
    await g.take(banner, "banner", QSize(1280, 60))


async def dialogs(g: Gallery, w: World, theme: Theme, ids: dict[str, UUID]) -> None:
    parent = QWidget()
    approver = Approver(parent, w.desk, w.start, theme, ACTOR)
    for name in ("waiting", "typed", "rehearsal", "hostile"):
        approver.open_for(ids[name])
        await asyncio.sleep(1.0)
        await g.take(approver.dialog, f"approval-{name}")
    approver.dialog.resize(820, 1200)
    await g.take(approver.dialog, "approval-hostile-tall")
    approver.open_for(ids["waiting"])
    await asyncio.sleep(0.2)
    await g.take(approver.dialog, "approval-arming")
    approver.deny(ids["waiting"])
    await asyncio.sleep(0.9)
    await g.take(approver.dialog, "approval-deny")
    for name in ("done", "unknown", "simulated", "failed"):
        approver.open_for(ids[name])
        await g.take(approver.dialog, f"fate-{name}")
    approver.dialog.hide()


async def stopping(g: Gallery, w: World, theme: Theme, ids: dict[str, UUID]) -> None:
    parent = QWidget()
    button = KillSwitchButton(w.desk, w.start, theme, ACTOR)
    bar = framed(beside(None, button, margin=2), "strip")
    top = stacked(bar, None, gap=0)
    parent.setLayout(top)
    tray = Tray(parent, w.desk, w.start, ACTOR)
    await g.take(parent, "kill-switch", QSize(480, 72))
    w.vendor.hold = asyncio.Event()
    w.vendor.answer = Outcome(result=Result.SUCCEEDED, detail="late")
    note = await w.incident("Ransomware note", host="fs-01")
    for address in ("192.0.2.66", "192.0.2.67"):
        await approved(w, await w.propose(note, Verb.BLOCK_IP, address))
    w.news()
    button.engage()
    await w.settle()
    button.on_events(w.events.drain().events)
    await g.take(parent, "kill-switch-engaged", QSize(480, 72))
    await g.take(button.sheet, "stop-sheet")
    button.sheet.ask_release()
    button.sheet.why_release.setText("False alarm: it was the nightly scan.")
    await g.take(button.sheet, "stop-sheet-release")
    await g.take(ApprovalsPage(w.desk, w.start, theme, ACTOR), "approvals-held", USUAL)
    tray.show_waiting(4)
    tray.icon.icon().pixmap(64, 64).save(str(g._directory / f"tray-{theme.name}.png"))
    tray.menu.popup(parent.pos())
    await g.take(tray.menu, "tray-menu")
    tray.menu.close()
    approver = Approver(parent, w.desk, w.start, theme, ACTOR)
    approver.open_for(ids["waiting"])
    await asyncio.sleep(1.0)
    await g.take(approver.dialog, "approval-stopped")
    approver.dialog.hide()
    w.vendor.hold = None
    for scope in tuple(w.desk.engaged):
        await w.desk.release(scope, reason="done looking", actor=ACTOR)


async def main(directory: Path, application: QApplication) -> None:
    theme = Theme("dark")
    apply(application, theme)
    for name in ("dark", "light"):
        theme.use(name)
        with tempfile.TemporaryDirectory() as place:
            async with world(Path(place)) as w:
                g = Gallery(directory, w, theme)
                await empty_pages(g, w, theme)
                ids = await filled(w)
                await pages(g, w, theme, ids)
                await dialogs(g, w, theme, ids)
                await stopping(g, w, theme, ids)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    loop = make_loop(application)
    loop.run_until_complete(main(place, application))
    loop.close()
