"""PostgreSQL on virtual time: the real SQL on the caller's thread, with the present that the simulation is in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

from storebridge.clock import Clock, SystemClock
from storebridge.store.database import Tx
from storebridge.store.dialects.postgres import PostgresStore
from storebridge.store.transactions import DialectName

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")


class InlinePostgres:
    """What a bridge needs of a store. Yields before and after every transaction, as the inline SQLite does."""

    dialect: DialectName = "postgresql"
    _known: ClassVar[dict[str, PostgresStore]] = {}
    """By address: the next test at the same one finds the connection open and its statements prepared."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._clock = clock
        if url not in self._known:
            address = url.replace("postgresql://", "postgresql+psycopg://", 1)
            self._known[url] = PostgresStore(address, clock=SystemClock(), connections=1)
        self._store = self._known[url]

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)
        result = self._store._run(lambda tx: fn(Tx(tx.conn, self._clock.now(), "postgresql"), *args, **kwargs))
        await asyncio.sleep(0)
        return result

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        (result,) = await self.run(fn, [item])
        return result

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(fn, *args, **kwargs)

    async def maintain(self) -> None:
        await self._store.maintain()

    async def close(self) -> None:
        """A rebuilt bridge goes on with the same data; the end of the test closes it."""

    @classmethod
    def forget(cls, url: str) -> None:
        """Let go of the server there."""
        store = cls._known.pop(url, None)
        if store is not None:
            store._threads.shutdown(wait=True)
            store._engine.dispose()
