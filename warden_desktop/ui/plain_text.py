"""The only place where text widgets are made: they never interpret what they show.

Qt renders HTML it finds in a label or a tooltip, and loads files an `<img>` names; one hostile alert could hang the
window. So every label is set to plain text and passes what it is given through `words.shown`.
"""

from __future__ import annotations

import html

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QStyle, QStyleOption, QWidget

from warden_desktop.ui.theme import set_role, set_tone
from warden_desktop.ui.words import CELL_LIMIT, DETAIL_LIMIT, shown

_TOOLTIP_LIMIT = 2_000


class PlainLabel(QLabel):
    """A label that shows what it is given, to the character, and never more than `limit` of them."""

    def __init__(self, limit: int, *, lines: bool) -> None:
        super().__init__()
        self._limit, self._lines = limit, lines
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setOpenExternalLinks(False)

    def setText(self, text: str) -> None:
        fresh = shown(text, self._limit, lines=self._lines)
        if fresh != self.text():
            super().setText(fresh)


class ElidedLabel(PlainLabel):
    """One line that gives way: what does not fit ends in an ellipsis, and hovering shows all of it."""

    def setText(self, text: str) -> None:
        super().setText(text)
        set_tooltip(self, self.text())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("MM…"), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        option = QStyleOption()
        option.initFrom(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, self)
        inside = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, inside.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(inside, int(self.alignment()) | int(Qt.TextFlag.TextSingleLine), text)


def label(
    text: str = "",
    role: str = "",
    *,
    tone: str = "",
    wrap: bool = False,
    elide: bool = False,
    selectable: bool = False,
    limit: int = 4_096,
) -> PlainLabel:
    """A label; `wrap` keeps line breaks and breaks long lines, `elide` keeps to one line and shortens it."""
    made = ElidedLabel(limit, lines=False) if elide else PlainLabel(limit, lines=wrap)
    made.setWordWrap(wrap)
    if role:
        set_role(made, role)
    if tone:
        set_tone(made, tone)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        made.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    made.setText(text)
    return made


def mono(
    text: str = "", *, wrap: bool = False, lines: bool = False, elide: bool = False, limit: int = 4_096
) -> PlainLabel:
    """A selectable label in monospace, for targets, hashes and commands; `lines` keeps line breaks and no more."""
    made = label(text, "mono", wrap=wrap or lines, elide=elide, selectable=not elide, limit=limit)
    made.setWordWrap(wrap)
    return made


def chip(text: str, tone: str = "") -> PlainLabel:
    """A small word on a tinted ground: a tag, a state."""
    made = label(text, "chip", tone=tone, limit=48)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setSizePolicy(made.sizePolicy().Policy.Maximum, made.sizePolicy().Policy.Maximum)
    return made


def text_view(text: str = "", *, limit: int = DETAIL_LIMIT) -> QPlainTextEdit:
    """A read-only monospace area. Long lines wrap, since a line of 100 KB would take seconds to lay out."""
    view = QPlainTextEdit()
    view.setReadOnly(True)
    view.setUndoRedoEnabled(False)
    set_role(view, "mono")
    view.setTabChangesFocus(True)
    view.setPlainText(shown(text, limit, lines=True))
    return view


def set_tooltip(widget: QWidget, text: str) -> None:
    """Hover text that is shown as written."""
    widget.setToolTip(tooltip(text))


def tooltip(text: str) -> str:
    """`text` for a tooltip role: escaped, and marked as markup so that Qt unescapes it instead of guessing."""
    if not text:
        return ""
    safe = html.escape(shown(text, _TOOLTIP_LIMIT, lines=True)).replace("\n", "<br>")
    return f"<qt>{safe}</qt>"


def menu_text(text: str, limit: int = CELL_LIMIT) -> str:
    """Text for a button, tab or menu entry, where `&` would otherwise mark a key."""
    return shown(text, limit).replace("&", "&&")
