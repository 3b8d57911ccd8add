"""Text widgets never interpret what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from warden_desktop.ui.plain_text import PlainLabel, chip, label, menu_text, mono, set_tooltip, text_view, tooltip

HTML = "<img src='file:///dev/zero'><b>bold</b>&amp;"


@pytest.mark.parametrize("make", [label, mono, chip])
def test_markup_stays_text(qtbot: QtBot, make: object) -> None:
    made = make(HTML[:40])  # type: ignore[operator]
    qtbot.addWidget(made)
    assert made.textFormat() is Qt.TextFormat.PlainText
    assert made.text() == HTML[:40]


def test_a_label_that_is_set_later_is_as_careful(qtbot: QtBot) -> None:
    made = label()
    qtbot.addWidget(made)
    made.setText("a\u202eb" + "x" * 1_000_000)
    assert made.text().startswith("a\\u202eb")
    assert len(made.text()) < 5_000


def test_a_tooltip_loads_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    set_tooltip(button, f"<img src='file://{tmp_path}/canary'>")
    assert "<img" not in button.toolTip()
    assert "&lt;img" in button.toolTip()
    assert tooltip("") == ""


def test_an_elided_label_gives_way_and_hovering_shows_all(qtbot: QtBot) -> None:
    made = label("a rather long title of an incident", elide=True)
    qtbot.addWidget(made)
    assert made.minimumSizeHint().width() < made.sizeHint().width()
    assert "long title" in made.toolTip()


def test_the_text_view_shows_a_long_delivery_cut_and_plain(qtbot: QtBot) -> None:
    view = text_view("<b>x</b>\n" + "y" * 1_000_000)
    qtbot.addWidget(view)
    assert view.toPlainText().startswith("<b>x</b>\n")
    assert len(view.toPlainText()) < 70_000
    assert view.isReadOnly()


def test_an_ampersand_in_a_menu_is_an_ampersand() -> None:
    assert menu_text("R&D <b>") == "R&&D <b>"


def test_a_word_wider_than_the_room_breaks_and_nothing_is_out_of_sight(qtbot: QtBot) -> None:
    made = label("C:\\Windows\\" + "x" * 2_000, wrap=True)
    qtbot.addWidget(made)
    assert made.minimumSizeHint().width() < 100
    assert made.heightForWidth(300) > 20 * made.fontMetrics().height()
    assert made.heightForWidth(600) < made.heightForWidth(300)


def test_line_breaks_are_kept_where_lines_wrap(qtbot: QtBot) -> None:
    one, three = label("a", wrap=True), label("a\nb\nc", wrap=True)
    for made in (one, three):
        qtbot.addWidget(made)
    assert three.heightForWidth(300) >= 3 * one.heightForWidth(300) - 2
    assert three.text() == "a\nb\nc"


def test_wrapped_text_is_copied_defanged_or_as_it_is(qtbot: QtBot) -> None:
    made = label("http://evil.example/x", wrap=True)
    qtbot.addWidget(made)
    made.show()
    entries = {action.text(): action for action in _menu_of(made).actions()}
    entries["Copy (defanged)"].trigger()
    assert QGuiApplication.clipboard().text() == "hxxp://evil[.]example/x"
    entries["Copy as it is"].trigger()
    assert QGuiApplication.clipboard().text() == "http://evil.example/x"


def _menu_of(made: PlainLabel) -> QMenu:
    at = QPoint(1, 1)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, made.mapToGlobal(at))
    QApplication.sendEvent(made, event)
    menu = made.findChildren(QMenu)[0]
    menu.hide()
    return menu
