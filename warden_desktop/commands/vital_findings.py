"""What the running application tells about itself on /metrics, as findings of the self-check."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

TIMEOUT = 5.0
"""Seconds after which an application that does not answer hangs."""
BEHIND = 1_000
"""Events from which on a subscriber that is behind is worth a word, unless it is quick to catch up: see `LAG`."""
LAG = 10.0
"""Seconds."""
SLOW_DISK = 0.05
"""Seconds of making a transaction durable, at the 99th percentile."""
STALL = 0.5
"""Seconds of one callback within the last minute."""

_SAMPLE = re.compile(r'(\w+)(?:\{\w+="((?:[^"\\]|\\.)*)"\})? (\S+)')
_ESCAPED = re.compile(r"\\(.)")

Metrics = Mapping[tuple[str, str], float]
"""Values by name without the prefix, and the value of the label, "" where there is none."""


class Finding(NamedTuple):
    """One line: `level` is "ok", "note" or "bad"."""

    level: str
    subject: str
    detail: str


def fetch(host: str, port: int) -> Metrics:
    """GET /metrics. Raises OSError or http.client.HTTPException when nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/metrics")
        return read(connection.getresponse().read().decode("utf-8", "replace"))
    finally:
        connection.close()


def read(text: str) -> Metrics:
    """Prometheus text with at most one label, as the application writes it; other lines are passed over."""
    found: dict[tuple[str, str], float] = {}
    for line in text.splitlines():
        sample = None if line.startswith("#") else _SAMPLE.fullmatch(line)
        if sample:
            label = _ESCAPED.sub(lambda one: "\n" if one[1] == "n" else one[1], sample[2] or "")
            found[sample[1].removeprefix("warden_"), label] = float(sample[3])
    return found


def findings(metrics: Metrics) -> Iterator[Finding]:
    """A line for the bus, each subscriber with a problem, the journal and the loop; none when they are not told."""
    if ("publishers_waiting", "") not in metrics:
        return
    yield _bus(metrics)
    for (name, subscriber), depth in metrics.items():
        if name == "subscriber_depth":
            yield from _subscriber(metrics, subscriber, depth)
    yield _disk(metrics)
    yield _loop(metrics)


def _bus(metrics: Metrics) -> Finding:
    failed, waiting = metrics.get(("publish_failures_total", ""), 0), metrics.get(("publishers_waiting", ""), 0)
    quick, slow = _ms(metrics, "publish_seconds", "0.5"), _ms(metrics, "publish_seconds", "0.99")
    detail = f"publish: half within {quick}, 99 % within {slow}"
    if failed:
        return Finding("bad", "bus", f"{failed:,.0f} events could not be recorded since the start; {detail}")
    return Finding("note" if waiting else "ok", "bus", f"{detail}; {waiting:,.0f} publishers wait for the disk")


def _subscriber(metrics: Metrics, name: str, depth: float) -> Iterator[Finding]:
    lag, dead = metrics.get(("subscriber_lag_seconds", name), 0), metrics.get(("subscriber_dead_letters", name), 0)
    if depth > BEHIND or lag > LAG:
        yield Finding("note", "bus", f"{name} is {depth:,.0f} events behind, the oldest {lag:,.0f} s old")
    if dead:
        yield Finding("note", "bus", f"{name} has {dead:,.0f} dead letters: warden-desktop dead-letters list")


def _disk(metrics: Metrics) -> Finding:
    slow = metrics.get(("journal_commit_seconds", "0.99"), 0) > SLOW_DISK
    quick, worst = _ms(metrics, "journal_commit_seconds", "0.5"), _ms(metrics, "journal_commit_seconds", "0.99")
    advice = "; the disk is slow, which delays every alert" if slow else ""
    return Finding("note" if slow else "ok", "disk", f"durable: half within {quick}, 99 % within {worst}{advice}")


def _loop(metrics: Metrics) -> Finding:
    name, longest = max(
        ((label, value) for (key, label), value in metrics.items() if key == "loop_longest_callback_seconds"),
        key=lambda one: one[1],
        default=("nothing", 0.0),
    )
    slow, late = metrics.get(("loop_slow_callbacks_total", ""), 0), _ms(metrics, "loop_lag_seconds", "")
    detail = f"longest within a minute {longest * 1000:,.0f} ms ({name}), {late} late, {slow:,.0f} slow since the start"
    return Finding("note" if longest > STALL else "ok", "loop", detail)


def _ms(metrics: Metrics, name: str, label: str) -> str:
    return f"{metrics.get((name, label), 0) * 1000:,.1f} ms"
