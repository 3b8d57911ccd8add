"""The incident table's model: right after every change, and still under the analyst's cursor."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from tests.ui.rows import LEVELS, NOW, row, rows
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict
from warden_desktop.ui.incident_columns import COLUMNS, NAMES
from warden_desktop.ui.incident_table import IncidentTable

FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal
DOWN = Qt.SortOrder.DescendingOrder


def table(kept: dict[UUID, IncidentRow]) -> IncidentTable:
    made = IncidentTable(kept, lambda: NOW, LEVELS)
    made.tester = QAbstractItemModelTester(made, FATAL)  # type: ignore[attr-defined]
    return made


def is_open(one: IncidentRow, now: object) -> bool:
    return one.status.open


def order(model: IncidentTable) -> list[int]:
    return [model.row(place).id.int for place in range(model.rowCount())]


def cell(model: IncidentTable, place: int, name: str) -> str:
    return str(model.index(place, NAMES.index(name)).data())


def test_the_worst_and_newest_come_first() -> None:
    kept = rows(4)
    kept[UUID(int=3)] = row(3, severity=Severity.CRITICAL)
    assert order(table(kept)) == [3, 1, 2, 4]


def test_every_column_sorts_both_ways() -> None:
    kept = rows(30)
    kept[UUID(int=7)] = row(7, verdict=Verdict.TRUE_POSITIVE, confidence=0.9, waiting=2, tags=("unsigned",))
    model = table(kept)
    for place, column in enumerate(COLUMNS):
        for way in (DOWN, Qt.SortOrder.AscendingOrder):
            model.sort(place, way)
            values = [column.order(model.row(at)) for at in range(30)]
            assert values == sorted(values, reverse=way is DOWN)


def test_a_new_row_below_the_cursor_appears_and_one_above_waits() -> None:
    kept = rows(5)
    model = table(kept)
    kept[UUID(int=99)] = row(99)
    kept[UUID(int=100)] = row(100, severity=Severity.CRITICAL)
    model.update([UUID(int=99), UUID(int=100)], still=2)
    assert order(model) == [1, 2, 3, 4, 5, 99]
    assert model.pending == (1, 0)
    model.refresh()
    assert order(model) == [100, 1, 2, 3, 4, 5, 99]
    assert model.pending == (0, 0)


def test_a_row_that_ended_above_the_cursor_keeps_its_place_until_it_is_refreshed() -> None:
    kept = rows(5)
    model = table(kept)
    model.choose(is_open)
    for number in (2, 5):
        kept[UUID(int=number)] = row(number, status=Status.RESOLVED)
    model.update([UUID(int=2), UUID(int=5)], still=2)
    assert order(model) == [1, 2, 3, 4]
    assert model.stale(model.row(1))
    assert model.pending == (0, 1)
    model.refresh()
    assert order(model) == [1, 3, 4]


def test_a_row_keeps_its_place_when_its_values_change() -> None:
    kept = rows(5)
    model = table(kept)
    kept[UUID(int=4)] = row(4, severity=Severity.CRITICAL, title="Now critical")
    model.update([UUID(int=4)], still=4)
    assert order(model) == [1, 2, 3, 4, 5]
    assert cell(model, 3, "title") == "Now critical"


def test_the_cursor_stays_on_its_incident_through_sorting_and_filtering() -> None:
    model = table(rows(50))
    index = QPersistentModelIndex(model.index(20, 1))
    wanted = model.row(20).id
    model.sort(NAMES.index("target"), DOWN)
    assert model.row(index.row()).id == wanted
    model.choose(lambda one, now: one.id.int % 2 == wanted.int % 2)
    assert model.row(index.row()).id == wanted
    model.choose(lambda one, now: one.id != wanted)
    assert not index.isValid()


def test_a_storm_comes_in_at_once() -> None:
    kept = rows(100)
    model = table(kept)
    fresh = {one.id: one for one in map(row, range(101, 1101))}
    kept.update(fresh)
    model.update(fresh, still=10)
    assert order(model) == list(range(1, 1101))
    assert model.place(UUID(int=777)) == 776


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from(list(Severity)), st.sampled_from([Status.NEW, Status.CLOSED])),
        max_size=40,
    ),
    st.integers(-1, 12),
)
def test_after_any_changes_and_a_refresh_the_table_is_what_a_fresh_one_would_be(
    changes: list[tuple[int, Severity, Status]], still: int
) -> None:
    kept = rows(15)
    model = table(kept)
    model.choose(is_open)
    before = order(model)[: still + 1]
    for number, severity, status in changes:
        kept[UUID(int=number)] = row(number, severity=severity, status=status)
        model.update([UUID(int=number)], still)
    assert order(model)[: still + 1] == before
    model.refresh()
    fresh = table(kept)
    fresh.choose(is_open)
    assert order(model) == order(fresh)


def test_the_countdown_says_what_is_left_and_what_is_over() -> None:
    kept = {
        UUID(int=1): row(1, severity=Severity.CRITICAL),
        UUID(int=1_200): row(1_200, severity=Severity.CRITICAL),
        UUID(int=3): row(3, severity=Severity.CRITICAL, decided_at=NOW),
        UUID(int=4): row(4, severity=Severity.INFO),
    }
    model = table(kept)
    said = {model.row(place).id.int: cell(model, place, "sla") for place in range(4)}
    assert said == {1: "14m", 1_200: "5m over", 3: "", 4: ""}


def test_hostile_text_is_plain_in_every_role(qtbot: QtBot) -> None:
    hostile = "<img src=x>\u202e" + "y" * 1_000_000
    model = table({UUID(int=1): row(1, title=hostile, target="p\u0430ypal", source=hostile, assignee=hostile)})
    for place in range(len(COLUMNS)):
        index = model.index(0, place)
        said = (str(index.data()), str(index.data(Qt.ItemDataRole.AccessibleTextRole)))
        assert not any("\u202e" in text or len(text) > 300 for text in said)
        hover = index.data(Qt.ItemDataRole.ToolTipRole)
        assert "<img" not in hover
        assert len(hover) < 20_000
    assert cell(model, 0, "target") == "p\\u0430ypal"
