"""Every setting, once: type, default, unit, description. The settings page, the file and `doctor` derive from here.

Sources, later ones win: defaults, `settings.toml` in the data directory (or `--config`), `WARDEN_<GROUP>_<NAME>` in the
environment, the command line.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from warden_desktop.domain.mode import Mode


class SettingsError(Exception):
    """A setting is wrong; the text names the file, the setting and what it should be."""


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _setting(default: Any, description: str, unit: str = "", **limits: Any) -> Any:
    return Field(default=default, description=description, json_schema_extra={"unit": unit} if unit else None, **limits)


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""A list of names; in the environment they stand in one line, separated by commas."""


class WebhookSettings(_Group):
    """The door alerts come in by."""

    host: str = _setting("127.0.0.1", "Address the webhook server listens on. Only loopback is possible without TLS.")
    port: int = _setting(8787, "Port the webhook server listens on; 0 picks a free one.", ge=0, le=65535)
    max_body: int = _setting(1_048_576, "Largest delivery accepted.", "bytes", ge=1_024, le=67_108_864)
    header_timeout: float = _setting(5.0, "Time a client has to send its request headers.", "seconds", gt=0, le=60)
    body_timeout: float = _setting(10.0, "Time a client has to send its body.", "seconds", gt=0, le=120)
    connections: int = _setting(200, "Connections open at once.", ge=1, le=10_000)
    allowed_hosts: Names = _setting((), "Further names the server may be addressed by.")


class IntakeSettings(_Group):
    """How alerts become incidents."""

    dedupe_window: int = _setting(
        240, "How long after its last alert an incident still takes in repeats.", "minutes", ge=1, le=43_200
    )


class TriageSettings(_Group):
    """Enrichment and analysis."""

    enricher_timeout: float = _setting(5.0, "Time one enricher has for one incident.", "seconds", gt=0, le=120)
    phase_timeout: float = _setting(10.0, "Time all enrichers together have.", "seconds", gt=0, le=300)
    own_domains: Names = _setting((), "Your own mail and web domains; lookalikes of them are reported.")


class ActionSettings(_Group):
    """Deciding and acting."""

    mode: Mode = _setting(Mode.ASSISTED, "The mode a new data directory starts in.")
    at_once: int = _setting(4, "Actions carried out at the same time.", ge=1, le=64)
    connector_url: str = _setting("", "Base URL of the generic HTTP connector; empty: actions are simulated.")
    connector_timeout: float = _setting(30.0, "Time a connector has to answer.", "seconds", gt=0, le=600)


class ServiceLevelSettings(_Group):
    """How soon an incident should be decided, by severity."""

    critical: int = _setting(15, "Critical incidents.", "minutes", ge=1)
    high: int = _setting(60, "High incidents.", "minutes", ge=1)
    medium: int = _setting(240, "Medium incidents.", "minutes", ge=1)
    low: int = _setting(1_440, "Low incidents.", "minutes", ge=1)
    info: int = _setting(4_320, "Informational incidents.", "minutes", ge=1)


class WindowSettings(_Group):
    """What the window looks like and how loud it is."""

    theme: Literal["system", "dark", "light"] = _setting("system", "Colours of the window.")
    density: Literal["comfortable", "compact"] = _setting("comfortable", "Height of table rows.")
    open_approvals: bool = _setting(
        True, "Show a waiting approval by itself while nothing is being read, without taking the keyboard."
    )
    notifications: int = _setting(6, "Desktop notifications at most.", "per 5 minutes", ge=0, le=100)


class JournalSettings(_Group):
    """The log."""

    memory: int = _setting(32_768, "Newest events kept in memory for live views.", "events", ge=1_024, le=1_048_576)
    patience: float = _setting(10.0, "How long a publisher waits for a slow disk.", "seconds", gt=0, le=120)
    keep_days: int = _setting(0, "Older events move to an archive file; 0: they stay.", "days", ge=0, le=36_500)
    keep_bytes: int = _setting(
        0, "Size of the log beyond which its oldest events move to an archive file; 0: they stay.", "bytes", ge=0
    )


class Settings(_Group):
    """All settings, by group."""

    webhook: WebhookSettings = WebhookSettings()
    intake: IntakeSettings = IntakeSettings()
    triage: TriageSettings = TriageSettings()
    actions: ActionSettings = ActionSettings()
    service_levels: ServiceLevelSettings = ServiceLevelSettings()
    window: WindowSettings = WindowSettings()
    journal: JournalSettings = JournalSettings()


def load_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `path` (defaults where it does not exist) under those of the environment.

    Raises SettingsError when the file cannot be read or a value is wrong.
    """
    values = _from_file(path)
    for group, name, text in _from_environment(environment):
        values.setdefault(group, {})[name] = text
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explained(path, error)) from None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as TOML: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    found = []
    for group, field in Settings.model_fields.items():
        kind = field.annotation
        assert isinstance(kind, type) and issubclass(kind, BaseModel)
        for name in kind.model_fields:
            key = f"WARDEN_{group}_{name}".upper()
            if key in environment:
                found.append((group, name, environment[key]))
    return found


def _explained(path: Path, error: ValidationError) -> str:
    problems = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return f"{path}: " + "; ".join(problems)


def settings_toml(settings: Settings) -> str:
    """What differs from the defaults, as TOML."""
    changed = {group: _changed(getattr(settings, group)) for group in Settings.model_fields}
    return tomli_w.dumps({group: values for group, values in changed.items() if values})


def _changed(group: BaseModel) -> dict[str, Any]:
    defaults = type(group)()
    values = group.model_dump(mode="json")
    return {name: value for name, value in values.items() if getattr(group, name) != getattr(defaults, name)}
