"""The mode as three buttons of which one is on: how much the product decides by itself."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QDialog, QPushButton, QWidget

from warden_desktop.domain.mode import Mode
from warden_desktop.engine.desk import Desk
from warden_desktop.ui.arrange import beside, stacked
from warden_desktop.ui.plain_text import label, set_tooltip
from warden_desktop.ui.theme import set_role
from warden_desktop.ui.words import words
from warden_desktop.ui.work import Start

_HINTS = {
    Mode.ASSISTED: "A person approves every action",
    Mode.SUPERVISED: "Rules may approve low risk; a person approves the rest",
    Mode.AUTONOMOUS: "Rules may approve every risk they name; what no rule covers is still asked",
}


_FREEDOM = (Mode.ASSISTED, Mode.SUPERVISED, Mode.AUTONOMOUS)


class ModeSwitch(QWidget):
    """Shows the mode in force; pressing another asks the desk, and the switch follows once that is recorded.

    A mode with more freedom is asked about first.
    """

    def __init__(self, desk: Desk, start: Start, actor: str) -> None:
        super().__init__()
        self._desk, self._start, self._actor = desk, start, actor
        self.setAccessibleName("Mode")
        self.sheet: ModeSheet | None = None
        self._group = QButtonGroup(self)
        self._buttons: dict[Mode, QPushButton] = {}
        for mode in Mode:
            button = QPushButton(words(mode))
            button.setCheckable(True)
            set_role(button, "segment")
            set_tooltip(button, _HINTS[mode])
            button.setAccessibleName(f"Mode: {words(mode)}")
            button.clicked.connect(self._pressed)
            self._group.addButton(button)
            self._buttons[mode] = button
        self._buttons[Mode.ASSISTED].setProperty("end", "left")
        self._buttons[Mode.AUTONOMOUS].setProperty("end", "right")
        self.setLayout(beside(*self._buttons.values(), gap=0))
        self.refresh()

    def refresh(self) -> None:
        """Show the mode that is in force."""
        self._buttons[self._desk.mode].setChecked(True)

    def _pressed(self) -> None:
        wanted = next(mode for mode, button in self._buttons.items() if button.isChecked())
        self.refresh()
        if _FREEDOM.index(wanted) > _FREEDOM.index(self._desk.mode):
            self._ask(wanted)
        elif wanted is not self._desk.mode:
            self._switch(wanted)

    def _switch(self, wanted: Mode) -> None:
        self._start(self._desk.set_mode(wanted, actor=self._actor))

    def _ask(self, wanted: Mode) -> None:
        """Tightening is cheap; letting the product decide more by itself is asked for twice."""
        if self.sheet is not None:
            self.sheet.close()
            self.sheet.deleteLater()
        self.sheet = ModeSheet(self.window(), wanted)
        self.sheet.accepted.connect(partial(self._switch, wanted))
        self.sheet.open()


class ModeSheet(QDialog):
    """Says what a mode with more freedom means, before it is switched on. Cancel has the keyboard."""

    def __init__(self, parent: QWidget, wanted: Mode) -> None:
        super().__init__(parent)
        self.setWindowTitle("Mode")
        self.confirm = QPushButton(f"Switch to {wanted}")
        self.confirm.setAutoDefault(False)
        set_role(self.confirm, "primary")
        self.confirm.clicked.connect(self.accept)
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(self.reject)
        words_of_it = (label(f"Switch to {wanted}?", "heading"), label(f"{_HINTS[wanted]}.", wrap=True))
        self.setLayout(stacked(*words_of_it, beside(None, cancel, self.confirm), gap=3, margin=5))
        cancel.setFocus(Qt.FocusReason.OtherFocusReason)
