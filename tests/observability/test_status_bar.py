"""The status bar says in words, and not by colour alone, how bus, journal and loop are."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from warden_desktop.engine.pulse import BusPulse, SubscriberPulse
from warden_desktop.engine.vital_signs import JournalPulse, LoopPulse
from warden_desktop.ui.plain_text import PlainLabel
from warden_desktop.ui.status_bar import StatusBar
from warden_desktop.ui.theme import Theme

BUS = BusPulse(120, 100, 0, 0, 1.5, 8.0, 2, 0, (SubscriberPulse("triage", 7, 0.25, 90, 4, 0),))
JOURNAL = JournalPulse(1, 50, 0.5, 2.0, 3 << 20, 1 << 20)
LOOP = LoopPulse(12.5, "Triage.work", 31.0, 2)


@pytest.fixture
def bar(qtbot: QtBot) -> StatusBar:
    bar = StatusBar(Theme("dark"))
    qtbot.addWidget(bar)
    return bar


def part(bar: QWidget, beginning: str) -> tuple[str, str, str]:
    """What it says, its tone, and its tooltip as text."""
    (label,) = (one for one in bar.findChildren(PlainLabel) if one.text().startswith(beginning))
    return label.text(), str(label.property("tone") or ""), label.toolTip()


def test_all_is_well(bar: StatusBar) -> None:
    bar.show_bus(BUS, 0)
    bar.show_journal(BUS, JOURNAL)
    bar.show_loop(LOOP)
    assert part(bar, "bus")[:2] == ("bus: 7 behind", "")
    assert part(bar, "journal")[:2] == ("journal: ok, 0.5 ms", "")
    assert part(bar, "loop")[:2] == ("loop: 31 ms", "")


def test_the_tooltips_name_the_subscribers_and_the_longest_callback(bar: StatusBar) -> None:
    bar.show_bus(BUS, 3)
    bar.show_journal(BUS, JOURNAL)
    bar.show_loop(LOOP)
    assert "triage: 7 behind by 0.2 s, 90 handled, 4 retried" in part(bar, "bus")[2]
    assert "window: 3 not shown yet" in part(bar, "bus")[2]
    assert "120 events in the log: 3.0 MB" in part(bar, "journal")[2]
    assert "Triage.work, 31 ms" in part(bar, "loop")[2]


@pytest.mark.parametrize(
    ("subscriber", "to_show", "text"),
    [
        (SubscriberPulse("triage", 2_500, 9.0, 90, 0, 0), 0, "bus: 2,500 behind"),
        (SubscriberPulse("triage", 0, 0.0, 90, 0, 0), 1_200, "bus: 1,200 behind"),
        (SubscriberPulse("triage", 0, 0.0, 90, 0, 2), 0, "bus: 0 behind, 2 dead letters"),
    ],
)
def test_who_falls_behind_or_gives_up_is_a_warning(
    bar: StatusBar, subscriber: SubscriberPulse, to_show: int, text: str
) -> None:
    bar.show_bus(BUS._replace(subscribers=(subscriber,)), to_show)
    assert part(bar, "bus")[:2] == (text, "warn")


def test_a_slow_disk_and_a_stutter_are_warnings_and_a_lost_event_is_a_danger(bar: StatusBar) -> None:
    bar.show_journal(BUS, JOURNAL._replace(p99_ms=400.0))
    assert part(bar, "journal")[:2] == ("journal: slow disk, 400 ms", "warn")
    bar.show_journal(BUS._replace(failed=1), JOURNAL)
    assert part(bar, "journal")[:2] == ("journal: 1 event could not be recorded", "danger")
    bar.show_loop(LOOP._replace(longest_ms=450.0))
    assert part(bar, "loop")[:2] == ("loop: stutters, 450 ms", "warn")


def test_without_vital_signs_the_bus_is_still_told(bar: StatusBar) -> None:
    bar.show_bus(BUS._replace(subscribers=()), 0)
    bar.show_journal(BUS)
    assert part(bar, "bus")[0] == "bus: 0 behind"
    assert part(bar, "journal")[0] == "journal: ok, 120 events"


def test_a_hostile_name_is_only_text(bar: StatusBar) -> None:
    bar.show_loop(LOOP._replace(longest='<img src="file:///dev/zero">'))
    assert "<img" not in part(bar, "loop")[2]
