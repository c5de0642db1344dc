"""What every database promises about transactions."""

from __future__ import annotations

import asyncio

import pytest

from builders.databases import Database, HandClock
from storebridge.errors import StoreUnavailableError
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.database import Tx, open_store
from storebridge.store.tallies import add_tally

SHOP, MAIN = ConnectionName("shopify"), Workspace("main")


def _tally(tx: Tx, count: int) -> None:
    add_tally(tx, MAIN, SHOP, "seen", count)


def _sum(database: Database) -> list[tuple[int]]:
    return database.rows("select count from tallies")  # type: ignore[return-value]


def test_a_tally_is_added_to(database: Database) -> None:
    database.run(_tally, 2)
    database.run(_tally, 3)
    assert _sum(database) == [(5,)]


def test_what_a_function_raises_reaches_its_caller_and_nothing_was_changed(database: Database) -> None:
    def fail(tx: Tx) -> None:
        _tally(tx, 1)
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        database.run(fail)
    assert _sum(database) == []


def test_one_that_fails_takes_nobody_along_who_waits_beside_it(database: Database) -> None:
    def fail(tx: Tx) -> None:
        _tally(tx, 100)
        raise LookupError("no such thing")

    async def play() -> list[object]:
        store = database.store
        return await asyncio.gather(store.run(_tally, 1), store.run(fail), store.run(_tally, 2), return_exceptions=True)

    results = database.play(play())
    assert [type(result).__name__ for result in results] == ["NoneType", "LookupError", "NoneType"]
    assert _sum(database) == [(3,)]


def test_a_batch_hands_each_its_own_result(database: Database) -> None:
    def double(tx: Tx, items: list[int]) -> list[int]:
        for item in items:
            _tally(tx, item)
        return [2 * item for item in items]

    async def play() -> list[int]:
        return await asyncio.gather(*(database.store.run_batch(double, item) for item in range(1, 21)))

    assert database.play(play()) == [2 * item for item in range(1, 21)]
    assert _sum(database) == [(210,)]


def test_a_batch_that_fails_fails_for_all_of_it_and_changes_nothing(database: Database) -> None:
    def fail(tx: Tx, items: list[int]) -> list[int]:
        _tally(tx, 1)
        raise LookupError("no such thing")

    async def play() -> list[object]:
        return await asyncio.gather(
            *(database.store.run_batch(fail, item) for item in range(3)), return_exceptions=True
        )

    assert [type(result).__name__ for result in database.play(play())] == ["LookupError"] * 3
    assert _sum(database) == []


def test_what_was_committed_is_read(database: Database) -> None:
    database.run(_tally, 7)

    def read(tx: Tx) -> int:
        return int(tx.conn.exec_driver_sql("select count from tallies").scalar_one())

    assert database.play(database.store.read(read)) == 7


def test_housekeeping_changes_nothing(database: Database) -> None:
    database.run(_tally, 7)
    database.play(database.store.maintain())
    assert _sum(database) == [(7,)]


def test_a_file_is_written_by_one_process_only(tmp_path: object) -> None:
    path = f"{tmp_path}/bridge.sqlite3"

    first = open_store(path, clock=HandClock())
    with pytest.raises(StoreUnavailableError, match="in use by another storebridge"):
        open_store(path, clock=HandClock())
    asyncio.run(first.close())
    second = open_store(path, clock=HandClock())
    asyncio.run(second.close())


def test_a_file_opened_for_reading_takes_no_change(tmp_path: object) -> None:

    path = f"{tmp_path}/bridge.sqlite3"
    first = open_store(path, clock=HandClock())
    asyncio.run(first.run(_tally, 4))
    asyncio.run(first.close())
    reader = open_store(path, clock=HandClock(), read_only=True)

    async def play() -> int:
        with pytest.raises(StoreUnavailableError, match="opened for reading only"):
            await reader.run(_tally, 1)
        return await reader.read(lambda tx: int(tx.conn.exec_driver_sql("select count from tallies").scalar_one()))

    assert asyncio.run(play()) == 4
    asyncio.run(reader.close())


def test_a_server_that_does_not_answer_is_said_to_be_unavailable() -> None:

    with pytest.raises(StoreUnavailableError, match="PostgreSQL cannot be used at"):
        open_store("postgresql://nobody@127.0.0.1:9/none?connect_timeout=2", clock=HandClock())
