"""The settings form comes from the declaration, judges in place, and saves only what is right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.press_b import click
from tests.ui.world_b import ACTOR, World, world
from warden_desktop.domain.mode import Mode
from warden_desktop.settings import Settings, WebhookSettings
from warden_desktop.ui.settings_field import declared
from warden_desktop.ui.settings_page import SettingsPage
from warden_desktop.ui.theme import Theme

PORT, HOSTS, MODE = ("webhook", "port"), ("webhook", "allowed_hosts"), ("actions", "mode")


class Form:
    """The page, and what it saved."""

    def __init__(self, qtbot: QtBot, w: World, settings: Settings | None = None) -> None:
        self.saved: list[Settings] = []
        self.page = SettingsPage(w.desk, w.start, Theme("dark"), ACTOR, settings or Settings(), self.saved.append)
        qtbot.addWidget(self.page)
        self.page.show()

    def words(self) -> str:
        return "\n".join(one.text() for one in self.page.findChildren(QLabel) if one.isVisible())


async def test_every_declared_setting_has_a_field_with_its_words(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        form = Form(qtbot, w)
        said = form.words()
        paths = {one.path for one in declared(Settings)}
        assert set(form.page.fields) == paths
        assert PORT in paths
        for one in declared(Settings):
            assert (one.field.description or "") in said
            assert one.unit in said


async def test_a_wrong_value_is_explained_and_cannot_be_saved(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        form = Form(qtbot, w)
        form.page.fields[PORT].take("99999")
        assert "less than or equal to 65535" in form.words()
        assert not form.page.save.isEnabled()
        form.page.fields[PORT].take("abc")
        assert "valid integer" in form.words()
        form.page.fields[PORT].take("9000")
        assert "valid integer" not in form.words()
        assert form.page.save.isEnabled()


async def test_saving_hands_over_valid_settings_and_says_when_they_count(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        form = Form(qtbot, w)
        changes: list[int] = []
        form.page.badge_changed.connect(changes.append)
        form.page.fields[PORT].take("9000")
        form.page.fields[HOSTS].take(("warden.local", "10.0.0.1"))
        form.page.fields[MODE].take(Mode.SUPERVISED)
        assert changes[-1] == 3
        assert "webhook port" in form.words()
        click(form.page.save)
        assert form.saved[0].webhook.port == 9000
        assert form.saved[0].webhook.allowed_hosts == ("warden.local", "10.0.0.1")
        assert form.saved[0].actions.mode is Mode.SUPERVISED
        assert "next start" in form.words()
        assert changes[-1] == 0


async def test_a_save_that_fails_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    def refuse(_: Settings) -> None:
        raise OSError("the disk is full")

    async with world(tmp_path) as w:
        page = SettingsPage(w.desk, w.start, Theme("dark"), ACTOR, Settings(), refuse)
        qtbot.addWidget(page)
        page.show()
        page.fields[PORT].take("9000")
        click(page.save)
        assert any("the disk is full" in one.text() for one in page.findChildren(QLabel))
        assert page.save.isEnabled()


async def test_reset_goes_back_to_the_default_and_discard_to_what_was_saved(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        form = Form(qtbot, w, Settings(webhook=WebhookSettings(port=9000)))
        field = form.page.fields[PORT]
        assert "default: 8787" in form.words()
        field.reset()
        assert field.holds(8787)
        click(form.page.discard)
        assert field.holds(9000)


async def test_searching_leaves_what_has_the_words(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        form = Form(qtbot, w)
        form.page.search.setText("dedupe")
        visible = [path for path, field in form.page.fields.items() if field.isVisible()]
        assert visible == [("intake", "dedupe_window")]
        form.page.search.setText("no such words")
        assert "No setting has these words." in form.words()


async def test_the_theme_changes_at_once(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        form = Form(qtbot, w)
        wanted: list[str] = []
        form.page.theme_wanted.connect(wanted.append)
        for name in ("dark", "light"):
            button = next(
                one for one in form.page.findChildren(QPushButton) if one.accessibleName() == f"Theme: {name}"
            )
            click(button)
        assert wanted == ["dark", "light"]
        assert form.page.fields["window", "theme"].raw == "light"
