"""The design language: tokens for colour, space and type, and the one place that turns them into a look.

Spacing sits on a grid of 4 px. Text sizes are multiples of the system's own size, so text scales with the system.
A severity has a shape and a word as well as a colour, so nothing is said by colour alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from warden_desktop.assets import resource
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.record import Record

GRID = 4
RADIUS_SMALL, RADIUS, RADIUS_LARGE = 4, 6, 10
_TEXT_SIZES = {"caption": 0.92, "body": 1.0, "heading": 1.25, "title": 1.5}
_SANS = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Cantarell", "DejaVu Sans")
_MONO = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Noto Sans Mono", "DejaVu Sans Mono")
_SMALLEST_BODY = 9.0  # points; some systems without a desktop report 0 or -1

_SHAPES = {
    Severity.CRITICAL: ("octagon", "Critical"),
    Severity.HIGH: ("triangle", "High"),
    Severity.MEDIUM: ("diamond", "Medium"),
    Severity.LOW: ("circle", "Low"),
    Severity.INFO: ("ring", "Info"),
}


class SeverityLook(NamedTuple):
    """How a severity looks and reads. `shape` is a name `marks.paint_shape` knows."""

    colour: QColor
    shape: str
    word: str


class Tokens(Record):
    """One theme file: colours by purpose, as `#rrggbb`."""

    name: str
    dark: bool
    colours: Mapping[str, str]
    severity: Mapping[Severity, str]

    @classmethod
    def read(cls, path: Path) -> Tokens:
        """The tokens in a TOML file. Raises OSError, tomllib.TOMLDecodeError or pydantic.ValidationError."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


class Theme(QObject):
    """The tokens in force. Widgets ask it while painting, so `use` changes the look of what is already open."""

    changed = Signal()

    def __init__(self, name: str = "dark", *, compact: bool = True, text_scale: float = 1.0) -> None:
        """`name` is "dark" or "light"; `text_scale` multiplies the system's text size (1.0 to 2.0)."""
        super().__init__()
        self._tokens = Tokens.read(resource("themes", f"{name}.toml"))
        self.compact = compact
        self.text_scale = text_scale

    @property
    def name(self) -> str:
        return self._tokens.name

    @property
    def dark(self) -> bool:
        return self._tokens.dark

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    def use(self, name: str) -> None:
        """Take the tokens of another theme; `apply` listens and restyles the application."""
        self._tokens = Tokens.read(resource("themes", f"{name}.toml"))
        self.changed.emit()

    def colour(self, purpose: str) -> QColor:
        """The colour for a purpose of the theme file. Raises KeyError for a purpose there is none for."""
        return QColor(self._tokens.colours[purpose])

    def severity(self, severity: Severity) -> SeverityLook:
        """Colour, shape and word of a severity."""
        shape, word = _SHAPES[severity]
        return SeverityLook(QColor(self._tokens.severity[severity]), shape, word)

    def space(self, steps: float) -> int:
        """`steps` of the 4 px grid, in pixels."""
        return round(steps * GRID)

    def row_height(self, font_height: int) -> int:
        """The height of a table row for text `font_height` px high."""
        return font_height + self.space(3 if self.compact else 5)

    def mono(self) -> QFont:
        """The monospace font, at body size."""
        font = QFont(QApplication.font())
        font.setFamilies(_present(_MONO) or [_fixed()])
        font.setStyleHint(QFont.StyleHint.Monospace)
        return font


def apply(app: QApplication, theme: Theme) -> None:
    """Dress the application now, and again whenever the theme changes."""
    app.setStyle("Fusion")
    base = max(app.font().pointSizeF(), _SMALLEST_BODY) * theme.text_scale
    font = QFont(app.font())
    families = _present(_SANS)
    if families:
        font.setFamilies(families)
    font.setPointSizeF(base)
    app.setFont(font)

    def dress() -> None:
        app.setPalette(_palette(theme))
        app.setStyleSheet(_style_sheet(theme, base))

    dress()
    theme.changed.connect(dress)


def set_role(widget: QWidget, role: str) -> None:
    """Say what a widget is ("primary", "danger", "quiet", "heading", "caption", "mono", "card", ...), for its look."""
    _restyle(widget, "role", role)


def set_tone(widget: QWidget, tone: str) -> None:
    """Colour what a widget says: "good", "warn", "danger", "accent", "simulated", or "" for none."""
    if _restyle(widget, "tone", tone):
        for inside in widget.findChildren(QLabel):  # Qt does not see that a rule for what is in it now holds
            _polish(inside)


def _restyle(widget: QWidget, name: str, value: str) -> bool:
    if widget.property(name) == value:
        return False
    widget.setProperty(name, value)
    _polish(widget)
    return True


def _polish(widget: QWidget) -> None:
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def _present(families: tuple[str, ...]) -> list[str]:
    known = set(QFontDatabase.families())
    return [family for family in families if family in known]


def _fixed() -> str:
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    purposes = {
        role.Window: "background", role.WindowText: "text", role.Base: "surface", role.AlternateBase: "raised",
        role.Text: "text", role.Button: "raised", role.ButtonText: "text", role.BrightText: "danger",
        role.Highlight: "selection", role.HighlightedText: "on_selection", role.ToolTipBase: "raised",
        role.ToolTipText: "text", role.PlaceholderText: "muted", role.Link: "accent", role.LinkVisited: "accent",
        role.Mid: "line", role.Midlight: "hover", role.Dark: "line_strong", role.Accent: "accent",
    }  # fmt: skip
    palette = QPalette()
    for one, purpose in purposes.items():
        palette.setColor(one, theme.colour(purpose))
    for one in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, theme.colour("muted"))
    return palette


def _style_sheet(theme: Theme, base: float) -> str:
    template = Template(resource("themes", "warden.qss").read_text(encoding="utf-8"))
    glyphs = resource("icons", "style", theme.name)
    return template.substitute(
        theme.tokens.colours,
        **{name: f"{base * size:.2f}" for name, size in _TEXT_SIZES.items()},
        mono=", ".join(f'"{family}"' for family in (*_present(_MONO), "monospace")),
        radius_small=RADIUS_SMALL, radius=RADIUS, radius_large=RADIUS_LARGE,
        chevron=(glyphs / "chevron-down.svg").as_posix(),
        chevron_up=(glyphs / "chevron-up.svg").as_posix(),
        check=(glyphs / "check.svg").as_posix(),
    )  # fmt: skip
