"""Tests share a schema one after the other: none finds what another left."""

from __future__ import annotations

import pytest

from builders.databases import Database, migrated_schema, postgres_database
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.database import Tx
from storebridge.store.tallies import add_tally

pytestmark = pytest.mark.postgres


def count(database: Database) -> int:
    def ask(tx: Tx) -> None:
        add_tally(tx, Workspace("main"), ConnectionName("shopify"), "seen", 1)

    database.run(ask)
    ((rows,),) = database.rows("select sum(count) from tallies")
    return int(rows)


def test_what_a_test_leaves_is_gone_for_the_next_and_numbers_begin_anew() -> None:
    seen, schemas = [], set()
    for _ in range(2):
        for database in postgres_database():
            seen.append((count(database), database.rows("select nextval(pg_get_serial_sequence('ledger', 'seq'))")))
            schemas.add(database.url)
    assert seen == [(1, [(1,)]), (1, [(1,)])]
    assert len(schemas) == 1


def test_a_schema_that_a_test_changed_is_not_used_again() -> None:
    addresses = []
    for _ in range(2):
        for database in postgres_database():
            database.execute("create table mine (number integer)") if not addresses else None
            addresses.append(database.url)
    assert addresses[0] != addresses[1]
    migrated_schema.forget()
