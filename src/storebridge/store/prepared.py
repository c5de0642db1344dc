"""Statements of the hot path: compiled once, then run by the driver itself.

SQLAlchemy keys, wraps and unwraps a statement anew for every execution, which cost five times what SQLite needed for
the statement itself (docs/benchmarks.md). A ``Prepared`` is still a SQLAlchemy statement, with its columns and types on
both databases; only its execution is short. Rows come back as plain tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import msgspec
from sqlalchemy import ARRAY, Boolean, ColumnElement, Connection, Text, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from storebridge.store.columns import UtcTime, from_microseconds, to_microseconds

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]


class HasDriver(Protocol):
    """A transaction, as far as this file needs it."""

    @property
    def conn(self) -> Connection: ...

    @property
    def driver(self) -> Any: ...

    @property
    def dialect(self) -> str: ...


class _Values(TypeDecorator[Sequence[Any]]):
    """Any number of values in one parameter: an array on PostgreSQL, JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self._of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self._of) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        values = sorted(value or ())
        return values if dialect.name == "postgresql" else msgspec.json.encode(values).decode()


class one_of(ColumnElement[bool]):
    """``column`` is one of the values of the parameter ``name``, however many they are.

    ``IN`` with a parameter for each value would be another statement for each number of values.
    """

    inherit_cache = False
    type = Boolean()
    _is_implicitly_boolean = True
    """Else SQLAlchemy writes ``(column IN ...) = 1`` for SQLite, which then reads the whole table each time."""

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.values = bindparam(name, type_=_Values(column.type))


@compiles(one_of, "sqlite")
def _in_json(element: one_of, compiler: Any, **kwargs: Any) -> str:
    column, values = compiler.process(element.column, **kwargs), compiler.process(element.values, **kwargs)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(one_of, "postgresql")
def _in_array(element: one_of, compiler: Any, **kwargs: Any) -> str:
    column, values = compiler.process(element.column, **kwargs), compiler.process(element.values, **kwargs)
    return f"{column} = ANY({values})"


class _Plan:
    """A statement as one driver takes it."""

    __slots__ = ("_fixed", "_given", "_places", "_results", "sql")

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql: str = compiled.string
        converters = {name: _to_driver(bind.type, dialect) for name, bind in compiled.binds.items()}
        fixed = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
        self._fixed = {name: _converted(converters[name], value) for name, value in fixed.items()}
        self._given = [(name, converters[name]) for name in converters if name not in fixed]
        self._places = _places(compiled, converters, self._fixed) if compiled.positional else None
        wanted = getattr(statement, "exported_columns", ())
        found = enumerate(_from_driver(column.type, dialect) for column in wanted)
        self._results = [(place, convert) for place, convert in found if convert is not None]

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The parameters in the driver's own way. Raises KeyError for a value that is missing."""
        if self._places is not None:
            return [
                value if name is None else values[name] if convert is None else convert(values[name])
                for name, convert, value in self._places
            ]
        bound = dict(self._fixed)
        for name, convert in self._given:
            value = values[name]
            bound[name] = value if convert is None else convert(value)
        return bound

    def unwrap(self, rows: Iterable[Row]) -> list[Row]:
        """Rows with the columns' own types."""
        if not self._results:
            return list(rows)
        return [self._unwrapped(row) for row in rows]

    def _unwrapped(self, row: Row) -> Row:
        values = list(row)
        for place, convert in self._results:
            values[place] = convert(values[place])
        return tuple(values)


class Prepared:
    """A statement with named parameters, ready for either database.

    ``columns``: of an insert, the columns that are given. ``postgresql``: the statement for PostgreSQL where it differs
    (row locks).
    """

    __slots__ = ("_columns", "_others", "_plans", "_statement")

    def __init__(
        self,
        statement: ClauseElement,
        *,
        columns: Sequence[str] | None = None,
        postgresql: ClauseElement | None = None,
    ) -> None:
        self._statement = statement
        self._columns = columns
        self._others = {} if postgresql is None else {"postgresql": postgresql}
        self._plans: dict[str, _Plan] = {}

    def all(self, tx: HasDriver, **values: Any) -> list[Row]:
        """Every row."""
        plan = self._plan(tx)
        return plan.unwrap(self._execute(tx, plan, values).fetchall())

    def first(self, tx: HasDriver, **values: Any) -> Row | None:
        """The first row, or None."""
        rows = self.all(tx, **values)
        return rows[0] if rows else None

    def scalar(self, tx: HasDriver, **values: Any) -> Any:
        """The first value of the first row, or None."""
        row = self.first(tx, **values)
        return None if row is None else row[0]

    def run(self, tx: HasDriver, **values: Any) -> int:
        """Carry out a change; returns how many rows it met."""
        count: int = self._execute(tx, self._plan(tx), values).rowcount
        return count

    def run_many(self, tx: HasDriver, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry out the same change for each of ``rows``."""
        if not rows:
            return
        plan = self._plan(tx)
        try:
            tx.driver.cursor().executemany(plan.sql, [plan.bind(row) for row in rows])
        except _error_of(tx.conn) as error:
            _raise(tx.conn, plan.sql, error)

    def each(self, tx: HasDriver, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Carry out a change that returns one row, for each of ``rows``; the answers in their order."""
        plan = self._plan(tx)
        if tx.dialect == "postgresql":
            return plan.unwrap(self._pipelined(tx, plan, rows))
        return plan.unwrap([self._execute(tx, plan, row).fetchone() for row in rows])

    def _pipelined(self, tx: HasDriver, plan: _Plan, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        if not rows:
            return []
        cursor = tx.driver.cursor()
        answers: list[Row] = []
        try:
            cursor.executemany(plan.sql, [plan.bind(row) for row in rows], returning=True)
            while True:
                answers.append(cursor.fetchone())
                if not cursor.nextset():
                    return answers
        except _error_of(tx.conn) as error:
            _raise(tx.conn, plan.sql, error)

    def _execute(self, tx: HasDriver, plan: _Plan, values: Mapping[str, Any]) -> Any:
        bound = plan.bind(values)
        try:
            return tx.driver.execute(plan.sql, bound)
        except _error_of(tx.conn) as error:
            _raise(tx.conn, plan.sql, error)

    def _plan(self, tx: HasDriver) -> _Plan:
        plan = self._plans.get(tx.dialect)
        if plan is None:
            statement = self._others.get(tx.dialect, self._statement)
            plan = self._plans[tx.dialect] = _Plan(statement, self._columns, tx.conn.dialect)
        return plan


def run_plainly(conn: Connection, sql: str) -> None:
    """A statement without parameters (BEGIN, SAVEPOINT), by the driver itself."""
    driver: Any = conn.connection.dbapi_connection
    try:
        driver.execute(sql)
    except _error_of(conn) as error:
        _raise(conn, sql, error)


def _error_of(conn: Connection) -> type[Exception]:
    """What the driver of this database raises: the other database's driver need not be there."""
    dialect: Any = conn.dialect
    error: type[Exception] = dialect.loaded_dbapi.Error
    return error


def _raise(conn: Connection, sql: str, error: Exception) -> NoReturn:
    """The driver's error as SQLAlchemy would raise it: callers know one kind only."""
    dialect: Any = conn.dialect
    gone = dialect.is_disconnect(error, conn.connection.dbapi_connection, None)
    if gone:
        conn.invalidate(error)
    raise DBAPIError.instance(
        sql, None, error, _error_of(conn), connection_invalidated=gone, dialect=dialect
    ) from error


Place = tuple[str | None, Convert | None, Any]
"""Of one question mark: the name and converter of its value, or without a name the value that stands in the
statement."""


def _places(compiled: Any, converters: Mapping[str, Convert | None], fixed: Mapping[str, Any]) -> list[Place]:
    return [
        (None, None, fixed[name]) if name in fixed else (name, converters[name], None) for name in compiled.positiontup
    ]


def _to_driver(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(kind, UtcTime):  # the commonest of all, without three calls of SQLAlchemy around it
        return to_microseconds
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(kind, UtcTime):
        return from_microseconds
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _converted(convert: Convert | None, value: Any) -> Any:
    return value if convert is None else convert(value)
