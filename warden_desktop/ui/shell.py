"""The window as the application holds it: shown, told what fails, hidden to the tray, and closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from warden_desktop.engine.desk import Desk
from warden_desktop.settings import Settings
from warden_desktop.ui.frame_timer import Events
from warden_desktop.ui.theme import Theme, apply
from warden_desktop.ui.window import build_window, theme_name
from warden_desktop.ui.work import Start


class _Exposure(QObject):
    """Waits for the window system to show a window, and calls `shown` once."""

    def __init__(self, window: QWidget, shown: Callable[[], None]) -> None:
        super().__init__(window)
        self._shown: Callable[[], None] | None = shown
        window.winId()  # makes the native window, whose events these are
        handle = window.windowHandle()
        assert handle is not None
        handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Expose and self._shown is not None:
            shown, self._shown = self._shown, None
            shown()
        return False


class Shell:
    """Holds the window and everything that belongs to it."""

    def __init__(
        self,
        desk: Desk,
        events: Events,
        start: Start,
        actor: str,
        settings: Settings,
        *,
        save: Callable[[Settings], None],
        remembered: Path,
        endpoint: str,
        demo: bool,
        leave: Callable[[], None],
    ) -> None:
        """`leave` ends the application; the other parameters are those of `build_window`."""
        theme = Theme(theme_name(settings.window.theme), compact=settings.window.density == "compact")
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply(application, theme)
        self.window = build_window(
            desk, events, start, theme, actor, settings, save=save, remembered=remembered, endpoint=endpoint, demo=demo
        )
        self._leave = leave
        self._unwell: set[str] = set()
        self._exposure: _Exposure | None = None
        self.window.main.close_wanted.connect(self._closed)
        self.window.tray.quit_wanted.connect(leave)

    def show(self, shown: Callable[[], None] | None = None) -> None:
        """Bring the window up, in front of others; `shown` is called once, when it is on the screen."""
        if shown is not None:
            self._exposure = _Exposure(self.window.main, shown)
        self.window.tray.show_window()

    def show_health(self, causes: Mapping[str, str]) -> None:
        """Tell what does not work just now, and take back what works again."""
        for component in self._unwell - causes.keys():
            self.window.banner.works(component)
        for component, detail in causes.items():
            self.window.banner.show_fault(component, detail)
        self._unwell = set(causes)

    def show_failure(self, error: Exception) -> None:
        """Tell that something the analyst asked for failed."""
        said = (str(error) or type(error).__name__).rstrip(".")
        self.window.banner.show_fault("not done", f"{said}. The log has the details.")

    def close(self) -> None:
        """Take everything down; the application is ending."""
        self.window.frames.stop()
        self.window.tray.icon.hide()
        self.window.main.close_wanted.disconnect(self._closed)
        self.window.main.close()
        self.window.main.deleteLater()

    def _closed(self) -> None:
        """Closing the window keeps the product at work where a tray icon can bring it back; elsewhere it ends it."""
        if QSystemTrayIcon.isSystemTrayAvailable():
            self.window.main.hide()
        else:
            self._leave()
