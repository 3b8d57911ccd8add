"""The incident table's model: the incidents that match, in order, by row number.

There is no proxy model: filtering and sorting work on the rows themselves, since a proxy written in Python takes
seconds where this takes milliseconds. Rows on screen keep their places while the analyst looks: what would move them
(a new row above, a row that no longer matches) waits in `pending` until `refresh`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from time import perf_counter
from typing import Any
from uuid import UUID

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from warden_desktop.domain.incident import IncidentRow
from warden_desktop.ui.incident_columns import COLUMNS, NAMES, Column, Moment, ServiceLevels
from warden_desktop.ui.plain_text import tooltip
from warden_desktop.ui.words import moment as local
from warden_desktop.ui.words import shown, utc

Index = QModelIndex | QPersistentModelIndex
Matches = Callable[[IncidentRow, datetime], bool]
_TOP = QModelIndex()
_WITH_HINT = "QList<QPersistentModelIndex>,QAbstractItemModel::LayoutChangeHint"
_FEW = 8  # up to this many rows come and go one by one; more are laid out again at once
_NEWEST_FIRST = NAMES.index("age")


class IncidentTable(QAbstractTableModel):
    """Shows those of `rows` that match. `pending_changed` carries how many wait for `refresh`: (new, gone)."""

    pending_changed = Signal(object)
    shown_changed = Signal()

    def __init__(self, rows: Mapping[UUID, IncidentRow], clock: Callable[[], datetime], levels: ServiceLevels) -> None:
        super().__init__()
        self._all = rows
        self._clock = clock
        self._levels = levels
        self._matches: Matches = lambda row, now: True
        self._column, self._descending = NAMES.index("severity"), True
        self._rows: list[IncidentRow] = []
        self._places: dict[UUID, int] = {}
        self._fresh: dict[UUID, None] = {}
        self._gone: set[UUID] = set()
        self.milliseconds = 0.0
        self.refresh()

    # --- what is shown ------------------------------------------------------------------------------------------

    def row(self, place: int) -> IncidentRow:
        """The incident at row `place`."""
        return self._rows[place]

    def place(self, incident_id: UUID | None) -> int | None:
        """Where an incident is shown; None when it is not."""
        return self._places.get(incident_id) if incident_id else None

    def stale(self, row: IncidentRow) -> bool:
        """Whether the row no longer matches and only keeps its place."""
        return row.id in self._gone

    @property
    def pending(self) -> tuple[int, int]:
        """How many incidents wait to be shown, and how many to be taken away."""
        return len(self._fresh), len(self._gone)

    @property
    def moment(self) -> Moment:
        return Moment(self._clock(), self._levels)

    # --- choosing and ordering ----------------------------------------------------------------------------------

    def choose(self, matches: Matches) -> None:
        """Show the incidents `matches` holds for."""
        self._matches = matches
        self.refresh()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._column = column if column >= 0 else _NEWEST_FIRST
        self._descending = order is Qt.SortOrder.DescendingOrder
        self.refresh()

    def refresh(self) -> None:
        """Choose and order again; the selection stays on its incidents."""
        started = perf_counter()
        now = self._clock()
        found = [row for row in self._all.values() if self._matches(row, now)]
        self._order(found)
        self._replace(found)
        self._fresh.clear()
        self._gone.clear()
        self.milliseconds = (perf_counter() - started) * 1000
        self._tell()

    def _order(self, found: list[IncidentRow]) -> None:
        """By the chosen column; among equals the newest first."""
        found.sort(key=_born, reverse=True)
        found.sort(key=COLUMNS[self._column].order, reverse=self._descending)

    def _replace(self, found: list[IncidentRow]) -> None:
        _rows_move(self.layoutAboutToBeChanged)
        before = self.persistentIndexList()
        owners = [self._rows[index.row()].id for index in before]
        self._rows = found
        self._renumber()
        after = [self._index_of(owner, index.column()) for owner, index in zip(owners, before, strict=True)]
        self.changePersistentIndexList(before, after)
        _rows_move(self.layoutChanged)

    def _index_of(self, incident_id: UUID, column: int) -> QModelIndex:
        place = self._places.get(incident_id)
        return QModelIndex() if place is None else self.index(place, column)

    # --- what happens -------------------------------------------------------------------------------------------

    def update(self, changed: Iterable[UUID], still: int) -> None:
        """These incidents changed. Rows up to and including row `still` keep their places."""
        now = self._clock()
        fresh: list[IncidentRow] = []
        touched: list[int] = []
        leaving: list[UUID] = []
        for row in [self._all[one] for one in changed if one in self._all]:
            place, wanted = self._places.get(row.id), self._matches(row, now)
            if place is not None:
                self._rows[place] = row
                touched.append(place)
                self._note(row, wanted, place > still, leaving)
            elif wanted:
                fresh.append(row)
        if touched:
            self.dataChanged.emit(self.index(min(touched), 0), self.index(max(touched), len(COLUMNS) - 1))
        self._come_and_go([row for row in fresh if self._may_come(row, still)], leaving, still)
        self._tell()

    def _note(self, row: IncidentRow, wanted: bool, may_leave: bool, leaving: list[UUID]) -> None:
        if wanted:
            self._gone.discard(row.id)
        elif may_leave:
            leaving.append(row.id)
        else:
            self._gone.add(row.id)

    def _may_come(self, row: IncidentRow, still: int) -> bool:
        if self._place_for(row) > still:
            self._fresh.pop(row.id, None)
            return True
        self._fresh[row.id] = None
        return False

    def _come_and_go(self, coming: list[IncidentRow], leaving: list[UUID], still: int) -> None:
        if len(coming) + len(leaving) > _FEW:
            going = set(leaving)
            tail = [row for row in self._rows[still + 1 :] if row.id not in going] + coming
            self._order(tail)
            self._replace(self._rows[: still + 1] + tail)
            return
        for incident_id in leaving:
            self.remove(incident_id)
        for row in coming:
            self._insert(row)

    def _insert(self, row: IncidentRow) -> None:
        place = self._place_for(row)
        self.beginInsertRows(_TOP, place, place)
        self._rows.insert(place, row)
        self._renumber(place)
        self.endInsertRows()

    def remove(self, incident_id: UUID) -> None:
        """Take an incident off the screen now, for instance because the analyst just decided it."""
        place = self._places.get(incident_id)
        if place is None:
            return
        self.beginRemoveRows(_TOP, place, place)
        del self._rows[place], self._places[incident_id]
        self._gone.discard(incident_id)
        self._renumber(place)
        self.endRemoveRows()

    def wants(self, incident_id: UUID) -> bool:
        """Whether an incident matches, as it is now."""
        row = self._all.get(incident_id)
        return row is not None and self._matches(row, self._clock())

    def _place_for(self, row: IncidentRow) -> int:
        """By bisection: the first place whose row comes after `row`."""
        low, high = 0, len(self._rows)
        while low < high:
            middle = (low + high) // 2
            if self._before(self._rows[middle], row):
                low = middle + 1
            else:
                high = middle
        return low

    def _before(self, one: IncidentRow, other: IncidentRow) -> bool:
        order = COLUMNS[self._column].order
        mine, theirs = order(one), order(other)
        if mine == theirs:
            return one.created_at > other.created_at
        return bool(mine > theirs) if self._descending else bool(mine < theirs)

    def _renumber(self, first: int = 0) -> None:
        if first == 0:
            self._places = {}
        self._places.update((row.id, first + step) for step, row in enumerate(self._rows[first:]))

    def _tell(self) -> None:
        self.pending_changed.emit(self.pending)
        self.shown_changed.emit()

    # --- Qt's questions -----------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row, self.moment)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(_hover(row, column))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.heading}: {column.text(row, self.moment) or 'none'}"
        if role == Qt.ItemDataRole.TextAlignmentRole and column.right:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].heading
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if COLUMNS[section].right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


def _rows_move(signal: Any) -> None:
    """Emit a layout signal with the hint that columns stay: else the header looks for its hidden columns by a row that
    may be gone, and shows them again."""
    signal[_WITH_HINT].emit([], QAbstractTableModel.LayoutChangeHint.VerticalSortHint)


def _born(row: IncidentRow) -> datetime:
    return row.created_at


def _hover(row: IncidentRow, column: Column) -> str:
    if column.name in {"age", "sla"}:
        decided = f"\nDecided {local(row.decided_at)}" if row.decided_at else ""
        return f"Since {local(row.created_at)}\n{utc(row.created_at)}{decided}"
    return {"title": shown(row.title, 1_024), "target": shown(row.target, 1_024)}.get(column.name, "")
