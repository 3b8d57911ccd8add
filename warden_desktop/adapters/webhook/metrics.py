"""GET /metrics: counters as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from warden_desktop.adapters.webhook.refusals import Tally

CONTENT_TYPE = "text/plain"
PREFIX = "warden_"

_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_LABEL = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Family(NamedTuple):
    """One metric: `samples` are values by the label's value ("" where `label` is). A name that ends in `_total` is a
    counter, any other a gauge."""

    name: str
    about: str
    samples: Mapping[str, float]
    label: str = ""


Metrics = Callable[[], "Iterable[Family] | Mapping[str, float]"]
"""What to tell beside the door's own counters; plain numbers may come by name."""


def single(name: str, about: str, value: float) -> Family:
    """A metric without a label."""
    return Family(name, about, {"": value})


def exposition(further: Iterable[Family] | Mapping[str, float], tally: Tally, connections: int) -> str:
    """The door's own counters and `further` ones, in the text format."""
    families = _plain(further) if isinstance(further, Mapping) else further
    return "".join(f"{line}\n" for family in (*_door(tally, connections), *families) for line in _lines(family))


def _plain(values: Mapping[str, float]) -> Iterator[Family]:
    return (single(name, "", value) for name, value in sorted(values.items()))


def _door(tally: Tally, connections: int) -> Iterator[Family]:
    yield Family("webhook_accepted_total", "Alerts recorded.", tally.accepted, "source")
    yield Family("webhook_duplicates_total", "Deliveries that came again.", tally.duplicates, "source")
    yield Family("webhook_refused_total", "Requests refused.", tally.refused, "code")
    yield single("webhook_evicted_total", "Slow connections closed to make room.", tally.evicted)
    yield single("webhook_connections", "Connections open.", connections)


def _lines(family: Family) -> Iterator[str]:
    name = PREFIX + _NAME.sub("_", family.name)
    if family.about:
        yield f"# HELP {name} {family.about.translate(_HELP)}"
    yield f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}"
    for value, number in sorted(family.samples.items()):  # no samples is none yet, which Prometheus understands
        label = f'{{{family.label}="{value.translate(_LABEL)}"}}' if family.label else ""
        yield f"{name}{label} {number:.10g}"
