"""The line at the bottom: how many incidents, how fast they were found, whether bus, journal and loop are well."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame

from warden_desktop.engine.pulse import BusPulse, SubscriberPulse
from warden_desktop.engine.vital_signs import JournalPulse, LoopPulse
from warden_desktop.ui.arrange import beside
from warden_desktop.ui.plain_text import PlainLabel, label, set_tooltip
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import count

BEHIND = 1_000
"""Events from which on "behind" is a warning."""
SLOW_DISK = 50.0
"""Milliseconds of making a transaction durable, at the 99th percentile, from which on the disk is slow."""
LATE = 100.0
"""Milliseconds of one callback from which on the window stutters visibly."""


class StatusBar(QFrame):
    """Each part is set by whoever knows it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Status")
        set_role(self, "foot")
        self._found, self._behind, self._journal, self._loop = (label("", "caption") for _ in range(4))
        self._hint = label("Keys: ?", "caption")
        row = beside(self._found, None, self._behind, self._journal, self._loop, self._hint, gap=6)
        row.setContentsMargins(theme.space(4), theme.space(1), theme.space(4), theme.space(1))
        self.setLayout(row)
        self._loop.hide()

    def show_found(self, total: int, shown: int, milliseconds: float) -> None:
        """How many incidents there are, how many are shown, and how long finding them took."""
        self._found.setText(f"{count(total, 'incident')}, {shown:,} shown in {milliseconds:.0f} ms")

    def show_bus(self, bus: BusPulse, to_show: int) -> None:
        """The subscriber that is furthest behind, or the window itself, which has `to_show` events still to show."""
        behind = max(to_show, *(one.depth for one in bus.subscribers), 0)
        dead = sum(one.dead for one in bus.subscribers)
        letters = f", {count(dead, 'dead letter')}" if dead else ""
        _say(self._behind, f"bus: {behind:,} behind{letters}", "warn" if dead or behind > BEHIND else "")
        lines = [f"window: {to_show:,} not shown yet", *map(_subscriber, bus.subscribers)]
        if bus.p99_ms:
            lines.append(f"publish: half within {bus.p50_ms:.1f} ms, 99 % within {bus.p99_ms:.1f} ms")
        set_tooltip(self._behind, "\n".join(lines))

    def show_journal(self, bus: BusPulse, journal: JournalPulse | None = None) -> None:
        """Whether everything could be recorded, and how long the disk takes, where that is known."""
        durable = f", {journal.p50_ms:.1f} ms" if journal and journal.commits else f", {count(bus.last_seq, 'event')}"
        slow = journal is not None and journal.p99_ms > SLOW_DISK
        text = f"journal: slow disk, {journal.p99_ms:.0f} ms" if journal and slow else f"journal: ok{durable}"
        if bus.failed:
            text = f"journal: {count(bus.failed, 'event')} could not be recorded"
        _say(self._journal, text, "danger" if bus.failed else "warn" if slow else "")
        set_tooltip(self._journal, _journal(bus, journal))

    def show_loop(self, loop: LoopPulse) -> None:
        """The callback that held the thread longest within the last minute."""
        stutters = loop.longest_ms > LATE
        text = f"loop: {'stutters, ' if stutters else ''}{loop.longest_ms:.0f} ms"
        _say(self._loop, text, "warn" if stutters else "")
        longest = f"Longest within the last minute: {loop.longest or 'nothing yet'}, {loop.longest_ms:.0f} ms"
        late = f"{count(loop.slow, 'slow callback')} since the start; at the worst {loop.lag_ms:.0f} ms late"
        set_tooltip(self._loop, f"{longest}\n{late}")
        self._loop.show()


def _say(where: PlainLabel, text: str, tone: str) -> None:
    where.setText(text)
    set_tone(where, tone)


def _subscriber(one: SubscriberPulse) -> str:
    lag = f" by {one.lag_seconds:.1f} s" if one.lag_seconds else ""
    failed = f", {one.retried:,} retried" if one.retried else ""
    dead = f", {count(one.dead, 'dead letter')}" if one.dead else ""
    return f"{one.name}: {one.depth:,} behind{lag}, {one.handled:,} handled{failed}{dead}"


def _journal(bus: BusPulse, journal: JournalPulse | None) -> str:
    events = count(bus.last_seq, "event")
    if journal is None:
        return f"{events} in the log"
    sizes = f"{journal.db_bytes / 2**20:,.1f} MB, and {journal.wal_bytes / 2**20:,.1f} MB in the write-ahead log"
    durable = (
        f"durable: half within {journal.p50_ms:.1f} ms, 99 % within {journal.p99_ms:.1f} ms; {journal.queued:,} queued"
    )
    return f"{events} in the log: {sizes}\n{durable}"
