"""The kill switch in the window: one press stops, two seconds and a reason release, the receipt tells what it did."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.press_b import click, key, until, write
from tests.ui.world_b import ACTOR, World, world
from warden_desktop.domain import events as ev
from warden_desktop.domain.action import ActionState
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.arrange import stacked
from warden_desktop.ui.kill_switch_button import HOLD_MS, KillSwitchButton
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.tray import Tray


class Switch:
    """A window with the button in it, fed with what happens."""

    def __init__(self, qtbot: QtBot, w: World) -> None:
        self.world = w
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.button = KillSwitchButton(w.desk, w.start, Theme("dark"), ACTOR)
        self.sheet = self.button.sheet
        self.window.setLayout(stacked(self.button, None))
        self.window.show()

    def frame(self) -> list[Recorded]:
        batch = list(self.world.events.drain().events)
        self.button.on_events(batch)
        return batch

    def words(self) -> str:
        labels = [one.text() for one in self.sheet.findChildren(QLabel) if not one.isHidden()]
        return "\n".join(labels + [one.toPlainText() for one in self.sheet.findChildren(QPlainTextEdit)])

    async def receipt(self) -> ev.KillSwitchReceipt:
        await until(lambda: self.frame() and self.world.desk.receipt, "the receipt is there")
        receipt = self.world.desk.receipt
        assert receipt is not None
        return receipt

    def hold(self) -> None:
        QTest.mousePress(self.button, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))

    def let_go(self) -> None:
        QTest.mouseRelease(self.button, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))


async def approve(w: World, action_id: UUID) -> None:
    found = w.incidents.action(action_id)
    assert found is not None
    await w.desk.approve(action_id, digest=found[1].digest, actor=ACTOR)
    await w.settle()


async def test_one_press_stops_at_once_and_asks_afterwards(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        switch.hold()  # the button is down, not even released
        assert "everything" in w.desk.engaged
        assert w.desk.engaged["everything"].by == ACTOR
        assert switch.sheet.isVisible()
        assert not switch.sheet.isModal()
        assert "Everything stands still" in switch.words()
        switch.let_go()
        assert "everything" in w.desk.engaged
        assert switch.button.text().startswith("RELEASE")
        await w.settle()


async def test_the_sheet_shows_what_the_stop_did(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        w.vendor.hold = asyncio.Event()
        incident = await w.incident()
        flying = await w.propose(incident, value="192.0.2.66")
        queued = await w.propose(incident, value="192.0.2.67")
        await approve(w, flying)
        await approve(w, queued)
        switch.button.engage()
        receipt = await switch.receipt()
        assert receipt.unknown == (flying,)
        assert receipt.held == (queued,)
        assert [one.id for one in w.vendor.asked] == [flying]
        number = {one.accessibleName(): one.text() for one in switch.sheet.findChildren(QLabel)}
        assert (number["Held"], number["Unknown"], number["Already sent"]) == ("1", "1", "0")
        assert number["Milliseconds"] == f"{receipt.milliseconds:.1f}"
        assert "Block address 192.0.2.66" in switch.words()
        assert "1 action held" in switch.words()
        with qtbot.waitSignal(switch.button.approvals_wanted, timeout=0):
            click(switch.sheet.approvals)


async def test_releasing_takes_two_seconds_and_a_reason(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        switch.button.engage()
        await w.settle()
        switch.hold()
        await asyncio.sleep(HOLD_MS / 4000)
        switch.let_go()
        await w.settle()
        assert not switch.sheet.release.isVisible()
        switch.hold()
        await until(switch.sheet.release.isVisible, "the sheet asks why to release")
        switch.let_go()
        assert "everything" in w.desk.engaged
        assert not switch.sheet.release.isEnabled()
        write(switch.sheet.why_release, "the alarm was false")
        click(switch.sheet.release)
        await until(lambda: not w.desk.engaged, "it is released")
        await w.settle()
        switch.frame()
        released = [one.event for one in w.journal.log if isinstance(one.event, ev.KillSwitchReleased)]
        assert [(one.actor, one.reason) for one in released] == [(ACTOR, "the alarm was false")]
        assert switch.button.text() == "STOP ALL"
        assert "Nothing was resumed" in switch.words()


async def test_enter_in_the_reason_releases_and_without_one_it_does_not(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        switch.button.engage()
        await w.settle()
        switch.sheet.ask_release()
        key(switch.sheet.why_release, Qt.Key.Key_Return)
        await w.settle()
        assert "everything" in w.desk.engaged
        write(switch.sheet.why_release, "the alarm was false")
        key(switch.sheet.why_release, Qt.Key.Key_Return)
        await until(lambda: not w.desk.engaged, "it is released")


async def test_the_reason_given_afterwards_is_recorded(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        switch.button.engage()
        await w.settle()
        assert not switch.sheet.explain.isEnabled()
        write(switch.sheet.reason, "somebody isolates the wrong hosts")
        click(switch.sheet.explain)
        await until(lambda: "Recorded." in switch.words(), "the reason is recorded")
        await w.settle()
        assert any("somebody isolates the wrong hosts" in one.event.model_dump_json() for one in w.journal.log)
        assert "everything" in w.desk.engaged


async def test_a_stop_from_elsewhere_shows_itself(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        w.desk.engage(reason="drill <b>now</b>", actor="analyst:bob")
        await w.settle()
        switch.frame()
        assert switch.sheet.isVisible()
        assert "stopped by bob" in switch.words()
        assert "<b>now</b>" in switch.words()
        assert switch.button.engaged


async def test_stopping_one_connector_still_leaves_the_big_stop(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        w.desk.engage("connector:acme_edr", reason="misbehaves", actor="analyst:bob")
        await w.settle()
        switch.frame()
        assert switch.button.text() == "STOP ALL"
        assert "connector:acme_edr" in switch.words()
        switch.hold()
        switch.let_go()
        assert set(w.desk.engaged) == {"connector:acme_edr", "everything"}
        await w.settle()


async def test_held_actions_are_not_resumed_by_a_release(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        w.vendor.hold = asyncio.Event()
        incident = await w.incident()
        flying, queued = await w.propose(incident), await w.propose(incident, value="192.0.2.67")
        await approve(w, flying)
        await approve(w, queued)
        switch.button.engage()
        await switch.receipt()
        switch.sheet.ask_release()
        write(switch.sheet.why_release, "looked at it")
        click(switch.sheet.release)
        await until(lambda: not w.desk.engaged, "it is released")
        await w.settle()
        found = w.incidents.action(queued)
        assert found is not None
        assert found[1].state is ActionState.HELD
        assert [one.id for one in w.vendor.asked] == [flying]


async def test_the_tray_menu_stops_everything_too(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        window = QWidget()
        qtbot.addWidget(window)
        tray = Tray(window, w.desk, w.start, ACTOR)
        tray.show_waiting(2)
        assert tray.approvals.text() == "Approvals (2 waiting)"
        with qtbot.waitSignal(tray.stop_sheet_wanted, timeout=0):
            tray.stop.trigger()
        assert "everything" in w.desk.engaged
        assert tray.icon.toolTip() == "Warden: STOPPED"
        with qtbot.waitSignal(tray.quit_wanted, timeout=0):
            tray.quit.trigger()
        await w.settle()


async def test_the_keyboard_can_stop_and_hold_to_release(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        switch = Switch(qtbot, w)
        QTest.keyClick(switch.button, Qt.Key.Key_Space)
        assert switch.button.engaged
        await until(switch.sheet.isActiveWindow, "the sheet has come up: a window that comes up ends a hold")
        QTest.keyPress(switch.button, Qt.Key.Key_Space)
        await until(switch.sheet.release.isVisible, "the sheet asks why to release")
        QTest.keyRelease(switch.button, Qt.Key.Key_Space)
        assert switch.button.engaged
