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
from sqlalchemy import Connection, Engine, text

from storebridge.errors import StoreUnavailableError

ONE_AT_A_TIME = 718_281_828
"""PostgreSQL advisory lock: workers that start together must not migrate together."""


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema. Raises StoreUnavailableError for a database of a newer version."""
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
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailableError(
            f"The database was written by another version of storebridge ({error}). Use that version, or restore the "
            "backup that was made before it."
        ) from error


def alembic_config(conn: Connection) -> Config:
    """Alembic pointed at the packaged migrations and at an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    return config
