"""Listings that are late: the overlap of the next one is longer than the lag that was seen."""

from __future__ import annotations

from datetime import timedelta

from builders.databases import NOON, Database
from builders.rows import MAIN, SHOPIFY
from storebridge.model.ids import OrderId
from storebridge.model.orders import ChangeCursor, OrderFacts
from storebridge.store.cursors import advance_cursor
from storebridge.store.database import Tx
from storebridge.store.labels import record_orders
from storebridge.store.listings import hidden_for, listing_began, measured_lag, note_lag, note_listed

SECOND = timedelta(seconds=1)


def order(number: int, changed: timedelta) -> OrderFacts:
    return OrderFacts(OrderId(str(number)), f"#{number}", NOON - timedelta(days=1), NOON + changed, False, ())


def listed(tx: Tx, orders: list[OrderFacts], before: timedelta | None) -> timedelta:
    """One page of a listing; the listing before it began at ``before``."""
    hidden = hidden_for(tx, MAIN, SHOPIFY, orders, None if before is None else NOON + before)
    record_orders(tx, MAIN, SHOPIFY, orders)
    note_listed(tx, MAIN, SHOPIFY, orders)
    return hidden


def test_what_the_listing_before_should_have_shown_measures_its_lag(database: Database) -> None:
    def play(tx: Tx) -> list[timedelta]:
        return [
            listed(tx, [order(1, 0 * SECOND)], None),  # the first listing tells nothing
            listed(tx, [order(1, 0 * SECOND), order(2, 5 * SECOND)], 47 * SECOND),  # 2 was hidden for 42 s
            listed(tx, [order(1, 0 * SECOND), order(2, 5 * SECOND)], 80 * SECOND),  # both were shown before
            listed(tx, [order(2, 90 * SECOND)], 91 * SECOND),  # a later change, hidden for a second
            listed(tx, [order(3, 200 * SECOND)], 150 * SECOND),  # changed after that listing began
        ]

    assert database.run(play) == [n * SECOND for n in (0, 42, 0, 1, 0)]


def test_an_order_that_a_delivery_made_known_first_measures_the_lag_as_well(database: Database) -> None:
    def play(tx: Tx) -> timedelta:
        record_orders(tx, MAIN, SHOPIFY, [order(1, 0 * SECOND)])
        return listed(tx, [order(1, 0 * SECOND)], 33 * SECOND)

    assert database.run(play) == 33 * SECOND


def test_the_longest_lag_is_kept_and_a_wrong_clock_does_not_count_for_hours(database: Database) -> None:
    def play(tx: Tx) -> tuple[timedelta, timedelta]:
        advance_cursor(tx, MAIN, SHOPIFY, "orders", ChangeCursor(NOON), checked_at=NOON)
        assert listing_began(tx, MAIN, SHOPIFY, "orders") == NOON
        for seconds in (12, 40, 3):
            note_lag(tx, MAIN, SHOPIFY, "orders", seconds * SECOND)
        kept = measured_lag(tx, MAIN, SHOPIFY, "orders")
        return kept, listed(tx, [order(9, 0 * SECOND)], timedelta(hours=5))

    assert database.run(play) == (40 * SECOND, timedelta(minutes=10))
