"""Events that a worker gave up on: what each was, why it failed, and a person's choice to retry or discard it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTableView,
    QWidget,
)

from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import DeadLetter
from warden_desktop.ui.arrange import beside, framed, stacked
from warden_desktop.ui.dead_letter_model import ATTEMPTS, ERROR, INCIDENT, KIND, SEQ, TIME, WORKER, DeadLetterModel
from warden_desktop.ui.empty_state import EmptyState
from warden_desktop.ui.plain_text import label, text_view
from warden_desktop.ui.reason_sheet import ReasonSheet
from warden_desktop.ui.theme import Theme, set_role
from warden_desktop.ui.words import DETAIL_LIMIT, count, shown, words
from warden_desktop.ui.work import Start

LOOK_EVERY = 1_000  # ms; giving up is no event, so it is looked for
_WIDTHS = {TIME: 14, SEQ: 10, KIND: 24, INCIDENT: 34, WORKER: 16, ATTEMPTS: 12}


class DeadLettersView(QWidget):
    """`count_changed` carries how many there are; `incident_wanted` an incident's id."""

    count_changed = Signal(object)
    incident_wanted = Signal(object)

    def __init__(self, desk: Desk, start: Start, theme: Theme, actor: str, title_of: Callable[[UUID], str]) -> None:
        super().__init__()
        self._desk, self._start, self._theme, self._actor = desk, start, theme, actor
        self._known = -1
        self._sheet: ReasonSheet | None = None
        self.model = DeadLetterModel(title_of, self)
        self.retry = QPushButton("Retry")
        set_role(self.retry, "primary")
        self.discard = QPushButton("Discard…")
        self.said = label("", "muted", wrap=True)
        self.said.hide()
        self.error = label("", wrap=True, limit=DETAIL_LIMIT)
        self.detail: QPlainTextEdit = text_view()
        self.detail.setAccessibleName("The event that could not be handled")
        self._empty = EmptyState(
            theme, "check", "Everything was handled", "An event that a worker gives up on after its retries waits here."
        )
        self.table = self._table(theme)
        self._arrange()
        self._connect()
        self._clock = QTimer(self, interval=LOOK_EVERY)
        self._clock.timeout.connect(self._look)
        self._clock.start()
        self._chosen(QModelIndex(), QModelIndex())
        self.reload()

    def _table(self, theme: Theme) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setAccessibleName("Events that could not be handled")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setWordWrap(False)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(theme.row_height(table.fontMetrics().height()))
        for column, characters in _WIDTHS.items():
            table.setColumnWidth(column, characters * table.fontMetrics().averageCharWidth())
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(ERROR, QHeaderView.ResizeMode.Stretch)
        return table

    def _arrange(self) -> None:
        about = beside(self.error, self.discard, self.retry, gap=2)
        about.setStretch(0, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(framed(stacked(about, self.said, self.detail, margin=2), "surface"))
        split.setSizes([360, 260])
        split.setChildrenCollapsible(False)
        self._body = QStackedWidget()
        self._body.addWidget(split)
        self._body.addWidget(self._empty)
        self.setLayout(stacked(self._body))

    def _connect(self) -> None:
        self.retry.clicked.connect(self._retry)
        self.discard.clicked.connect(self._ask_why)
        self.table.doubleClicked.connect(self._open)
        self.table.selectionModel().currentRowChanged.connect(self._chosen)

    # --- what there is ------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the list again."""
        self._start(self._desk.dead_letters.list(), self._loaded, self._failed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload()

    def _look(self) -> None:
        known = sum(one.dead for one in self._desk.bus.subscriptions)
        if known != self._known:
            self._known = known
            self.reload()

    def _loaded(self, letters: list[DeadLetter]) -> None:
        chosen = self._letter()
        self.model.show_letters(letters)
        row = self.model.row_of(chosen.subscriber, chosen.recorded.seq) if chosen else 0
        self.table.selectRow(min(max(row, 0), len(letters) - 1))
        if not letters:
            self._chosen(QModelIndex(), QModelIndex())
        self._body.setCurrentIndex(0 if letters else 1)
        self.count_changed.emit(len(letters))

    def _letter(self) -> DeadLetter | None:
        """The one that is chosen."""
        row = self.table.currentIndex().row()
        return self.model.at(row) if 0 <= row < self.model.rowCount() else None

    def _chosen(self, index: QModelIndex, before: QModelIndex) -> None:
        letter = self.model.at(index.row()) if index.isValid() else None
        self._let_decide(letter is not None)
        if letter is None:
            self.error.setText("")
            self.detail.setPlainText("")
            return
        tried = count(letter.attempts, "attempt")
        self.error.setText(f"{words(letter.subscriber)} gave up after {tried}: {letter.error}")
        text = letter.recorded.event.model_dump_json(indent=2)
        self.detail.setPlainText(shown(text, DETAIL_LIMIT, lines=True))

    def _let_decide(self, possible: bool) -> None:
        self.retry.setEnabled(possible)
        self.discard.setEnabled(possible)

    # --- what a person does -------------------------------------------------------------------------------------

    def _retry(self) -> None:
        letter = self._letter()
        if letter is not None:
            self._let_decide(False)
            self._say(f"Retrying event {letter.recorded.seq}…")
            work = self._desk.dead_letters.retry(letter.subscriber, letter.recorded.seq)
            self._start(work, self._retried, self._failed)

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.said.setVisible(True)

    def _retried(self, left: DeadLetter | None) -> None:
        self._say("It was handled." if left is None else f"It failed again: {left.error}")
        self.reload()

    def _ask_why(self) -> None:
        letter = self._letter()
        if letter is None:
            return

        def decide(reason: str) -> None:
            self._discard(letter, reason)

        self._sheet = ReasonSheet(
            self, self._theme, heading=f"Discard event {letter.recorded.seq}",
            about=f"{words(letter.subscriber)} will never handle it.", verb="Discard", usual="", decide=decide,
            dangerous=True,
        )  # fmt: skip
        self._sheet.finished.connect(self._sheet.deleteLater)
        self._sheet.open()

    def _discard(self, letter: DeadLetter, reason: str) -> None:
        self._let_decide(False)
        work = self._desk.dead_letters.discard(letter.subscriber, letter.recorded.seq, actor=self._actor, reason=reason)
        self._start(work, self._discarded, self._failed)

    def _discarded(self, nothing: None) -> None:
        self._say("It was discarded.")
        self.reload()

    def _failed(self, error: Exception) -> None:
        self._say(f"Not done: {error}")
        self._let_decide(self._letter() is not None)

    def _open(self, index: QModelIndex) -> None:
        incident_id = self.model.at(index.row()).recorded.event.incident_id
        if incident_id is not None:
            self.incident_wanted.emit(incident_id)
