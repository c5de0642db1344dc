"""Pages out of rows that are kept sorted: no more of them are looked at than the page needs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from storebridge_sandbox.rows_in_order import HIGHEST, Row, RowsInOrder, key_at
from storebridge_sandbox.wix.query import Language, Page, Question, comes_after

TIE = ""
"""The name of the order in which rows are that no sort was asked for: (tie, 0, thing). Others: (value, tie, thing)."""
NOT_COUNTED = -1
FEWER = 4
"""So many times fewer candidates than rows are sorted by themselves."""

Make = Callable[[Any], Any]
"""The row of the query language for a thing; None for what the caller does not see."""


def page_in_order(language: Language, question: Question, kept: Mapping[str, RowsInOrder], make: Make) -> Page | None:
    """The page; None where no kept order serves the question. ``total`` and ``found`` are not told."""
    names = [name for name, _ in question.sort]
    if len(names) > 1 or (names[0] if names else TIE) not in kept:
        return None
    name = names[0] if names else TIE
    slices = {one: _within(rows, one, question) for one, rows in kept.items() if one == name or one in question.bounds}
    fewest = min(slices.values(), key=len)
    if len(fewest) * FEWER < len(slices[name]):
        made = (make(row[2]) for row in fewest)
        return language.page(question, [row for row in made if row is not None])
    return _Cut(language, question, slices[name], make).page()


def _within(rows: RowsInOrder, name: str, question: Question) -> Sequence[Row]:
    """The rows less those outside what the filter lets through of their own value."""
    low, high = question.bounds.get(name, (None, None))
    return rows.between(None if low is None else (low,), None if high is None else (high, HIGHEST))


class _Cut:
    """One page being cut; places count in the order that was asked for."""

    def __init__(self, language: Language, question: Question, rows: Sequence[Row], make: Make) -> None:
        self._language, self._question, self._make = language, question, make
        self._down = bool(question.sort and question.sort[-1][1])
        self._keys = len(question.sort) + 1
        self._rows = rows[::-1] if self._down else rows

    def page(self) -> Page:
        question = self._question
        if question.after is None:
            found = list(islice(self._seen(range(len(self._rows))), question.offset + question.limit + 1))
            rows = found[question.offset :]
            return self._told(rows[: question.limit], before=bool(question.offset), more=len(rows) > question.limit)
        if question.backwards:
            end = self._first(inclusive=True)
            found = list(islice(self._seen(range(end - 1, -1, -1)), question.limit + 1))
            more = self._any(range(end, len(self._rows)))
            return self._told(found[: question.limit][::-1], before=len(found) > question.limit, more=more)
        start = self._first(inclusive=False)
        found = list(islice(self._seen(range(start, len(self._rows))), question.limit + 1))
        before = self._any(range(start - 1, -1, -1))
        return self._told(found[: question.limit], before=before, more=len(found) > question.limit)

    def _told(self, rows: list[Any], *, before: bool, more: bool) -> Page:
        cursor = self._language.cursor
        following = cursor(self._question, rows[-1]) if rows and more else None
        previous = cursor(self._question, rows[0], backwards=True) if rows and before else None
        return Page(rows, following, NOT_COUNTED, previous)

    def _seen(self, places: range) -> Iterator[Any]:
        for place in places:
            row = self._make(self._rows[place][2])
            if row is not None and self._question.matches(row):
                yield row

    def _any(self, places: range) -> bool:
        return next(self._seen(places), None) is not None

    def _first(self, *, inclusive: bool) -> int:
        """The first row after the one that the cursor remembers, which may be gone; or that one itself."""
        after, down = self._question.after or [], [self._down] * self._keys

        def passed(place: int) -> bool:
            keys = list(key_at(self._rows, place)[: self._keys])
            return comes_after(keys, after, down) or (inclusive and keys == after)

        return bisect_left(range(len(self._rows)), True, key=passed)
