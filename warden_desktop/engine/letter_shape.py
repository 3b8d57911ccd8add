"""How a dead letter is named and looks in JSON: for HTTP and the command line."""

from __future__ import annotations

from typing import Any

from warden_desktop.domain.shape import event_json
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.ports import DeadLetter


def letter_id(letter: DeadLetter) -> str:
    """For instance "triage-12": the subscriber's name and the event's number."""
    return f"{letter.subscriber}-{letter.recorded.seq}"


def parsed_id(text: str) -> tuple[str, int]:
    """(subscriber, seq). Raises DeskError `not_found` for what can be no letter's id."""
    subscriber, _, seq = text.rpartition("-")
    if not subscriber or not (seq.isascii() and seq.isdecimal() and len(seq) < 19):
        raise DeskError("not_found", "A dead letter is named by its subscriber and its event's number: triage-12.")
    return subscriber, int(seq)


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter: {id, subscriber, seq, kind, incident_id, attempts, error, event}."""
    seq, event = letter.recorded
    return {
        "id": letter_id(letter),
        "subscriber": letter.subscriber,
        "seq": seq,
        "kind": event.kind,
        "incident_id": str(event.incident_id) if event.incident_id else None,
        "attempts": letter.attempts,
        "error": letter.error,
        "event": event_json(seq, event),
    }
