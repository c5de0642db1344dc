"""Prepared statements: the hot path's way to the database must mean the same as SQLAlchemy's on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from builders.databases import Database
from storebridge.store.database import Tx
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import leases

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
COLUMNS = ("workspace", "name", "owner", "epoch", "until")
INSERT = Prepared(insert(leases).inline(), columns=COLUMNS)
BY_NAMES = Prepared(
    select(leases.c.name, leases.c.epoch, leases.c.until)
    .where(leases.c.workspace == bindparam("w"), one_of(leases.c.name, "names"), leases.c.owner == "me")
    .order_by(leases.c.name)
)
RAISE_EPOCH = (
    update(leases)
    .where(leases.c.workspace == bindparam("w"), leases.c.name == bindparam("n"))
    .values(epoch=leases.c.epoch + 1)
    .returning(leases.c.name, leases.c.epoch)
)


def lease(name: str, epoch: int = 1) -> dict[str, object]:
    return {"workspace": "main", "name": name, "owner": "me", "epoch": epoch, "until": NOON}


def stored(database: Database, *names: str) -> list[tuple[object, ...]]:
    return database.run(lambda tx: BY_NAMES.all(tx, w="main", names=names))


def test_values_keep_their_types(database: Database) -> None:
    database.run(INSERT.run_many, [lease("a"), lease("b", 7)])

    assert stored(database, "a", "b", "c") == [("a", 1, NOON), ("b", 7, NOON)]


def test_a_list_may_be_empty_and_may_be_longer_than_a_statement_has_parameters(database: Database) -> None:
    database.run(INSERT.run_many, [lease("n7")])

    assert stored(database) == []
    assert stored(database, *(f"n{number}" for number in range(40_000))) == [("n7", 1, NOON)]


@pytest.mark.parametrize("name", ["it's", '"quoted"', "semi;colon", "%s %(w)s", "ünïcödé", "[1]"])
def test_odd_characters_are_values_and_never_syntax(database: Database, name: str) -> None:
    database.run(INSERT.run_many, [lease(name)])

    assert stored(database, name) == [(name, 1, NOON)]


def test_each_answers_in_the_order_of_the_rows(database: Database) -> None:
    database.run(INSERT.run_many, [lease("a"), lease("b", 7)])
    answers = database.run(Prepared(RAISE_EPOCH).each, [{"w": "main", "n": "b"}, {"w": "main", "n": "a"}])

    assert answers == [("b", 8), ("a", 2)]
    assert database.run(Prepared(RAISE_EPOCH).each, []) == []


def test_a_change_says_how_many_rows_it_met(database: Database) -> None:
    database.run(INSERT.run_many, [lease("a")])
    change = Prepared(update(leases).where(leases.c.workspace == bindparam("w")).values(until=bindparam("u")))
    later = NOON + timedelta(days=1)

    assert database.run(lambda tx: change.run(tx, w="main", u=later)) == 1
    assert database.run(lambda tx: change.run(tx, w="nobody", u=later)) == 0
    assert stored(database, "a") == [("a", 1, later)]


def test_a_missing_value_is_an_error_and_never_null(database: Database) -> None:
    with pytest.raises(KeyError, match="names"):
        database.run(lambda tx: BY_NAMES.all(tx, w="main"))


def test_what_the_database_refuses_is_the_error_that_sqlalchemy_raises_and_changes_nothing(database: Database) -> None:
    def twice(tx: Tx) -> None:
        INSERT.run_many(tx, [lease("a"), lease("a")])

    with pytest.raises(IntegrityError):
        database.run(twice)

    assert stored(database, "a") == []
