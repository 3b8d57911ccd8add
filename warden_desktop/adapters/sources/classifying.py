"""Severity and category of an alert, from what the vendor calls them."""

from __future__ import annotations

import re
from typing import Any

from warden_desktop.adapters.sources.expression import Expression
from warden_desktop.adapters.sources.pack import CategoryMap, CategoryTest, SeverityMap
from warden_desktop.adapters.sources.values import scalars, text
from warden_desktop.domain.alert import Severity

SEARCHED = 1024
"""Characters of a text that patterns look at."""


class SeverityReader:
    """A pack's severity rule, compiled."""

    def __init__(self, rule: SeverityMap) -> None:
        self._rule = rule
        self._get = Expression(rule.source).get

    def read(self, value: Any) -> Severity:
        """The severity of an alert; the pack's default when the vendor's word for it is unknown."""
        found = self._get(value)
        word = text(found, 64).strip().lower()
        known = self._rule.lookup.get(word)
        return known if known is not None else self._banded(word)

    def _banded(self, word: str) -> Severity:
        try:
            number = float(word)
        except ValueError:
            return self._rule.default
        return next((band.severity for band in self._rule.bands if number >= band.at_least), self._rule.default)


class CategoryReader:
    """A pack's category tests, compiled."""

    def __init__(self, rule: CategoryMap) -> None:
        self._tests = [_Test(test) for test in rule.tests]
        self._default = rule.default

    def read(self, value: Any) -> str:
        """The category of an alert."""
        for test in self._tests:
            found = test.read(value)
            if found:
                return found
        return self._default


class _Test:
    def __init__(self, test: CategoryTest) -> None:
        self._get = Expression(test.source).get
        self._lookup = test.lookup
        self._patterns = [(category, re.compile(pattern, re.IGNORECASE)) for category, pattern in test.match.items()]

    def read(self, value: Any) -> str:
        words = [text(word, SEARCHED) for _, word in scalars(self._get(value))]
        for word in words:
            known = self._lookup.get(word.strip().lower())
            if known:
                return known
        return self._searched(words)

    def _searched(self, words: list[str]) -> str:
        """The first pattern, in the pack's order, that is found in any word."""
        return next((category for category, pattern in self._patterns if any(map(pattern.search, words))), "")
