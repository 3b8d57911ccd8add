"""What does not work just now. Beside the bus, because a fault of the journal cannot be an event in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class Health:
    """Causes by component, for /healthz, the banner and `doctor`."""

    def __init__(self) -> None:
        self._causes: dict[str, str] = {}
        self.on_change: list[Callable[[Mapping[str, str]], None]] = []

    @property
    def causes(self) -> Mapping[str, str]:
        """What is wrong, by component; empty when all is well."""
        return dict(self._causes)

    def failed(self, component: str, detail: str) -> None:
        """`component` does not work, for the reason in `detail`."""
        if self._causes.get(component) != detail:
            self._causes[component] = detail
            self._tell()

    def works(self, component: str) -> None:
        """`component` works (again)."""
        if self._causes.pop(component, None) is not None:
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self.on_change):
            listener(self.causes)
