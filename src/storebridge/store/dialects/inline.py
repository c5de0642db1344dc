"""SQLite on the caller's own thread: for tests and the simulation, where a seed must replay byte for byte."""

from __future__ import annotations

import functools
import sqlite3
import types
from collections.abc import Callable, Generator
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from storebridge.clock import Clock
from storebridge.store.dialects.sqlite import sqlite_engine
from storebridge.store.migrate import migrate
from storebridge.store.prepared import run_plainly
from storebridge.store.transactions import DialectName, Tx

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")


@types.coroutine
def _give_way() -> Generator[None, None, None]:
    """Let everybody else who is ready go first."""
    yield


@functools.cache
def _empty_database() -> bytes:
    """An empty database at the newest schema. Migrations are the same every time, and take as long as minutes of a
    simulated shop."""
    engine = sqlite_engine(":memory:", shared=True)
    migrate(engine)
    content = _driver_of(engine).serialize()
    engine.dispose()
    return content


def _driver_of(engine: Engine) -> sqlite3.Connection:
    """The one connection of an engine that shares it."""
    driver = engine.raw_connection().driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


class InlineStore:
    """A SQLite database, ``:memory:`` by default, without threads. Yields before and after every transaction."""

    dialect: DialectName = "sqlite"

    def __init__(self, path: str = ":memory:", *, clock: Clock, engine: Engine | None = None) -> None:
        self._clock = clock
        self.engine = engine or sqlite_engine(path, shared=True)
        if engine is None and path == ":memory:":
            _driver_of(self.engine).deserialize(_empty_database())
        elif engine is None:
            migrate(self.engine)
        self._conn: Connection | None = None
        """Kept, and for SQLAlchemy always within a transaction, while the driver begins and commits below it: that
        alone had cost SQLAlchemy more than it costs SQLite."""

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await _give_way()
        result = self.read_now(fn, *args, **kwargs)
        await _give_way()
        return result

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        (result,) = await self.run(fn, [item])
        return result

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(fn, *args, **kwargs)

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._conn is None:
            self._conn = self.engine.connect()
            self._conn.begin()
        else:
            run_plainly(self._conn, "BEGIN IMMEDIATE")
        try:
            result = fn(Tx(self._conn, self._clock.now(), "sqlite"), *args, **kwargs)
            run_plainly(self._conn, "COMMIT")
        except BaseException:
            if self._conn.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]  # some errors end it themselves
                run_plainly(self._conn, "ROLLBACK")
            raise
        return result

    async def maintain(self) -> None:
        """Nothing to do."""

    def let_go(self) -> None:
        """Give the engine's connection back, so that another store may use the engine."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    async def close(self) -> None:
        """Keep the engine open: whoever handed it in, or a rebuilt bridge, goes on with the same data."""
