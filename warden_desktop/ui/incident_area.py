"""The place of the incident table: the table itself, what is said while it is empty, and the pill for new rows."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from warden_desktop.ui.arrange import stacked
from warden_desktop.ui.empty_state import EmptyState
from warden_desktop.ui.incident_table import IncidentTable
from warden_desktop.ui.incident_view import IncidentView
from warden_desktop.ui.plain_text import set_tooltip
from warden_desktop.ui.shortcuts import key_of
from warden_desktop.ui.theme import Theme, set_role


class IncidentArea(QWidget):
    """`refresh_wanted`: the analyst wants to see the new rows."""

    refresh_wanted = Signal()

    def __init__(self, theme: Theme, model: IncidentTable, view: IncidentView, endpoint: str) -> None:
        super().__init__()
        self._theme, self._model, self._view = theme, model, view
        self._waiting = EmptyState(theme, "inbox", *_first_words(endpoint))
        hint = "No incident matches the filter. Press / to change it, or choose another view."
        self._nothing = EmptyState(theme, "search", "Nothing matches", hint)
        self._stack = QStackedWidget()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for page in (view, self._waiting, self._nothing):
            self._stack.addWidget(page)
        self.setLayout(stacked(self._stack))
        self.pill = QPushButton(self)
        set_role(self.pill, "pill")
        set_tooltip(self.pill, f"Show them  ({key_of('fresh')})")
        self.pill.setCursor(Qt.CursorShape.PointingHandCursor)
        self.pill.hide()
        self.pill.clicked.connect(self.refresh_wanted)
        model.pending_changed.connect(self._show_pending)

    @property
    def command(self) -> str:
        """The example that an empty queue shows."""
        return self._waiting.command

    def show_endpoint(self, endpoint: str) -> None:
        """Tell where alerts come in."""
        self._waiting.say(*_first_words(endpoint))

    def show_found(self, total: int) -> None:
        """Choose between the table and what is said while it is empty; `total` counts all incidents."""
        empty = self._waiting if total == 0 else self._nothing
        fresh = self._view if self._model.rowCount() else empty
        if fresh is not self._stack.currentWidget():
            mine = self.hasFocus() or self._view.hasFocus()
            self._stack.setCurrentWidget(fresh)
            if mine:
                self.focus()

    def focus(self) -> None:
        """Put the keyboard on the table; while it is empty, on its place, so that the keys of the page work."""
        (self._view if self._stack.currentWidget() is self._view else self).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show_pending(self, pending: tuple[int, int]) -> None:
        fresh, gone = pending
        parts = [f"{number:,} {word}" for number, word in ((fresh, "new"), (gone, "ended")) if number]
        self.pill.setText(", ".join(parts))
        self.pill.setVisible(bool(parts))
        self._place_pill()

    def _place_pill(self) -> None:
        size: QSize = self.pill.sizeHint()
        bar = self._view.horizontalScrollBar()
        below = self._theme.space(3) + (bar.height() if bar.isVisible() else 0)
        top = self.height() - size.height() - below  # the top row is the one that is read
        self.pill.setGeometry((self.width() - size.width()) // 2, top, size.width(), size.height())
        self.pill.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_pill()


def _first_words(endpoint: str) -> tuple[str, str, str]:
    if not endpoint:
        return (
            "No alerts can come in",
            "The webhook server does not listen. Its settings are on the Settings page; the log says what went wrong.",
            "",
        )
    example = (
        f"curl http://{endpoint}/webhooks/generic \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        """  -d '{"title": "Test alert", "severity": "high", "host": "web-01"}'"""
    )
    return "Waiting for the first alert", "Point a source at the webhook, or send one yourself:", example
