"""A pack's own examples, tried: what of each alert is not as its author said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from warden_desktop.adapters.sources import forms
from warden_desktop.adapters.sources.forms import BadForm
from warden_desktop.adapters.sources.forms.envelopes import opened
from warden_desktop.adapters.sources.mapper import Mapper, Unmappable
from warden_desktop.adapters.sources.pack import Example, Expected, SourcePack
from warden_desktop.domain.alert import Alert

RECEIVED_AT = datetime(2026, 3, 10, tzinfo=UTC)
"""When examples are taken to arrive."""


def differences(pack: SourcePack) -> list[str]:
    """One line for each thing an example expects and does not get; empty when all hold."""
    mapper = Mapper(pack)
    return [f"{example.about}: {found}" for example in pack.examples for found in _tried(pack, mapper, example)]


def parsed(pack: SourcePack, example: Example) -> Any:
    """What an example's delivery says: text is a body in the pack's form. Raises BadForm."""
    given = example.delivery
    return opened(forms.read(pack.form, given.encode()) if isinstance(given, str) else given, pack.unwrap)


def _tried(pack: SourcePack, mapper: Mapper, example: Example) -> Iterator[str]:
    try:
        alerts = mapper.alerts(parsed(pack, example), received_at=RECEIVED_AT, signed=False, delivery_id=None)
    except (BadForm, Unmappable) as why:
        yield f"did not map: {why}"
        return
    if len(alerts) != len(example.expect):
        yield f"{len(alerts)} alerts instead of {len(example.expect)}"
    for index, (alert, expected) in enumerate(zip(alerts, example.expect, strict=False)):
        for field, wanted, got in _compared(alert, expected):
            yield f"alert {index}: {field} is {got!r} instead of {wanted!r}"


def _compared(alert: Alert, expected: Expected) -> Iterator[tuple[str, Any, Any]]:
    got = _shown(alert)
    for field, wanted in expected.model_dump(mode="json", exclude_none=True, exclude={"attributes"}).items():
        if got[field] != wanted:
            yield field, wanted, got[field]
    for name, value in (expected.attributes or {}).items():
        if alert.attributes.get(name) != value:
            yield f"attribute {name}", value, alert.attributes.get(name)


def _shown(alert: Alert) -> dict[str, Any]:
    shown = alert.model_dump(mode="json", exclude={"observables"})
    shown["observables"] = [f"{seen.role} {seen.type} {seen.value}" for seen in alert.observables]
    return shown
