"""The Evidence tab: what the alert names, and what each enricher knows about it, or that it was not asked."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QGridLayout, QHeaderView, QTreeView, QWidget

from warden_desktop.domain.alert import Observable, Role
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Finding
from warden_desktop.ui.arrange import beside, framed, held, stacked
from warden_desktop.ui.plain_text import chip, label, set_tooltip, tooltip
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.value_menu import Search, ValueMenu
from warden_desktop.ui.words import age, count, shown, spelled, type_word, words

_VALUE = Qt.ItemDataRole.UserRole
_PATH = Qt.ItemDataRole.UserRole + 1
_COLUMNS = 2
_HEADINGS = ("Observable", "What is known")


class DetailEvidence(QWidget):
    """Observables with their findings; below, who was asked."""

    def __init__(self, theme: Theme, search: Search) -> None:
        super().__init__()
        self._theme, self._search = theme, search
        self._shown: object = None
        self.model = QStandardItemModel(0, len(_HEADINGS))
        self._tree = QTreeView()
        self._tree.setAccessibleName("Observables and findings")
        self._tree.setModel(self.model)
        self._tree.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self._tree.setUniformRowHeights(True)
        self._tree.setIndentation(theme.space(4))
        self._tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._tree.customContextMenuRequested.connect(self._menu)
        self._asked = stacked(gap=1.5, margin=3)
        foot = framed(self._asked, "surface")
        self.setLayout(stacked(self._tree, foot, gap=0))

    def show_incident(self, incident: Incident, now: datetime) -> None:
        """Show what is known; rebuilt only when that changed."""
        seen = (incident.id, incident.observables, incident.enrichments)
        if seen == self._shown:
            return
        self._shown = seen
        self._fill(incident)
        self._show_asked(incident.enrichments, now)

    def _fill(self, incident: Incident) -> None:
        about: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
        for enrichment in incident.enrichments:
            for finding in enrichment.findings:
                about[finding.observable].append((enrichment.provider, finding))
        self.model.clear()
        self.model.setHorizontalHeaderLabels(list(_HEADINGS))
        for observable in incident.observables:
            self.model.appendRow(_observable(observable, about.pop(observable.key, [])))
        rest = [found for group in about.values() for found in group]
        if rest:
            self.model.appendRow(_group("The alert itself", rest))
        self._tree.expandAll()
        header = self._tree.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, max(self.width() * 45 // 100, self._theme.space(45)))
        header.setStretchLastSection(True)

    def _show_asked(self, enrichments: tuple[Enrichment, ...], now: datetime) -> None:
        while taken := self._asked.takeAt(0):
            if widget := taken.widget():
                widget.deleteLater()
        self._asked.addWidget(label("Who was asked", "section"))
        if not enrichments:
            self._asked.addWidget(label("Nobody yet.", "muted"))
        answered = [one for one in enrichments if one.status is EnrichmentStatus.COMPLETE]
        for one in enrichments:
            if one not in answered:
                self._asked.addWidget(_answer(one))
        self._asked.addWidget(_in_columns([_found(one, now) for one in answered]))

    # --- the mouse ----------------------------------------------------------------------------------------------

    def _menu(self, at: QPoint) -> None:
        index = self._tree.indexAt(at)
        value = _value_of(index)
        if value:
            ValueMenu(self, "", value, self._search).popup(self._tree.viewport().mapToGlobal(at))


def _in_columns(answers: list[QWidget]) -> QWidget:
    """Those who answered, two side by side: the observables above need the room."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(4)
    for place, answer in enumerate(answers):
        grid.addWidget(answer, place // _COLUMNS, place % _COLUMNS)
    for column in range(_COLUMNS):
        grid.setColumnStretch(column, 1)
    return held(grid)


def _value_of(index: QModelIndex) -> str:
    value = index.siblingAtColumn(0).data(_VALUE) if index.isValid() else None
    return value if isinstance(value, str) else ""


def _observable(observable: Observable, found: list[tuple[str, Finding]]) -> list[QStandardItem]:
    head = QStandardItem(spelled(observable.value))
    head.setData(observable.value, _VALUE)
    head.setData(tooltip(f"{observable.value}\nfound in {observable.path or 'the alert'}"), Qt.ItemDataRole.ToolTipRole)
    role = "" if observable.role is Role.UNKNOWN else f", {observable.role}"
    known = QStandardItem(f"{type_word(observable.type)}{role}")
    for provider, finding in found:
        head.appendRow(_finding(provider, finding))
    return [head, known]


def _group(heading: str, found: list[tuple[str, Finding]]) -> list[QStandardItem]:
    head = QStandardItem(heading)
    for provider, finding in found:
        head.appendRow(_finding(provider, finding))
    return [head, QStandardItem("")]


def _finding(provider: str, finding: Finding) -> list[QStandardItem]:
    who = QStandardItem(shown(words(provider), 64))
    what = QStandardItem(shown(finding.detail))
    what.setData(tooltip(finding.detail), Qt.ItemDataRole.ToolTipRole)
    what.setData(finding.path, _PATH)
    return [who, what]


def _found(enrichment: Enrichment, now: datetime) -> QWidget:
    """Who answered, how much was found, and how old that knowledge is."""
    number = len(enrichment.findings)
    found = chip(str(number), "good" if number else "")
    found.setAccessibleName(count(number, "finding"))
    made = held(beside(label(words(enrichment.provider), elide=True), found, label(_old(enrichment, now), "caption")))
    told = f"{count(number, 'finding')}, from knowledge {_old(enrichment, now)}"
    set_tooltip(made, f"{told}: {enrichment.detail}" if enrichment.detail else told)
    return made


def _old(enrichment: Enrichment, now: datetime) -> str:
    return f"{age(enrichment.as_of, now)} old"


def _answer(enrichment: Enrichment) -> QWidget:
    """Who did not answer, and why."""
    failed = enrichment.status is EnrichmentStatus.FAILED
    state = chip("failed", "danger") if failed else chip("not configured", "warn")
    row = beside(label(words(enrichment.provider)), state, label(enrichment.detail, "caption", elide=True))
    row.setStretch(2, 1)
    return held(row)
