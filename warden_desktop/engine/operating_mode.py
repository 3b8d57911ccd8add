"""The mode the product is in: the last ModeChanged of the log, or the setting where there is none."""

from __future__ import annotations

from warden_desktop.domain.events import ModeChanged
from warden_desktop.domain.mode import Mode
from warden_desktop.engine.ports import Journal, Recorded


class OperatingMode:
    """Follows ModeChanged; attach `apply` to the bus."""

    def __init__(self, initial: Mode) -> None:
        self.current = initial

    def apply(self, recorded: Recorded) -> None:
        """Fold one event."""
        if isinstance(recorded.event, ModeChanged):
            self.current = recorded.event.new

    async def restore(self, journal: Journal) -> None:
        """Take the mode from the log, if it was ever changed."""
        for recorded in await journal.history(None, 1, kinds=("mode_changed",)):
            self.apply(recorded)
