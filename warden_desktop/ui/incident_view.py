"""The incident table on screen: columns to choose, order and size, a menu on every value, and a steady cursor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from PySide6.QtCore import QEvent, QItemSelection, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView

from warden_desktop.ui.incident_columns import COLUMNS, NAMES, Column
from warden_desktop.ui.incident_painter import IncidentFonts, IncidentPainter
from warden_desktop.ui.incident_table import IncidentTable, Index
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.value_menu import Search, ValueMenu
from warden_desktop.ui.view_store import ViewStore

_TICK = 1_000  # ms between repaints for ages and countdowns
_STORED = "queue.columns"


class IncidentView(QTableView):
    """Shows an IncidentTable. `current_changed` carries the id of the incident the cursor has come to."""

    current_changed = Signal(object)
    wanted = Signal()

    def __init__(self, model: IncidentTable, theme: Theme, store: ViewStore, search: Search) -> None:
        super().__init__()
        self._table, self._theme, self._store, self._search = model, theme, store, search
        self._fonts = IncidentFonts(self.font(), theme)
        self._hovered = -1
        self._fitting = False
        self._chosen: UUID | None = None
        self.setAccessibleName("Incidents")
        self.setModel(model)
        self._behave()
        self._arrange_columns()
        self.doubleClicked.connect(self._open)
        self._clock = QTimer(self, interval=_TICK)
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        model.layoutChanged.connect(self._find_chosen)
        theme.changed.connect(self._dress)
        self._dress()

    def _behave(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def _dress(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self._theme.row_height(self.fontMetrics().height()))
        self.viewport().update()

    # --- columns ------------------------------------------------------------------------------------------------

    def _arrange_columns(self) -> None:
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setSortIndicatorShown(True)
        for place, column in enumerate(COLUMNS):
            self.setColumnWidth(place, column.width)
        self._restore(self._store.get(_STORED))
        self.setSortingEnabled(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._choose_columns)
        for signal in (header.sectionMoved, header.sectionResized, header.sortIndicatorChanged):
            signal.connect(self._keep)

    def _restore(self, kept: Any) -> None:
        """Take the kept layout as far as it makes sense: a file of another version may name other columns."""
        header = self.horizontalHeader()
        header.setSortIndicator(NAMES.index("severity"), Qt.SortOrder.DescendingOrder)
        if not isinstance(kept, dict):
            return
        for place, name in enumerate(name for name in kept.get("order", ()) if name in NAMES):
            header.moveSection(header.visualIndex(NAMES.index(name)), place)
        for name, width in dict(kept.get("widths", {})).items():
            if name in NAMES and isinstance(width, int):
                self.setColumnWidth(NAMES.index(name), max(40, min(width, 2_000)))
        for name in kept.get("hidden", ()):
            if name in NAMES:
                self.setColumnHidden(NAMES.index(name), True)
        if kept.get("sort") in NAMES:
            falling = Qt.SortOrder.DescendingOrder if kept.get("falling") else Qt.SortOrder.AscendingOrder
            header.setSortIndicator(NAMES.index(kept["sort"]), falling)

    def _keep(self) -> None:
        if self._fitting:
            return
        header = self.horizontalHeader()
        places = range(len(COLUMNS))
        self._store.keep(
            _STORED,
            {
                "order": [NAMES[header.logicalIndex(place)] for place in places],
                "widths": {NAMES[place]: self.columnWidth(place) for place in places if not self.isColumnHidden(place)},
                "hidden": [NAMES[place] for place in places if self.isColumnHidden(place)],
                "sort": NAMES[max(header.sortIndicatorSection(), 0)],
                "falling": header.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder,
            },
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The title takes the room there is."""
        super().resizeEvent(event)
        title = NAMES.index("title")
        others = sum(self.columnWidth(place) for place in range(len(COLUMNS)) if place != title)
        self._fitting = True
        self.setColumnWidth(title, max(COLUMNS[title].width, self.viewport().width() - others))
        self._fitting = False

    def _choose_columns(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        for place, column in enumerate(COLUMNS):
            entry = menu.addAction(column.heading)
            entry.setCheckable(True)
            entry.setChecked(not self.isColumnHidden(place))
            entry.setEnabled(column.name != "title")
            entry.setData(column.name)
            entry.toggled.connect(self._column_toggled)
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    def _column_toggled(self, wanted: bool) -> None:
        entry = self.sender()
        if isinstance(entry, QAction):
            self.show_column(entry.data(), wanted)

    def show_column(self, name: str, wanted: bool) -> None:
        """Show or hide a column, now and in later runs."""
        self.setColumnHidden(NAMES.index(name), not wanted)
        self._keep()

    # --- the cursor ---------------------------------------------------------------------------------------------

    @property
    def current(self) -> UUID | None:
        """The incident the cursor is on."""
        place = self._place
        return self._table.row(place).id if place >= 0 else None

    @property
    def _place(self) -> int:
        """The row the cursor is on, -1 for none. Qt puts its own on a row that nobody chose when the table gets the
        keyboard; that one does not count."""
        index = self.currentIndex()
        return index.row() if index.isValid() and self.selectionModel().isSelected(index) else -1

    @property
    def still(self) -> int:
        """The lowest row that must not move: the one the cursor is on or the one under the mouse; -1 for none."""
        return max(self._place, self._hovered)

    def go(self, steps: int) -> None:
        """Move the cursor down by `steps` rows, up for a negative number, and stay inside the table."""
        last = self._table.rowCount() - 1
        if last >= 0:
            here = self._place
            self.go_to(min(max(here + steps, 0), last) if here >= 0 else 0)

    def go_to(self, place: int) -> None:
        """Put the cursor on a row."""
        self.setCurrentIndex(self._table.index(place, NAMES.index("title")))

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self._announce()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self._announce()  # a click on the row where Qt had put its own cursor changes only the selection

    def _announce(self) -> None:
        chosen = self.current
        if chosen is not None and chosen != self._chosen:
            self._chosen = chosen
            self.current_changed.emit(chosen)

    def _find_chosen(self) -> None:
        """A filter took the incident away and another brought it back: the cursor is on it again."""
        place = self._table.place(self._chosen)
        if place is not None and self._place < 0:
            self.go_to(place)

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Scroll up and down only: a cursor that moves down must not throw the columns about."""
        sideways = self.horizontalScrollBar().value()
        super().scrollTo(index, hint)
        self.horizontalScrollBar().setValue(sideways)

    def _open(self) -> None:
        self.wanted.emit()

    # --- the mouse ----------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(event.position().toPoint().y()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, place: int) -> None:
        if place != self._hovered:
            self._hovered = place
            self.viewport().update()

    def _menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if not index.isValid():
            return
        row, column = self._table.row(index.row()), COLUMNS[index.column()]
        field, value = column.term(row) if column.term else ("", column.text(row, self._table.moment))
        if column.name == "title":
            value = row.title
        ValueMenu(self, field, str(value), self._search).popup(self.viewport().mapToGlobal(at))

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """All rows that show, in one pass: Qt's own way asks Python for every cell."""
        if self._fonts.source != self.font():
            self._fonts = IncidentFonts(self.font(), self._theme)
        with QPainter(self.viewport()) as painter:
            rows = IncidentPainter(painter, self._table, self._theme, self._fonts)
            columns, width = self._columns_shown(), self.horizontalHeader().length()
            left = -self.horizontalHeader().offset()
            for place in self._rows_shown(event.rect()):
                area = QRect(left, self.rowViewportPosition(place), width, self.rowHeight(place))
                rows.row(place, area, columns, self._ground(place))

    def _columns_shown(self) -> list[tuple[Column, int, int]]:
        shown = [place for place in range(len(COLUMNS)) if not self.isColumnHidden(place)]
        return [(COLUMNS[place], self.columnViewportPosition(place), self.columnWidth(place)) for place in shown]

    def _rows_shown(self, area: QRect) -> range:
        first, last = self.rowAt(area.top()), self.rowAt(area.bottom())
        return range(max(first, 0), (last if last >= 0 else self._table.rowCount() - 1) + 1)

    def _ground(self, place: int) -> str:
        if place == self._place:
            return "selection"
        return "hover" if place == self._hovered else ""

    def _tick(self) -> None:
        if self.isVisible():
            self.viewport().update()
