"""How a person behaves in tests: waits until something is so, clicks, types, and holds a button down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

PATIENCE = 10.0


async def until(so: Callable[[], object], what: str) -> None:
    """Wait until `so` holds. Fails, saying what never came about, after PATIENCE seconds."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not so():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never came about: {what}") from None


def click(button: QAbstractButton) -> None:
    """A click of the mouse; a disabled button does not take it."""
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def write(field: QLineEdit, text: str) -> None:
    field.setFocus()
    QTest.keyClicks(field, text)


def key(widget: QWidget, which: Qt.Key) -> None:
    QTest.keyClick(widget, which)


async def look_at(widget: QWidget) -> None:
    """Bring a window to the front, as a person does who reads it."""
    widget.activateWindow()
    widget.raise_()
    await until(widget.isActiveWindow, "the window is in front")
