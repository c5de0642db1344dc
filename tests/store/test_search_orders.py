"""Whoever looks for an order finds it by what a buyer tells on the phone, and nothing else is found with it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from builders.databases import Database
from builders.orders import SHOPIFY, WIX, make_line, make_order
from storebridge.clock import SeededIds
from storebridge.model.ids import OrderId, Workspace
from storebridge.model.sales import Address, Buyer, Order
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations.list_orders import list_orders
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store.database import Tx
from storebridge.store.privacy import forget_buyers_of

MAIN = Workspace("main")
TERMS = WorkspaceTerms(
    workspace=MAIN,
    connections=(SHOPIFY, WIX),
    policy=Policy.MIRROR,
    system_of_record=SHOPIFY,
    groups=(GroupTerms("main", {SHOPIFY: ("*",), WIX: ("*",)}),),
    keep_orders=True,
)
IDS = SeededIds(random.Random(7))
ANN = make_order(
    make_line(sku="MUG-BLUE"),
    make_line("l2", sku='10"_PAN'),
    buyer=Buyer(email="ann.lee@example.org", first_name="Ann", last_name="Lee"),
    shipping_address=Address(first_name="Zoë", last_name="Lee-Smith", company="Harbour Ltd", city="Leith"),
    note="please ring twice",
)
BOB = make_order(order_id=OrderId("o2"), name="#2002", buyer=Buyer(email="bob@shop.test", first_name="Bob"))


def arrive(database: Database, *orders: Order) -> None:
    """They were read from their stores."""

    def turn(tx: Tx) -> None:
        for order in orders:
            OrderTurn(tx, TERMS, IDS).read(order.connection, [order], [])

    database.run(turn)


def found(database: Database, search: str = "", **wanted: Any) -> list[str]:
    page = database.play(list_orders(database.store, TERMS, search=search, **wanted))
    return [order.name for order in page.items]


@pytest.mark.parametrize(
    "words",
    [
        *("1001", "#1001", "o1", "Ann", "ann lee", "Lee", "ANN.LEE@", "example.org", "Zoë Lee-Smith", "harbour"),
        *("MUG-BLUE", "blue", '10"', "_PAN", " Ann "),
    ],
)
def test_an_order_is_found_by_its_name_its_buyer_and_its_goods(words: str, database: Database) -> None:
    arrive(database, ANN, BOB)
    assert found(database, words) == ["#1001"]


@pytest.mark.parametrize("words", ["Leith", "twice", "EUR", "shopify", "%", "Ann Bob", "MUG_BLUE", "first_name", "\\"])
def test_what_stands_elsewhere_in_an_order_finds_nothing(words: str, database: Database) -> None:
    arrive(database, ANN, BOB)
    assert found(database, words) == []


def test_capitals_of_every_alphabet_do_not_count(database: Database) -> None:
    arrive(database, ANN, BOB)
    assert found(database, "ZOË LEE-SMITH") == ["#1001"]


def test_a_buyer_who_is_forgotten_is_not_found_any_more_and_the_goods_are(database: Database) -> None:
    arrive(database, ANN, BOB)
    (key,) = [one.order_key for one in database.play(list_orders(database.store, TERMS, search="ann lee")).items]
    database.run(lambda tx: forget_buyers_of(tx, MAIN, [key]))
    assert [found(database, words) for words in ("ann", "lee", "harbour", "example.org")] == [[], [], [], []]
    assert found(database, "mug-blue") == ["#1001"]


def test_an_order_with_a_character_that_no_database_takes_does_not_end_every_search(database: Database) -> None:
    odd = make_order(order_id=OrderId("o3"), name="#3003", buyer=Buyer(email="ann@example.org", last_name="A\0B"))
    arrive(database, ANN, odd)
    assert sorted(found(database, "ann")) == ["#1001", "#3003"]
    assert found(database, "3003") == ["#3003"]


def test_what_was_placed_so_long_ago_is_found_by_its_age(database: Database) -> None:
    now = database.run(lambda tx: tx.now)
    arrive(
        database,
        make_order(placed_at=now - timedelta(hours=50)),
        make_order(order_id=OrderId("o2"), name="#2002", placed_at=now - timedelta(hours=2)),
    )
    assert found(database, older_than_hours=48.0) == ["#1001"]
    assert found(database, older_than_hours=1.0) == ["#2002", "#1001"]
