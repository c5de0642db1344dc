"""Insert a row, or change the one that is there: prepared for both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.store.prepared import Prepared

Changes = Callable[[Any], Mapping[str, Any]]


def upsert(table: Table, keys: Sequence[str], columns: Sequence[str], changes: Changes | None = None) -> Prepared:
    """To be run with a value for each of ``columns``; ``keys`` say which row is meant.

    ``changes`` is given the columns of the row that was to be inserted, and says what changes where one is there
    already: without it, every column but the keys.
    """

    def statement(dialect: Any) -> Any:
        insert = dialect.insert(table)
        new = insert.excluded
        changed = {name: new[name] for name in columns if name not in keys} if changes is None else changes(new)
        return insert.on_conflict_do_update(index_elements=keys, set_=changed)

    return Prepared(statement(sqlite), columns=columns, postgresql=statement(postgresql))


def insert_once(table: Table, keys: Sequence[str], columns: Sequence[str]) -> Prepared:
    """The same where a row that is there already stays as it is."""
    wanted, other = (one.insert(table).on_conflict_do_nothing(index_elements=keys) for one in (sqlite, postgresql))
    return Prepared(wanted, columns=columns, postgresql=other)
