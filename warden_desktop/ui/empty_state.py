"""What an empty page says: what will appear there, and how to get it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from warden_desktop.ui.arrange import beside, framed
from warden_desktop.ui.icons import pixmap
from warden_desktop.ui.plain_text import label, mono
from warden_desktop.ui.theme import Theme, set_role


class EmptyState(QWidget):
    """An icon, a heading, a sentence and, where it helps, a command to copy."""

    def __init__(self, theme: Theme, icon: str, heading: str, sentence: str, command: str = "") -> None:
        super().__init__()
        self._theme, self._icon = theme, icon
        self._picture = label()
        self._heading = label(heading, "heading")
        self._sentence = label(sentence, "muted", wrap=True)
        self._command = mono(command, lines=True)
        self._copy = QPushButton("Copy")
        set_role(self._copy, "view")
        self._copy.clicked.connect(self._copied)
        self._card = framed(beside(self._command, self._copy, gap=4, margin=3))
        self._card.setVisible(bool(command))
        for one in (self._picture, self._heading, self._sentence):
            one.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._arrange()
        theme.changed.connect(self._paint)
        self._paint()

    @property
    def command(self) -> str:
        """The command that is offered, "" for none."""
        return self._command.text()

    def say(self, heading: str, sentence: str, command: str = "") -> None:
        """Say something else."""
        self._heading.setText(heading)
        self._sentence.setText(sentence)
        self._command.setText(command)
        self._card.setVisible(bool(command))

    def _arrange(self) -> None:
        page = QVBoxLayout(self)
        page.setContentsMargins(*[self._theme.space(8)] * 4)
        page.setSpacing(self._theme.space(3))
        page.addStretch(2)
        for one in (self._picture, self._heading, self._sentence):
            page.addWidget(one)
        page.addWidget(self._card, 0, Qt.AlignmentFlag.AlignHCenter)
        page.addStretch(3)

    def _copied(self) -> None:
        QGuiApplication.clipboard().setText(self._command.text())

    def _paint(self) -> None:
        self._picture.setPixmap(pixmap(self._icon, self._theme.colour("muted"), 40, self.devicePixelRatioF()))
