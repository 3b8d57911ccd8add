"""A column of widgets that scrolls, and can be filled anew."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from warden_desktop.ui.arrange import Item, stacked
from warden_desktop.ui.theme import Theme


class Scrolled(QScrollArea):
    """Shows items from top to bottom at the width there is."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def fill(self, *items: Item) -> None:
        """Show these instead of what was shown; the place stays where it was."""
        place = self.verticalScrollBar().value()
        page = QWidget()
        page.setLayout(stacked(*items, None, gap=3, margin=4))
        self.setWidget(page)
        page.adjustSize()
        self.verticalScrollBar().setValue(place)
