"""What /metrics and the self-check tell is what happened: bus, subscribers, journal, loop."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from tests.memory_journal import MemoryJournal
from warden_desktop.adapters.webhook.metrics import Family, exposition
from warden_desktop.adapters.webhook.refusals import Tally
from warden_desktop.adapters.webhook.vitals import families
from warden_desktop.commands.vital_findings import findings, read
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import FaultRaised
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import Recorded
from warden_desktop.engine.pulse import BusPulse, SubscriberPulse
from warden_desktop.engine.vital_signs import BEAT, MINUTE, JournalPulse, LoopPulse, Vitals, VitalSigns
from warden_desktop.loop import WardenLoop

BUS = BusPulse(
    last_seq=120,
    published=100,
    failed=0,
    waiting=0,
    p50_ms=1.5,
    p99_ms=8.0,
    receivers=2,
    missed=3,
    subscribers=(SubscriberPulse("triage", 7, 0.25, 90, 4, 0), SubscriberPulse("intake", 0, 0.0, 100, 0, 0)),
)
JOURNAL = JournalPulse(queued=1, commits=50, p50_ms=0.5, p99_ms=2.0, db_bytes=4096, wal_bytes=1024)
LOOP = LoopPulse(lag_ms=12.5, longest="Triage.work [Task-3]", longest_ms=31.0, slow=2)
VITALS = Vitals(BUS, JOURNAL, LOOP)


class Stats(NamedTuple):
    queued: int = 0
    committed_batches: int = 0
    last_commit_ms: float = 0.0
    db_bytes: int = 0
    wal_bytes: int = 0


def happened(number: int) -> FaultRaised:
    return FaultRaised(actor="test", component=f"part {number}", severity=Severity.LOW, detail="")


async def product_loop() -> WardenLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WardenLoop)
    return loop


def told(vitals: Vitals) -> str:
    return exposition(families(vitals), Tally(), 0)


def test_metrics_name_each_subscriber_with_a_label() -> None:
    lines = told(VITALS).splitlines()
    assert 'warden_subscriber_depth{name="triage"} 7' in lines
    assert 'warden_subscriber_lag_seconds{name="triage"} 0.25' in lines
    assert 'warden_subscriber_handled_total{name="intake"} 100' in lines
    assert 'warden_subscriber_retried_total{name="triage"} 4' in lines
    assert 'warden_subscriber_dead_letters{name="triage"} 0' in lines
    assert 'warden_publish_seconds{quantile="0.99"} 0.008' in lines
    assert 'warden_journal_commit_seconds{quantile="0.5"} 0.0005' in lines
    assert 'warden_loop_longest_callback_seconds{callback="Triage.work [Task-3]"} 0.031' in lines
    assert "warden_loop_lag_seconds 0.0125" in lines


def test_every_metric_says_what_it_is_and_of_which_type() -> None:
    lines = told(VITALS).splitlines()
    names = {line.partition("{")[0].partition(" ")[0] for line in lines if not line.startswith("#")}
    for name in names:
        assert any(line.startswith(f"# HELP {name} ") for line in lines)
        assert f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}" in lines


def test_a_hostile_label_stays_one_value_on_one_line() -> None:
    name = 'a"} 1\nwarden_incidents 7\\'
    text = exposition([Family("loop_longest", "About\nit.", {name: 2.0}, "callback")], Tally(), 0)
    (line,) = [line for line in text.splitlines() if line.startswith("warden_loop_longest")]
    assert line == 'warden_loop_longest{callback="a\\"} 1\\nwarden_incidents 7\\\\"} 2'
    assert read(text)["loop_longest", name] == 2.0


def test_the_self_check_reads_what_metrics_tell() -> None:
    found = [*findings(read(told(VITALS)))]
    assert {one.level for one in found} == {"ok"}
    assert any("31 ms (Triage.work [Task-3])" in one.detail for one in found)
    assert any("publish: half within 1.5 ms, 99 % within 8.0 ms" in one.detail for one in found)


def test_the_self_check_names_who_is_behind_and_what_failed() -> None:
    late = BUS._replace(failed=2, subscribers=(SubscriberPulse("triage", 5_000, 40.0, 90, 4, 3),))
    slow = VITALS._replace(bus=late, journal=JOURNAL._replace(p99_ms=400.0), loop=LOOP._replace(longest_ms=900.0))
    found = {(one.level, one.subject): one.detail for one in findings(read(told(slow)))}
    assert "2 events could not be recorded" in found["bad", "bus"]
    assert "99 % within 400.0 ms; the disk is slow" in found["note", "disk"]
    assert "900 ms" in found["note", "loop"]
    notes = [one.detail for one in findings(read(told(slow))) if one.level == "note" and one.subject == "bus"]
    assert notes == [
        "triage is 5,000 events behind, the oldest 40 s old",
        "triage has 3 dead letters: warden-desktop dead-letters list",
    ]


def test_what_is_not_told_is_not_judged() -> None:
    assert [*findings(read("warden_incidents 3\n"))] == []


async def test_a_running_bus_is_seen_as_it_is() -> None:
    loop = await product_loop()
    bus = Bus(MemoryJournal())
    gate = asyncio.Event()

    async def holds(recorded: Recorded) -> None:
        await gate.wait()

    async def keeps_up(recorded: Recorded) -> None:
        return

    bus.subscribe("slow", holds)
    bus.subscribe("quick", keeps_up)
    vitals = VitalSigns(bus.pulse, lambda: Stats(), loop.take_longest)
    async with asyncio.TaskGroup() as group:
        bus.start(group.create_task)
        for number in range(5):
            await bus.publish(happened(number))
        await asyncio.sleep(0.02)
        seen = {one.name: one for one in vitals.read().bus.subscribers}
        gate.set()
        while any(one.depth for one in vitals.read().bus.subscribers):
            await asyncio.sleep(0.001)
        await bus.stop()
    assert (seen["slow"].depth, seen["slow"].handled) == (5, 0)
    assert (seen["quick"].depth, seen["quick"].handled) == (0, 5)
    assert seen["slow"].lag_seconds > 0
    assert vitals.read().bus.p99_ms > 0


async def test_the_loop_and_its_longest_callback_are_named() -> None:
    loop = await product_loop()
    vitals = VitalSigns(Bus(MemoryJournal()).pulse, lambda: Stats(), loop.take_longest, lambda: 3)

    def reads_too_much() -> None:
        time.sleep(0.06)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(vitals.watch())
        await asyncio.sleep(BEAT * 0.9)
        loop.call_later(BEAT * 0.08, reads_too_much)
        await asyncio.sleep(BEAT)
        watching.cancel()
    seen = vitals.read().loop
    assert seen.longest.endswith("reads_too_much")
    assert seen.longest_ms >= 60
    assert seen.lag_ms > 5
    assert seen.slow == 3


def test_the_worst_is_forgotten_after_a_minute_and_commits_are_sampled_once() -> None:
    stats, longest = Stats(), [("handler", 0.2)]
    vitals = VitalSigns(lambda: BUS, lambda: stats, lambda: longest.pop() if longest else ("", 0.0))
    vitals.beat(0.5)
    for number in range(1, 101):
        stats = Stats(committed_batches=number, last_commit_ms=float(number))
        vitals.beat(0.0)
        vitals.beat(0.0)
        if number == 60:
            assert vitals.read().loop[:3] == (500.0, "handler", 200.0)
            assert vitals.read().journal.p50_ms == 31.0
    for _ in range(MINUTE):
        vitals.beat(0.001)
    assert vitals.read().journal == JournalPulse(0, 100, 51.0, 100.0, 0, 0)
    assert vitals.read().loop == LoopPulse(1.0, "", 0.0, 0)


def test_before_anything_happened_nothing_is_claimed() -> None:
    read_first = VitalSigns(lambda: BUS, lambda: Stats()).read()
    assert read_first.journal == JournalPulse(0, 0, 0.0, 0.0, 0, 0)
    assert read_first.loop == LoopPulse(0.0, "", 0.0, 0)
