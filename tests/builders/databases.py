"""Databases that live as long as one test, and what tests do with them from outside of a loop."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

import psycopg
from sqlalchemy import Engine

from fakes.inline_postgres import InlinePostgres
from storebridge.clock import Clock
from storebridge.store.database import Store, Tx, open_store
from storebridge.store.dialects.inline import InlineStore
from storebridge.store.dialects.sqlite import sqlite_engine

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Unreachable(Exception):
    """No PostgreSQL server answers."""


@dataclass
class HandClock:
    """A clock that only moves when a test moves it; PostgreSQL uses its own instead."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - NOON).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class Database:
    """A store, with its address, driven from synchronous tests."""

    kind: str
    url: str
    clock: HandClock
    store: Store
    runner: asyncio.Runner
    others: list[Store] = field(default_factory=list)

    def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction."""
        return self.runner.run(self.store.run(fn, *args, **kwargs))

    def play(self, work: Coroutine[Any, Any, T]) -> T:
        """Something asynchronous."""
        return self.runner.run(work)

    def at(self, moment: datetime, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction that takes ``moment`` for the present, on every database."""
        return self.run(lambda tx: fn(Tx(tx.conn, moment, tx.dialect), *args, **kwargs))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.run(lambda tx: [tuple(row) for row in tx.conn.exec_driver_sql(sql)])

    def execute(self, sql: str) -> None:
        def change(tx: Tx) -> None:
            tx.conn.exec_driver_sql(sql)

        self.run(change)

    def another(self) -> Store:
        """A second process's way to the same database (PostgreSQL only)."""
        store = open_store(self.url, clock=self.clock)
        self.others.append(store)
        return store

    def close(self) -> None:
        for store in (*self.others, self.store):
            self.runner.run(store.close())
        self.runner.close()


def _opened(kind: str, url: str) -> Database:
    clock = HandClock()
    return Database(kind, url, clock, open_store(url, clock=clock), asyncio.Runner())


@functools.cache
def _migrated() -> bytes:
    """An empty SQLite database at the newest schema: migrating takes longer than most tests."""
    store = InlineStore(clock=HandClock())
    raw = store.engine.raw_connection()
    content: bytes = raw.driver_connection.serialize()  # type: ignore[union-attr]
    raw.close()
    store.engine.dispose()
    return content


class inline_store:
    """SQLite in memory on the caller's thread, empty and at the newest schema, for the time of a ``with``.

    The engine of one test serves the next one: it knows how the product's statements are written, and writing them anew
    took a tenth of a journey.
    """

    _left: ClassVar[list[Engine]] = []
    _template: ClassVar[sqlite3.Connection | None] = None

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> InlineStore:
        engine = self._left.pop() if self._left else sqlite_engine(":memory:", shared=True)
        raw = engine.raw_connection()
        self._empty().backup(raw.driver_connection)  # type: ignore[arg-type]
        raw.close()
        self._store = InlineStore(clock=self._clock, engine=engine)
        return self._store

    def __exit__(self, *error: object) -> None:
        self._store.let_go()
        self._left.append(self._store.engine)

    @classmethod
    @contextmanager
    def afresh(cls) -> Iterator[None]:
        """Engines are made anew meanwhile and serve nobody else: for tests that listen to what a driver is told."""
        left, cls._left = cls._left, []
        try:
            yield
        finally:
            for engine in cls._left:
                engine.dispose()
            cls._left = left

    @classmethod
    def _empty(cls) -> sqlite3.Connection:
        if cls._template is None:
            cls._template = sqlite3.connect(":memory:")
            cls._template.deserialize(_migrated())
        return cls._template

    @classmethod
    def forget(cls) -> None:
        """Close them; when the process ends."""
        while cls._left:
            cls._left.pop().dispose()
        if cls._template is not None:
            cls._template.close()
            cls._template = None


def inline_database() -> Iterator[Database]:
    clock = HandClock()
    with inline_store(clock) as store:
        database = Database("inline", ":memory:", clock, store, asyncio.Runner())
        yield database
        database.close()


def sqlite_database(folder: Path) -> Iterator[Database]:
    path = folder / "bridge.sqlite3"
    path.write_bytes(_migrated())
    database = _opened("sqlite", str(path))
    yield database
    database.close()


def postgres_database() -> Iterator[Database]:
    """A schema that nobody else uses, in a server that is there. Raises Unreachable."""
    with migrated_schema() as url:
        database = _opened("postgresql", url)
        try:
            yield database
        finally:
            database.close()


@functools.cache
def demand_postgres() -> None:
    """Raises Unreachable; asked once where a server answers."""
    with postgres_schema():
        pass


class postgres_schema:
    """An empty schema for the time of a ``with``; its value is the address that leads into it."""

    def __init__(self) -> None:
        self._server = os.environ.get("STOREBRIDGE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES
        self._name = f"test_{secrets.token_hex(8)}"

    def __enter__(self) -> str:
        self._do(f"CREATE SCHEMA {self._name}")
        separator = "&" if "?" in self._server else "?"
        return f"{self._server}{separator}options=-csearch_path%3D{self._name}"

    def __exit__(self, *error: object) -> None:
        self._do(f"DROP SCHEMA {self._name} CASCADE")

    def _do(self, sql: str) -> None:
        server = self._server.replace("postgresql+psycopg://", "postgresql://", 1)
        try:
            with psycopg.connect(server, autocommit=True, connect_timeout=5) as conn:
                conn.execute(sql.encode())
        except psycopg.OperationalError as error:
            place = server.rsplit("@", 1)[-1]
            raise Unreachable(
                f"no server answers at {place} ({str(error).strip().splitlines()[0]}); start one or name it in "
                "STOREBRIDGE_TEST_POSTGRES_URL"
            ) from error


SHAPE = """
SELECT md5(string_agg(concat_ws(' ', class.relkind, class.relname, attname, atttypid, attnotnull), ',' ORDER BY
  class.relname, attnum)) FROM pg_class class JOIN pg_attribute ON attrelid = class.oid
WHERE class.relnamespace = current_schema()::regnamespace AND attnum > 0 AND NOT attisdropped
"""
"""Tables, indexes and sequences with their columns, as one word."""
EMPTY = """
DO $$ DECLARE one record; used boolean; BEGIN
  SET LOCAL lock_timeout = '10s';
  SET LOCAL synchronous_commit = off;
  FOR one IN SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() LOOP
    IF one.name = 'alembic_version' THEN CONTINUE; END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one.name) INTO used;
    IF used THEN EXECUTE format('DELETE FROM %I', one.name); END IF;
  END LOOP;
  FOR one IN SELECT sequencename AS name FROM pg_sequences
      WHERE schemaname = current_schema() AND last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', one.name);
  END LOOP;
END $$
"""


class migrated_schema:
    """A schema at the newest version, without rows, for the time of a ``with``; its value is the address into it.

    Making sixty tables takes longer than most tests: what one test leaves is emptied for the next one of its process.
    """

    _left: ClassVar[list[tuple[postgres_schema, str, str]]] = []
    """Schemas that are empty and at the newest version: with their addresses and shapes."""

    def __enter__(self) -> str:
        self._schema, self._url, self._shape = self._left.pop() if self._left else self._made()
        return self._url

    def __exit__(self, *error: object) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn:
            conn.execute(EMPTY)
            if conn.execute(SHAPE).fetchone() == (self._shape,):  # type: ignore[comparison-overlap]
                self._left.append((self._schema, self._url, self._shape))
                return
        InlinePostgres.forget(self._url)
        self._schema.__exit__()

    @classmethod
    def forget(cls) -> None:
        """Drop them; when the process ends."""
        while cls._left:
            schema, url, _ = cls._left.pop()
            InlinePostgres.forget(url)
            schema.__exit__()

    def _made(self) -> tuple[postgres_schema, str, str]:
        schema = postgres_schema()
        url = f"{schema.__enter__()}%20-csynchronous_commit%3Doff"  # no test of these crashes the server
        store = open_store(url, clock=HandClock())
        asyncio.run(store.close())
        with psycopg.connect(url) as conn:
            (shape,) = conn.execute(SHAPE).fetchone() or ("",)
        return schema, url, str(shape)
