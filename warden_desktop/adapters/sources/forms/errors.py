"""The one thing a form's reader may raise."""

from __future__ import annotations


class BadForm(Exception):
    """The body is not what its form says; `code` is for machines ("bad_cef"), the text says what is wrong where."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
