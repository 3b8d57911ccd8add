"""The vital signs as metrics."""

from __future__ import annotations

from collections.abc import Iterator

from warden_desktop.adapters.webhook.metrics import Family, single
from warden_desktop.engine.pulse import BusPulse
from warden_desktop.engine.vital_signs import JournalPulse, LoopPulse, Vitals


def families(vitals: Vitals) -> Iterator[Family]:
    """Bus, subscribers, journal and loop. Durations are seconds, sizes bytes, as Prometheus wants them."""
    yield from _bus(vitals.bus)
    yield from _subscribers(vitals.bus)
    yield from _journal(vitals.journal)
    yield from _loop(vitals.loop)


def _bus(bus: BusPulse) -> Iterator[Family]:
    yield single("events_total", "Events in the log.", bus.last_seq)
    yield single("publish_failures_total", "Publishes that could not be recorded.", bus.failed)
    yield single("publishers_waiting", "Publishers that wait because the journal cannot keep up.", bus.waiting)
    yield _quantiles("publish_seconds", "From publish to durable, newest publishes.", bus.p50_ms, bus.p99_ms)
    yield single("broadcast_receivers", "Broadcast receivers.", bus.receivers)
    yield single("broadcast_missed_total", "Events that lagging broadcast receivers skipped.", bus.missed)


def _subscribers(bus: BusPulse) -> Iterator[Family]:
    told = (
        ("depth", "Events not finished with.", {one.name: one.depth for one in bus.subscribers}),
        ("lag_seconds", "Age of the oldest of them.", {one.name: one.lag_seconds for one in bus.subscribers}),
        ("handled_total", "Events handled.", {one.name: one.handled for one in bus.subscribers}),
        ("retried_total", "Attempts that failed.", {one.name: one.retried for one in bus.subscribers}),
        ("dead_letters", "Dead letters that wait for a person.", {one.name: one.dead for one in bus.subscribers}),
    )
    for name, about, samples in told:
        yield Family(f"subscriber_{name}", about, samples, "name")


def _journal(journal: JournalPulse) -> Iterator[Family]:
    yield single("journal_queued", "Events that wait to become durable.", journal.queued)
    yield single("journal_commits_total", "Transactions made durable.", journal.commits)
    yield _quantiles("journal_commit_seconds", "Making one durable, last minute.", journal.p50_ms, journal.p99_ms)
    yield single("journal_bytes", "Size of the file.", journal.db_bytes)
    yield single("journal_wal_bytes", "Size of the write-ahead log.", journal.wal_bytes)


def _loop(loop: LoopPulse) -> Iterator[Family]:
    yield single("loop_lag_seconds", "How late the loop was at the worst, last minute.", loop.lag_ms / 1000)
    yield Family(
        "loop_longest_callback_seconds",
        "The callback that held the thread longest, last minute.",
        {loop.longest: loop.longest_ms / 1000} if loop.longest else {},
        "callback",
    )
    yield single("loop_slow_callbacks_total", "Callbacks that held the thread for more than half a frame.", loop.slow)


def _quantiles(name: str, about: str, p50_ms: float, p99_ms: float) -> Family:
    return Family(name, about, {"0.5": p50_ms / 1000, "0.99": p99_ms / 1000}, "quantile")
