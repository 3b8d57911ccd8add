"""GET /metrics: counters as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from warden_desktop.adapters.webhook.refusals import Tally

CONTENT_TYPE = "text/plain"

_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_LABEL = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def exposition(values: Mapping[str, float], tally: Tally, connections: int) -> str:
    """The door's own counters and `values`, each by name."""
    return "\n".join((*_door(tally, connections), *_given(values), ""))


def _door(tally: Tally, connections: int) -> Iterator[str]:
    yield from _labelled("warden_webhook_accepted_total", "Alerts recorded.", "source", tally.accepted)
    yield from _labelled("warden_webhook_duplicates_total", "Deliveries that came again.", "source", tally.duplicates)
    yield from _labelled("warden_webhook_refused_total", "Requests refused.", "code", tally.refused)
    yield "# HELP warden_webhook_evicted_total Slow connections closed to make room."
    yield "# TYPE warden_webhook_evicted_total counter"
    yield f"warden_webhook_evicted_total {tally.evicted}"
    yield "# HELP warden_webhook_connections Connections open."
    yield "# TYPE warden_webhook_connections gauge"
    yield f"warden_webhook_connections {connections}"


def _labelled(name: str, about: str, label: str, counted: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} counter"
    for value, count in sorted(counted.items()):
        yield f'{name}{{{label}="{value.translate(_LABEL)}"}} {count}'


def _given(values: Mapping[str, float]) -> Iterator[str]:
    for name, value in sorted(values.items()):
        safe = _NAME.sub("_", name)
        full = safe if safe.startswith("warden_") else f"warden_{safe}"
        yield f"# TYPE {full} {'counter' if full.endswith('_total') else 'gauge'}"
        yield f"{full} {value}"
