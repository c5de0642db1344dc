"""SQLite on the caller's own thread: for tests and the simulation, where a seed must replay byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from storebridge.clock import Clock
from storebridge.store.dialects.sqlite import sqlite_engine
from storebridge.store.migrate import migrate
from storebridge.store.transactions import DialectName, Tx

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")


class InlineStore:
    """A SQLite database, ``:memory:`` by default, without threads. Yields before and after every transaction."""

    dialect: DialectName = "sqlite"

    def __init__(self, path: str = ":memory:", *, clock: Clock, engine: Engine | None = None) -> None:
        self._clock = clock
        self.engine = engine or sqlite_engine(path, shared=True)
        if engine is None:
            migrate(self.engine)
        self._conn: Connection | None = None
        """Kept: taking one from the pool and giving it back for each transaction cost as much as its statements."""

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)
        result = self.read_now(fn, *args, **kwargs)
        await asyncio.sleep(0)
        return result

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        (result,) = await self.run(fn, [item])
        return result

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(fn, *args, **kwargs)

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._conn is None:
            self._conn = self.engine.connect()
        with self._conn.begin():
            return fn(Tx(self._conn, self._clock.now(), "sqlite"), *args, **kwargs)

    async def maintain(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Keep the engine open: whoever handed it in, or a rebuilt bridge, goes on with the same data."""
