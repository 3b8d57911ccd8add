"""The tail of the bus: every event as it happens, with filters, a pause, and older ones on demand; and beside it what
could not be handled."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTableView,
    QTabWidget,
    QWidget,
)

from warden_desktop.domain.events import EVENT_TYPES, kind_of
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.arrange import beside, framed, held, stacked
from warden_desktop.ui.dead_letters import DeadLettersView
from warden_desktop.ui.empty_state import EmptyState
from warden_desktop.ui.live_model import INCIDENT, KIND, SEQ, TIME, WHAT, WHO, LiveModel
from warden_desktop.ui.plain_text import label, text_view
from warden_desktop.ui.theme import GRID, Theme, set_role
from warden_desktop.ui.words import DETAIL_LIMIT, count, shown, words
from warden_desktop.ui.work import Start

PAGE = 500
_WIDTHS = {TIME: 14, SEQ: 10, KIND: 24, INCIDENT: 34, WHO: 20}


class LivePage(QWidget):
    """Newest at the bottom. It follows the end while the end is in sight, and stands still while paused.

    `badge_changed` carries how many events could not be handled.
    """

    incident_wanted = Signal(object)
    badge_changed = Signal(object)

    def __init__(self, desk: Desk, start: Start, theme: Theme, actor: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self._desk, self._start = desk, start
        self._held_back: list[Recorded] = []
        self.model = LiveModel(theme, self._title_of, self)
        self.kinds = QComboBox()
        self.kinds.setAccessibleName("Kind of event")
        self.kinds.addItem("All kinds", "")
        for kind in map(kind_of, EVENT_TYPES):
            self.kinds.addItem(words(kind), kind)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Text in what is shown")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search events")
        self.pause = QPushButton("Pause")
        self.pause.setCheckable(True)
        self.older = QPushButton("Load older")
        set_role(self.older, "quiet")
        self._summary = label("", "muted")
        self.detail: QPlainTextEdit = text_view()
        self.detail.setAccessibleName("The event in full")
        self.detail.setPlaceholderText("Choose an event to see it in full, as it is recorded.")
        self._empty = EmptyState(theme, "live", "Nothing yet", "Every event appears here the moment it is recorded.")
        self.table = self._table(theme)
        self.dead_letters = DeadLettersView(desk, start, theme, actor, self._title_of)
        self.tabs = QTabWidget()
        self._arrange()
        self._connect()
        self.on_resync()

    def _table(self, theme: Theme) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setAccessibleName("Events")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setWordWrap(False)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(theme.row_height(table.fontMetrics().height()))
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, characters in _WIDTHS.items():
            table.setColumnWidth(column, characters * table.fontMetrics().averageCharWidth())
        header.setSectionResizeMode(WHAT, QHeaderView.ResizeMode.Stretch)
        return table

    def _arrange(self) -> None:
        self.search.setFixedWidth(260)
        head = beside(self._summary, None, self.kinds, self.search, self.pause, gap=3)
        self._body = QStackedWidget()
        self._body.addWidget(held(stacked(beside(self.older, None), self.table, gap=1)))
        self._body.addWidget(self._empty)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._body)
        split.addWidget(framed(stacked(self.detail), "surface"))
        split.setSizes([520, 160])
        split.setChildrenCollapsible(False)
        tail = stacked(head, split, gap=3)
        tail.setStretch(1, 1)
        tail.setContentsMargins(0, round(2 * GRID), 0, 0)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(held(tail), "Events")
        self.tabs.addTab(self.dead_letters, "")
        self._show_dead(0)
        page = stacked(label("Live", "title"), self.tabs, gap=2, margin=5)
        page.setStretch(1, 1)
        self.setLayout(page)

    def _connect(self) -> None:
        self.kinds.currentIndexChanged.connect(self._filter)
        self.search.textChanged.connect(self._filter)
        self.pause.toggled.connect(self._paused)
        self.older.clicked.connect(self._load_older)
        self.table.doubleClicked.connect(self._open)
        self.table.selectionModel().currentRowChanged.connect(self._chosen)
        self.dead_letters.count_changed.connect(self._show_dead)
        self.dead_letters.incident_wanted.connect(self.incident_wanted)

    # --- following ----------------------------------------------------------------------------------------------

    def on_events(self, batch: list[Recorded]) -> None:
        """The next events; while paused they are held back, as many as the table would keep."""
        if self.pause.isChecked():
            self._held_back = (self._held_back + batch)[-10_000:]
            self._count()
            return
        self._append(batch)

    def on_resync(self) -> None:
        """Events were missed: start over from the end of the log."""
        self.model.clear()
        self._held_back.clear()
        self._load_older()
        self.dead_letters.reload()

    def _show_dead(self, number: int) -> None:
        self.tabs.setTabText(self.tabs.indexOf(self.dead_letters), f"Could not be handled ({number:,})")
        self.badge_changed.emit(number)

    def _append(self, batch: list[Recorded]) -> None:
        bar = self.table.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        last = self.model.newest or 0
        self.model.append([one for one in batch if one.seq > last])
        self._count()
        if at_end and self.isVisible():
            self.table.scrollToBottom()

    def _load_older(self) -> None:
        self.older.setEnabled(False)
        self._start(self._desk.bus.history(self.model.oldest, PAGE), self._loaded, self._failed)

    def _loaded(self, older: list[Recorded]) -> None:
        at_end = self.model.oldest is None
        oldest = self.model.oldest
        self.model.prepend([one for one in older if oldest is None or one.seq < oldest])
        self.older.setEnabled(len(older) == PAGE and not self.model.full)
        self._count()
        if at_end:
            self.table.scrollToBottom()

    def _failed(self, error: Exception) -> None:
        self.older.setEnabled(True)
        self._summary.setText(f"Older events cannot be read: {error}")

    # --- what a person does -------------------------------------------------------------------------------------

    def _filter(self) -> None:
        kind = self.kinds.currentData()
        self.model.show_only(frozenset({kind} if kind else ()), self.search.text().strip())
        self._count()
        self.table.scrollToBottom()

    def _paused(self, paused: bool) -> None:
        self.pause.setText("Go on" if paused else "Pause")
        if not paused:
            batch, self._held_back = self._held_back, []
            self._append(batch)
            self.table.scrollToBottom()
        self._count()

    def _count(self) -> None:
        held = f", {len(self._held_back):,} held back by the pause" if self._held_back else ""
        text = f"{self.model.rowCount():,} of the newest {count(self.model.total, 'event')}{held}"
        self._summary.setText(text if self.model.total or held else "")
        self._body.setCurrentIndex(0 if self.model.total else 1)

    def _chosen(self, index: QModelIndex, _: QModelIndex) -> None:
        if index.isValid():
            text = self.model.at(index.row()).event.model_dump_json(indent=2)
            self.detail.setPlainText(shown(text, DETAIL_LIMIT, lines=True))

    def _open(self, index: QModelIndex) -> None:
        incident_id = self.model.at(index.row()).event.incident_id
        if incident_id is not None:
            self.incident_wanted.emit(incident_id)

    def _title_of(self, incident_id: UUID) -> str:
        row = self._desk.incidents.rows().get(incident_id)
        return row.title if row is not None else ""
