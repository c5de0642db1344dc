"""Orders that wait for their beat are read at once where they fill a read and the store has budget to spare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from builders.databases import NOON, Database
from builders.rows import MAIN, SHOPIFY
from storebridge.connectors.port import EncodedCall, StockWrite
from storebridge.model.ids import CallId
from storebridge.pipeline.deliver.jobs import Desk, Idle, Job, Limits, Read, next_job
from storebridge.store.leases import take
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks, delay_looks, waiting_looks
from storebridge.work.urgency import Urgency

BEAT = NOON + timedelta(seconds=4)
SEVERAL = 3
"""Orders that one read carries."""


def _ask(database: Database, *keys: str, kind: str = "orders") -> None:
    asks = [Ask(kind, key, int(Urgency.ORDERS), BEAT) for key in keys]
    database.at(NOON, ask_looks, MAIN, SHOPIFY, asks)


def _next(database: Database, *, plenty: bool = True, in_flight: frozenset[tuple[str, str]] = frozenset()) -> Job:
    epoch = database.at(NOON, take, MAIN, "courier/shopify", "me", 30.0)
    assert epoch is not None
    desk = Desk(MAIN, SHOPIFY, "me", epoch)
    rows = {"orders": SEVERAL, "levels": SEVERAL, "catalogue": 1}
    limits = Limits(rows_per_write=9, rows_per_read=rows, may_write=True, in_flight_looks=in_flight, plenty=plenty)
    return database.at(NOON, next_job, desk, limits, _encode, CallId("c"), "key")


def _encode(writes: Sequence[StockWrite], key: str, call_id: str) -> EncodedCall:
    raise AssertionError("nothing is written here")


def _keys(job: Job) -> list[str]:
    assert isinstance(job, Read)
    return [look.key for look in job.looks]


def _claimed(database: Database) -> list[ClaimedLook]:
    return database.at(BEAT, waiting_looks, MAIN, SHOPIFY, limit=99)


def test_fewer_orders_than_a_read_carries_wait_for_their_beat(database: Database) -> None:
    _ask(database, "o1", "o2")
    assert _next(database) == Idle(timedelta(seconds=4))


def test_as_many_orders_as_a_read_carries_are_read_at_once_and_the_rest_waits(database: Database) -> None:
    _ask(database, "o1", "o2", "o3", "o4")
    assert _keys(_next(database)) == ["o1", "o2", "o3"]
    assert _next(database, in_flight=frozenset({("orders", "o1"), ("orders", "o2"), ("orders", "o3")})) == Idle(
        timedelta(seconds=4)
    )


def test_orders_that_are_being_read_do_not_fill_another_read(database: Database) -> None:
    _ask(database, "o1", "o2", "o3", "o4", "o5", "o6")
    assert _keys(_next(database, in_flight=frozenset({("orders", "o1"), ("orders", "o5")}))) == ["o2", "o3", "o4"]


def test_where_budget_is_scarce_a_full_read_waits_for_the_beat_too(database: Database) -> None:
    _ask(database, "o1", "o2", "o3")
    assert _next(database, plenty=False) == Idle(timedelta(seconds=4))


def test_what_is_due_goes_before_orders_that_are_not(database: Database) -> None:
    _ask(database, "o1", "o2", "o3")
    database.at(NOON, ask_looks, MAIN, SHOPIFY, [Ask("levels", "mug", int(Urgency.SWEEP), NOON)])
    assert _keys(_next(database)) == ["mug"]


def test_orders_whose_read_failed_wait_as_long_as_they_were_told_to(database: Database) -> None:
    _ask(database, "o1", "o2", "o3")
    database.at(NOON, delay_looks, MAIN, SHOPIFY, _claimed(database)[:1], timedelta(seconds=9))
    assert _next(database) == Idle(timedelta(seconds=4))


def test_orders_that_were_read_since_and_other_errands_fill_no_read(database: Database) -> None:
    _ask(database, "o1", "o2", "o3")
    database.at(NOON, answer_looks, MAIN, SHOPIFY, _claimed(database)[:1])
    _ask(database, "all", kind="order_poll")
    assert _next(database) == Idle(timedelta(seconds=4))
