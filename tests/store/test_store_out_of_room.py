"""A file that may not grow, and a database that is closed: whoever asks is told so, and nothing is half written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from builders.databases import Database, sqlite_database
from storebridge.errors import StoreUnavailableError
from storebridge.store.database import Tx

SENTENCE = "did not take the change: database or disk is full"


def grow(tx: Tx) -> None:
    tx.conn.exec_driver_sql("create table big as select randomblob(4000000) as bytes")


def stay(tx: Tx) -> None:
    """Nothing that needs room."""


def without_room(database: Database) -> None:
    ((pages,),) = database.rows("pragma page_count")
    database.execute(f"pragma max_page_count = {pages}")


@pytest.mark.parametrize("company", [0, 3])
def test_what_finds_no_room_is_told_so_and_leaves_nothing_behind(tmp_path: Path, company: int) -> None:
    async def all_at_once(database: Database) -> list[BaseException | None]:
        asked = [database.store.run(stay) for _ in range(company)]
        return await asyncio.gather(database.store.run(grow), *asked, return_exceptions=True)

    for database in sqlite_database(tmp_path):
        without_room(database)
        refused, *_ = database.play(all_at_once(database))
        assert isinstance(refused, StoreUnavailableError)
        assert SENTENCE in str(refused)
        assert database.rows("select name from sqlite_master where name = 'big'") == []
        database.run(stay)


def test_who_comes_after_the_end_is_told_and_does_not_wait(database: Database) -> None:
    if database.kind == "inline":
        return  # nothing waits there
    database.play(database.store.close())
    with pytest.raises(StoreUnavailableError, match="This process stops"):
        database.run(stay)


def test_who_joins_others_after_the_end_is_told_as_well(tmp_path: Path) -> None:
    def take(tx: Tx, items: list[int]) -> list[int]:
        return items

    for database in sqlite_database(tmp_path):
        database.play(database.store.close())
        with pytest.raises(StoreUnavailableError, match="This process stops"):
            database.play(database.store.run_batch(take, 1))
