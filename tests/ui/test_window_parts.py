"""The small parts of the window: what it remembers, its keys, its menus, its numbers and its guard for late answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.rows import NOW, row, rows
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.query import parse
from warden_desktop.domain.status import Status
from warden_desktop.ui.counters import Counters, numbers
from warden_desktop.ui.navigation import PLACES, Navigation
from warden_desktop.ui.plain_text import PlainLabel
from warden_desktop.ui.shortcuts import KEYS, KeySheet
from warden_desktop.ui.sparkline import Rate
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.value_menu import term
from warden_desktop.ui.view_store import ViewStore
from warden_desktop.ui.work import UntilGone


def test_the_window_remembers_between_runs(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "window.json"
    ViewStore(path).keep("queue.view", "Critical")
    assert ViewStore(path).get("queue.view") == "Critical"
    assert json.loads(path.read_text("utf-8")) == {"queue.view": "Critical"}


@pytest.mark.parametrize("content", ["", "not json", "[1, 2]", "\x00"])
def test_a_damaged_memory_is_a_fresh_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "window.json"
    path.write_text(content, "utf-8")
    store = ViewStore(path)
    assert store.get("queue.view", "Open") == "Open"
    store.keep("queue.view", "All")
    assert ViewStore(path).get("queue.view") == "All"


def test_a_memory_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    store = ViewStore(tmp_path / "file" / "window.json")
    store.keep("queue.view", "All")
    assert store.get("queue.view") == "All"


def test_every_key_is_declared_once_and_listed(qtbot: QtBot) -> None:
    assert len({key.keys for key in KEYS}) == len(KEYS) == len({key.name for key in KEYS})
    sheet = KeySheet(None, Theme("dark"))
    qtbot.addWidget(sheet)
    shown = {one.text() for one in sheet.findChildren(PlainLabel)}
    assert {key.words for key in KEYS} <= shown


@pytest.mark.parametrize("value", ["web-01", 'a"b', "with space", "10.20.0.5", "wild*card", "AND", "-minus", "", "(x)"])
def test_the_term_of_a_value_finds_that_value_and_its_opposite_the_rest(value: str) -> None:
    mine, other = row(1, target=value), row(2, target="someone-else")
    assert [parse(term("target", value)).matches(one, NOW) for one in (mine, other)] == [True, False]
    assert [parse(term("target", value, without=True)).matches(one, NOW) for one in (mine, other)] == [False, True]


def test_the_numbers_are_counted_over_all_incidents(qtbot: QtBot) -> None:
    kept = rows(4)
    kept[UUID(int=1)] = row(1, severity=Severity.CRITICAL, waiting=2)
    kept[UUID(int=60)] = row(60, waiting=1)
    kept[UUID(int=3)] = row(3, status=Status.RESOLVED, decided_at=NOW + timedelta(seconds=117))
    found = numbers(kept.values(), NOW)
    assert (found.open, found.critical, found.waiting) == (4, 1, 3)
    assert (found.median_decision, found.oldest_waiting) == (120.0, 60.0)
    strip = Counters(Theme("dark"))
    qtbot.addWidget(strip)
    strip.show_numbers(found, closed=4, closed_alone=1, at=NOW)
    assert [strip.said(name) for name in ("open", "median", "oldest", "alone")] == ["4", "2m", "1m", "25 %"]


def test_what_waits_grows_older_though_nothing_happens(qtbot: QtBot) -> None:
    strip = Counters(Theme("dark"))
    qtbot.addWidget(strip)
    strip.show_numbers(numbers([row(1, waiting=1)], NOW), closed=0, closed_alone=0, at=NOW)
    assert strip.said("oldest") == "1s"
    strip.tick(NOW + timedelta(minutes=3))
    assert strip.said("oldest") == "3m"


def test_with_nothing_to_measure_the_numbers_say_so(qtbot: QtBot) -> None:
    strip = Counters(Theme("dark"))
    qtbot.addWidget(strip)
    strip.show_numbers(numbers([], NOW), closed=0, closed_alone=0, at=NOW)
    assert [strip.said(name) for name in ("open", "median", "alone")] == ["0", "\u2013", "\u2013"]


def test_the_rate_counts_the_last_minute_and_falls() -> None:
    rate = Rate()
    for seconds in (1, 5, 20, 21, 59):
        rate.count(NOW - timedelta(seconds=seconds))
    assert rate.per_minute(NOW) == 5
    assert rate.per_minute(NOW + timedelta(minutes=2)) == 0
    assert sum(rate.curve(NOW)) == 5


def test_the_rail_says_how_many_wait(qtbot: QtBot) -> None:
    rail = Navigation(Theme("dark"), [place.name for place in PLACES])
    qtbot.addWidget(rail)
    rail.set_badge("approvals", 3)
    assert "3 actions waiting for you" in [rail.said(place.name) for place in PLACES][1]
    rail.set_badge("approvals", 0)
    assert rail.said("approvals") == "Approvals"


def test_an_answer_that_comes_after_the_window_is_gone_reaches_nobody() -> None:
    answers: list[Callable[[object], None] | None] = []

    def start(work: Coroutine[Any, Any, Any], done: Any = None, failed: Any = None) -> None:
        work.close()
        answers.append(done)

    async def work() -> int:
        return 1

    seen: list[int] = []
    guarded = UntilGone(start)
    guarded(work(), seen.append)
    guarded(work())
    first, second = answers
    assert first is not None
    assert second is None
    first(1)
    guarded.gone()
    first(2)
    assert seen == [1]
