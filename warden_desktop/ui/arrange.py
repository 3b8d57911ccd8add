"""Layouts in one line: widgets stacked or side by side, in steps of the grid."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from warden_desktop.ui.theme import GRID, set_role, set_tone

Item = QWidget | QLayout | None
"""None is the stretch that takes what is left."""


def stacked(*items: Item, gap: float = 2, margin: float = 0) -> QVBoxLayout:
    """Items from top to bottom."""
    return _filled(QVBoxLayout(), items, gap, margin)


def beside(*items: Item, gap: float = 2, margin: float = 0) -> QHBoxLayout:
    """Items from left to right."""
    return _filled(QHBoxLayout(), items, gap, margin)


def framed(layout: QLayout, role: str = "card", tone: str = "") -> QFrame:
    """A frame round a layout."""
    frame = QFrame()
    set_role(frame, role)
    if tone:
        set_tone(frame, tone)
    frame.setLayout(layout)
    return frame


def held(layout: QLayout) -> QWidget:
    """A bare widget round a layout."""
    widget = QWidget()
    widget.setLayout(layout)
    return widget


B = TypeVar("B", bound=QBoxLayout)


def _filled(layout: B, items: tuple[Item, ...], gap: float, margin: float) -> B:
    layout.setSpacing(round(gap * GRID))
    edge = round(margin * GRID)
    layout.setContentsMargins(edge, edge, edge, edge)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, QWidget):
            layout.addWidget(item)
        else:
            layout.addLayout(item)
    return layout
