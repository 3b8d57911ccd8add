"""The rail at the left: one button a page, with an icon, a word and how many things wait there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QVBoxLayout

from warden_desktop.ui.icons import pixmap
from warden_desktop.ui.plain_text import set_tooltip
from warden_desktop.ui.theme import Theme, set_role
from warden_desktop.ui.words import count


class Place(NamedTuple):
    """A page as the rail names it."""

    name: str
    word: str
    icon: str
    noun: str
    nouns: str = ""


PLACES: tuple[Place, ...] = (
    Place("queue", "Queue", "queue", "open incident"),
    Place("approvals", "Approvals", "approvals", "action waiting for you", "actions waiting for you"),
    Place("actions", "Actions", "actions", "action that needs a look", "actions that need a look"),
    Place("live", "Live", "live", "event that could not be handled", "events that could not be handled"),
    Place("settings", "Settings", "settings", "change not saved", "changes not saved"),
)
"""The pages, in the order of their keys 1 to 5."""


class RailButton(QAbstractButton):
    """One page's button."""

    def __init__(self, theme: Theme, place: Place, key: str) -> None:
        super().__init__()
        self._theme, self._place, self._badge = theme, place, 0
        self.setText(place.word)
        self.setAccessibleName(place.word)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        set_tooltip(self, f"{place.word}  ({key})")

    def set_badge(self, number: int) -> None:
        """Show how many things wait; 0 shows nothing."""
        if number != self._badge:
            self._badge = number
            waiting = f", {count(number, self._place.noun, self._place.nouns)}" if number else ""
            self.setAccessibleName(self._place.word + waiting)
            self.update()

    def sizeHint(self) -> QSize:
        space = self._theme.space
        return QSize(max(space(21), self.fontMetrics().horizontalAdvance("Approvals") + space(5)), space(15))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        purpose = "accent" if self.isChecked() else "muted"
        icon = pixmap(self._place.icon, self._theme.colour(purpose), 22, self.devicePixelRatioF())
        painter.drawPixmap((self.width() - 22) // 2, self._theme.space(2.5), icon)
        painter.setPen(self._theme.colour("text" if self.isChecked() else "muted"))
        words = QRect(0, self._theme.space(8), self.width(), self.height() - self._theme.space(9))
        painter.setFont(_smaller(self.font(), bold=self.isChecked()))
        painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter), self._place.word)
        if self._badge:
            self._paint_badge(painter)

    def _paint_ground(self, painter: QPainter) -> None:
        space = self._theme.space
        inside = self.rect().adjusted(space(1), space(0.5), -space(1), -space(0.5))
        painter.setPen(self._theme.colour("focus") if self.hasFocus() else Qt.PenStyle.NoPen)
        if self.isChecked() or self.underMouse():
            painter.setBrush(self._theme.colour("accent_soft" if self.isChecked() else "hover"))
        painter.drawRoundedRect(inside, 6, 6)

    def _paint_badge(self, painter: QPainter) -> None:
        text = str(self._badge) if self._badge < 1000 else "999+"
        painter.setFont(_smaller(self.font(), bold=True, size=0.8))
        width = max(painter.fontMetrics().horizontalAdvance(text) + 9, 17)
        area = QRect(self.width() // 2 + 7, self._theme.space(1.25), width, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        urgent = self._place.name == "approvals"
        painter.setBrush(self._theme.colour("danger_fill" if urgent else "accent_fill"))
        painter.drawRoundedRect(area, 8, 8)
        painter.setPen(self._theme.colour("on_danger" if urgent else "on_accent"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), text)


class Navigation(QFrame):
    """The rail. `chosen` carries the name of a page."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, names: Sequence[str]) -> None:
        """Shows the places of `names`, in the order of PLACES."""
        super().__init__()
        self.setAccessibleName("Pages")
        set_role(self, "rail")
        self._buttons: dict[str, RailButton] = {}
        group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.space(2), 0, theme.space(2))
        column.setSpacing(theme.space(0.5))
        for number, place in enumerate((place for place in PLACES if place.name in names), start=1):
            button = RailButton(theme, place, str(number))
            group.addButton(button)
            button.clicked.connect(self._pressed)
            self._buttons[place.name] = button
            column.addWidget(button)
        column.addStretch()

    def show_chosen(self, name: str) -> None:
        """Mark the page that is open."""
        self._buttons[name].setChecked(True)

    def set_badge(self, name: str, number: int) -> None:
        """Show how many things wait on a page."""
        self._buttons[name].set_badge(number)

    def said(self, name: str) -> str:
        """What a page's button says to those who cannot see it."""
        return self._buttons[name].accessibleName()

    def _pressed(self) -> None:
        self.chosen.emit(next(name for name, button in self._buttons.items() if button.isChecked()))


def _smaller(font: QFont, *, bold: bool, size: float = 0.88) -> QFont:
    small = QFont(font)
    small.setPointSizeF(font.pointSizeF() * size)
    small.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return small
