"""Migrations: every revision keeps what the one before it stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from builders.databases import HandClock, postgres_schema
from builders.money import euros, make_entry, make_paid_order, make_payment
from builders.orders import PLACED, make_shipment
from builders.rows import MAIN, SHOPIFY
from storebridge.errors import StoreUnavailableError
from storebridge.model.ids import OrderId
from storebridge.model.sales import Address, Buyer, Order, ShipmentState
from storebridge.model.settlement import AdjustedOrder, LedgerEntry
from storebridge.store import tables_checkouts  # noqa: F401 - its tables belong to the same schema
from storebridge.store.books import save_entries
from storebridge.store.columns import to_microseconds
from storebridge.store.database import Tx, open_store
from storebridge.store.dialects.sqlite import sqlite_engine
from storebridge.store.migrate import demand_current, migrate, newest_revision
from storebridge.store.sales import note_missing_money, note_money, order_key_of
from storebridge.store.search import words_of
from storebridge.store.tables import metadata
from storebridge.store.upgrade import alembic_config


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
        assert script.get_heads() == [newest_revision()]
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


def test_orders_that_are_known_already_are_found_by_the_days_of_their_money(engine: Engine) -> None:
    known = [
        make_paid_order(make_payment("t1"), make_payment("t2", at=PLACED + timedelta(days=3)), order_id=OrderId("o1")),
        make_paid_order(order_id=OrderId("o2")),
    ]
    noted = text("select order_key, place, connection, at, payment_id from sales_money order by order_key, place")
    with engine.begin() as conn:
        command.upgrade(alembic_config(conn), "0017")
        for order in known:
            conn.execute(_OLD_SALE, _old_sale(order))
    migrate(engine)
    with engine.begin() as conn:
        filled = [tuple(row) for row in conn.execute(noted)]
        dialect: Any = engine.dialect.name
        tx = Tx(conn, PLACED, dialect)
        assert note_missing_money(tx, MAIN, 10) == 0
        note_money(tx, MAIN, known)
        assert filled == [tuple(row) for row in conn.execute(noted)]
    assert len(filled) == 5


def test_entries_that_are_known_already_are_found_by_every_order_that_they_name(engine: Engine) -> None:
    shares = [AdjustedOrder("#1", "t1", euros("1.00"), euros("0.00"), OrderId("o1"))]
    shares.append(AdjustedOrder("#2", "t2", euros("2.00"), euros("0.00")))
    known = [
        make_entry("b1"),
        make_entry("b2", order_id=None),
        make_entry("b3", order_id=None, payment="", parts=tuple(shares)),
        make_entry("b4", order_id=OrderId("o4"), parts=tuple(shares)),
    ]
    named = text("select * from provider_shares order by entry_id, place")
    with engine.begin() as conn:
        command.upgrade(alembic_config(conn), "0019")
        for entry in known:
            conn.execute(_OLD_ENTRY, _old_entry(entry))
    migrate(engine)
    with engine.begin() as conn:
        filled = [tuple(row) for row in conn.execute(named)]
        conn.execute(text("delete from provider_entries"))
        conn.execute(text("delete from provider_shares"))
        dialect: Any = engine.dialect.name
        save_entries(Tx(conn, PLACED, dialect), MAIN, SHOPIFY, known)
        assert filled == [tuple(row) for row in conn.execute(named)]
    assert [(row[2], row[3], row[5], row[6]) for row in filled] == [
        ("b2", 0, None, "t1"),
        ("b3", 1, "o1", "t1"),
        ("b3", 2, None, "t2"),
        ("b4", 1, "o1", "t1"),
        ("b4", 2, None, "t2"),
    ]


def test_orders_that_are_known_already_are_found_where_they_wait(engine: Engine) -> None:
    closed = make_shipment("f3", location="rome", state=ShipmentState.CLOSED)
    split = (make_shipment("f1", location="lyon"), make_shipment("f2", location="berlin"), closed)
    known = [
        make_paid_order(order_id=OrderId("o1"), shipments=split),
        make_paid_order(order_id=OrderId("o2")),
        make_paid_order(order_id=OrderId("o3"), shipments=(closed,)),
    ]
    with engine.begin() as conn:
        command.upgrade(alembic_config(conn), "0023")
        for order in known:
            conn.execute(_OLD_SALE, _old_sale(order))
        conn.execute(text("update sales set units_to_ship = 1 where order_id in ('o1', 'o2')"))
    migrate(engine)
    with engine.begin() as conn:
        told = [tuple(row) for row in conn.execute(text("select order_id, waits_at from sales order by order_id"))]
    assert told == [("o1", "|berlin|lyon|"), ("o2", "||"), ("o3", "")]


def test_orders_that_are_known_already_are_found_by_the_same_words_as_those_that_come(engine: Engine) -> None:
    buyer = Buyer(email="Ann@Example.org", first_name="Ann", last_name="Le\0e")
    to = Address(first_name="Zoë", company="Harbour Ltd")
    known = [
        make_paid_order(order_id=OrderId("o1"), buyer=buyer, shipping_address=to),
        make_paid_order(order_id=OrderId("o2"), name="#2002"),
    ]
    with engine.begin() as conn:
        command.upgrade(alembic_config(conn), "0027")
        for order in known:
            conn.execute(_OLD_SALE, _old_sale(order))
    migrate(engine)
    with engine.begin() as conn:
        told = [row[0] for row in conn.execute(text("select words from sales_words"))]
    assert sorted(told) == sorted(words_of(order) for order in known)


_OLD_ENTRY = text(
    "insert into provider_entries (workspace, connection, entry_id, at, order_id, payout_id, document) "
    "values ('main', 'shopify', :id, :at, :order, '', :document)"
)


def _old_entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "id": entry.entry_id,
        "at": to_microseconds(entry.at),
        "order": entry.order_id,
        "document": msgspec.json.encode(entry).decode(),
    }


_OLD_SALE = text(
    "insert into sales (workspace, order_key, connection, order_id, name, placed_at, updated_at, standing, "
    "payment_state, units_to_ship, queue, document, digest, revision, first_read_at, read_at) "
    "values ('main', :key, :connection, :id, '#1', :at, :at, 'open', 'paid', 0, 'done', :document, 'd', 1, :at, :at)"
)


def _old_sale(order: Order) -> dict[str, Any]:
    return {
        "key": order_key_of(order.connection, order.order_id),
        "connection": order.connection,
        "id": order.order_id,
        "at": to_microseconds(order.placed_at),
        "document": msgspec.json.encode(order).decode(),
    }


def test_a_database_of_another_program_is_refused_and_left_alone(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("create table pools (mine integer)"))
    with pytest.raises(StoreUnavailableError, match="no database of storebridge"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["pools"]


def test_a_database_of_another_program_with_revisions_of_its_own_is_refused_as_such(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("create table alembic_version (version_num varchar(32))"))
        conn.execute(text("insert into alembic_version values ('abc123')"))
    for refuse in (migrate, demand_current):
        with pytest.raises(StoreUnavailableError, match="no database of storebridge"):
            refuse(engine)
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as conn:
        conn.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreUnavailableError, match="written by a newer version of storebridge"):
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
