"""The tray icon: how it stands at a glance, what waits, the kill switch, and quiet hours."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QIcon, QPainter
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from warden_desktop.domain.action import VERBS
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import ApprovalRequested, IncidentCreated
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.kill_switch import EVERYTHING
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.icons import application_icon
from warden_desktop.ui.notices import Notice, Notices
from warden_desktop.ui.work import Start

NOTIFICATIONS = 6
_RED, _AMBER, _INK = "#d22f3d", "#ffc64d", "#1a1300"  # on any panel, so not of the theme
_SIZE = 64


class Tray(QObject):
    """Without a tray on this desktop everything here stays silent and hidden.

    `quit_wanted`, `approvals_wanted`, `stop_sheet_wanted` ask the window; `incident_wanted` carries an id.
    """

    quit_wanted = Signal()
    approvals_wanted = Signal()
    stop_sheet_wanted = Signal()
    incident_wanted = Signal(object)

    def __init__(
        self, window: QWidget, desk: Desk, start: Start, actor: str, *, notifications: int = NOTIFICATIONS
    ) -> None:
        """`notifications`: desktop notifications at most in five minutes."""
        super().__init__(window)
        self._window, self._desk, self._actor = window, desk, actor
        self._waiting = 0
        self._looks: tuple[tuple[str, ...], int] | None = None
        self._latest: Sequence[Notice] = ()
        self.menu = QMenu(window)
        self.open = self._entry("Open Warden", self.show_window)
        self.approvals = self._entry("Approvals", self._to_approvals)
        self.menu.addSeparator()
        self.stop = self._entry("STOP ALL", self._stop)
        self.menu.addSeparator()
        self.quiet = self._entry("Quiet hours: no notifications", None)
        self.quiet.setCheckable(True)
        self.quiet.toggled.connect(self._be_quiet)
        self.quit = self._entry("Quit", self.quit_wanted)
        self.notices = Notices(notifications, self)
        self.notices.told.connect(self._notify)
        self.icon = QSystemTrayIcon(self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        self.icon.messageClicked.connect(self._message_clicked)
        self.refresh()
        if QSystemTrayIcon.isSystemTrayAvailable():
            self.icon.show()

    def _entry(self, text: str, does: object) -> QAction:
        entry = QAction(text, self.menu)
        if does is not None:
            entry.triggered.connect(does)
        self.menu.addAction(entry)
        return entry

    # --- following ----------------------------------------------------------------------------------------------

    def on_events(self, batch: list[Recorded]) -> None:
        """Notify of what needs a person; show how it stands."""
        if self.icon.isVisible():
            self.notices.add([notice for one in batch if (notice := self._notice(one)) is not None])
        self.refresh()

    def on_resync(self) -> None:
        self.refresh()

    def show_waiting(self, waiting: int) -> None:
        """How many approvals wait; connect the Approver's `waiting_changed` here."""
        self._waiting = waiting
        self.refresh()

    def refresh(self) -> None:
        """Show how it stands now."""
        stopped = bool(self._desk.engaged)
        looks = (tuple(self._desk.engaged), self._waiting)
        if looks == self._looks:
            return
        self._looks = looks
        self.icon.setIcon(_drawn(stopped, self._waiting))
        self.icon.setToolTip("Warden: STOPPED" if stopped else "Warden")
        self.approvals.setText(f"Approvals ({self._waiting} waiting)" if self._waiting else "Approvals")
        everything = EVERYTHING in self._desk.engaged
        self.stop.setText("Everything is stopped: show…" if everything else "STOP ALL")

    def _notice(self, recorded: Recorded) -> Notice | None:
        event = recorded.event
        if isinstance(event, IncidentCreated) and event.alert.severity is Severity.CRITICAL:
            return Notice(False, event.alert.title, event.incident_id)
        if isinstance(event, ApprovalRequested):
            found = self._desk.incidents.action(event.action_id)
            title = f"{VERBS[found[1].verb].label}: {found[1].target.value}" if found else "An action"
            return Notice(True, title, event.incident_id)
        return None

    def _notify(self, title: str, text: str, notices: Sequence[Notice]) -> None:
        self._latest = notices
        self.icon.showMessage(title, text, self.icon.icon())

    # --- what a person does -------------------------------------------------------------------------------------

    def show_window(self) -> None:
        """Bring the window up."""
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def _stop(self) -> None:
        if EVERYTHING not in self._desk.engaged:
            self._desk.engage(EVERYTHING, reason="pressed in the tray menu", actor=self._actor)
        self.refresh()
        self.stop_sheet_wanted.emit()

    def _to_approvals(self) -> None:
        self.show_window()
        self.approvals_wanted.emit()

    def _be_quiet(self, quiet: bool) -> None:
        self.notices.quiet = quiet

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.show_window()

    def _message_clicked(self) -> None:
        self.show_window()
        if len(self._latest) == 1:
            self.incident_wanted.emit(self._latest[0].incident_id)
        else:
            self.approvals_wanted.emit()


def _drawn(stopped: bool, waiting: int) -> QIcon:
    """The application's icon, with a red bar when stopped and the number that waits."""
    picture = application_icon().pixmap(_SIZE, _SIZE)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    if stopped:
        painter.setBrush(QColor(_RED))
        painter.drawRoundedRect(QRectF(0, _SIZE * 0.34, _SIZE, _SIZE * 0.32), 6, 6)
    if waiting:
        _paint_number(painter, str(waiting) if waiting < 100 else "99")
    painter.end()
    return QIcon(picture)


def _paint_number(painter: QPainter, text: str) -> None:
    area = QRectF(_SIZE * 0.4, 0, _SIZE * 0.6, _SIZE * 0.6)
    painter.setBrush(QColor(_AMBER))
    painter.drawEllipse(area)
    font = QFont(painter.font())
    font.setPixelSize(round(_SIZE * (0.42 if len(text) == 1 else 0.34)))
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor(_INK))
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), text)
