"""Both themes can be read, and nothing is said by colour alone."""

from __future__ import annotations

from itertools import product

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QFrame
from pytestqt.qtbot import QtBot

from warden_desktop.assets import resource
from warden_desktop.domain.alert import Severity
from warden_desktop.ui.arrange import stacked
from warden_desktop.ui.icons import application_icon, icon
from warden_desktop.ui.plain_text import label
from warden_desktop.ui.theme import Theme, apply, set_role, set_tone

GROUNDS = ("background", "surface", "raised", "sunken", "hover", "selection")
INKS = ("text", "muted", "accent", "good", "warn", "danger", "simulated")
ON = (
    ("on_accent", "accent_fill"), ("on_danger", "danger_fill"), ("on_engaged", "engaged"),
    ("on_selection", "selection"), ("text", "danger_soft"), ("text", "warn_soft"), ("text", "accent_soft"),
    ("accent", "accent_soft"), ("good", "good_soft"), ("warn", "warn_soft"), ("danger", "danger_soft"),
    ("simulated", "simulated_soft"),
)  # fmt: skip


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2.2's contrast ratio, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    red, green, blue = (_linear(part) for part in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_text_can_be_read_on_every_ground(name: str) -> None:
    theme = Theme(name)
    pairs = [*product(INKS, GROUNDS), *ON]
    weak = [(ink, ground) for ink, ground in pairs if contrast(theme.colour(ink), theme.colour(ground)) < 4.5]
    assert weak == []


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_severity_can_be_read_where_it_is_written(name: str) -> None:
    theme = Theme(name)
    weak = [
        (severity, ground)
        for severity, ground in product(Severity, ("surface", "hover", "selection"))
        if contrast(theme.severity(severity).colour, theme.colour(ground)) < 4.5
    ]
    assert weak == []


@pytest.mark.parametrize("name", ["dark", "light"])
def test_edges_of_controls_and_the_focus_can_be_seen(name: str) -> None:
    theme = Theme(name)
    pairs = product(("line_strong", "focus"), ("background", "surface", "raised"))
    assert [pair for pair in pairs if contrast(theme.colour(pair[0]), theme.colour(pair[1])) < 3.0] == []


def test_a_severity_is_told_by_shape_and_word_as_well() -> None:
    looks = [Theme("dark").severity(severity) for severity in Severity]
    assert len({look.shape for look in looks}) == len({look.word for look in looks}) == len(Severity)


def test_the_look_follows_the_theme(qapp: QApplication) -> None:
    theme = Theme("dark")
    apply(qapp, theme)
    dark = qapp.palette().window().color()
    theme.use("light")
    assert qapp.palette().window().color() != dark
    assert theme.colour("surface").name() in qapp.styleSheet()
    assert "$" not in qapp.styleSheet()


def test_both_themes_name_the_same_purposes() -> None:
    assert Theme("dark").tokens.colours.keys() == Theme("light").tokens.colours.keys()


def test_every_icon_can_be_drawn() -> None:
    theme = Theme("light")
    names = [path.stem for path in resource("icons").glob("*.svg")]
    blank = [name for name in names if icon(theme, name).pixmap(24, 24).toImage().allGray() and _empty(theme, name)]
    assert blank == []
    assert not application_icon().isNull()


def _empty(theme: Theme, name: str) -> bool:
    picture = icon(theme, name).pixmap(24, 24).toImage()
    return all(picture.pixelColor(x, y).alpha() == 0 for x in range(24) for y in range(24))


@pytest.mark.parametrize("name", ["dark", "light"])
def test_what_a_stopped_header_says_can_be_read(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    theme = Theme(name)
    apply(qapp, theme)
    header, says = QFrame(), label("Every action is stopped", "heading", elide=True)
    set_role(header, "header")
    header.setLayout(stacked(says))
    qtbot.addWidget(header)
    header.show()
    set_tone(header, "danger")
    ink = says.palette().color(says.foregroundRole())
    assert contrast(ink, theme.colour("engaged")) >= 4.5
