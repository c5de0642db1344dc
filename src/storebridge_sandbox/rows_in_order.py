"""The things of a store in the order of one of their values, kept sorted while things come, change and go.

A page of a list of 100,000 then costs what the page costs. Nothing is sorted before somebody asks for that order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import islice
from typing import Any

Row = tuple[Any, Any, Any]
"""(value, number, thing); the number tells things of one value apart, so that no two things are ever compared."""
FEW = 1000
"""So many changes are taken in one by one; after more of them everything is sorted anew."""


class RowsInOrder:
    """Rows of the things of a dict; ``row_of(name)`` makes the row of one of them.

    New things and things that are gone are noticed; that a thing changed must be told. ``made`` counts the rows that
    were ever made.
    """

    def __init__(self, things: dict[str, Any], row_of: Callable[[str], Row]) -> None:
        self._things = things
        self._row_of = row_of
        self._rows: list[Row] = []
        self._by_name: dict[str, Row] = {}
        self._changed: dict[str, None] = {}
        self.made = 0

    def changed(self, name: str) -> None:
        """A thing has another value, or is another thing under the same name, or is gone."""
        if self._by_name:
            self._changed[name] = None

    def rows(self) -> list[Row]:
        """All rows in ascending order; not to be changed by the caller."""
        if len(self._changed) > FEW:
            self._build()
        for name in self._changed:
            self._take_out(name)
        changed, self._changed = self._changed, {}
        new = self._new_names(changed)
        if new is None:
            self._build()
        else:
            for name in new:
                self._put_in(name)
        return self._rows

    def having(self, value: Any) -> list[Row]:
        """The rows of this value."""
        return self.between((value,), (value, HIGHEST))

    def between(self, low: tuple[Any, ...] | None, high: tuple[Any, ...] | None) -> list[Row]:
        """The rows from the first that is not below ``low`` to the last that is below ``high``; None is no limit."""
        rows = self.rows()
        start = 0 if low is None else bisect_left(rows, low)
        return rows[start:] if high is None else rows[start : max(start, bisect_left(rows, high))]

    def _new_names(self, changed: dict[str, None]) -> list[str] | None:
        """What has no row yet; None when the dict does not tell it by its end, or it is too much."""
        again = [name for name in changed if name in self._things]
        more = len(self._things) - len(self._by_name) - len(again)
        if not 0 <= more <= FEW:
            return None
        last = [name for name in islice(reversed(self._things), more + len(again) + 1) if name not in changed]
        new, known = last[:more], last[more : more + 1]
        if any(name in self._by_name for name in new) or any(name not in self._by_name for name in known):
            return None
        return again + new

    def _build(self) -> None:
        self._changed = {}
        self._by_name = {name: self._row_of(name) for name in self._things}
        self._rows = sorted(self._by_name.values())
        self.made += len(self._rows)

    def _take_out(self, name: str) -> None:
        row = self._by_name.pop(name, None)
        if row is not None:
            del self._rows[bisect_left(self._rows, row[:2])]

    def _put_in(self, name: str) -> None:
        row = self._by_name[name] = self._row_of(name)
        self._rows.insert(bisect_left(self._rows, row[:2]), row)
        self.made += 1


class _Highest:
    """Above every number."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


HIGHEST: Any = _Highest()
