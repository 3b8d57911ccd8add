"""The analyst's main loop by keyboard, in the real window over the real engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton

from tests.ui.gallery import fill_hostile, opened
from tests.ui.morning import STORIES, story
from tests.ui.world_b import World, world
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.record import now
from warden_desktop.domain.status import Status
from warden_desktop.ui.incident_columns import NAMES
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.window import Window

Key = Qt.Key


class Scene:
    """The window, and what is behind it."""

    def __init__(self, made: World, window: Window) -> None:
        self.world, self.window, self.queue = made, window, window.main.queue
        self.queue.view.setFocus()

    def press(self, *keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        target = QApplication.focusWidget() or self.queue.view
        for key in keys:
            QTest.keyClick(target, key, modifier)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)

    async def confirm(self) -> None:
        """Press Enter in the sheet that asks for a reason."""
        sheet = self.queue.decisions.sheet
        assert sheet is not None
        await self.until(sheet.isActiveWindow)
        self.press(Key.Key_Return)

    def titles(self) -> list[str]:
        table = self.queue.table
        return [table.row(place).title for place in range(table.rowCount())]

    @property
    def shown(self) -> str:
        incident = self.queue.detail.incident
        return incident.title if incident else ""

    def status(self, incident_id: UUID) -> Status:
        return self.world.incidents.rows()[incident_id].status


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Three incidents: critical, high with a waiting action, medium."""
    async with world(tmp_path) as made:
        await made.incident("Ransom note", severity=Severity.CRITICAL, host="fs-03")
        shell = await made.incident("Web shell", severity=Severity.HIGH)
        await made.incident("Port scan", severity=Severity.MEDIUM, host="10.20.0.5", analysed=False)
        await made.propose(shell)
        window = opened(made, Theme("dark"), remembered=tmp_path / "window.json")
        window.main.activateWindow()
        made_scene = Scene(made, window)
        await made_scene.until(lambda: window.main.isActiveWindow())
        yield made_scene
        window.frames.stop()
        window.tray.icon.hide()
        window.main.hide()
        window.main.deleteLater()
        await asyncio.sleep(0)


async def test_j_and_k_walk_through_the_queue_and_the_detail_follows(scene: Scene) -> None:
    scene.press(Key.Key_J)
    assert scene.shown == "Ransom note"
    scene.press(Key.Key_J, Key.Key_J, Key.Key_J)
    assert scene.shown == "Port scan"
    scene.press(Key.Key_K)
    assert scene.shown == "Web shell"


async def test_a_benign_alert_takes_two_keys_and_the_cursor_goes_on(scene: Scene) -> None:
    scene.press(Key.Key_J)
    incident_id = scene.queue.view.current
    assert incident_id
    scene.press(Key.Key_F)
    await scene.confirm()
    await scene.until(lambda: scene.titles() == ["Web shell", "Port scan"])
    assert scene.status(incident_id) is Status.FALSE_POSITIVE
    assert scene.shown == "Web shell"


async def test_a_decision_needs_a_reason(scene: Scene) -> None:
    scene.press(Key.Key_J, Key.Key_R)
    sheet = scene.queue.decisions.sheet
    assert sheet is not None
    line = sheet.findChild(QLineEdit)
    assert line is not None
    line.setText("   ")
    await scene.confirm()
    assert sheet.isVisible()
    assert len(scene.titles()) == 3
    sheet.close()


async def test_escalate_and_take(scene: Scene) -> None:
    scene.press(Key.Key_J)
    incident_id = scene.queue.view.current
    assert incident_id
    scene.press(Key.Key_M)
    await scene.until(lambda: scene.world.incidents.rows()[incident_id].assignee == "alice")
    scene.press(Key.Key_E)
    await scene.confirm()
    await scene.until(lambda: scene.status(incident_id) is Status.ESCALATED)


async def test_a_opens_the_approval_of_the_waiting_action(scene: Scene) -> None:
    scene.press(Key.Key_J, Key.Key_J, Key.Key_A)
    await scene.until(lambda: scene.window.approver.dialog.isVisible())
    incident = scene.queue.detail.incident
    assert incident is not None
    assert scene.window.approver.dialog.action_id == incident.actions[0].id
    scene.window.approver.dialog.close()


async def test_a_comment_is_typed_and_kept_without_firing_keys(scene: Scene) -> None:
    scene.press(Key.Key_J, Key.Key_C)
    comment = scene.queue.detail.comment
    assert comment.hasFocus()
    QTest.keyClicks(comment, "jkra <b>?/1")
    assert scene.shown == "Ransom note"
    QTest.keyClick(comment, Key.Key_Return)
    await scene.until(lambda: scene.queue.detail.incident and scene.queue.detail.incident.comments)
    assert comment.text() == ""
    scene.press(Key.Key_Escape)
    assert scene.queue.view.hasFocus()


async def test_search_narrows_and_a_wrong_query_says_where_and_keeps_the_table(scene: Scene) -> None:
    scene.press(Key.Key_Slash)
    line = scene.queue.filter.line
    assert line.hasFocus()
    QTest.keyClicks(line, "severity:>=high")
    await scene.until(lambda: scene.titles() == ["Ransom note", "Web shell"])
    line.setText("severity:>=hihg")
    await scene.until(lambda: scene.queue.filter.problem)
    assert "At character 10" in scene.queue.filter.problem
    assert scene.titles() == ["Ransom note", "Web shell"]
    line.clear()
    await scene.until(lambda: len(scene.titles()) == 3)
    assert scene.queue.filter.problem == ""
    QTest.keyClick(line, Key.Key_Escape)
    assert scene.queue.view.hasFocus()


async def test_new_rows_wait_above_the_cursor_and_n_shows_them(scene: Scene) -> None:
    scene.press(Key.Key_J, Key.Key_J)
    place = scene.queue.view.currentIndex().row()
    await scene.world.incident("Beacon", severity=Severity.CRITICAL)
    await scene.until(lambda: scene.queue.area.pill.isVisible())
    assert scene.queue.area.pill.text() == "1 new"
    assert scene.queue.view.currentIndex().row() == place
    scene.press(Key.Key_N)
    assert scene.titles()[0] == "Beacon"
    assert scene.shown == "Web shell"
    assert not scene.queue.area.pill.isVisible()


async def test_ended_incidents_are_hidden_until_asked_for(scene: Scene) -> None:
    ended = scene.queue.table.row(2)
    await scene.world.desk.resolve(ended.id, resolution=Status.RESOLVED, reason="done", actor="policy")
    await scene.until(lambda: ended.title not in scene.titles())
    scene.queue.filter.show_view("All")
    assert ended.title in scene.titles()
    scene.queue.filter.show_view("My queue")
    assert scene.titles() == []


async def test_numbers_choose_pages_and_the_question_mark_lists_keys(scene: Scene) -> None:
    main = scene.window.main
    for key, name in ((Key.Key_2, "approvals"), (Key.Key_3, "actions"), (Key.Key_4, "live"), (Key.Key_5, "settings")):
        scene.press(key)
        assert main.stack.currentWidget() is main.pages[name]
        main.setFocus()
    scene.press(Key.Key_1)
    assert scene.queue.view.hasFocus()
    QTest.keyClicks(scene.queue.view, "?")
    await scene.until(lambda: main.keys is not None and main.keys.isVisible())
    assert main.keys is not None
    main.keys.close()


async def test_the_number_keys_lead_away_from_every_page(scene: Scene) -> None:
    for _ in range(2):
        for number, name in enumerate(scene.window.main.pages, start=1):
            scene.press(Qt.Key(Key.Key_0 + number))
            assert scene.window.main.stack.currentWidget() is scene.window.main.pages[name]
    scene.press(Key.Key_1)
    assert QApplication.focusWidget() is scene.queue.view


async def test_escape_leaves_a_line_that_is_typed_into(scene: Scene) -> None:
    scene.press(Key.Key_5)
    line = scene.window.main.pages["settings"].findChild(QLineEdit)
    assert line is not None
    line.setFocus()
    scene.press(Key.Key_Escape)
    scene.press(Key.Key_1)
    assert scene.window.main.stack.currentWidget() is scene.queue


async def test_the_analyst_reads_while_an_incident_is_open_and_not_before(scene: Scene) -> None:
    assert not scene.window.main.reading
    scene.press(Key.Key_J)
    assert scene.window.main.reading


async def test_more_freedom_is_asked_about_and_less_is_not(scene: Scene) -> None:
    mode, desk = scene.window.main.header.mode, scene.world.desk
    buttons = {one.text(): one for one in mode.findChildren(QPushButton)}
    QTest.mouseClick(buttons["Autonomous"], Qt.MouseButton.LeftButton)
    assert mode.sheet is not None
    assert mode.sheet.isVisible()
    assert buttons["Assisted"].isChecked()
    mode.sheet.reject()
    assert desk.mode is Mode.ASSISTED
    QTest.mouseClick(buttons["Autonomous"], Qt.MouseButton.LeftButton)
    QTest.mouseClick(mode.sheet.confirm, Qt.MouseButton.LeftButton)
    await scene.until(lambda: desk.mode is Mode.AUTONOMOUS)
    QTest.mouseClick(buttons["Assisted"], Qt.MouseButton.LeftButton)
    await scene.until(lambda: desk.mode is Mode.ASSISTED)


async def test_the_kill_switch_key_stops_everything_and_the_header_says_so(scene: Scene) -> None:
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    scene.press(Key.Key_K, modifier=both)
    assert "everything" in scene.world.desk.engaged
    await scene.until(lambda: scene.window.main.header.property("tone") == "danger")
    scene.window.main.kill_switch.sheet.close()  # type: ignore[attr-defined]


async def test_every_tab_shows_its_part(scene: Scene) -> None:
    incident_id, events = story(STORIES[1], now())
    await scene.world.bus.publish(*events)
    scene.window.main.show_incident(incident_id)
    detail = scene.queue.detail
    for page in (1, 2, 3, 4):
        detail.tabs.setCurrentIndex(page)
    await scene.until(lambda: "203.0.113.7" in detail.raw.text)
    assert '"description": "Web shell written to web root"' in detail.raw.text
    detail.summary.cited.emit("data.srcip")
    assert detail.raw.selected == '"srcip": "203.0.113.7",'
    assert detail.timeline.model.rowCount() > 5
    assert detail.evidence.model.rowCount() == 4


async def test_the_value_menu_narrows_and_copies_safely(scene: Scene) -> None:
    view = scene.queue.view
    area = view.visualRect(scene.queue.table.index(2, NAMES.index("target")))
    view.customContextMenuRequested.emit(area.center())
    menu = view.findChild(QMenu)
    assert menu is not None
    entries = {entry.text(): entry for entry in menu.actions()}
    entries["Copy, defanged"].trigger()
    assert QGuiApplication.clipboard().text() == "10[.]20[.]0[.]5"
    entries["Copy raw"].trigger()
    assert QGuiApplication.clipboard().text() == "10.20.0.5"
    entries["Exclude 10.20.0.5"].trigger()
    assert scene.titles() == ["Ransom note", "Web shell"]
    menu.close()


async def test_hostile_text_in_every_field_is_shown_plain(scene: Scene) -> None:
    await fill_hostile(scene.world)
    await scene.until(lambda: len(scene.titles()) == 8)
    for _ in range(8):
        scene.press(Key.Key_J)
        for page in range(5):
            scene.queue.detail.tabs.setCurrentIndex(page)
    await asyncio.sleep(0.1)
    scene.window.main.grab()
    assert "\u202e" not in scene.queue.detail.raw.text


async def test_an_empty_queue_says_how_to_fill_it(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        window = opened(made, Theme("light"), demo=False)
        assert "http://127.0.0.1:8787/webhooks/generic" in window.main.queue.area.command
        assert not window.main.queue.detail.isVisible()
        await made.incident()
        scene = Scene(made, window)
        await scene.until(lambda: window.main.queue.view.isVisible())
        assert window.main.queue.detail.isVisible()
        window.frames.stop()
        window.main.hide()
        window.main.deleteLater()


async def test_what_was_missed_is_shown_after_a_lag(scene: Scene) -> None:
    scene.window.frames.stop()
    created = [story(told, now())[1] for told in STORIES[:3]]
    for events in created:
        await scene.world.bus.publish(*events)
    scene.queue.on_resync()
    assert len(scene.titles()) == 6


async def test_columns_and_view_are_kept_between_runs(scene: Scene, tmp_path: Path) -> None:
    view = scene.queue.view
    view.horizontalHeader().moveSection(0, 3)
    view.show_column("tags", False)
    view.sortByColumn(NAMES.index("age"), Qt.SortOrder.AscendingOrder)
    scene.queue.filter.show_view("Critical")
    again = opened(scene.world, Theme("dark"), remembered=tmp_path / "window.json")
    assert again.main.queue.view.horizontalHeader().visualIndex(0) == 3
    assert again.main.queue.view.isColumnHidden(NAMES.index("tags"))
    assert again.main.queue.filter.view == "Critical"
    again.frames.stop()
    again.main.hide()
    again.main.deleteLater()
