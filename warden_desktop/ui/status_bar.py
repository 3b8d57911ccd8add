"""The line at the bottom: how many incidents, how fast they were found, whether bus and journal are well."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame

from warden_desktop.ui.arrange import beside
from warden_desktop.ui.plain_text import label, set_tooltip
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import count


class StatusBar(QFrame):
    """Each part is set by whoever knows it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Status")
        set_role(self, "foot")
        self._found, self._behind = label("", "caption"), label("", "caption")
        self._journal, self._hint = label("", "caption"), label("Keys: ?", "caption")
        set_tooltip(self._behind, "Events that happened and are not shown yet")
        row = beside(self._found, None, self._behind, self._journal, self._hint, gap=6)
        row.setContentsMargins(theme.space(4), theme.space(1), theme.space(4), theme.space(1))
        self.setLayout(row)

    def show_found(self, total: int, shown: int, milliseconds: float) -> None:
        """How many incidents there are, how many are shown, and how long finding them took."""
        self._found.setText(f"{count(total, 'incident')}, {shown:,} shown in {milliseconds:.0f} ms")

    def show_behind(self, events: int) -> None:
        """How many events wait to be shown."""
        self._behind.setText(f"bus: {events:,} behind")
        set_tone(self._behind, "warn" if events > 1_000 else "")

    def show_journal(self, last_seq: int, failed: int) -> None:
        """The newest event's number, and how many publishes failed."""
        wrong = f"journal: {count(failed, 'event')} could not be recorded" if failed else ""
        self._journal.setText(wrong or f"journal: ok, {count(last_seq, 'event')}")
        set_tone(self._journal, "danger" if failed else "")
