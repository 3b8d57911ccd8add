"""Which handler serves which path."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from aiohttp import web

from warden_desktop.adapters.webhook.refusals import unknown, wrong_method

Handler = Callable[..., Awaitable[web.StreamResponse]]
"""Called with the request and the path's variable parts."""


ANY = "*"
"""The method of a handler that looks at the method itself."""


class Route(NamedTuple):
    """`path` has `{}` for each variable part, which is letters, digits, `-` and `_`."""

    method: str
    path: str
    handler: Handler


class Routes:
    """A table of routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, dict[str, Handler]] = {}
        self._variable: dict[re.Pattern[str], dict[str, Handler]] = {}
        for route in routes:
            self._methods(route.path)[route.method] = route.handler

    def _methods(self, path: str) -> dict[str, Handler]:
        if "{}" not in path:
            return self._fixed.setdefault(path, {})
        pattern = re.compile(re.escape(path).replace(r"\{\}", r"([A-Za-z0-9_-]{1,64})"))
        return self._variable.setdefault(pattern, {})

    def find(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
        """The handler and the variable parts. Raises Refusal 404 or 405."""
        methods, parts = self._serving(path)
        handler = methods.get(method) or methods.get(ANY)
        if handler is None:
            raise wrong_method(methods)
        return handler, parts

    def _serving(self, path: str) -> tuple[dict[str, Handler], tuple[str, ...]]:
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed, ()
        for pattern, methods in self._variable.items():
            found = pattern.fullmatch(path)
            if found:
                return methods, found.groups()
        raise unknown()
