"""The strip that says what does not work: what, whose fault, and what to do. It stays until it is dismissed."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import FaultRaised
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.arrange import beside
from warden_desktop.ui.icons import pixmap
from warden_desktop.ui.plain_text import label
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import words

_KEPT = 50


class Fault(NamedTuple):
    """What does not work. `times`: how often it was told."""

    component: str
    detail: str
    severity: Severity
    times: int = 1


class Banner(QFrame):
    """The worst fault first, one component once. Hidden while there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._faults: dict[str, Fault] = {}
        set_role(self, "card")
        self.setAccessibleName("What does not work")
        self._picture = label()
        self._component = label("", "strong")
        self._detail = label("", wrap=True)
        self._more = label("", "muted")
        self.dismiss = QPushButton("Dismiss")
        self.dismiss.clicked.connect(self._dismissed)
        row = beside(self._picture, self._component, self._detail, self._more, self.dismiss, gap=3, margin=2)
        row.setStretch(2, 1)
        for fixed in (self._picture, self._component):
            row.setAlignment(fixed, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(row)
        theme.changed.connect(self._show)
        self._show()

    @property
    def faults(self) -> int:
        """How many components have a fault that was not dismissed."""
        return len(self._faults)

    def show_fault(self, component: str, detail: str, severity: Severity = Severity.HIGH) -> None:
        """Tell of a fault; a component's newer fault takes the place of its older one."""
        before = self._faults.pop(component, None)
        times = before.times + 1 if before and before.detail == detail else 1
        self._faults[component] = Fault(component, detail, severity, times)
        while len(self._faults) > _KEPT:
            del self._faults[next(iter(self._faults))]
        self._show()

    def works(self, component: str) -> None:
        """A component works again."""
        if self._faults.pop(component, None) is not None:
            self._show()

    def on_events(self, batch: list[Recorded]) -> None:
        for one in batch:
            if isinstance(one.event, FaultRaised):
                self.show_fault(one.event.component, one.event.detail, one.event.severity)

    def on_resync(self) -> None:
        """Faults that were missed are in the log; nothing to read anew."""

    def _worst(self) -> Fault | None:
        newest_first = reversed(self._faults.values())
        return max(newest_first, key=lambda fault: fault.severity.rank, default=None)

    def _show(self) -> None:
        fault = self._worst()
        self.setVisible(fault is not None)
        if fault is None:
            return
        tone = "danger" if fault.severity.rank >= Severity.HIGH.rank else "warn"
        set_tone(self, tone)
        self._picture.setPixmap(pixmap("warning", self._theme.colour(tone), 20, self.devicePixelRatioF()))
        self._component.setText(words(fault.component))
        self._detail.setText(fault.detail + (f"  ({fault.times} times)" if fault.times > 1 else ""))
        more = self.faults - 1
        self._more.setText(f"and {more} more" if more else "")

    def _dismissed(self) -> None:
        fault = self._worst()
        if fault is not None:
            self.works(fault.component)
