"""What a search need look at: the rows that an index finds for one of its terms, instead of everything there is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from storebridge_sandbox.rows_in_order import Rows, RowsInOrder
from storebridge_sandbox.shopify.paging import Search, Term

FEWER = 4
"""So many times fewer candidates than things are sorted by themselves; else all are gone through in order."""


def of_value(search: Search, kept: Mapping[str, RowsInOrder], word: Callable[[Term], str]) -> list[Any] | None:
    """The nodes that have the value of a term; None when no term asks for one that is kept. ``word`` reads a term."""
    for term in search.terms:
        if term.equals and term.field in kept:
            return [row[2] for row in kept[term.field].having(word(term))]
    return None


def fewest_since(search: Search, kept: Mapping[str, RowsInOrder]) -> list[Any] | None:
    """The nodes since the moment of a term, of the term that leaves fewest; None when too many are left."""
    slices = [since(rows.rows(), name, search) for name, rows in kept.items()]
    fewest = min(slices, key=len)
    return None if len(fewest) * FEWER > max(map(len, slices)) else [row[2] for row in fewest]


def since(rows: Rows, field: str, search: Search) -> Rows:
    """Rows in the order of a moment, less those before all that the search's terms about it let through."""
    moments = [moment for term in search.terms if term.field == field and (moment := _lower_bound(term))]
    if not moments:
        return rows
    return rows[bisect_left(range(len(rows)), max(moments), key=lambda at: datetime.fromisoformat(rows.key(at)[0])) :]


def lower_case(term: Term) -> str:
    """Values are compared without regard to case."""
    return term.value.lower()


def _lower_bound(term: Term) -> datetime | None:
    if term.op not in (">", ">="):
        return None
    try:
        moment = datetime.fromisoformat(term.value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
