"""Several parts in one place, one of them visible: unlike Qt's stack it is only as tall as the part that shows."""

from __future__ import annotations

from PySide6.QtWidgets import QSizePolicy, QWidget

from warden_desktop.ui.arrange import stacked


class Turning(QWidget):
    """Shows one of its parts."""

    def __init__(self, *parts: QWidget) -> None:
        super().__init__()
        self._parts = parts
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setLayout(stacked(*parts, gap=0))
        self.turn_to(parts[0])

    @property
    def current(self) -> QWidget:
        """The part that shows."""
        return self._current

    def turn_to(self, part: QWidget) -> None:
        """Show `part`."""
        self._current = part
        for one in self._parts:
            one.setVisible(one is part)
