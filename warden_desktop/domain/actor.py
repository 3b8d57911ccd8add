"""Who did something, as events name them: "analyst:alice" in the window, "cli:alice" at the command line, a worker."""

from __future__ import annotations

_PEOPLE = ("analyst", "cli")


def person_of(actor: str) -> str:
    """The person behind `actor`, the same wherever they sit and however it is written; "" for a worker."""
    where, _, name = actor.partition(":")
    return name.strip().casefold() if where in _PEOPLE else ""
