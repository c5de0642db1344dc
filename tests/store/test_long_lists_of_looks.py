"""What a courier picks where thousands of looks wait: full reads, and nobody is passed over for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from builders.databases import NOON, Database
from builders.rows import MAIN, SHOPIFY
from storebridge.connectors.port import EncodedCall
from storebridge.model.ids import CallId
from storebridge.pipeline.deliver.jobs import HEAD, Desk, Limits, Read, next_job
from storebridge.store.leases import take
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

SECOND = timedelta(seconds=1)
ROWS = {"levels": 250, "orders": 20, "order_write": 4, "catalogue": 1}
MANY = 400
NAMES = [f"w{number:03}" for number in range(MANY)]


def ask(database: Database, kind: str, keys: Iterable[str], urgency: Urgency, since: timedelta) -> None:
    asks = [Ask(kind, key, int(urgency), NOON - since) for key in keys]
    database.at(NOON, ask_looks, MAIN, SHOPIFY, asks)


def pick(database: Database, *flying: tuple[str, str]) -> tuple[str, list[str]]:
    epoch = database.at(NOON, take, MAIN, "courier/shopify", "me", 30.0)
    assert epoch is not None
    limits = Limits(rows_per_write=9, rows_per_read=ROWS, may_write=True, in_flight_looks=frozenset(flying))
    desk = Desk(MAIN, SHOPIFY, "me", epoch)
    job = database.at(NOON, next_job, desk, limits, _encode, CallId("c"), "key")
    assert isinstance(job, Read)
    return job.kind, [look.key for look in job.looks]


def _encode(*_given: object) -> EncodedCall:
    raise AssertionError("nothing is written here")


def test_of_many_writes_to_orders_the_first_are_picked(database: Database) -> None:
    ask(database, "order_write", NAMES, Urgency.ORDERS, SECOND)
    assert pick(database) == ("order_write", NAMES[:4])
    assert pick(database, *(("order_write", name) for name in NAMES[:4])) == ("order_write", NAMES[4:8])


def test_a_read_that_carries_more_than_is_looked_at_first_goes_out_full(database: Database) -> None:
    ask(database, "levels", NAMES, Urgency.STOCK_READ, SECOND)
    assert pick(database) == ("levels", NAMES[:250])
    assert pick(database, *(("levels", name) for name in NAMES[:250])) == ("levels", NAMES[250:])


@pytest.mark.parametrize("before", [10, HEAD, MANY])
def test_a_sweep_whose_turn_has_come_is_not_passed_over_however_much_is_more_urgent(
    database: Database, before: int
) -> None:
    ask(database, "order_write", NAMES[:before], Urgency.ORDERS, SECOND)
    ask(database, "levels", ["mug"], Urgency.SWEEP, 60 * SECOND)
    assert pick(database) == ("levels", ["mug"])


@pytest.mark.parametrize("before", [10, HEAD, MANY])
def test_a_sweep_whose_turn_has_not_come_waits(database: Database, before: int) -> None:
    ask(database, "order_write", NAMES[:before], Urgency.ORDERS, SECOND)
    ask(database, "levels", ["mug"], Urgency.SWEEP, 2 * SECOND)
    assert pick(database) == ("order_write", NAMES[:4])


def test_a_sweep_that_is_being_read_keeps_no_write_back(database: Database) -> None:
    ask(database, "order_write", NAMES, Urgency.ORDERS, SECOND)
    ask(database, "levels", ["mug"], Urgency.SWEEP, 60 * SECOND)
    assert pick(database, ("levels", "mug")) == ("order_write", NAMES[:4])


def test_of_two_that_were_passed_over_the_one_that_waited_longest_is_picked(database: Database) -> None:
    ask(database, "order_write", NAMES, Urgency.ORDERS, SECOND)
    ask(database, "levels", ["mug", "cup"], Urgency.SWEEP, 60 * SECOND)
    ask(database, "catalogue", ["all"], Urgency.PRODUCTS, 90 * SECOND)
    assert pick(database) == ("catalogue", ["all"])
    assert pick(database, ("catalogue", "all")) == ("levels", ["cup", "mug"])
