"""The only place where text widgets are made: they never interpret what they show.

Qt renders HTML it finds in a label or a tooltip, and loads files an `<img>` names; one hostile alert could hang the
window. So every label is set to plain text and passes what it is given through `words.shown`.
"""

from __future__ import annotations

import html
import math

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QPainter, QPaintEvent, QStaticText, QTextOption
from PySide6.QtWidgets import QLabel, QMenu, QPlainTextEdit, QStyle, QStyleOption, QWidget

from warden_desktop.ui.theme import set_role, set_tone
from warden_desktop.ui.words import CELL_LIMIT, DETAIL_LIMIT, defanged, shown

_TOOLTIP_LIMIT = 2_000
_LINE_END = "\u2028"  # the only one QStaticText breaks at


class PlainLabel(QLabel):
    """A label that shows what it is given, to the character, and never more than `limit` of them."""

    def __init__(self, limit: int, *, lines: bool) -> None:
        super().__init__()
        self._limit, self._lines = limit, lines
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setOpenExternalLinks(False)

    def keep_lines(self) -> None:
        """From the next text on, break where the text does."""
        self._lines = True

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
        _paint_ground(self, painter)
        inside = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, int(self.alignment()) | int(Qt.TextFlag.TextSingleLine), text)


class WrappingLabel(PlainLabel):
    """Breaks lines between words, and inside a word that is wider than the room: no part of it is ever out of sight.

    A QLabel lets such a word run out of the window, and a text field costs four times as much to show. The menu
    copies the text, defanged or as it is.
    """

    _USUAL_WIDTH = 60  # letters, while nothing else decides

    def __init__(self, limit: int) -> None:
        super().__init__(limit, lines=True)
        self._laid_out = QStaticText()
        self._laid_out.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def setAlignment(self, alignment: Qt.AlignmentFlag) -> None:
        super().setAlignment(alignment)
        option = QTextOption(alignment & Qt.AlignmentFlag.AlignHorizontal_Mask)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._laid_out.setTextOption(option)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        edges = self.contentsMargins()
        return self._lay_out(width - edges.left() - edges.right()) + edges.top() + edges.bottom()

    def sizeHint(self) -> QSize:
        edges, letters = self.contentsMargins(), self.fontMetrics()
        longest = max((letters.horizontalAdvance(line) for line in self.text().split("\n")), default=0) + 1
        width = min(longest, letters.averageCharWidth() * self._USUAL_WIDTH) + edges.left() + edges.right()
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("MMMM"), self.fontMetrics().height())

    def _lay_out(self, width: int) -> int:
        """The height in pixels at this width."""
        text = self.text().replace("\n", _LINE_END)
        if self._laid_out.text() != text:
            self._laid_out.setText(text)
        self._laid_out.setTextWidth(max(width, 1))
        self._laid_out.prepare(font=self.font())
        return math.ceil(self._laid_out.size().height()) if text else self.fontMetrics().height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        _paint_ground(self, painter)
        inside = self.contentsRect()
        spare = inside.height() - self._lay_out(inside.width())
        top = inside.top() + (max(spare, 0) / 2 if self.alignment() & Qt.AlignmentFlag.AlignVCenter else 0)
        painter.setFont(self.font())
        painter.drawStaticText(QPointF(inside.left(), top), self._laid_out)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction("Copy (defanged)").triggered.connect(self._copy_defanged)
        menu.addAction("Copy as it is").triggered.connect(self._copy)
        menu.popup(event.globalPos())

    def _copy_defanged(self) -> None:
        QGuiApplication.clipboard().setText(defanged(self.text()))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())


def _paint_ground(widget: QLabel, painter: QPainter) -> None:
    """Paint what the style sheet says of the widget's ground, and take its colour for the text."""
    option = QStyleOption()
    option.initFrom(widget)
    widget.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, widget)
    painter.setPen(widget.palette().color(widget.foregroundRole()))


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
    made = WrappingLabel(limit) if wrap else (ElidedLabel if elide else PlainLabel)(limit, lines=False)
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
    """A label in monospace, for targets, hashes and commands; `lines` keeps line breaks and no more."""
    made = label(text, "mono", wrap=wrap, elide=elide, selectable=not (elide or wrap), limit=limit)
    if lines:
        made.keep_lines()
        made.setText(text)
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
