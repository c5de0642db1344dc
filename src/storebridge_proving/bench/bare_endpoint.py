"""The yardstick: a Starlette endpoint that verifies nothing and inserts one row durably, with its own commit, before it
answers. SQLite like the product's (write-ahead log, synchronous FULL), PostgreSQL with its default (flushed commits).
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


def build_bare_app(store: str) -> Starlette:
    """The endpoint on a SQLite path or a ``postgresql://`` address."""
    rows = BarePostgres(store) if store.startswith("postgresql://") else BareSqlite(store)

    async def receive(request: Request) -> Response:
        body = await request.body()
        await rows.insert(request.headers["x-shopify-webhook-id"], body)
        return PlainTextResponse("stored\n")

    return Starlette(routes=[Route("/hooks/{connection}", receive, methods=["POST"])])
