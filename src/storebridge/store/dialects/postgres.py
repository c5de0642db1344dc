"""PostgreSQL: psycopg in a small thread pool, isolation stated, any number of worker processes.

READ COMMITTED with explicit row locks: every lane turn locks its pools, every courier holds a lease. A transaction that
PostgreSQL refuses for a deadlock or serialization failure is run again; a lost connection is not retried when the
COMMIT may have been carried out, because the function then took effect once already: the caller gets
StoreUnavailableError, and what it was about is found again by its journal entry, look or delivery id.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from storebridge.clock import UTC, Clock
from storebridge.errors import StoreUnavailableError
from storebridge.store.migrate import migrate
from storebridge.store.transactions import DialectName, Tx

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")

CONNECTIONS = 6
TRIES = 6
TRY_AGAIN = frozenset({"40001", "40P01", "23505"})
"""Serialization failure, deadlock, and a row that another worker stored first (two of them were handed the same
delivery): nothing was changed, so running the function again is safe, and then it sees that row. A row that is refused
every time is an error of the caller, who gets it in the end."""


class PostgresStore:
    """A PostgreSQL database."""

    dialect: DialectName = "postgresql"

    def __init__(self, url: str, *, clock: Clock, connections: int = CONNECTIONS) -> None:
        self._clock = clock
        self._engine = create_engine(
            url, isolation_level="READ COMMITTED", pool_size=connections, max_overflow=0, pool_pre_ping=True
        )
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="postgres")
        self._batches: dict[Callable[..., Any], list[tuple[Any, Future[Any]]]] = {}
        self._batch_lock = threading.Lock()
        try:
            migrate(self._engine)
        except OperationalError as error:
            raise StoreUnavailableError(f"PostgreSQL does not answer: {error.orig}") from error

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._run(lambda tx: fn(tx, *args, **kwargs)))

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(lambda tx: fn(tx, *args, **kwargs))

    def _run(self, fn: Callable[[Tx], T]) -> T:
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                with self._engine.begin() as conn:
                    return fn(Tx(conn, _now(conn), "postgresql"))
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) in TRY_AGAIN and not last:
                    continue
                if error.connection_invalidated or isinstance(error, OperationalError):
                    raise StoreUnavailableError(f"PostgreSQL did not take the change: {error.orig}") from error
                raise
        raise AssertionError("the last try returns or raises")

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        future: Future[R] = Future()
        with self._batch_lock:
            waiting = self._batches.get(fn)
            first = waiting is None
            if waiting is None:
                waiting = self._batches[fn] = []
            waiting.append((item, future))
        if first:
            asyncio.get_running_loop().run_in_executor(self._threads, self._run_waiting, fn)
        return await asyncio.wrap_future(future)

    def _run_waiting(self, fn: Callable[[Tx, list[Any]], list[Any]]) -> None:
        """Newcomers join until a thread takes the batch: the busier the database, the bigger it is."""
        with self._batch_lock:
            waiting = self._batches.pop(fn)
        items = [item for item, _ in waiting]
        try:
            results = self._run(lambda tx: fn(tx, items))
        except BaseException as error:  # noqa: BLE001 - whoever waits for the batch gets it
            for _, future in waiting:
                if future.set_running_or_notify_cancel():
                    future.set_exception(error)
            return
        for (_, future), result in zip(waiting, results, strict=True):
            if future.set_running_or_notify_cancel():
                future.set_result(result)

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(fn, *args, **kwargs)

    async def maintain(self) -> None:
        """Nothing to do: autovacuum does it."""

    async def close(self) -> None:
        self._threads.shutdown(wait=True)
        self._engine.dispose()


def _now(conn: Connection) -> datetime:
    """The database's clock, so that leases mean the same to every worker."""
    now: datetime = conn.execute(text("select clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)
