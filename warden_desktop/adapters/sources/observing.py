"""The observables of an alert: which values of a delivery, of what type, in what role, found where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from warden_desktop.adapters.sources.expression import Expression, Get
from warden_desktop.adapters.sources.pack import ObservableMap
from warden_desktop.adapters.sources.values import observed, scalars
from warden_desktop.domain.alert import Observable, ObservableType, Role

MOST = 200
"""Observables kept of one alert."""

_ROLES = {role.value: role for role in Role}


class ObservableReader:
    """A pack's observables, compiled."""

    def __init__(self, maps: Sequence[ObservableMap]) -> None:
        self._maps = [(one.type, _role(one.role), Expression(one.source), one.path) for one in maps]

    def read(self, value: Any, prefix: str) -> tuple[Observable, ...]:
        """The observables of one alert, each value of a type once, in the pack's order. `prefix` begins their paths."""
        found: dict[tuple[ObservableType, str], Observable] = {}
        for kind, role, source, path in self._maps:
            place, value_there = source.first(value)
            if value_there is None:
                continue
            for suffix, scalar in scalars(value_there):
                known = observed(kind, scalar)
                if known is not None and known not in found and len(found) < MOST:
                    found[known] = Observable(
                        type=known[0], value=known[1], role=_ROLES.get(role(value), Role.UNKNOWN),
                        path=f"{prefix}{path or place}{suffix}",
                    )  # fmt: skip
        return tuple(found.values())


def _role(text: str) -> Get:
    return (lambda value: text) if text in _ROLES else Expression(text).get
