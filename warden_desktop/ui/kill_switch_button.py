"""The kill switch: the largest control of the window. One press stops; releasing takes two seconds and a reason."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from warden_desktop.domain.events import KillSwitchActivated, KillSwitchReceipt, KillSwitchReleased
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.kill_switch import EVERYTHING
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.plain_text import set_tooltip
from warden_desktop.ui.stop_sheet import StopSheet
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import person
from warden_desktop.ui.work import Start

HOLD_MS = 2_000
_FRAME_MS = 30
_STOP, _RELEASE = "STOP ALL", "RELEASE"
_HINT = "hold 2 s"


class KillSwitchButton(QPushButton):
    """STOP ALL while anything may run; RELEASE, to be held down, while everything stands still.

    `approvals_wanted`: the person wants to see what was held.
    """

    approvals_wanted = Signal()

    def __init__(self, desk: Desk, start: Start, theme: Theme, actor: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._theme, self._actor = desk, theme, actor
        self._held_for = QElapsedTimer()
        self._share = 0.0
        self._hold = QTimer(self)
        self._hold.setInterval(_FRAME_MS)
        self._hold.timeout.connect(self._holding)
        self.sheet = StopSheet(self, desk, start, theme, actor)
        self.sheet.approvals_wanted.connect(self.approvals_wanted)
        self.sheet.released.connect(self.refresh)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAutoDefault(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.show_sheet)
        self.pressed.connect(self._pressed)
        self.released.connect(self._let_go)
        theme.changed.connect(self.update)
        self.refresh()

    # --- stopping and releasing ---------------------------------------------------------------------------------

    @property
    def engaged(self) -> bool:
        """Whether everything stands still."""
        return EVERYTHING in self._desk.engaged

    def engage(self) -> None:
        """Stop everything now; the questions come afterwards. Does no harm when it is stopped already."""
        failure = ""
        if not self.engaged:
            try:
                self._desk.engage(EVERYTHING, reason="pressed in the window", actor=self._actor)
            except Exception as error:  # whatever went wrong with the stop, the person must see it now
                failure = str(error) or type(error).__name__
        self.refresh()
        self.sheet.tell_failure(failure)
        self.show_sheet()

    def show_sheet(self) -> None:
        """Show what is stopped, and what the stop did."""
        self.sheet.refresh()
        self.sheet.show()
        self.sheet.raise_()

    def refresh(self) -> None:
        """Say how it stands now."""
        engaged = self._desk.engaged.get(EVERYTHING)
        self.setText(f"{_RELEASE} - {_HINT}" if engaged else _STOP)
        self.setAccessibleName(
            "Release the kill switch: hold two seconds" if engaged else "Kill switch: stop everything"
        )
        others = ", ".join(scope for scope in self._desk.engaged if scope != EVERYTHING)
        about = f"Stopped by {person(engaged.by)}: {engaged.reason}" if engaged else "Stops every action at once"
        set_tooltip(
            self, about + (f"\nAlso stopped: {others}" if others else "") + "\nCtrl+Shift+K stops from anywhere"
        )
        if not engaged:
            self._reset()
        self.update()

    def on_events(self, batch: list[Recorded]) -> None:
        """Follow stops and releases, whoever made them."""
        switched = [one.event for one in batch if isinstance(one.event, KillSwitchActivated | KillSwitchReleased)]
        receipt = any(isinstance(one.event, KillSwitchReceipt) for one in batch)
        if switched:
            self.refresh()
        if switched and isinstance(switched[-1], KillSwitchActivated) and not self.sheet.isVisible():
            self.sheet.appear()
        if switched or receipt:
            self.sheet.refresh()

    def on_resync(self) -> None:
        self.refresh()
        self.sheet.refresh()

    # --- the press ----------------------------------------------------------------------------------------------

    def _pressed(self) -> None:
        if self.engaged:
            self._held_for.start()
            self._hold.start()
        else:
            self.engage()

    def _holding(self) -> None:
        self._share = min(self._held_for.elapsed() / HOLD_MS, 1.0)
        self.update()
        if self._share >= 1.0:
            self._reset()
            self.sheet.ask_release()

    def _let_go(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._hold.stop()
        self._share = 0.0
        self.update()

    # --- its look -----------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        space = self._theme.space
        width = QFontMetrics(self._loud()).horizontalAdvance(_RELEASE + _HINT + "MMM")
        return QSize(max(width, space(46)), max(space(11), self.fontMetrics().height() + space(5)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("surface" if self.engaged else "danger_fill"))
        painter.drawRoundedRect(body, 8, 8)
        if self.engaged and self._share:
            self._paint_progress(painter, body)
        self._paint_edge(painter, body)
        self._paint_words(painter, body)

    def _paint_progress(self, painter: QPainter, body: QRectF) -> None:
        painter.save()
        painter.setClipRect(QRectF(body.left(), body.top(), body.width() * self._share, body.height()))
        painter.setBrush(self._theme.colour("accent_soft"))
        painter.drawRoundedRect(body, 8, 8)
        painter.restore()

    def _paint_edge(self, painter: QPainter, body: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.hasFocus():
            painter.setPen(self._theme.colour("focus"))
            painter.drawRoundedRect(body.adjusted(-1, -1, 1, 1), 9, 9)
        purpose = (
            "on_danger" if self.isDown() and not self.engaged else ("line_strong" if self.engaged else "danger_fill")
        )
        painter.setPen(self._theme.colour(purpose))
        painter.drawRoundedRect(body, 8, 8)

    def _paint_words(self, painter: QPainter, body: QRectF) -> None:
        painter.setFont(self._loud())
        if not self.engaged:
            painter.setPen(self._theme.colour("on_danger"))
            painter.drawText(body, int(Qt.AlignmentFlag.AlignCenter), _STOP)
            return
        loud = painter.fontMetrics().horizontalAdvance(_RELEASE)
        hint = self.fontMetrics().horizontalAdvance(_HINT)
        left = body.center().x() - (loud + hint + 8) / 2
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(QRectF(left, body.top(), loud + 4, body.height()), middle, _RELEASE)
        painter.setFont(self.font())
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(QRectF(left + loud + 8, body.top(), hint + 8, body.height()), middle, _HINT)

    def _loud(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.15)
        font.setWeight(QFont.Weight.Bold)
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 1.0)
        return font
