"""Text widgets never interpret what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from warden_desktop.ui.plain_text import chip, label, menu_text, mono, set_tooltip, text_view, tooltip

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
