"""Settings: defaults, file, environment; a wrong one is named, and what is written is read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from warden_desktop.domain.mode import Mode
from warden_desktop.settings import Settings, SettingsError, load_settings, settings_toml


def test_the_environment_comes_before_the_file_and_the_file_before_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[webhook]\nport = 9000\nmax_body = 2048\n[actions]\nmode = "supervised"\n')
    settings = load_settings(file, {"WARDEN_WEBHOOK_PORT": "9001", "WARDEN_TRIAGE_OWN_DOMAINS": "a.example, b.example"})
    assert (settings.webhook.port, settings.webhook.max_body) == (9001, 2048)
    assert settings.actions.mode is Mode.SUPERVISED
    assert settings.triage.own_domains == ("a.example", "b.example")
    assert settings.webhook.host == "127.0.0.1"


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml", {}) == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[webhook]\nport = 99999\n", "webhook.port"),
        ("[webhook]\nprot = 1\n", "webhook.prot"),
        ('[actions]\nmode = "reckless"\n', "actions.mode"),
        ("[webhook\n", "TOML"),
        ("surprise = 1\n", "surprise"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings(file, {})
    assert named in str(error.value) and str(file) in str(error.value)


def test_what_is_written_holds_only_the_changes_and_is_read_back(tmp_path: Path) -> None:
    changed = load_settings(
        tmp_path / "none", {"WARDEN_WINDOW_THEME": "light", "WARDEN_TRIAGE_OWN_DOMAINS": 'we"ird\\'}
    )
    file = tmp_path / "settings.toml"
    file.write_text(settings_toml(changed))
    assert load_settings(file, {}) == changed
    assert "port" not in file.read_text()
    assert settings_toml(Settings()) == ""


def test_every_setting_says_what_it_is() -> None:
    for group in Settings.model_fields.values():
        kind = group.annotation
        assert isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__doc__
        for name, field in kind.model_fields.items():
            assert field.description and field.description.endswith("."), f"{kind.__name__}.{name}"
