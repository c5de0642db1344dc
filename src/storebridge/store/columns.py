"""Column types that mean the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnClause, Index, Integer, Text, literal_column, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A growing number; SQLite only grows a column that it knows as INTEGER."""


def to_microseconds(value: datetime | None) -> int | None:
    """Whole microseconds since 1970."""
    return None if value is None else (value - EPOCH) // MICROSECOND


def from_microseconds(value: int | None) -> datetime | None:
    """The aware UTC time of ``to_microseconds``."""
    return None if value is None else EPOCH + timedelta(microseconds=value)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time, stored as whole microseconds since 1970: exact, sortable, the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return from_microseconds(value)


class Json(TypeDecorator[Any]):
    """Plain JSON as text; what it holds is said at each column."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


class Typed(TypeDecorator[Any]):
    """The text of a ``Json`` column, read straight into a type: decoding plain values first costs as much again.

    For reading with ``type_coerce``; a column of ``Json`` takes a struct as it is."""

    impl = Text
    cache_ok = True

    def __init__(self, of: Any) -> None:
        super().__init__()
        self._of = of
        self._decoder = msgspec.json.Decoder(of)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self._decoder.decode(value)


def fixed(value: str) -> ColumnClause[str]:
    """A value that stands in the statement itself: SQLite only uses a partial index when it sees that its condition
    holds, and it does not look into parameters."""
    assert value.isidentifier(), "only words of our own"
    return literal_column(f"'{value}'", Text())


def index_where(condition: str, name: str, *columns: str, unique: bool = False) -> Index:
    """An index over the rows that meet ``condition`` only: as big as what is open, not as what ever was."""
    return Index(name, *columns, unique=unique, sqlite_where=text(condition), postgresql_where=text(condition))
