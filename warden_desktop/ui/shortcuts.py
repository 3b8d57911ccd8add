"""Every key, declared once: the window binds them from here and the "?" sheet lists them from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QGridLayout, QPushButton, QVBoxLayout, QWidget

from warden_desktop.ui.plain_text import label
from warden_desktop.ui.theme import Theme


class Key(NamedTuple):
    """One command's key. `name` is how code refers to it; `place` where it works: "table", "queue" or "window"."""

    name: str
    keys: str
    words: str
    place: str


KEYS: tuple[Key, ...] = (
    Key("next", "J", "Next incident", "queue"),
    Key("previous", "K", "Previous incident", "queue"),
    Key("open", "Return", "Read the incident; Escape goes back to the table", "table"),
    Key("peek", "Space", "Show or hide the incident beside the table", "table"),
    Key("approve", "A", "Look at the next action that waits, to approve it", "queue"),
    Key("deny", "D", "Deny the next action that waits", "queue"),
    Key("resolve", "R", "Resolve", "queue"),
    Key("false_positive", "F", "False positive", "queue"),
    Key("escalate", "E", "Escalate", "queue"),
    Key("comment", "C", "Write a comment", "queue"),
    Key("assign", "M", "Assign to me", "queue"),
    Key("fresh", "N", "Show the new incidents", "queue"),
    Key("search", "/", "Search and filter", "queue"),
    Key("page_1", "1", "Queue", "window"),
    Key("page_2", "2", "Approvals", "window"),
    Key("page_3", "3", "Actions", "window"),
    Key("page_4", "4", "Live", "window"),
    Key("page_5", "5", "Settings", "window"),
    Key("keys", "?", "This list", "window"),
    Key("stop", "Ctrl+Shift+K", "Kill switch: stop every action now", "window"),
)


def bind(parent: QWidget, place: str, commands: Mapping[str, Callable[[], None]]) -> None:
    """Bind the keys of a place to `commands`, by name, while `parent` is to be seen.

    The keys of "table" need its focus, since Space and Enter mean other things to buttons and fields. Raises KeyError
    when a declared key has no command.
    """
    context = Qt.ShortcutContext.WidgetShortcut if place == "table" else Qt.ShortcutContext.WindowShortcut
    for key in KEYS:
        if key.place == place:
            shortcut = QShortcut(QKeySequence(key.keys), parent)
            shortcut.setContext(context)
            shortcut.activated.connect(commands[key.name])


def key_of(name: str) -> str:
    """How the key of a command is written on the screen."""
    keys = next(key.keys for key in KEYS if key.name == name)
    return "Enter" if keys == "Return" else keys


class KeySheet(QDialog):
    """The list of keys."""

    def __init__(self, parent: QWidget | None, theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        page = QVBoxLayout(self)
        page.setContentsMargins(*[theme.space(6)] * 4)
        page.setSpacing(theme.space(3))
        page.addWidget(label("Keys", "title"))
        for places, heading in ((("queue", "table"), "In the queue"), (("window",), "Everywhere")):
            page.addSpacing(theme.space(1))
            page.addWidget(label(heading, "section"))
            page.addLayout(_listed(theme, places))
        page.addSpacing(theme.space(1))
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        page.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)


def _listed(theme: Theme, places: tuple[str, ...]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(theme.space(6))
    grid.setVerticalSpacing(theme.space(1))
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(0, theme.space(30))
    for row, key in enumerate(key for key in KEYS if key.place in places):
        grid.addWidget(label(key_of(key.name), "key"), row, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(label(key.words), row, 1)
    return grid
