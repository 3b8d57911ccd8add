"""The newest events as Qt's item model: bounded, filtered, and worded only when a row is on the screen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from warden_desktop.domain.events import FaultRaised, KillSwitchActivated
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.live_words import line
from warden_desktop.ui.plain_text import tooltip
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import CELL_LIMIT, clock, person, shown, utc, words

Index = QModelIndex | QPersistentModelIndex

KEPT = 10_000
TITLES = ("Time", "Seq", "Kind", "Incident", "Who", "What")
TIME, SEQ, KIND, INCIDENT, WHO, WHAT = range(len(TITLES))


class LiveModel(QAbstractTableModel):
    """Events, oldest first. `title_of` names an incident, or answers ""."""

    def __init__(self, theme: Theme, title_of: Callable[[UUID], str], parent: QObject, *, kept: int = KEPT) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title_of = title_of
        self._kept = kept
        self._all: deque[Recorded] = deque()
        self._shown: list[Recorded] = []
        self._kinds: frozenset[str] = frozenset()
        self._text = ""

    # --- what Qt asks -------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        recorded, column = self._shown[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(self._cell(recorded, column), CELL_LIMIT)
        if role == Qt.ItemDataRole.ToolTipRole and column in (TIME, WHAT):
            return tooltip(utc(recorded.event.at) if column == TIME else line(recorded.event))
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(recorded, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == SEQ:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _cell(self, recorded: Recorded, column: int) -> str:
        event = recorded.event
        if column == TIME:
            return clock(event.at)
        if column == SEQ:
            return str(recorded.seq)
        if column == KIND:
            return words(event.kind)
        if column == INCIDENT:
            return self._title_of(event.incident_id) if event.incident_id else ""
        return person(event.actor) if column == WHO else line(event)

    def _colour(self, recorded: Recorded, column: int) -> Any:
        if column == KIND and isinstance(recorded.event, FaultRaised | KillSwitchActivated):
            return self._theme.colour("danger")
        return self._theme.colour("muted") if column in (TIME, SEQ, WHO) else None

    # --- for the page -------------------------------------------------------------------------------------------

    def at(self, row: int) -> Recorded:
        return self._shown[row]

    @property
    def total(self) -> int:
        """How many events are kept, shown or not."""
        return len(self._all)

    @property
    def full(self) -> bool:
        return len(self._all) >= self._kept

    @property
    def oldest(self) -> int | None:
        """The number of the oldest event kept; None when there is none."""
        return self._all[0].seq if self._all else None

    @property
    def newest(self) -> int | None:
        """The number of the newest event kept; None when there is none."""
        return self._all[-1].seq if self._all else None

    def append(self, batch: Sequence[Recorded]) -> None:
        """Newer events; the oldest make room."""
        batch = batch[-self._kept :]
        self._drop(len(self._all) + len(batch) - self._kept)
        self._all.extend(batch)
        fresh = [one for one in batch if self._wanted(one)]
        if fresh:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
            self._shown.extend(fresh)
            self.endInsertRows()

    def prepend(self, older: Sequence[Recorded]) -> int:
        """Older events (newest first, as history gives them), as far as there is room; how many were taken."""
        room = older[: max(self._kept - len(self._all), 0)]
        self._all.extendleft(room)
        fresh = [one for one in reversed(room) if self._wanted(one)]
        if fresh:
            self.beginInsertRows(QModelIndex(), 0, len(fresh) - 1)
            self._shown[:0] = fresh
            self.endInsertRows()
        return len(room)

    def show_only(self, kinds: frozenset[str], text: str) -> None:
        """Show events of `kinds` (empty: all) that have `text` in what the table says of them."""
        self.beginResetModel()
        self._kinds, self._text = kinds, text.casefold()
        self._shown = [one for one in self._all if self._wanted(one)]
        self.endResetModel()

    def clear(self) -> None:
        self.beginResetModel()
        self._all.clear()
        self._shown.clear()
        self.endResetModel()

    def _drop(self, number: int) -> None:
        gone = [self._all.popleft() for _ in range(min(max(number, 0), len(self._all)))]
        if not gone or not self._shown:
            return
        last = gone[-1].seq
        out = next((at for at, one in enumerate(self._shown) if one.seq > last), len(self._shown))
        if out:
            self.beginRemoveRows(QModelIndex(), 0, out - 1)
            del self._shown[:out]
            self.endRemoveRows()

    def _wanted(self, recorded: Recorded) -> bool:
        if self._kinds and recorded.event.kind not in self._kinds:
            return False
        return not self._text or self._text in self._searchable(recorded)

    def _searchable(self, recorded: Recorded) -> str:
        event = recorded.event
        title = self._title_of(event.incident_id) if event.incident_id else ""
        return " ".join((str(recorded.seq), event.kind, event.actor, title, line(event))).casefold()
