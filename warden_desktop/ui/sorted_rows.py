"""Rows kept in order while they change: the part of a live table that needs no toolkit."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class SortedRows(Generic[R]):
    """All rows by identity, and those that are shown, sorted by a key.

    A change costs a binary search and a move of pointers, so a storm of changes never sorts the table again. Ties are
    broken by age (`ordinal`), so no two rows compare equal and every row has one place.
    """

    def __init__(self, key: Callable[[R], Any], shows: Callable[[R], bool]) -> None:
        self._key = key
        self._shows = shows
        self._rows: dict[Hashable, tuple[int, R]] = {}
        self._places: dict[Hashable, tuple[Any, int]] = {}
        self._order: list[tuple[Any, int]] = []
        self._names: dict[int, Hashable] = {}
        self._born = 0

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, position: int) -> R:
        return self._rows[self._names[self._order[position][1]]][1]

    @property
    def total(self) -> int:
        """How many rows there are, shown or not."""
        return len(self._rows)

    def everything(self) -> Iterable[R]:
        """All rows, oldest first, shown or not."""
        return (row for _, row in self._rows.values())

    def known(self, name: Hashable) -> bool:
        return name in self._rows

    def position(self, name: Hashable) -> int | None:
        """Where the row of that name is shown; None when it is not."""
        place = self._places.get(name)
        return None if place is None else bisect_left(self._order, place)

    def keep(self, name: Hashable, row: R) -> tuple[Any, int] | None:
        """Remember `row`, without showing it yet; its place when it is to be shown."""
        ordinal = self._rows[name][0] if name in self._rows else self._next()
        self._rows[name] = (ordinal, row)
        self._names[ordinal] = name
        return (self._key(row), ordinal) if self._shows(row) else None

    def place_of(self, name: Hashable) -> tuple[Any, int] | None:
        return self._places.get(name)

    def goes_to(self, place: tuple[Any, int]) -> int:
        """The position a row of that place would have."""
        return bisect_left(self._order, place)

    def insert(self, name: Hashable, place: tuple[Any, int]) -> None:
        insort(self._order, place)
        self._places[name] = place

    def remove(self, name: Hashable) -> None:
        """Show the row of that name no longer."""
        del self._order[bisect_left(self._order, self._places.pop(name))]

    def forget(self, name: Hashable) -> None:
        """Drop a row that is not shown (any more)."""
        ordinal, _ = self._rows.pop(name)
        del self._names[ordinal]

    def rearrange(self, key: Callable[[R], Any] | None = None, shows: Callable[[R], bool] | None = None) -> None:
        """Sort or filter differently."""
        self._key = key or self._key
        self._shows = shows or self._shows
        self._places = {
            name: (self._key(row), ordinal) for name, (ordinal, row) in self._rows.items() if self._shows(row)
        }
        self._order = sorted(self._places.values())

    def clear(self) -> None:
        self._rows.clear()
        self._places.clear()
        self._order.clear()
        self._names.clear()

    def _next(self) -> int:
        self._born += 1
        return self._born
