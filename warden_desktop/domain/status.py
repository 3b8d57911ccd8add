"""Where an incident stands and where it may go: the transition table, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    NEW = "new"
    ENRICHING = "enriching"
    ANALYZING = "analyzing"
    PENDING_REVIEW = "pending_review"
    PENDING_APPROVAL = "pending_approval"
    EXECUTING = "executing"
    RESOLVED = "resolved"
    FALSE_POSITIVE = "false_positive"
    DISMISSED = "dismissed"
    ESCALATED = "escalated"
    CLOSED = "closed"

    @property
    def open(self) -> bool:
        """Whether somebody or something still has work to do."""
        return self not in ENDED


ENDED = frozenset({Status.RESOLVED, Status.FALSE_POSITIVE, Status.DISMISSED, Status.CLOSED})

_S = Status
_BY_A_PERSON = frozenset({_S.RESOLVED, _S.FALSE_POSITIVE, _S.DISMISSED, _S.ESCALATED, _S.CLOSED})
_AT_WORK = frozenset({_S.PENDING_REVIEW, _S.PENDING_APPROVAL, _S.EXECUTING})

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    _S.NEW: _BY_A_PERSON | {_S.ENRICHING, _S.ANALYZING, _S.PENDING_REVIEW},
    _S.ENRICHING: _BY_A_PERSON | {_S.ANALYZING, _S.PENDING_REVIEW},
    _S.ANALYZING: _BY_A_PERSON | _AT_WORK,
    _S.PENDING_REVIEW: _BY_A_PERSON | {_S.ENRICHING, _S.PENDING_APPROVAL, _S.EXECUTING},
    _S.PENDING_APPROVAL: _BY_A_PERSON | {_S.PENDING_REVIEW, _S.EXECUTING},
    _S.EXECUTING: _BY_A_PERSON | {_S.PENDING_REVIEW, _S.PENDING_APPROVAL},
    _S.ESCALATED: (_BY_A_PERSON - {_S.ESCALATED}) | _AT_WORK,
    _S.RESOLVED: frozenset({_S.CLOSED, _S.PENDING_REVIEW}),
    _S.FALSE_POSITIVE: frozenset({_S.CLOSED, _S.PENDING_REVIEW}),
    _S.DISMISSED: frozenset({_S.CLOSED, _S.PENDING_REVIEW}),
    _S.CLOSED: frozenset({_S.PENDING_REVIEW}),
}
"""Which status may follow which. Every state has a way out; ended incidents reopen into PENDING_REVIEW."""


def may_follow(old: Status, new: Status) -> bool:
    """Whether the table allows the step from `old` to `new`."""
    return new in TRANSITIONS[old]
