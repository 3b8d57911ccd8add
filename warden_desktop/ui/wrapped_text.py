"""Untrusted text of any length that wraps: anywhere, if it must, so that no part of it is ever out of sight."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, QSizeF, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from warden_desktop.ui.theme import set_role
from warden_desktop.ui.words import shown

_ROOM = 2  # px below the last line, for descenders


class WrappedText(QPlainTextEdit):
    """Reads like a label and is as tall as its text needs; can be selected and copied."""

    def __init__(self, text: str, *, mono: bool, limit: int, look: str) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        if mono:
            set_role(self, "mono")
        self.setStyleSheet(f"QPlainTextEdit {{ border: none; background: transparent; padding: 0; {look} }}")
        self.setPlainText(shown(text, limit, lines=True))
        self.document().documentLayout().documentSizeChanged.connect(self._laid_out)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _laid_out(self, _size: QSizeF) -> None:
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def _fit(self) -> None:
        """A plain text document measures its height in lines."""
        lines = max(int(self.document().size().height()), 1)
        height = lines * self.fontMetrics().lineSpacing() + _ROOM
        if height != self.minimumHeight() or height != self.maximumHeight():
            self.setFixedHeight(height)


def wrapped(text: str, *, mono: bool = False, limit: int = 4_096, look: str = "") -> WrappedText:
    """`text` in full up to `limit` characters; `look` is style sheet declarations ("font-weight: 600;")."""
    return WrappedText(text, mono=mono, limit=limit, look=look)
