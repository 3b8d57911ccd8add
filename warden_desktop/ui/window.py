"""Puts the window together: which pages there are, and who tells whom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from warden_desktop.domain.alert import Severity
from warden_desktop.engine.desk import Desk
from warden_desktop.settings import ServiceLevelSettings, Settings
from warden_desktop.ui.actions_page import ActionsPage
from warden_desktop.ui.approvals_page import ApprovalsPage
from warden_desktop.ui.approver import Approver
from warden_desktop.ui.banner import Banner
from warden_desktop.ui.frame_timer import Events, FrameTimer, View
from warden_desktop.ui.header import Header
from warden_desktop.ui.incident_columns import ServiceLevels
from warden_desktop.ui.kill_switch_button import KillSwitchButton
from warden_desktop.ui.live_page import LivePage
from warden_desktop.ui.main_window import MainWindow
from warden_desktop.ui.queue_page import QueuePage
from warden_desktop.ui.settings_page import SettingsPage
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.tray import Tray
from warden_desktop.ui.view_store import ViewStore
from warden_desktop.ui.work import Start, UntilGone


class Pages(NamedTuple):
    """The pages beside the queue, by their names in navigation.PLACES."""

    approvals: ApprovalsPage
    actions: ActionsPage
    live: LivePage
    settings: SettingsPage


class Window(NamedTuple):
    """What the application needs to hold on to."""

    main: MainWindow
    frames: FrameTimer
    approver: Approver
    banner: Banner
    tray: Tray


def build_window(
    desk: Desk,
    events: Events,
    start: Start,
    theme: Theme,
    actor: str,
    settings: Settings,
    *,
    save: Callable[[Settings], None],
    remembered: Path | None = None,
    endpoint: str = "",
    demo: bool = False,
) -> Window:
    """The window, not shown yet.

    `events` is a receiver of the bus; `save` writes the settings down; `remembered` is the file in which the window
    keeps sizes and columns (nothing outlives it without one); `endpoint` is where the webhook listens, for instance
    "127.0.0.1:8787", "" when it does not. What becomes known later is told with `main.show_endpoint`.
    """
    store, frames, start = ViewStore(remembered), FrameTimer(events), UntilGone(start)
    kill_switch = KillSwitchButton(desk, start, theme, actor)
    header = Header(desk, start, theme, actor, endpoint=endpoint, demo=demo, kill_switch=kill_switch)
    banner = Banner(theme)
    levels = service_levels(settings.service_levels)
    queue = QueuePage(desk, start, theme, actor, store=store, service_levels=levels, endpoint=endpoint)
    pages = Pages(
        approvals=ApprovalsPage(desk, start, theme, actor),
        actions=ActionsPage(desk, start, theme, actor),
        live=LivePage(desk, start, theme, actor),
        settings=SettingsPage(desk, start, theme, actor, settings, save),
    )
    main = MainWindow(
        desk, theme, frames, store,
        header=header, banner=banner, queue=queue, pages=pages._asdict(), kill_switch=kill_switch,
    )  # fmt: skip
    main.destroyed.connect(start.gone)
    main.destroyed.connect(frames.stop)
    approver = Approver(
        main, desk, start, theme, actor, opens_itself=settings.window.open_approvals, reading=lambda: main.reading
    )
    tray = Tray(main, desk, start, actor, notifications=settings.window.notifications)
    window = Window(main, frames, approver, banner, tray)
    _follow(window, pages, kill_switch)
    _introduce(window, pages, kill_switch)
    pages.settings.theme_wanted.connect(partial(_dress, theme))
    return window


def service_levels(settings: ServiceLevelSettings) -> ServiceLevels:
    """The minutes to a decision by severity."""
    return {severity: getattr(settings, severity.value) for severity in Severity}


def theme_name(wanted: str) -> str:
    """The theme to use for the setting "system", "dark" or "light"."""
    if wanted != "system":
        return wanted
    dark = QApplication.styleHints().colorScheme() is not Qt.ColorScheme.Light
    return "dark" if dark else "light"


def _dress(theme: Theme, wanted: str) -> None:
    theme.use(theme_name(wanted))


def _follow(window: Window, pages: Pages, kill_switch: KillSwitchButton) -> None:
    """Everybody sees what happens; the window that decides sees it first."""
    views: tuple[View, ...] = (
        kill_switch, window.main.header, window.main.queue, *pages, window.approver, window.banner, window.tray,
    )  # fmt: skip
    for view in views:
        window.frames.subscribe(view)


def _introduce(window: Window, pages: Pages, kill_switch: KillSwitchButton) -> None:
    """Tell each part whom its wishes go to."""
    main, approver, tray = window.main, window.approver, window.tray
    for opens in (main.queue, pages.approvals, pages.actions):
        opens.open_wanted.connect(approver.open_for)
    for decides in (main.queue, pages.approvals):
        decides.deny_wanted.connect(approver.deny)
    for source in (*pages, approver, tray):
        source.incident_wanted.connect(main.show_incident)
    for name, counted in {"queue": main.queue, **pages._asdict()}.items():
        counted.badge_changed.connect(partial(main.navigation.set_badge, name))
    approver.waiting_changed.connect(tray.show_waiting)
    tray.show_waiting(approver.waiting)
    tray.approvals_wanted.connect(partial(main.show_page, "approvals"))
    kill_switch.approvals_wanted.connect(partial(main.show_page, "approvals"))
    tray.stop_sheet_wanted.connect(kill_switch.show_sheet)
    for page in pages:
        page.on_resync()
