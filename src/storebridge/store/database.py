"""Opening a database: a SQLite file for one process, PostgreSQL for any number of workers."""

from __future__ import annotations

from pathlib import Path

from storebridge.clock import Clock
from storebridge.errors import ConfigurationError
from storebridge.store.dialects.inline import InlineStore
from storebridge.store.dialects.sqlite import SqliteStore
from storebridge.store.transactions import Store, Tx

__all__ = ["Store", "Tx", "open_store"]


def open_store(url: str, *, clock: Clock, inline: bool = False, read_only: bool = False) -> Store:
    """Open ``url``: a path, ``sqlite:///path``, or ``postgresql://...``; brings the schema up to date.

    ``inline`` runs everything on the caller's thread, for tests and the simulation (``:memory:`` is allowed there).
    Raises ConfigurationError for an address that is neither, StoreUnavailableError when it cannot be opened.
    """
    if url.startswith(("postgresql://", "postgresql+psycopg://")):
        from storebridge.store.dialects.postgres import PostgresStore  # its driver takes long to load

        return PostgresStore(url.replace("postgresql://", "postgresql+psycopg://", 1), clock=clock)
    if "://" in url and not url.startswith("sqlite:///"):
        raise ConfigurationError(
            f"The store {url.split('://', 1)[0]}://… is not known: give a file name, or postgresql://user@host/name."
        )
    path = url.removeprefix("sqlite:///")
    if inline:
        return InlineStore(path, clock=clock)
    if not Path(path).parent.is_dir():
        raise ConfigurationError(
            f"The database cannot be {path}: there is no folder {Path(path).parent}. Make it, or correct server.store."
        )
    return SqliteStore(path, clock=clock, read_only=read_only)
