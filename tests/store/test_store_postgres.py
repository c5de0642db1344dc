"""PostgreSQL only: connections that die, and items that share a transaction."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from builders.databases import Database, postgres_schema
from fakes.jumping_clock import JumpingClock
from storebridge.clock import ForwardClock, SystemClock
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.database import Tx, open_store
from storebridge.store.dialects.postgres import CONNECTIONS
from storebridge.store.tallies import add_tally

pytestmark = pytest.mark.postgres


def test_transactions_on_connections_that_the_server_cut_are_carried_out_on_new_ones(postgres: Database) -> None:
    everyone = threading.Barrier(CONNECTIONS)

    def who(tx: Tx) -> int:
        pid: int = tx.conn.exec_driver_sql("select pg_backend_pid()").scalar_one()
        everyone.wait(10)
        return pid

    async def all_at_once() -> set[int]:
        return set(await asyncio.gather(*(postgres.store.run(who) for _ in range(CONNECTIONS))))

    before = postgres.play(all_at_once())
    cutter = postgres.another()
    for pid in before:
        postgres.play(cutter.run(lambda tx, pid=pid: tx.conn.exec_driver_sql(f"select pg_terminate_backend({pid})")))
    after = postgres.play(all_at_once())
    assert len(before) == len(after) == CONNECTIONS
    assert before & after == set()


def test_a_process_on_a_machine_whose_clock_is_wrong_goes_by_the_databases() -> None:
    machine = JumpingClock(SystemClock())
    machine.jump(-timedelta(days=200))
    clock = ForwardClock(machine)
    with postgres_schema() as url:
        store = open_store(url, clock=clock)

        def differ(tx: Tx) -> float:
            return abs((clock.now() - tx.now).total_seconds())

        async def play() -> list[float]:
            first = await store.run(differ)
            machine.jump(timedelta(hours=3))
            clock.now()  # a loop asks before the next transaction
            seen = [first, await store.run(differ)]
            await store.close()
            return seen

        assert max(asyncio.run(play())) < 5.0


def test_a_connection_that_is_cut_in_the_middle_of_a_transaction_is_not_tried_again(postgres: Database) -> None:
    """Its COMMIT may have been carried out; what it was about is found again by its journal entry or delivery."""
    cutter, runs = postgres.another(), []

    def cut(tx: Tx) -> None:
        runs.append("run")
        add_tally(tx, Workspace("main"), ConnectionName("shopify"), "seen", 1)
        pid = tx.conn.exec_driver_sql("select pg_backend_pid()").scalar_one()
        cutter.read_now(lambda other: other.conn.exec_driver_sql(f"select pg_terminate_backend({pid})"))
        tx.conn.exec_driver_sql("select 1")

    with pytest.raises(Exception, match="PostgreSQL did not take the change"):
        postgres.run(cut)
    assert runs == ["run"]
    assert postgres.rows("select * from tallies") == []


def test_items_that_come_while_a_batch_is_stored_share_the_next_transaction(postgres: Database) -> None:
    entered, gate = threading.Event(), threading.Event()

    def store(tx: Tx, items: list[int]) -> list[int]:
        entered.set()
        gate.wait(10)
        return [len(items)] * len(items)

    async def play() -> list[int]:
        first = asyncio.create_task(postgres.store.run_batch(store, 0))
        await asyncio.to_thread(entered.wait, 10)
        others = [asyncio.create_task(postgres.store.run_batch(store, number)) for number in range(1, 8)]
        await asyncio.sleep(0)
        gate.set()
        return [await first, *[await other for other in others]]

    assert postgres.play(play()) == [1, *[7] * 7]
