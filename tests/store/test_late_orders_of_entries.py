"""Entries that were booked before their order was known, or showed its payment: then their own day is settled anew."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from builders.databases import Database
from builders.money import BEGINS, DAY, euros, make_entry, make_paid_order, make_payment
from builders.orders import PLACED
from builders.rows import MAIN, SHOPIFY, WIX
from storebridge.clock import SeededIds
from storebridge.model.ids import OrderId
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import AdjustedOrder, EntryKind, LedgerEntry
from storebridge.model.stock import Policy
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.reconcile.bookkeeping import Bookkeeping
from storebridge.store.database import Tx

TERMS = WorkspaceTerms(MAIN, (SHOPIFY, WIX), Policy.MIRROR, SHOPIFY, (), keep_orders=True)
LATER = timedelta(days=3)
THAT_DAY = (DAY + LATER).isoformat()
"""On which something is booked that names the order of the first day."""
A_WEEK_ON = BEGINS + timedelta(days=7)


def share(payment: str, order_id: str | None) -> AdjustedOrder:
    return AdjustedOrder("#1001", payment, euros("-1.50"), euros("0.00"), OrderId(order_id) if order_id else None)


def adjustment(**facts: Any) -> LedgerEntry:
    told = {"kind": EntryKind.ADJUSTMENT, "at": PLACED + LATER, "payment": "", **facts}
    return make_entry("b9", "-1.50", "0.00", **told)


NAMES = {
    "by its own order": adjustment(),
    "by a share with the order's id": adjustment(order_id=None, order_name="", parts=(share("", "o1"),)),
    "by a share with a transaction only": adjustment(order_id=None, order_name="", parts=(share("t1", None),)),
    "by a transaction only": adjustment(kind=EntryKind.CHARGE, order_id=None, order_name="", payment="t1"),
}
every_way = pytest.mark.parametrize("entry", NAMES.values(), ids=NAMES)


def book(database: Database, *entries: LedgerEntry) -> None:
    database.at(A_WEEK_ON, Bookkeeping(TERMS, SHOPIFY).save_entries, entries)


def arrive(database: Database, order: Order) -> None:
    def turn(tx: Tx) -> None:
        OrderTurn(tx, TERMS, SeededIds(random.Random(7))).read(order.connection, [order], [])

    database.at(A_WEEK_ON, turn)


def answer_all(database: Database) -> None:
    """Every statement that was asked for is made."""
    database.execute("update settlement_days set answered = asked")
    database.execute("update looks set answered = asked")


def asked(database: Database) -> list[str]:
    """Days whose statements are to be made anew."""
    return [day for (day,) in database.rows("select day from settlement_days where asked > answered order by day")]


def to_be_read(database: Database) -> list[str]:
    return [key for (key,) in database.rows("select key from looks where kind = 'orders' and asked > answered")]


@every_way
def test_the_day_of_an_entry_is_settled_anew_when_its_order_becomes_known(
    database: Database, entry: LedgerEntry
) -> None:
    book(database, entry)
    answer_all(database)
    arrive(database, make_paid_order(order_id=OrderId("o1")))
    assert asked(database) == [DAY.isoformat(), THAT_DAY]


@every_way
def test_the_day_of_an_entry_is_settled_anew_when_its_order_shows_another_payment(
    database: Database, entry: LedgerEntry
) -> None:
    arrive(database, make_paid_order(make_payment("t0"), order_id=OrderId("o1")))
    book(database, entry)
    answer_all(database)
    both = (make_payment("t0"), make_payment("t1"))
    arrive(database, make_paid_order(*both, order_id=OrderId("o1"), updated_at=PLACED + LATER))
    assert asked(database) == [DAY.isoformat(), THAT_DAY]


@every_way
def test_another_order_and_one_that_only_changed_ask_for_no_day_of_an_entry(
    database: Database, entry: LedgerEntry
) -> None:
    arrive(database, make_paid_order(order_id=OrderId("o1")))
    book(database, entry)
    answer_all(database)
    arrive(database, make_paid_order(order_id=OrderId("o1"), updated_at=PLACED + LATER, note="by bike"))
    arrive(database, make_paid_order(make_payment("t8"), order_id=OrderId("o8")))
    assert asked(database) == [DAY.isoformat()]


def test_an_entry_that_no_longer_names_an_order_is_not_found_by_it(database: Database) -> None:
    book(database, NAMES["by a share with the order's id"])
    book(database, adjustment(order_id=None, order_name="", parts=(share("t8", "o8"),)))
    answer_all(database)
    arrive(database, make_paid_order(order_id=OrderId("o1")))
    assert asked(database) == [DAY.isoformat()]


def test_a_known_order_that_lacks_the_transaction_of_a_share_is_read(database: Database) -> None:
    arrive(database, make_paid_order(make_payment("t0"), order_id=OrderId("o1")))
    arrive(database, make_paid_order(make_payment("t2"), order_id=OrderId("o2"), name="#1002"))
    parts = (share("t1", "o1"), share("t2", "o2"), share("t3", "o3"), share("t4", None))
    book(database, adjustment(order_id=None, order_name="", parts=parts))
    assert sorted(to_be_read(database)) == ["o1", "o3"]
