"""Databases for one measurement: a SQLite file, and a schema of its own on a PostgreSQL server, if one answers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg

DEFAULT_SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"
SERVER_VARIABLE = "STOREBRIDGE_TEST_POSTGRES_URL"


class NoServer(Exception):
    """No PostgreSQL server takes us in; the text says why."""


def server_address() -> str:
    """Where a server may be."""
    return os.environ.get(SERVER_VARIABLE) or DEFAULT_SERVER


@contextmanager
def postgres_schema() -> Iterator[str]:
    """An empty schema, dropped afterwards; its value is the address that leads into it. Raises NoServer."""
    name = f"bench_{secrets.token_hex(6)}"
    server = server_address()
    _carry_out(server, f"CREATE SCHEMA {name}")
    try:
        yield f"{server}{'&' if '?' in server else '?'}options={quote(f'-csearch_path={name}')}"
    finally:
        _carry_out(server, f"DROP SCHEMA {name} CASCADE")


@contextmanager
def postgres_database() -> Iterator[str]:
    """An empty database, dropped afterwards, for programs that make schemas of their own. Raises NoServer."""
    name = f"bench_{secrets.token_hex(6)}"
    server = server_address()
    _carry_out(server, f"CREATE DATABASE {name}")
    try:
        yield f"{server.rsplit('/', 1)[0]}/{name}"
    finally:
        _carry_out(server, f"DROP DATABASE {name} WITH (FORCE)")


def server_version() -> str:
    """Raises NoServer."""
    return _carry_out(server_address(), "SHOW server_version")


def _carry_out(server: str, statement: str) -> str:
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
            done = connection.execute(statement.encode())
            found = done.fetchone() if done.description else None
            return str(found[0]) if found else ""
    except psycopg.Error as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise NoServer(f"no PostgreSQL at {server.rsplit('@', 1)[-1]}: {reason}") from error
