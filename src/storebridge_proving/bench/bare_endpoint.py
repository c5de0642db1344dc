"""The yardsticks: Starlette endpoints that verify nothing and insert one row durably before they answer: ``bare`` with
a commit for each row, ``grouped`` with one for all rows that wait together.

SQLite like the product's (write-ahead log, synchronous FULL), PostgreSQL with its default (flushed commits).
"""

from __future__ import annotations

import asyncio
import sqlite3

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

CONNECTIONS = 6
"""As many as the product opens to PostgreSQL."""
TABLE = "CREATE TABLE IF NOT EXISTS bare_deliveries (delivery_id TEXT PRIMARY KEY, body {kind} NOT NULL)"


class BareSqlite:
    """One connection; the row is written on the spot: no thread, no queue."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(TABLE.format(kind="BLOB"))

    async def insert(self, delivery_id: str, body: bytes) -> None:
        self._connection.execute("INSERT INTO bare_deliveries VALUES (?, ?)", (delivery_id, body))


class GroupedSqlite:
    """Rows that wait together share a commit, which a thread carries out."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(TABLE.format(kind="BLOB"))
        self._waiting: list[tuple[str, bytes]] = []
        self._done = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    async def insert(self, delivery_id: str, body: bytes) -> None:
        self._waiting.append((delivery_id, body))
        done = self._done
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await done.wait()

    async def _write(self) -> None:
        while self._waiting:
            rows, self._waiting = self._waiting, []
            done, self._done = self._done, asyncio.Event()
            await asyncio.get_running_loop().run_in_executor(None, self._commit, rows)
            done.set()
        self._writer = None

    def _commit(self, rows: list[tuple[str, bytes]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO bare_deliveries VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")


class BarePostgres:
    """A few connections in turn, each insert in its own commit."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: asyncio.Queue[psycopg.AsyncConnection[tuple[object, ...]]] = asyncio.Queue()
        self._opened = 0
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLE.format(kind="BYTEA").encode())

    async def insert(self, delivery_id: str, body: bytes) -> None:
        connection = await self._take()
        try:
            await connection.execute("INSERT INTO bare_deliveries VALUES (%s, %s)", (delivery_id, body))
        finally:
            self._free.put_nowait(connection)

    async def _take(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        if self._free.empty() and self._opened < CONNECTIONS:
            self._opened += 1
            return await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        return await self._free.get()


def build_bare_app(store: str, *, grouped: bool) -> Starlette:
    """The endpoint on a SQLite path or a ``postgresql://`` address; ``grouped`` is for SQLite."""
    rows: BarePostgres | BareSqlite | GroupedSqlite
    if store.startswith("postgresql://"):
        rows = BarePostgres(store)
    else:
        rows = GroupedSqlite(store) if grouped else BareSqlite(store)

    async def receive(request: Request) -> Response:
        body = await request.body()
        await rows.insert(request.headers["x-shopify-webhook-id"], body)
        return PlainTextResponse("stored\n")

    return Starlette(routes=[Route("/hooks/{connection}", receive, methods=["POST"])])
