"""How the window starts work that takes time: it hands a coroutine to whoever owns the loop and is called back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Start(Protocol):
    """Runs `work` on the loop. `done` gets its result and `failed` its exception, both on the loop, later.

    Without `failed` the window's banner tells the analyst. Neither is called once the window is gone.
    """

    def __call__(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None: ...


class UntilGone:
    """Starts work for a window, and calls nobody back once the window is gone."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._gone = False

    def __call__(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._start(work, self._guarded(done), self._guarded(failed))

    def gone(self) -> None:
        """The window is gone; connect the window's `destroyed` here."""
        self._gone = True

    def _guarded(self, call: Callable[[T], None] | None) -> Callable[[T], None] | None:
        if call is None:
            return None

        def unless_gone(result: T) -> None:
            if not self._gone:
                call(result)

        return unless_gone
