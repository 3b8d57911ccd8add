"""The Evidence tab: what the alert names, and what each enricher knows about it, or that it was not asked."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QHeaderView, QTreeView, QWidget

from warden_desktop.domain.alert import Observable, Role
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Finding
from warden_desktop.ui.arrange import beside, framed, stacked
from warden_desktop.ui.plain_text import chip, label, set_tooltip, tooltip
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.value_menu import Search, ValueMenu
from warden_desktop.ui.words import age, count, shown, spelled, type_word, words

_VALUE = Qt.ItemDataRole.UserRole
_PATH = Qt.ItemDataRole.UserRole + 1
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
        for enrichment in enrichments:
            self._asked.addWidget(_answer(enrichment, now))

    # --- the mouse ----------------------------------------------------------------------------------------------

    def _menu(self, at: QPoint) -> None:
        index = self._tree.indexAt(at)
        value = _value_of(index)
        if value:
            ValueMenu(self, "", value, self._search).popup(self._tree.viewport().mapToGlobal(at))


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


def _answer(enrichment: Enrichment, now: datetime) -> QWidget:
    looks = {
        EnrichmentStatus.COMPLETE: (count(len(enrichment.findings), "finding"), "good" if enrichment.findings else ""),
        EnrichmentStatus.NOT_CONFIGURED: ("not configured", "warn"),
        EnrichmentStatus.FAILED: ("failed", "danger"),
    }
    word, tone = looks[enrichment.status]
    name = label(words(enrichment.provider))
    detail = label(enrichment.detail, "caption", elide=True)
    known = label(f"known since {age(enrichment.as_of, now)}", "caption")
    known.setVisible(enrichment.status is EnrichmentStatus.COMPLETE)
    set_tooltip(known, "Age of the knowledge this answer rests on")
    row = beside(name, chip(word, tone), detail, known, gap=2)
    row.setStretch(2, 1)
    made = QWidget()
    made.setLayout(row)
    return made
