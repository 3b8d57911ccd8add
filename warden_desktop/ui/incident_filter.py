"""The filter line above the incident table, and the saved views beside it.

What is typed applies at once. A wrong query says where it is wrong and leaves the table as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QLineEdit, QPushButton, QWidget

from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.query import QuerySyntaxError, parse, quoted
from warden_desktop.ui.arrange import beside, stacked
from warden_desktop.ui.icons import icon
from warden_desktop.ui.plain_text import label, menu_text, set_tooltip
from warden_desktop.ui.theme import Theme, set_role, set_tone

_ABOUT_STATUS = re.compile(r"\b(status|is):")
_PAUSE = 60  # ms after the last key before the table follows; a fast typist sees one change a word
_HINT = 'Search: web-01, severity:>=high, source:wazuh, age:<2h, "exact words", -tag:unsigned'


class SavedView(NamedTuple):
    """A named query. `closed` shows ended incidents as well."""

    name: str
    query: str
    closed: bool = False


def usual_views(analyst: str) -> tuple[SavedView, ...]:
    """The views everybody has."""
    return (
        SavedView("Open", ""),
        SavedView("My queue", f"assignee:{quoted(analyst)}"),
        SavedView("Critical", "severity:critical"),
        SavedView("Phishing", "category:phishing"),
        SavedView("All", "", closed=True),
    )


class IncidentFilter(QWidget):
    """Emits `chosen` with a function (row, now) -> bool whenever what is to be shown changes."""

    chosen = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, views: tuple[SavedView, ...]) -> None:
        super().__init__()
        self._theme, self._views = theme, views
        self._view = views[0]
        self.line = QLineEdit()
        self.line.setPlaceholderText(_HINT)
        self.line.setAccessibleName("Search and filter incidents")
        self.line.setClearButtonEnabled(True)
        self.line.setMaxLength(2_000)
        self._glass = self.line.addAction(icon(theme, "search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self._problem = label("", "caption", tone="danger")
        self._problem.hide()
        self._buttons = {view.name: self._button(view) for view in views}
        self._arrange()
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE)
        self._timer.timeout.connect(self.apply)
        self.line.textChanged.connect(self._typed)
        self.line.returnPressed.connect(self._finished)
        self.line.installEventFilter(self)
        theme.changed.connect(self._repaint)

    def _button(self, view: SavedView) -> QPushButton:
        button = QPushButton(menu_text(view.name))
        set_role(button, "view")
        button.setCheckable(True)
        button.setChecked(view is self._view)
        button.setProperty("view", view.name)
        set_tooltip(button, view.query or ("Ended incidents too" if view.closed else "Everything that is not ended"))
        button.clicked.connect(self._picked)
        return button

    def _arrange(self) -> None:
        group = QButtonGroup(self)
        for button in self._buttons.values():
            group.addButton(button)
        row = beside(self.line, *self._buttons.values(), gap=1.5)
        row.setStretch(0, 1)
        self.setLayout(stacked(row, self._problem, gap=1))

    # --- what others ask ----------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        return self.line.text()

    @property
    def problem(self) -> str:
        """What is wrong with what is typed; "" when nothing is."""
        return self._problem.text() if self._problem.isVisible() else ""

    @property
    def view(self) -> str:
        """The name of the view that is on."""
        return self._view.name

    def show_view(self, name: str) -> None:
        """Switch to a saved view; a name nobody knows is ignored."""
        view = next((view for view in self._views if view.name == name), None)
        if view is not None:
            self._buttons[name].setChecked(True)
            self._view = view
            self.line.setText(view.query)
            self.apply()

    def add_term(self, term: str, *, only: bool = False) -> None:
        """Narrow what is shown by one more term, or show only what it finds."""
        self.line.setText(term if only else f"{self.line.text()} {term}".strip())
        self.apply()

    def focus(self) -> None:
        """Put the cursor into the line, all of it selected."""
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()

    def apply(self) -> None:
        """Take what is typed. What cannot be understood changes nothing but the message below the line."""
        self._timer.stop()
        text = self.line.text()
        try:
            query = parse(text)
        except QuerySyntaxError as error:
            self._complain(text, error)
            return
        self._problem.hide()
        set_tone(self.line, "")
        self.chosen.emit(_predicate(query.matches, hide_ended=not self._view.closed and not _ABOUT_STATUS.search(text)))

    # --- what the analyst does ----------------------------------------------------------------------------------

    def _typed(self) -> None:
        self._timer.start()

    def _picked(self) -> None:
        self.show_view(next(name for name, button in self._buttons.items() if button.isChecked()))

    def _finished(self) -> None:
        self.apply()
        self.left.emit()

    def _complain(self, text: str, error: QuerySyntaxError) -> None:
        place = f"{text[: error.position]}▸{text[error.position :]}"
        start = max(0, error.position - 30)
        cut = ("…" if start else "") + place[start : start + 70]
        detail = error.detail[:1].upper() + error.detail[1:]
        self._problem.setText(f"{detail}  At character {error.position + 1}:  {cut}")
        self._problem.show()
        set_tone(self.line, "danger")

    def _repaint(self) -> None:
        self._glass.setIcon(icon(self._theme, "search", "muted"))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if pressed and isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Down):
            self.left.emit()
            return True
        return super().eventFilter(watched, event)


def _predicate(
    matches: Callable[[IncidentRow, datetime], bool], *, hide_ended: bool
) -> Callable[[IncidentRow, datetime], bool]:
    if not hide_ended:
        return matches
    return lambda row, now: row.status.open and matches(row, now)
