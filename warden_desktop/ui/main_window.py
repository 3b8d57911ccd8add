"""The frame: header, rail, pages and status bar. It knows pages only by what they all have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from uuid import UUID

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QStackedWidget, QTableView, QWidget

from warden_desktop.engine.desk import Desk
from warden_desktop.engine.vital_signs import Vitals
from warden_desktop.ui.arrange import beside, held, stacked
from warden_desktop.ui.frame_timer import FrameTimer
from warden_desktop.ui.header import Header
from warden_desktop.ui.icons import application_icon
from warden_desktop.ui.navigation import PLACES, Navigation
from warden_desktop.ui.queue_page import QueuePage
from warden_desktop.ui.shortcuts import KeySheet, bind
from warden_desktop.ui.status_bar import StatusBar
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.view_store import ViewStore

_SMALLEST = (1024, 640)
_USUAL = (1440, 900)
_LOOK_EVERY = 1_000  # ms
_GEOMETRY = "window.geometry"


class KillSwitchControl(Protocol):
    """The kill switch's button, as far as a key presses it."""

    def engage(self) -> None:
        """Stop everything now."""


class MainWindow(QMainWindow):
    """`close_wanted`: the analyst closed the window; whoever owns the application decides what follows."""

    close_wanted = Signal()

    def __init__(
        self,
        desk: Desk,
        theme: Theme,
        frames: FrameTimer,
        store: ViewStore,
        *,
        header: Header,
        banner: QWidget,
        queue: QueuePage,
        pages: Mapping[str, QWidget],
        kill_switch: KillSwitchControl,
    ) -> None:
        """`pages` are the pages beside the queue, by their names in navigation.PLACES."""
        super().__init__()
        self._desk, self._theme, self._frames, self.store = desk, theme, frames, store
        self.header, self.banner, self.queue = header, banner, queue
        self.kill_switch = kill_switch
        self.pages: dict[str, QWidget] = {"queue": queue, **pages}
        self.navigation = Navigation(theme, tuple(self.pages))
        self.status = StatusBar(theme)
        self.stack = QStackedWidget()
        self.keys: KeySheet | None = None
        self._vitals: Callable[[], Vitals] | None = None
        self.setWindowTitle("Warden")
        self.setWindowIcon(application_icon())
        self.setMinimumSize(*_SMALLEST)
        self._arrange()
        self._bind_keys()
        self._restore()
        self.navigation.chosen.connect(self.show_page)
        queue.found_changed.connect(self._show_found)
        self._clock = QTimer(self, interval=_LOOK_EVERY)
        self._clock.timeout.connect(self._look)
        self._clock.start()
        self._show_found()
        self._look()
        self.show_page("queue")

    def _arrange(self) -> None:
        for page in self.pages.values():
            self.stack.addWidget(page)
        middle = beside(self.navigation, self.stack, gap=0)
        middle.setStretch(1, 1)
        column = stacked(self.header, self.banner, middle, self.status, gap=0)
        column.setStretch(2, 1)
        self.setCentralWidget(held(column))

    def _bind_keys(self) -> None:
        bind(
            self,
            "window",
            {
                "page_1": self._page_1, "page_2": self._page_2, "page_3": self._page_3, "page_4": self._page_4,
                "page_5": self._page_5, "keys": self.show_keys, "stop": self.kill_switch.engage,
            },
        )  # fmt: skip

    def _restore(self) -> None:
        self.resize(*_USUAL)
        kept = self.store.get(_GEOMETRY)
        if isinstance(kept, str):
            self.restoreGeometry(QByteArray.fromBase64(kept.encode("ascii", "replace")))

    # --- pages --------------------------------------------------------------------------------------------------

    def show_page(self, name: str) -> None:
        """Show a page by its name in navigation.PLACES."""
        self.navigation.show_chosen(name)
        self.stack.setCurrentWidget(self.pages[name])
        self._rest()

    @property
    def reading(self) -> bool:
        """Whether the analyst is at something here that nothing may cover: an incident, another page, a line."""
        if not self.isActiveWindow():
            return QApplication.activeWindow() is not None
        here = QApplication.focusWidget()
        elsewhere = self.stack.currentWidget() is not self.queue
        return elsewhere or isinstance(here, QLineEdit) or self.queue.detail.incident is not None

    def _rest(self) -> None:
        """Put the keyboard where the keys of the page work: on its table, or on the page itself, never into a line."""
        page, here = self.stack.currentWidget(), QApplication.focusWidget()
        if page is self.queue:
            self.queue.focus_table()
        elif page is not None and not (isinstance(here, QTableView) and page.isAncestorOf(here)):
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_incident(self, incident_id: UUID) -> None:
        """Show an incident in the queue."""
        self.show_page("queue")
        self.queue.show_incident(incident_id)

    def show_keys(self) -> None:
        """Show the list of keys."""
        if self.keys is None:
            self.keys = KeySheet(self, self._theme)
        self.keys.open()

    def show_endpoint(self, endpoint: str) -> None:
        """Tell everywhere where alerts come in, for instance "127.0.0.1:8787"; "" when they cannot."""
        self.header.show_endpoint(endpoint)
        self.queue.show_endpoint(endpoint)

    def show_vitals(self, read: Callable[[], Vitals]) -> None:
        """From now on, show in the status bar what `read` tells."""
        self._vitals = read
        self._look()

    def _page(self, number: int) -> None:
        names = [place.name for place in PLACES if place.name in self.pages]
        if number <= len(names):
            self.show_page(names[number - 1])

    def _page_1(self) -> None:
        self._page(1)

    def _page_2(self) -> None:
        self._page(2)

    def _page_3(self) -> None:
        self._page(3)

    def _page_4(self) -> None:
        self._page(4)

    def _page_5(self) -> None:
        self._page(5)

    # --- what is looked at now and then ---------------------------------------------------------------------------

    def _show_found(self) -> None:
        table = self.queue.table
        self.status.show_found(len(self._desk.incidents.rows()), table.rowCount(), table.milliseconds)

    def _look(self) -> None:
        self.header.refresh()
        vitals = self._vitals() if self._vitals is not None else None
        bus = vitals.bus if vitals is not None else self._desk.bus.pulse()
        self.status.show_bus(bus, self._frames.behind)
        self.status.show_journal(bus, vitals.journal if vitals is not None else None)
        if vitals is not None:
            self.status.show_loop(vitals.loop)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves whatever line is being typed into."""
        if event.key() == Qt.Key.Key_Escape:
            self._rest()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the geometry and leave the rest to the application: work may still be under way."""
        self.store.keep(_GEOMETRY, bytes(self.saveGeometry().toBase64().data()).decode("ascii"))
        event.ignore()
        self.close_wanted.emit()
