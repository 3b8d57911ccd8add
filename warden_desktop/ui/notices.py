"""Desktop notifications within a budget: gathered, told as a digest, and never more often than the setting allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from warden_desktop.ui.words import count, shown

WINDOW_MS = 5 * 60 * 1_000
GATHER_MS = 2_000
TITLE_LIMIT = 120


class Notice(NamedTuple):
    """Something worth a notification: an approval or a critical incident, and whose incident it is about."""

    approval: bool
    title: str
    incident_id: UUID


class Budget:
    """At most `most` in any `window` of milliseconds."""

    def __init__(self, most: int, window: int = WINDOW_MS) -> None:
        self._most, self._window = most, window
        self._spent: deque[int] = deque()

    def wait(self, now: int) -> int | None:
        """Milliseconds until one more is allowed; 0 for now, None for never."""
        while self._spent and now - self._spent[0] >= self._window:
            self._spent.popleft()
        if self._most <= 0:
            return None
        return 0 if len(self._spent) < self._most else self._window - (now - self._spent[0])

    def spend(self, now: int) -> None:
        self._spent.append(now)


class Notices(QObject):
    """Collects notices. `told` carries the title and the text of one digest, and the notices in it."""

    told = Signal(object, object, object)

    def __init__(self, most: int, parent: QObject, *, gather: int = GATHER_MS) -> None:
        super().__init__(parent)
        self.quiet = False
        self._budget = Budget(most)
        self._gathered: list[Notice] = []
        self._since = QElapsedTimer()
        self._since.start()
        self._gather = gather
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tell)

    def add(self, notices: Sequence[Notice]) -> None:
        """Tell of these soon, with whatever else comes until then. In quiet hours they are dropped."""
        if self.quiet or not notices:
            return
        self._gathered = [*self._gathered, *notices][-1_000:]
        if not self._timer.isActive():
            self._timer.start(self._gather)

    def _tell(self) -> None:
        now = self._since.elapsed()
        wait = self._budget.wait(now)
        if self.quiet or wait is None:
            self._gathered.clear()
        elif wait:
            self._timer.start(wait)
        else:
            self._budget.spend(now)
            gathered, self._gathered = self._gathered, []
            self.told.emit(*digest(gathered), gathered)


def digest(notices: Sequence[Notice]) -> tuple[str, str]:
    """Title and text for any number of notices; nothing in it is markup for the desktop's notifier."""
    approvals = sum(one.approval for one in notices)
    critical = len(notices) - approvals
    parts = [count(approvals, "approval") + " waiting"] if approvals else []
    parts += [count(critical, "critical incident")] if critical else []
    titles = list(dict.fromkeys(_inert(one.title) for one in notices))
    more = f"and {len(titles) - 3} more" if len(titles) > 3 else ""
    return "Warden: " + ", ".join(parts), "\n".join(filter(None, (*titles[:3], more)))


def _inert(title: str) -> str:
    """Notification servers may read markup, so its characters become harmless ones."""
    return shown(title, TITLE_LIMIT).replace("<", "(").replace(">", ")").replace("&", "+")
