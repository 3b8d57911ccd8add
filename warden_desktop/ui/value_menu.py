"""What a right-click on a value offers: look for it, look past it, or copy it safely."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from warden_desktop.domain.query import quoted
from warden_desktop.ui.plain_text import menu_text
from warden_desktop.ui.words import defanged

Search = Callable[[str, bool], None]
"""Takes a search term, and whether it is to be the only one."""

_WORD_LIMIT = 40
_WORD = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*")


def term(field: str, value: str, *, without: bool = False) -> str:
    """The search term that finds exactly `value`, or everything but it."""
    word = value if _WORD.fullmatch(value) else quoted(value)
    return f"{'-' if without else ''}{field}:{word}"


class ValueMenu(QMenu):
    """The menu of one value. `field` is its name in the search language, "" for one that cannot be searched."""

    def __init__(self, parent: QWidget, field: str, value: str, search: Search | None = None) -> None:
        super().__init__(parent)
        self._field, self._value, self._search = field, value, search
        if field and value and search:
            word = menu_text(value, _WORD_LIMIT)
            self.addAction(f"Include {word}").triggered.connect(self._include)
            self.addAction(f"Exclude {word}").triggered.connect(self._exclude)
            self.addAction(f"Only {word}").triggered.connect(self._only)
            self.addSeparator()
        self.addAction("Copy, defanged").triggered.connect(self._copy)
        self.addAction("Copy raw").triggered.connect(self._copy_raw)
        self.aboutToHide.connect(self.deleteLater)

    def _include(self) -> None:
        self._find(term(self._field, self._value), only=False)

    def _exclude(self) -> None:
        self._find(term(self._field, self._value, without=True), only=False)

    def _only(self) -> None:
        self._find(term(self._field, self._value), only=True)

    def _find(self, wanted: str, *, only: bool) -> None:
        if self._search:
            self._search(wanted, only)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(defanged(self._value))

    def _copy_raw(self) -> None:
        QGuiApplication.clipboard().setText(self._value)
