"""One way to the database: synchronous functions, each in one transaction.

``await store.run(fn, ...)`` runs ``fn(tx, ...)``. It may be run more than once (a serialization failure on PostgreSQL),
so it must have no effect outside the database. ``run_batch`` lets items that wait together share a transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")

DialectName = Literal["sqlite", "postgresql"]


class Tx:
    """What a transaction function receives."""

    __slots__ = ("conn", "dialect", "driver", "now")

    def __init__(self, conn: Connection, now: datetime, dialect: DialectName) -> None:
        self.conn = conn
        self.driver: Any = conn.connection.dbapi_connection
        """The driver's connection below ``conn``, in the same transaction: for ``Prepared`` only."""
        self.now = now
        """The one time of this transaction: the database's clock on PostgreSQL, the injected one on SQLite."""
        self.dialect = dialect


class Store(Protocol):
    """A database that runs functions."""

    dialect: DialectName

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``fn(tx, ...)`` in one transaction; returns after COMMIT. Raises what ``fn`` raises (then nothing was
        changed), or StoreUnavailableError."""
        ...

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        """Like ``run``, for many callers at once: one transaction for all items that wait together."""
        ...

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``fn`` in a transaction that sees one moment and changes nothing."""
        ...

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``read``, on the caller's thread: only while things are wired together and nothing runs yet."""
        ...

    async def maintain(self) -> None:
        """Housekeeping that only this dialect needs (SQLite: truncate the write-ahead log)."""
        ...

    async def close(self) -> None: ...
