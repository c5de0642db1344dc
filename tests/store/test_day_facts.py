"""What a day's statement is made from, of everything that is stored."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from builders.databases import Database
from builders.money import DAY, NEXT_MORNING, make_entry, make_paid_order, make_payment
from builders.orders import PLACED
from builders.rows import MAIN, SHOPIFY, WIX
from storebridge.model.ids import OrderId, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.reconcile.settlement import facts_of, settle_days
from storebridge.store import sales
from storebridge.store.books import save_entries
from storebridge.store.database import Tx
from storebridge.store.prepared import Prepared
from storebridge.store.sales import DOCUMENTS_AT_ONCE, SalesRow, note_missing_money, save_orders

TERMS = WorkspaceTerms(MAIN, (SHOPIFY, WIX), Policy.MIRROR, SHOPIFY, ())
A_DAY = timedelta(days=1)


def placed(order_id: str, days_before: int, **facts: Any) -> Order:
    """An order that was placed and paid so many days before."""
    at = PLACED - days_before * A_DAY
    payment = make_payment(f"t-{order_id}", at=at)
    return make_paid_order(payment, order_id=OrderId(order_id), placed_at=at, updated_at=at, **facts)


def orders_of_the_day(database: Database, *orders: Order) -> list[str]:
    """All of them were read this morning, as after orders of the past were asked for."""

    def play(tx: Tx) -> list[str]:
        save_orders(tx, MAIN, [SalesRow(order, "done", None) for order in orders])
        return sorted(one.order.order_id for one in facts_of(tx, TERMS, DAY).orders)

    return database.at(NEXT_MORNING, play)


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each question brought."""
    found: list[int] = []
    ask = Prepared.all

    def counted(prepared: Prepared, tx: Any, **values: Any) -> list[Any]:
        rows = ask(prepared, tx, **values)
        found.append(len(rows))
        return rows

    monkeypatch.setattr(Prepared, "all", counted)
    return found


def _questions_of_the_day(database: Database, rows_read: list[int], old: int) -> list[int]:
    """With so many orders of the past, all read this morning, beside the day's three."""
    some = [placed(f"old-{number}", 1 + number % 300) for number in range(old)]
    database.at(NEXT_MORNING, lambda tx: save_orders(tx, MAIN, [SalesRow(order, "done", None) for order in some]))
    of_today = [placed(f"today-{number}", 0) for number in range(3)]
    database.at(NEXT_MORNING, lambda tx: save_orders(tx, MAIN, [SalesRow(order, "done", None) for order in of_today]))
    rows_read.clear()
    assert len(database.at(NEXT_MORNING, facts_of, TERMS, DAY).orders) == 3
    return list(rows_read)


def test_a_day_costs_what_its_own_money_costs_however_many_orders_of_the_past_were_read(
    database: Database, rows_read: list[int]
) -> None:
    assert _questions_of_the_day(database, rows_read, 1) == _questions_of_the_day(
        database, rows_read, 2 * DOCUMENTS_AT_ONCE
    )
    assert max(rows_read) == 3


def test_an_order_whose_payment_was_moved_to_another_day_leaves_the_first(database: Database) -> None:
    assert orders_of_the_day(database, placed("moved", 0)) == ["moved"]
    later = msgspec.structs.replace(placed("moved", -2), updated_at=PLACED)
    assert orders_of_the_day(database, later) == []


def test_orders_that_a_version_before_this_one_stores_are_found_once_statements_are_made(database: Database) -> None:
    """While workers are replaced one by one, the old ones know nothing of when money moved."""
    assert orders_of_the_day(database, placed("first", 0), placed("second", 9)) == ["first"]
    forget = "delete from sales_money where order_key in (select order_key from sales where order_id = 'first')"
    database.execute(forget)
    database.execute("update sales set revision = revision + 1 where order_id = 'first'")
    assert orders_of_the_day(database) == []
    assert database.play(settle_days(database.store, TERMS)) == 1
    assert orders_of_the_day(database) == ["first"]


def test_orders_of_other_days_are_no_facts_of_a_day_though_they_were_read_after_it(database: Database) -> None:
    old = [placed(f"old-{number}", 1 + number % 700) for number in range(DOCUMENTS_AT_ONCE + 1)]
    assert orders_of_the_day(database, *old, placed("today", 0), placed("tomorrow", -1)) == ["today"]


def test_an_old_order_matters_when_its_money_moves_or_is_booked_on_the_day(database: Database) -> None:
    paid_today = placed("paid", 9)
    paid_today = msgspec.structs.replace(paid_today, payments=(make_payment("late", at=PLACED),))

    def book(tx: Tx) -> None:
        save_entries(tx, MAIN, SHOPIFY, [make_entry(payment="t-booked", order_id=None, order_name="")])

    database.at(NEXT_MORNING, book)
    assert orders_of_the_day(database, paid_today, placed("booked", 1), placed("neither", 1)) == ["booked", "paid"]


@pytest.mark.postgres
def test_an_order_that_is_stored_while_its_older_self_is_noted_is_found_by_all_of_its_money(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker before this one stored the first; noting it must not hide what a worker of today stores meanwhile."""
    other, read, go = postgres.another(), threading.Event(), threading.Event()
    before = placed("o1", 3)
    after = msgspec.structs.replace(before, payments=(*before.payments, make_payment("late", at=PLACED)))
    postgres.run(save_orders, MAIN, [SalesRow(before, "done", None)])
    postgres.execute("update sales set revision = revision + 1")
    note = sales.note_money

    def note_slowly(tx: Tx, workspace: Workspace, orders: Sequence[Order]) -> None:
        read.set()
        go.wait(10)
        note(tx, workspace, orders)

    async def play() -> None:
        with monkeypatch.context() as slow:
            slow.setattr(sales, "note_money", note_slowly)
            noting = asyncio.ensure_future(postgres.store.run(note_missing_money, MAIN, 10))
            await asyncio.to_thread(read.wait, 10)
        saving = asyncio.ensure_future(other.run(save_orders, MAIN, [SalesRow(after, "done", None)]))
        await asyncio.wait([saving], timeout=0.5)
        go.set()
        await asyncio.gather(noting, saving)

    postgres.play(play())
    assert postgres.rows("select revision, money_noted from sales") == [(3, 3)]
    noted = postgres.rows("select place, payment_id from sales_money order by place")
    assert noted == [(0, ""), (1, "t-o1"), (2, "late")]
