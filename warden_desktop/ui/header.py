"""The bar across the top: the product, the mode, the door alerts come in by, how many come, and the kill switch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from warden_desktop.domain.events import AlertReceived
from warden_desktop.domain.record import now
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Engagement, Recorded
from warden_desktop.ui.arrange import beside, held, stacked
from warden_desktop.ui.icons import application_icon
from warden_desktop.ui.mode_switch import ModeSwitch
from warden_desktop.ui.plain_text import chip, label, set_tooltip
from warden_desktop.ui.sparkline import Rate, Sparkline
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import clock, person, shown
from warden_desktop.ui.work import Start

_ICON = 28
EVERYTHING = "everything"


class Header(QFrame):
    """Red while anything is stopped, saying who stopped it, when and why."""

    def __init__(
        self, desk: Desk, start: Start, theme: Theme, actor: str, *, endpoint: str, demo: bool, kill_switch: QWidget
    ) -> None:
        """`endpoint` is where the webhook listens, "" when it does not; `demo`: alerts are made up."""
        super().__init__()
        self._desk = desk
        self._rate = Rate()
        self.setAccessibleName("Header")
        set_role(self, "header")
        self.mode = ModeSwitch(desk, start, actor)
        self._endpoint = label("", "muted", elide=True)
        self._per_minute = label("0/min", "strong")
        self._curve = Sparkline(theme)
        self._traffic = held(beside(self._endpoint, self._curve, self._per_minute, gap=3))
        self._stopped = label("", "heading", elide=True)
        self._because = label("", elide=True)
        self._alarm = held(stacked(self._stopped, self._because, gap=0.5))
        self.setLayout(self._arranged(theme, demo, kill_switch))
        self.show_endpoint(endpoint)
        self.refresh()

    def _arranged(self, theme: Theme, demo: bool, kill_switch: QWidget) -> QHBoxLayout:
        row = beside(self._name(demo), self.mode, self._traffic, self._alarm, gap=6)
        row.setStretch(2, 1)
        row.setStretch(3, 3)
        row.setAlignment(self._traffic, Qt.AlignmentFlag.AlignLeft)
        row.addWidget(kill_switch, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.setContentsMargins(theme.space(4), theme.space(2), theme.space(4), theme.space(2))
        return row

    def _name(self, demo: bool) -> QHBoxLayout:
        picture = label()
        picture.setPixmap(application_icon().pixmap(_ICON, _ICON))
        name = beside(picture, label("Warden", "title"), gap=2)
        if demo:
            badge = chip("Demo", "simulated")
            set_tooltip(badge, "The alerts are made up and every action is simulated")
            name.addWidget(badge)
        return name

    # --- showing ------------------------------------------------------------------------------------------------

    def show_endpoint(self, endpoint: str) -> None:
        """Say where alerts come in; an empty `endpoint` says that they cannot."""
        self._endpoint.setText(f"listening {endpoint}" if endpoint else "not listening")
        set_tone(self._endpoint, "" if endpoint else "danger")
        set_tooltip(self._endpoint, "Where the webhook takes alerts" if endpoint else "No alert can come in")

    def on_events(self, batch: list[Recorded]) -> None:
        """Count alerts; follow the mode and the kill switch."""
        for recorded in batch:
            if isinstance(recorded.event, AlertReceived):
                self._rate.count(recorded.event.at)
        self.refresh()

    def on_resync(self) -> None:
        """Show what is so now."""
        self.refresh()

    def refresh(self) -> None:
        """Called now and then as well, so that the rate falls when nothing comes."""
        self.tick(now())
        self.mode.refresh()
        self._show_engaged(self._desk.engaged)

    def tick(self, at: datetime) -> None:
        """Show the rate as of `at`."""
        self._per_minute.setText(f"{self._rate.per_minute(at):,}/min")
        self._curve.show_curve(self._rate.curve(at))

    def _show_engaged(self, engaged: Mapping[str, Engagement]) -> None:
        set_tone(self, "danger" if engaged else "")
        self._alarm.setVisible(bool(engaged))
        self._traffic.setVisible(not engaged)
        if engaged:
            first = engaged.get(EVERYTHING) or next(iter(engaged.values()))
            self._stopped.setText(_what(first, len(engaged) - 1))
            self._because.setText(f"{person(first.by)}, {_when(first.at)}: {shown(first.reason) or 'no reason yet'}")


def _what(engagement: Engagement, others: int) -> str:
    scope = "Every action" if engagement.scope == EVERYTHING else engagement.scope.replace(":", " ").capitalize()
    return f"{scope} is stopped" + (f", and {others} more" if others else "")


def _when(at: str) -> str:
    try:
        return clock(datetime.fromisoformat(at))
    except ValueError:
        return shown(at, 40)
