"""A live table of actions as Qt's item model: one row an action, changed in place, never rebuilt by an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.record import now
from warden_desktop.ui.sorted_rows import SortedRows
from warden_desktop.ui.words import CELL_LIMIT, shown

Index = QModelIndex | QPersistentModelIndex

ACTION_ROLE = Qt.ItemDataRole.UserRole + 1
"""The row itself: an ActionRow."""


class ActionRow(NamedTuple):
    """One action, with what a table needs of its incident. The text is as it came; the model makes it safe."""

    action: Action
    incident_id: UUID
    incident: str

    @classmethod
    def of(cls, found: tuple[Incident, Action]) -> ActionRow:
        incident, action = found
        return cls(action, incident.id, incident.title)


class Column(NamedTuple):
    """One column: its title, its text at an instant, what it sorts by, and whether it changes with the clock."""

    title: str
    text: Callable[[ActionRow, datetime], str]
    key: Callable[[ActionRow], Any]
    ticks: bool = False
    mono: bool = False


class ActionModel(QAbstractTableModel):
    """Actions in columns. `put` brings fresh states in; `show_only` and `sort` arrange."""

    def __init__(
        self, columns: Sequence[Column], decorate: Callable[[ActionRow, int, int], Any], parent: QObject
    ) -> None:
        """`decorate(row, column, role)` answers the roles of looks: decoration, foreground, font."""
        super().__init__(parent)
        self._columns = columns
        self._decorate = decorate
        self._descending = False
        self._rows: SortedRows[ActionRow] = SortedRows(columns[0].key, lambda _: True)

    # --- what Qt asks -------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].title
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self.row(index.row())
        if role == Qt.ItemDataRole.DisplayRole or role == Qt.ItemDataRole.AccessibleTextRole:
            return shown(self._columns[index.column()].text(row, now()), CELL_LIMIT)
        return row if role == ACTION_ROLE else self._decorate(row, index.column(), role)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._descending = order == Qt.SortOrder.DescendingOrder
        self._rearranged(key=self._columns[column].key)

    # --- for the pages ------------------------------------------------------------------------------------------

    def row(self, position: int) -> ActionRow:
        return self._rows[self._mirrored(position)]

    def position(self, action_id: UUID) -> int | None:
        """Which row shows the action; None when none does."""
        place = self._rows.position(action_id)
        return None if place is None else self._mirrored(place)

    def known(self, action_id: UUID) -> bool:
        """Whether the action is in the model, shown or not."""
        return self._rows.known(action_id)

    def forget(self, action_id: UUID) -> None:
        """Drop an action for good."""
        if self._rows.place_of(action_id) is not None:
            self._hide(action_id)
        self._rows.forget(action_id)

    def everything(self) -> Iterable[ActionRow]:
        return self._rows.everything()

    def show_only(self, shows: Callable[[ActionRow], bool]) -> None:
        self._rearranged(shows=shows)

    def replace(self, rows: Iterable[ActionRow]) -> None:
        """Start over with `rows`."""
        self.beginResetModel()
        self._rows.clear()
        for row in rows:
            self._rows.keep(row.action.id, row)
        self._rows.rearrange()
        self.endResetModel()

    def put(self, row: ActionRow) -> None:
        """Insert, change, move or hide one action's row."""
        name = row.action.id
        old, new = self._rows.place_of(name), self._rows.keep(name, row)
        if old == new:
            self._changed(name)
            return
        if old is not None:
            self._hide(name)
        if new is not None:
            self._show(name, new)

    def tick(self) -> None:
        """The clock went on."""
        last = len(self._rows) - 1
        for at, column in enumerate(self._columns):
            if column.ticks and last >= 0:
                self.dataChanged.emit(self.index(0, at), self.index(last, at), [Qt.ItemDataRole.DisplayRole])

    def _changed(self, name: UUID) -> None:
        position = self.position(name)
        if position is not None:
            self.dataChanged.emit(self.index(position, 0), self.index(position, len(self._columns) - 1))

    def _hide(self, name: UUID) -> None:
        position = self.position(name)
        assert position is not None
        self.beginRemoveRows(QModelIndex(), position, position)
        self._rows.remove(name)
        self.endRemoveRows()

    def _show(self, name: UUID, place: tuple[Any, int]) -> None:
        goes_to = self._rows.goes_to(place)
        position = len(self._rows) - goes_to if self._descending else goes_to
        self.beginInsertRows(QModelIndex(), position, position)
        self._rows.insert(name, place)
        self.endInsertRows()

    def _rearranged(
        self, key: Callable[[ActionRow], Any] | None = None, shows: Callable[[ActionRow], bool] | None = None
    ) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        names = [self.row(index.row()).action.id for index in before]
        self._rows.rearrange(key, shows)
        after = [self._moved(index, name) for index, name in zip(before, names, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _moved(self, index: QModelIndex, name: UUID) -> QModelIndex:
        position = self.position(name)
        return QModelIndex() if position is None else self.index(position, index.column())

    def _mirrored(self, position: int) -> int:
        return len(self._rows) - 1 - position if self._descending else position
