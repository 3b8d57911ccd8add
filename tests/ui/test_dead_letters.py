"""What could not be handled is shown in the window, as text, and a person retries or discards it there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.gallery_b import HOSTILE
from tests.ui.press_b import click, key, until, write
from tests.ui.world_b import ACTOR, World, world
from warden_desktop.domain import events as ev
from warden_desktop.engine.ports import DeadLetter, Recorded
from warden_desktop.ui.dead_letter_model import DeadLetterModel
from warden_desktop.ui.dead_letters import DeadLettersView
from warden_desktop.ui.live_page import LivePage
from warden_desktop.ui.navigation import Navigation
from warden_desktop.ui.reason_sheet import ReasonSheet
from warden_desktop.ui.theme import Theme


class Worker:
    """Cannot handle anything until it is mended."""

    def __init__(self) -> None:
        self.broken = "the ticket system is away"
        self.handled: list[int] = []

    async def handle(self, recorded: Recorded) -> None:
        if self.broken:
            raise RuntimeError(self.broken)
        self.handled.append(recorded.seq)


@asynccontextmanager
async def given_up(tmp_path: Path, title: str = "Web shell", number: int = 1) -> AsyncIterator[tuple[World, Worker]]:
    """A world in which the worker "tickets" gave up on the first events of an incident."""
    async with world(tmp_path) as w:
        await w.incident(title, analysed=False)
        for _ in range(number - 1):
            await w.incident(f"{title} again", analysed=False)
        for recorded in await w.journal.read(0, number):
            await w.journal.bury(DeadLetter("tickets", recorded, f"RuntimeError: no answer {title}", 4))
        worker = Worker()
        w.bus.subscribe("tickets", worker.handle, kinds=(ev.IncidentCreated,))
        await until(lambda: w.bus.subscription("tickets").dead == number, "the letters are known")
        yield w, worker


async def opened(w: World, qtbot: QtBot) -> LivePage:
    page = LivePage(w.desk, w.start, Theme("dark"), ACTOR)
    qtbot.addWidget(page)
    page.show()
    page.tabs.setCurrentWidget(page.dead_letters)
    await until(lambda: page.dead_letters.model.rowCount(), "the letters are loaded")
    return page


def tab(page: LivePage) -> str:
    return page.tabs.tabText(page.tabs.indexOf(page.dead_letters))


async def test_a_letter_shows_what_it_was_and_why_it_failed(qtbot: QtBot, tmp_path: Path) -> None:
    async with given_up(tmp_path, number=2) as (w, _):
        badges: list[int] = []
        page = LivePage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(page)
        page.badge_changed.connect(badges.append)
        await until(lambda: badges and badges[-1] == 2, "the badge counts")
        view = page.dead_letters
        assert tab(page) == "Could not be handled (2)"
        assert "tickets" in view.error.text().casefold() and "4 attempts" in view.error.text()
        assert '"kind": "incident_created"' in view.detail.toPlainText()
        assert view.retry.isEnabled() and view.discard.isEnabled()
        row = [str(view.model.index(0, column).data()) for column in range(view.model.columnCount())]
        assert row[1] == "1" and row[3] == "Web shell" and row[5] == "4" and "no answer" in row[6]


async def test_retrying_tells_the_new_error_until_it_succeeds(qtbot: QtBot, tmp_path: Path) -> None:
    async with given_up(tmp_path) as (w, worker):
        page = await opened(w, qtbot)
        view = page.dead_letters
        worker.broken = "the ticket system says no"
        click(view.retry)
        await until(lambda: "5 attempts" in view.error.text(), "the new error is shown")
        assert "says no" in view.error.text() and "failed again" in view.said.text()
        assert view.retry.isEnabled()
        worker.broken = ""
        click(view.retry)
        await until(lambda: tab(page) == "Could not be handled (0)", "the letter is gone")
        assert worker.handled == [1]
        assert view.said.text() == "It was handled."
        assert not view.retry.isEnabled() and view.detail.toPlainText() == ""
        assert await w.desk.dead_letters.list() == []


async def test_discarding_wants_a_reason_that_is_recorded(qtbot: QtBot, tmp_path: Path) -> None:
    async with given_up(tmp_path, number=2) as (w, worker):
        page = await opened(w, qtbot)
        view = page.dead_letters
        click(view.discard)
        (sheet,) = view.findChildren(ReasonSheet)
        (why,) = sheet.findChildren(QLineEdit)
        yes = next(one for one in sheet.findChildren(QPushButton) if one.text() == "Discard")
        assert not yes.isEnabled()
        write(why, "a test alert")
        key(sheet, Qt.Key.Key_Return)
        await until(lambda: tab(page) == "Could not be handled (1)", "the letter is gone")
        told = [one.event for one in await w.journal.history(None, 5) if isinstance(one.event, ev.FaultRaised)]
        assert [(one.actor, "a test alert" in one.detail) for one in told] == [(ACTOR, True)]
        assert worker.handled == []
        assert [one.recorded.seq for one in await w.desk.dead_letters.list()] == [2]
        assert view.retry.isEnabled()


async def test_what_was_dealt_with_elsewhere_is_said_and_goes(qtbot: QtBot, tmp_path: Path) -> None:
    async with given_up(tmp_path) as (w, _):
        view = (await opened(w, qtbot)).dead_letters
        await w.desk.dead_letters.discard("tickets", 1, actor="cli:bob", reason="not needed")
        click(view.retry)
        await until(lambda: "no dead letter" in view.said.text(), "it is said")
        await until(lambda: not view.model.rowCount(), "it is gone by itself")


async def test_hostile_text_is_only_text(qtbot: QtBot, tmp_path: Path) -> None:
    async with given_up(tmp_path, HOSTILE) as (w, _):
        view = (await opened(w, qtbot)).dead_letters
        cells = [str(view.model.index(0, column).data()) for column in range(view.model.columnCount())]
        texts = [*cells, view.error.text(), view.detail.toPlainText()]
        assert any("<b>bold</b>" in text for text in texts)
        assert not any(bad in text for text in texts for bad in ("\u202e", "\u200b", "\x07"))
        assert view.error.textFormat() is Qt.TextFormat.PlainText


async def test_a_double_click_leads_to_the_incident(qtbot: QtBot, tmp_path: Path) -> None:
    async with given_up(tmp_path) as (w, _):
        page = await opened(w, qtbot)
        wanted: list[object] = []
        page.incident_wanted.connect(wanted.append)
        page.dead_letters.table.doubleClicked.emit(page.dead_letters.model.index(0, 0))
        assert wanted == [page.dead_letters.model.at(0).recorded.event.incident_id]


async def test_the_model_keeps_qts_promises(qtbot: QtBot, tmp_path: Path) -> None:
    async with given_up(tmp_path, number=3) as (w, _):
        theme = Theme("dark")
        model = DeadLetterModel(lambda _: "", theme)
        tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
        letters = await w.desk.dead_letters.list()
        for shown in (letters, letters[1:], [], letters):
            model.show_letters(shown)
            assert model.rowCount() == len(shown)
        assert model.row_of("tickets", 3) == 2 and model.row_of("nobody", 3) == -1
        assert tester.model() is model


def test_the_rail_says_what_its_number_means(qtbot: QtBot) -> None:
    rail = Navigation(Theme("dark"), ("live",))
    qtbot.addWidget(rail)
    rail.set_badge("live", 1)
    assert rail.said("live") == "Live, 1 event that could not be handled"
    rail.set_badge("live", 3)
    assert rail.said("live") == "Live, 3 events that could not be handled"


async def test_with_nothing_to_show_it_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        view = DeadLettersView(w.desk, w.start, Theme("dark"), ACTOR, lambda _: "")
        qtbot.addWidget(view)
        counted: list[int] = []
        view.count_changed.connect(counted.append)
        await until(lambda: counted, "the list is read")
        assert counted == [0]
        assert not view.retry.isEnabled() and not view.discard.isEnabled()
