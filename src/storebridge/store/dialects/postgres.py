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
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from storebridge.clock import TOLERANCE, Clock, ForwardClock
from storebridge.errors import StoreUnavailableError
from storebridge.store.columns import EPOCH, MICROSECOND
from storebridge.store.dialects.batches import Batch
from storebridge.store.migrate import migrate
from storebridge.store.transactions import DialectName, Tx
from storebridge.telemetry.log import get_logger

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")

log = get_logger("database")

CONNECTIONS = 6
CONNECT_SECONDS = 10
"""A host that swallows packets would otherwise hold a command for minutes."""
TRIES = CONNECTIONS + 1
"""After PostgreSQL was restarted every connection that rests in the pool is dead, and only the one after them lives."""
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
            url,
            isolation_level="READ COMMITTED",
            pool_size=connections,
            max_overflow=0,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="postgres")
        self._batches: dict[tuple[Callable[..., Any], asyncio.AbstractEventLoop], Batch] = {}
        self._batch_lock = threading.Lock()
        self._closed = False
        try:
            migrate(self._engine)
        except OperationalError as error:
            raise StoreUnavailableError(_unreachable(self._engine.url, error)) from error
        self._run(lambda _: None)  # from the start on, this process goes by the database's clock

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._demand_open()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._run(lambda tx: fn(tx, *args, **kwargs)))

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(lambda tx: fn(tx, *args, **kwargs))

    def _run(self, fn: Callable[[Tx], T]) -> T:
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                with self._engine.begin() as conn:
                    return fn(Tx(conn, self._begin(conn), "postgresql"))
            except _ConnectionWasLost as error:
                if last:
                    raise StoreUnavailableError(f"PostgreSQL does not answer: {error}") from error
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) in TRY_AGAIN and not last:
                    continue
                if error.connection_invalidated or isinstance(error, OperationalError):
                    raise StoreUnavailableError(f"PostgreSQL did not take the change: {error.orig}") from error
                raise
        raise AssertionError("the last try returns or raises")

    def _begin(self, conn: Connection) -> datetime:
        """Begin; the database's time, by which this process goes too."""
        asked_at = self._clock.monotonic()
        now = _begin(conn)
        took = timedelta(seconds=self._clock.monotonic() - asked_at)
        if isinstance(self._clock, ForwardClock) and took < TOLERANCE / 2:  # an answer that is old says nothing
            change = self._clock.follow(now)
            if change:
                log.warning("clock_follows_database", changed_by_seconds=round(change / timedelta(seconds=1), 1))
        return now

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        self._demand_open()
        loop = asyncio.get_running_loop()
        with self._batch_lock:
            batch = self._batches.get((fn, loop))
            first = batch is None
            if batch is None:
                batch = self._batches[fn, loop] = Batch(loop)
            answer = batch.add(item)
        if first:
            loop.run_in_executor(self._threads, self._run_batches, fn, loop)
        result: R = await answer
        return result

    def _run_batches(self, fn: Callable[[Tx, list[Any]], list[Any]], loop: asyncio.AbstractEventLoop) -> None:
        """One batch after the other until none waits: the busier the database, the bigger they are. Several at once
        would be many small ones, each with a commit of its own."""
        while batch := self._next_batch((fn, loop)):
            try:
                batch.set_result(self._run_items(fn, batch.items))
            except BaseException as error:  # noqa: BLE001 - whoever waits for the batch gets it
                batch.set_exception(error)

    def _next_batch(self, key: tuple[Callable[..., Any], asyncio.AbstractEventLoop]) -> Batch | None:
        with self._batch_lock:
            batch = self._batches.pop(key)
            if batch.items:
                self._batches[key] = Batch(key[1])
                return batch
        return None

    def _run_items(self, fn: Callable[[Tx, list[Any]], list[Any]], items: list[Any]) -> list[Any]:
        return self._run(lambda tx: fn(tx, items))

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(fn, *args, **kwargs)

    async def maintain(self) -> None:
        """Nothing to do: autovacuum does it."""

    def _demand_open(self) -> None:
        if self._closed:
            raise StoreUnavailableError("This process stops: its connections to PostgreSQL are closed.")

    async def close(self) -> None:
        self._closed = True
        self._threads.shutdown(wait=True)
        self._engine.dispose()


def _unreachable(url: URL, error: OperationalError) -> str:
    """Where it was looked for, what was answered, and what to do; never the password."""
    where = f"{url.username or ''}@{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"
    said = [line.rpartition("failed: ")[2].strip() for line in str(error.orig).splitlines() if line.strip()]
    answer = said[-1] if "FATAL" in said[-1] else said[0]
    return (
        f"PostgreSQL cannot be used at {where} ({answer}). Start it, or correct "
        "server.store, STOREBRIDGE_STORE or --store."
    )


class _ConnectionWasLost(Exception):
    """A connection from the pool turned out to be dead before anything was done on it."""


_BEGIN = b"begin isolation level read committed; select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
"""Together, for a journey there and back costs as much as a statement; the driver would begin with one of its own."""


def _begin(conn: Connection) -> datetime:
    """Begin the transaction; returns the database's time, so that leases mean the same to every worker. It also shows
    whether the connection still lives."""
    driver: Any = conn.connection.dbapi_connection
    try:
        answer = driver.pgconn.exec_(_BEGIN)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        conn.invalidate(error)
        raise _ConnectionWasLost(str(error)) from error
    if answer.status != ExecStatus.TUPLES_OK:
        lost = psycopg.OperationalError(answer.get_error_message())
        conn.invalidate(lost)
        raise _ConnectionWasLost(str(lost))
    return EPOCH + int(answer.get_value(0, 0)) * MICROSECOND
