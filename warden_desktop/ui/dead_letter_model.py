"""Dead letters as Qt's item model: all there are, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from warden_desktop.engine.ports import DeadLetter
from warden_desktop.ui.plain_text import tooltip
from warden_desktop.ui.words import CELL_LIMIT, clock, shown, utc, words

Index = QModelIndex | QPersistentModelIndex

TITLES = ("Time", "Seq", "Kind", "Incident", "Worker", "Attempts", "Error")
TIME, SEQ, KIND, INCIDENT, WORKER, ATTEMPTS, ERROR = range(len(TITLES))
_NUMBERS = frozenset({SEQ, ATTEMPTS})


class DeadLetterModel(QAbstractTableModel):
    """`title_of` names an incident, or answers ""."""

    def __init__(self, title_of: Callable[[UUID], str], parent: QObject) -> None:
        super().__init__(parent)
        self._title_of = title_of
        self._letters: list[DeadLetter] = []

    # --- what Qt asks -------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._letters)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._letters):
            return None
        letter, column = self._letters[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(self._cell(letter, column), CELL_LIMIT)
        if role == Qt.ItemDataRole.ToolTipRole and column in (TIME, ERROR):
            return tooltip(utc(letter.recorded.event.at) if column == TIME else letter.error)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _cell(self, letter: DeadLetter, column: int) -> str:
        seq, event = letter.recorded
        cells = {
            TIME: clock(event.at),
            SEQ: str(seq),
            KIND: words(event.kind),
            INCIDENT: self._title_of(event.incident_id) if event.incident_id else "",
            WORKER: words(letter.subscriber),
            ATTEMPTS: str(letter.attempts),
            ERROR: letter.error,
        }
        return cells[column]

    # --- for the view -------------------------------------------------------------------------------------------

    def at(self, row: int) -> DeadLetter:
        return self._letters[row]

    def row_of(self, subscriber: str, seq: int) -> int:
        """Where a letter is; -1 when it is gone."""
        known = ((letter.subscriber, letter.recorded.seq) for letter in self._letters)
        return next((row for row, key in enumerate(known) if key == (subscriber, seq)), -1)

    def show_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Show these and no others."""
        self.beginResetModel()
        self._letters = list(letters)
        self.endResetModel()
