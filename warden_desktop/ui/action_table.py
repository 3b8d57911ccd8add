"""The table of actions both pages show: quick to draw, calm under change, driven by keys."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from warden_desktop.ui.action_model import ActionModel, ActionRow
from warden_desktop.ui.theme import Theme


class ActionTable(QTableView):
    """One selected row. `activated_row` carries the row on Enter or double click, `chosen` the row under the cursor
    (or None), `key` any single letter typed."""

    activated_row = Signal(object)
    chosen = Signal(object)
    letter = Signal(object)

    def __init__(self, model: ActionModel, theme: Theme, widths: dict[int, int], stretch: int) -> None:
        super().__init__()
        self._model = model
        self._theme = theme
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.row_height(self.fontMetrics().height()))
        self._dress_header(widths, stretch)
        self.doubleClicked.connect(self._activate)
        self.selectionModel().currentRowChanged.connect(self._chosen)

    def _dress_header(self, widths: dict[int, int], stretch: int) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        unit = self.fontMetrics().averageCharWidth()
        for column, characters in widths.items():
            self.setColumnWidth(column, characters * unit)
        header.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
        header.setSectionsMovable(True)

    def sorted_by(self, column: int, order: Qt.SortOrder) -> None:
        """Sort, and let a click on a heading sort otherwise."""
        self.horizontalHeader().setSortIndicator(column, order)
        self.setSortingEnabled(True)

    @property
    def current(self) -> ActionRow | None:
        """The row under the cursor."""
        index = self.currentIndex()
        return self._model.row(index.row()) if index.isValid() else None

    def go_to(self, action_id: UUID) -> None:
        """Put the cursor on an action, if it is shown."""
        position = self._model.position(action_id)
        if position is not None:
            self.selectRow(position)
            self.scrollTo(self._model.index(position, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._activate(self.currentIndex())
        elif plain and event.key() in (Qt.Key.Key_J, Qt.Key.Key_K):
            self._step(1 if event.key() == Qt.Key.Key_J else -1)
        elif plain and len(event.text()) == 1 and event.text().isalpha():
            self.letter.emit(event.text().casefold())
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        rows = self._model.rowCount()
        if rows:
            self.selectRow(min(max(self.currentIndex().row() + by, 0), rows - 1))

    def _activate(self, index: QModelIndex) -> None:
        if index.isValid():
            self.activated_row.emit(self._model.row(index.row()))

    def _chosen(self, index: QModelIndex, _: QModelIndex) -> None:
        self.chosen.emit(self._model.row(index.row()) if index.isValid() else None)
