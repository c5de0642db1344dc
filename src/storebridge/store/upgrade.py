"""Brings a database to this version's schema; refuses one that a newer version wrote.

Changes are made in two steps over two releases: expand (add what is new, so that the version before still runs), then
contract (remove what nobody uses any more).
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, inspect, text

from storebridge.errors import StoreUnavailableError
from storebridge.store.tables import metadata

NOT_OURS = "It is no database of storebridge: correct server.store or --store."
ONE_AT_A_TIME = 718_281_828
"""PostgreSQL advisory lock: workers that start together must not migrate together."""


def demand_current(engine: Engine) -> None:
    """For who only reads. Raises StoreUnavailableError for a database that this version does not know how to read."""
    with engine.begin() as conn:
        script = ScriptDirectory.from_config(alembic_config(conn))
        current = MigrationContext.configure(conn).get_current_revision()
        if current == script.get_current_head():
            return
        if current is None:
            raise StoreUnavailableError(NOT_OURS)
        try:
            script.get_revision(current)
        except CommandError as error:
            raise StoreUnavailableError(_unknown(conn, current)) from error
        raise StoreUnavailableError(
            f"The database is of an older version of storebridge (schema {current}): back it up, then start "
            "storebridge serve once, which brings it up to date."
        )


def _unknown(conn: Connection, revision: str | None) -> str:
    """Why a database is refused whose revision this version does not know."""
    if not metadata.tables.keys() & set(inspect(conn).get_table_names()):
        return NOT_OURS  # another program that keeps its revisions in the same way
    return (
        f"The database was written by a newer version of storebridge (schema {revision}). Use that version, or restore "
        "the backup that was made before it."
    )


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema. Raises StoreUnavailableError for a database of a newer version, or of
    somebody else: a mistyped name would fill it with our tables."""
    with engine.begin() as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": ONE_AT_A_TIME})
        _upgrade(conn)


def _upgrade(conn: Connection) -> None:
    config = alembic_config(conn)
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(conn).get_current_revision()
    if current == script.get_current_head():
        return
    if current is None and _is_somebody_elses(conn):
        raise StoreUnavailableError(NOT_OURS)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailableError(_unknown(conn, current)) from error


def _is_somebody_elses(conn: Connection) -> bool:
    """A file is one program's; a PostgreSQL schema may hold others' tables, as long as none is called like ours."""
    found = inspect(conn).get_table_names()
    return bool(metadata.tables.keys() & set(found) if conn.dialect.name == "postgresql" else found)


def alembic_config(conn: Connection) -> Config:
    """Alembic pointed at the packaged migrations and at an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    return config
