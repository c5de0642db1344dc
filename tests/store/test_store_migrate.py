"""Migrations: every revision keeps what the one before it stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from builders.databases import HandClock, postgres_schema
from storebridge.errors import StoreUnavailableError
from storebridge.store.database import open_store
from storebridge.store.dialects.sqlite import sqlite_engine
from storebridge.store.migrate import alembic_config, migrate
from storebridge.store.tables import metadata


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database without any table."""
    if request.param == "sqlite":
        made = sqlite_engine(str(tmp_path / "empty.sqlite3"), shared=True)
        yield made
        made.dispose()
        return
    with postgres_schema() as url:
        made = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
        yield made
        made.dispose()


def _revisions(conn: Connection) -> list[str]:
    """Oldest first."""
    script = ScriptDirectory.from_config(alembic_config(conn))
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def _current(engine: Engine) -> str | None:
    with engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def test_an_empty_database_gets_every_table(engine: Engine) -> None:
    migrate(engine)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as conn:
        conn.execute(text("insert into tallies (workspace, connection, name, count) values ('m', 'c', 'n', 3)"))
    before = _current(engine)
    migrate(engine)
    assert _current(engine) == before
    with engine.connect() as conn:
        assert conn.execute(text("select count from tallies")).scalar_one() == 3


def test_the_tables_are_those_that_the_code_speaks_of(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_there_is_one_line_of_revisions(engine: Engine) -> None:
    with engine.connect() as conn:
        script = ScriptDirectory.from_config(alembic_config(conn))
        assert len(script.get_heads()) == 1
        assert [len(revision.nextrev) for revision in script.walk_revisions()][1:] == [1] * (len(_revisions(conn)) - 1)


def test_every_revision_keeps_what_the_one_before_it_stored(engine: Engine) -> None:
    """Walks from the first revision to the newest; rows written under each must be there at the end."""
    with engine.connect() as conn:
        revisions = _revisions(conn)
    for number, revision in enumerate(revisions):
        with engine.begin() as conn:
            command.upgrade(alembic_config(conn), revision)
            conn.execute(
                text("insert into tallies (workspace, connection, name, count) values ('m', 'c', :name, :count)"),
                {"name": revision, "count": number},
            )
            conn.execute(
                text(
                    "insert into audit (workspace, at, kind, subject, actor, record, digest) "
                    "values ('m', 1, 'decision', :name, 'ann', '{}', 'd')"
                ),
                {"name": revision},
            )
    migrate(engine)
    with engine.connect() as conn:
        kept = conn.execute(text("select name, count from tallies order by count")).all()
        told = conn.execute(text("select subject from audit order by number")).scalars().all()
    assert [tuple(row) for row in kept] == [(revision, number) for number, revision in enumerate(revisions)]
    assert list(told) == revisions


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as conn:
        conn.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreUnavailableError, match="written by another version of storebridge"):
        migrate(engine)
    assert _current(engine) == "9999"


def test_opening_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "newer.sqlite3")
    made = sqlite_engine(path, shared=True)
    migrate(made)
    with made.begin() as conn:
        conn.execute(text("update alembic_version set version_num = '9999'"))
    made.dispose()
    with pytest.raises(StoreUnavailableError, match="Use that version, or restore the backup"):
        open_store(path, clock=HandClock(), inline=True)
