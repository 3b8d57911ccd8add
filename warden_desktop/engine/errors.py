"""Refusals a person should read."""

from __future__ import annotations


class DeskError(Exception):
    """What was asked for was not done. `code` is for programs (snake_case), `detail` says what happened and what to do.

    Codes of deciding and acting: not_found, not_waiting, already_decided, expired, changed, level_too_low,
    self_approval, reason_required, not_possible, stopped, not_engaged, unknown_scope, not_recorded.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
