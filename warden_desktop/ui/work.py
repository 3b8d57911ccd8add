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
