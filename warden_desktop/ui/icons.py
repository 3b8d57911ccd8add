"""The icons: one family of drawings in `resources/icons`, on a grid of 24 units, coloured when they are loaded."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from warden_desktop.assets import resource
from warden_desktop.ui.theme import Theme

_SIZES = (16, 20, 24, 32, 48)
_APPLICATION_SIZES = (16, 24, 32, 48, 64, 128, 256)


def icon(theme: Theme, name: str, purpose: str = "text") -> QIcon:
    """The icon `name` in the theme's colour for `purpose`, greyed by Qt's rules when disabled.

    Raises warden_desktop.assets.ResourcesMissing for a name there is no drawing for.
    """
    made = QIcon()
    for size in _SIZES:
        made.addPixmap(pixmap(name, theme.colour(purpose), size))
        made.addPixmap(pixmap(name, theme.colour("muted"), size), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, colour: QColor, size: int, ratio: float = 1.0) -> QPixmap:
    """The icon drawn in `colour` at `size` logical px for a screen with `ratio` device pixels each."""
    return _drawn(_drawing(name).replace("currentColor", colour.name()), size, ratio)


def application_icon() -> QIcon:
    """The application's own icon."""
    made = QIcon()
    for size in _APPLICATION_SIZES:
        made.addPixmap(_drawn(_drawing("warden"), size, 1.0))
    return made


@cache  # icons are drawn while painting, and painting must not read the disk
def _drawing(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


def _drawn(drawing: str, size: int, ratio: float) -> QPixmap:
    picture = QPixmap(QSize(size, size) * ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture
