"""What the window remembers between runs: sizes, columns, the last view. Nothing in it is needed to work."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class ViewStore:
    """A small JSON file of preferences. Losing it costs the analyst a few drags, so failures are only logged."""

    def __init__(self, path: Path | None = None) -> None:
        """`path` is the file; with None nothing outlives the window."""
        self._path = path
        self._values = _read(path) if path else {}

    def get(self, name: str, otherwise: Any = None) -> Any:
        """What was kept under `name`, or `otherwise`. Judge its shape: a person may have edited the file."""
        return self._values.get(name, otherwise)

    def keep(self, name: str, value: Any) -> None:
        """Remember a JSON value under `name`."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        if self._path:
            _write(self._path, self._values)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("the window starts with its usual layout: %s cannot be read (%s)", path, error)
        return {}
    return values if isinstance(values, dict) else {}


def _write(path: Path, values: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(values, indent=1), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        log.warning("the window's layout was not kept: %s", error)
