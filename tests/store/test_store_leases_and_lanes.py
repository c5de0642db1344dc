"""Leases are fenced by their epoch; lanes are locked for a turn."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import msgspec
import pytest

from builders.databases import NOON, Database
from builders.rows import MAIN, OTHER, SHOPIFY, WIX, add_lane, intent
from storebridge.model.ids import IntentId, ItemId, LaneKey, LocationId, PoolId
from storebridge.model.settings import LaneTerms, PoolTerms
from storebridge.model.stock import OpenWrite, Policy, PositionKey
from storebridge.store.database import Tx
from storebridge.store.journal import plan_intents, waiting_intents
from storebridge.store.lanes import (
    add_goods,
    forget_lane,
    freeze_lanes,
    held_positions,
    lanes_of_connection,
    lanes_of_items,
    lanes_of_positions,
    linked_items,
    load_lanes,
    mark_guarantee,
    pool_of_sku,
    save_positions,
    set_writable,
)
from storebridge.store.leases import LostLease, demand, release, take
from storebridge.store.sweeps import unread_items

TERMS = LaneTerms(PoolTerms(Policy.MIRROR, safety_stock=2))
HERE = PositionKey(SHOPIFY, ItemId("item-A"), LocationId("loc"))
THERE = PositionKey(WIX, ItemId("item-A"), LocationId("loc"))
LATER = NOON + timedelta(seconds=30)


def test_a_lease_is_held_by_one_owner_at_a_time(database: Database) -> None:
    assert database.at(NOON, take, MAIN, "courier", "ann", 30.0) == 1
    assert database.at(NOON, take, MAIN, "courier", "bob", 30.0) is None
    assert database.at(NOON, take, OTHER, "courier", "bob", 30.0) == 1


def test_renewing_keeps_the_epoch_and_moves_the_end(database: Database) -> None:
    database.at(NOON, take, MAIN, "courier", "ann", 30.0)
    assert database.at(NOON + timedelta(seconds=29), take, MAIN, "courier", "ann", 30.0) == 1
    assert database.at(NOON + timedelta(seconds=58), take, MAIN, "courier", "bob", 30.0) is None


def test_a_lease_that_ran_out_goes_to_whoever_asks_with_a_new_epoch(database: Database) -> None:
    database.at(NOON, take, MAIN, "courier", "ann", 30.0)
    assert database.at(LATER, take, MAIN, "courier", "bob", 30.0) == 2


def test_an_owner_who_overslept_gets_a_new_epoch_too(database: Database) -> None:
    database.at(NOON, take, MAIN, "courier", "ann", 30.0)
    assert database.at(LATER, take, MAIN, "courier", "ann", 30.0) == 2
    with pytest.raises(LostLease):
        database.at(LATER, demand, MAIN, "courier", "ann", 1)


def test_a_paused_owner_can_commit_nothing_after_the_takeover(database: Database) -> None:
    database.at(NOON, take, MAIN, "courier", "ann", 30.0)
    database.at(LATER, take, MAIN, "courier", "bob", 30.0)

    def commit_late(tx: Tx) -> None:
        add_lane(tx)
        demand(tx, MAIN, "courier", "ann", 1)

    with pytest.raises(LostLease, match="not held any more"):
        database.at(LATER, commit_late)
    assert database.rows("select pool_id from pools") == []
    database.at(LATER, demand, MAIN, "courier", "bob", 2)


def test_a_lease_that_ran_out_is_not_held_even_when_nobody_took_it(database: Database) -> None:
    database.at(NOON, take, MAIN, "courier", "ann", 30.0)
    with pytest.raises(LostLease):
        database.at(LATER, demand, MAIN, "courier", "ann", 1)


def test_a_lease_given_back_is_free_at_once(database: Database) -> None:
    database.at(NOON, take, MAIN, "courier", "ann", 30.0)
    database.at(NOON, release, MAIN, "courier", "ann", 1)
    assert database.at(NOON, take, MAIN, "courier", "bob", 30.0) == 2
    with pytest.raises(LostLease):
        database.at(NOON, release, MAIN, "courier", "ann", 1)


def test_nobody_holds_what_was_never_taken(database: Database) -> None:
    with pytest.raises(LostLease):
        database.run(demand, MAIN, "courier", "ann", 1)


@pytest.mark.postgres
def test_of_two_workers_that_ask_together_one_gets_the_lease(postgres: Database) -> None:
    other = postgres.another()

    async def play() -> list[int | None]:
        return await asyncio.gather(
            postgres.store.run(take, MAIN, "courier", "ann", 30.0), other.run(take, MAIN, "courier", "bob", 30.0)
        )

    for _ in range(5):
        assert sorted(postgres.play(play()), key=str) == [1, None]
        postgres.execute("delete from leases")


def test_a_lane_is_loaded_as_it_was_stored(database: Database) -> None:
    database.run(add_lane)
    lane = database.run(load_lanes, MAIN, [LaneKey("A@main")], TERMS)[LaneKey("A@main")]
    pool = lane.pools[PoolId("A@main")]
    assert (pool.goods, pool.sku, pool.policy, pool.safety_stock, pool.frozen) == (10, "A", Policy.MIRROR, 2, False)
    assert lane.guaranteed == {PoolId("A@main"): False}
    assert [(key, stored.position.granted, stored.position.level) for key, stored in lane.positions.items()] == [
        (HERE, 10, 10),
        (THERE, 10, 10),
    ]
    assert [(draw.position, draw.pool_id, draw.weight) for draw in lane.draws] == [
        (HERE, "A@main", 1),
        (THERE, "A@main", 1),
    ]


def test_a_lane_of_another_merchant_is_empty_here(database: Database) -> None:
    database.run(add_lane)
    lane = database.run(load_lanes, OTHER, [LaneKey("A@main")], TERMS)[LaneKey("A@main")]
    assert (lane.pools, lane.positions, lane.draws, lane.intents) == ({}, {}, (), {})


def test_what_a_turn_changed_is_there_at_the_next(database: Database) -> None:
    database.run(add_lane)

    def change(tx: Tx) -> None:
        lane = load_lanes(tx, MAIN, [LaneKey("A@main")], TERMS)[LaneKey("A@main")]
        stored = lane.positions[HERE]
        position = msgspec.structs.replace(
            stored.position, level=7, held=3, granted=9, read_at=NOON, version="8", tracked=False
        )
        save_positions(tx, MAIN, [msgspec.structs.replace(stored, position=position, written_at=LATER, misses=2)])

    database.run(change)
    lane = database.run(load_lanes, MAIN, [LaneKey("A@main")], TERMS)[LaneKey("A@main")]
    here, there = lane.positions[HERE], lane.positions[THERE].position
    assert (here.position.level, here.position.held, here.position.granted) == (7, 3, 9)
    assert (here.position.read_at, here.position.version, here.position.tracked) == (NOON, "8", False)
    assert (here.written_at, here.misses, here.confirmed) == (LATER, 2, False)
    assert (there.level, there.version) == (10, "7")


def test_only_writes_that_are_not_settled_belong_to_a_lane(database: Database) -> None:
    database.run(add_lane)
    states = ("planned", "sent", "unclear", "applied", "stale", "refused", "superseded")
    rows = [intent(f"i-{state}", state=state, item_id="item-A", location_id=state) for state in states]
    database.run(plan_intents, rows)
    lane = database.run(load_lanes, MAIN, [LaneKey("A@main")], TERMS)[LaneKey("A@main")]
    assert sorted(lane.intents) == ["i-planned", "i-sent", "i-unclear"]
    assert {key.location_id for key in lane.on_the_wire} == {"sent", "unclear"}


def test_the_planner_sees_which_write_is_on_the_wire(database: Database) -> None:
    database.run(add_lane)
    database.run(plan_intents, [intent("i", state="sent", item_id="item-A")])
    state = database.run(load_lanes, MAIN, [LaneKey("A@main")], TERMS)[LaneKey("A@main")].state({WIX: 2.0})
    assert [position.open_write for position in state.positions] == [OpenWrite(IntentId("i"), -1, True), None]
    assert state.velocity == {WIX: 2.0}


def test_goods_are_added_and_planning_is_stopped(database: Database) -> None:
    database.run(add_lane)
    database.run(add_goods, MAIN, PoolId("A@main"), -3)
    database.run(add_goods, OTHER, PoolId("A@main"), 50)
    database.run(freeze_lanes, MAIN, [LaneKey("A@main")], True)
    pool = database.run(load_lanes, MAIN, [LaneKey("A@main")], TERMS)[LaneKey("A@main")].pools[PoolId("A@main")]
    assert (pool.goods, pool.frozen) == (7, True)


def test_the_guarantee_counts_from_its_first_moment_and_its_loss_has_a_reason(database: Database) -> None:
    database.run(add_lane)
    pool = PoolId("A@main")
    database.at(NOON, mark_guarantee, MAIN, [pool], {})
    database.at(LATER, mark_guarantee, MAIN, [pool], {})
    since = int(NOON.timestamp()) * 1_000_000
    assert database.rows("select guaranteed_since, not_guaranteed_because from pools") == [(since, None)]
    database.at(LATER, mark_guarantee, MAIN, [], {pool: "wix does not count"})
    assert database.rows("select guaranteed_since, not_guaranteed_because from pools") == [(None, "wix does not count")]


def test_counters_become_read_only_once(database: Database) -> None:
    database.run(add_lane)
    assert database.run(set_writable, MAIN, WIX, False) == 1
    assert database.run(set_writable, MAIN, WIX, False) == 0
    assert database.run(set_writable, MAIN, WIX, True) == 1


def test_lanes_are_found_by_item_by_counter_by_sku_and_by_store(database: Database) -> None:
    database.run(add_lane)
    database.run(add_lane, "B")
    items = [ItemId("item-A"), ItemId("item-B"), ItemId("none")]
    assert database.run(lanes_of_items, MAIN, SHOPIFY, items) == {"item-A": "A@main", "item-B": "B@main"}
    assert database.run(lanes_of_items, MAIN, SHOPIFY, []) == {}
    assert database.run(lanes_of_positions, MAIN, [HERE]) == {HERE: "A@main"}
    assert database.run(lanes_of_connection, MAIN, WIX) == ["A@main", "B@main"]
    assert database.run(pool_of_sku, MAIN, "B") == [("B@main", "B@main", "main")]
    assert database.run(pool_of_sku, MAIN, "B", "outlet") == []
    assert database.run(linked_items, MAIN) == {(s, f"item-{sku}") for s in (SHOPIFY, WIX) for sku in "AB"}


def test_what_was_read_long_ago_is_named_and_scarce_goods_sooner(database: Database) -> None:
    database.run(add_lane)
    database.run(add_lane, "B", goods=1)
    database.execute(f"update positions set read_at = {int(NOON.timestamp()) * 1_000_000}")

    def unread(before: timedelta, hot: timedelta) -> list[str]:
        return sorted(
            database.run(
                unread_items,
                MAIN,
                SHOPIFY,
                read_before=NOON + before,
                hot_read_before=NOON + hot,
                hot_below_units=3,
                limit=10,
            )
        )

    second = timedelta(seconds=1)
    assert unread(-second, -second) == []
    assert unread(-second, second) == ["item-B"]
    assert unread(second, second) == ["item-A", "item-B"]


def test_counters_with_units_on_hold_are_named(database: Database) -> None:
    database.run(add_lane)
    database.execute("update positions set held = 4 where connection = 'shopify'")
    assert database.run(held_positions, MAIN, SHOPIFY) == [HERE]
    assert database.run(held_positions, MAIN, WIX) == []


def test_a_lane_that_is_forgotten_leaves_nothing_but_its_neighbours(database: Database) -> None:
    database.run(add_lane)
    database.run(add_lane, "B")
    database.run(forget_lane, MAIN, LaneKey("A@main"))
    for table in ("pools", "positions", "draws"):
        assert {row[0] for row in database.rows(f"select workspace from {table}")} == {"main"}
    assert database.run(linked_items, MAIN) == {(SHOPIFY, "item-B"), (WIX, "item-B")}
    assert database.rows("select pool_id from draws group by pool_id") == [("B@main",)]


@pytest.mark.postgres
def test_two_turns_on_one_lane_come_one_after_the_other(postgres: Database) -> None:
    """Each reads the level and takes one unit: without the lock, units would be lost."""
    other, turns = postgres.another(), 12
    postgres.run(add_lane, goods=100)

    def take_one(tx: Tx) -> None:
        lane = load_lanes(tx, MAIN, [LaneKey("A@main")], TERMS)[LaneKey("A@main")]
        stored = lane.positions[HERE]
        time.sleep(0.01)
        position = msgspec.structs.replace(stored.position, level=stored.position.level - 1)
        save_positions(tx, MAIN, [msgspec.structs.replace(stored, position=position)])

    async def play() -> None:
        await asyncio.gather(*(store.run(take_one) for store in (postgres.store, other) for _ in range(turns // 2)))

    postgres.play(play())
    assert postgres.rows("select connection, level from positions order by 1") == [
        ("shopify", 100 - turns),
        ("wix", 100),
    ]


@pytest.mark.postgres
def test_turns_over_several_lanes_never_wait_for_each_other_for_ever(postgres: Database) -> None:
    other = postgres.another()
    for sku in "ABC":
        postgres.run(add_lane, sku)

    def turn(tx: Tx, skus: str) -> int:
        lanes = load_lanes(tx, MAIN, [LaneKey(f"{sku}@main") for sku in skus], TERMS)
        for lane in lanes.values():
            for pool in lane.pools:
                add_goods(tx, MAIN, pool, 1)
        return len(lanes)

    async def play() -> list[int]:
        asked = [(postgres.store, "ABC"), (other, "CBA"), (postgres.store, "BA"), (other, "CA")] * 5
        return await asyncio.gather(*(store.run(turn, skus) for store, skus in asked))

    assert sum(postgres.play(play())) == 50
    assert postgres.rows("select sku, goods from pools order by 1") == [("A", 30), ("B", 25), ("C", 25)]


@pytest.mark.postgres
def test_a_turn_waits_for_the_one_that_holds_its_lane(postgres: Database) -> None:
    other, held, go = postgres.another(), threading.Event(), threading.Event()
    postgres.run(add_lane)
    order: list[str] = []

    def first(tx: Tx) -> None:
        load_lanes(tx, MAIN, [LaneKey("A@main")], TERMS)
        held.set()
        go.wait(10)
        order.append("first")

    def second(tx: Tx) -> None:
        load_lanes(tx, MAIN, [LaneKey("A@main")], TERMS)
        order.append("second")

    async def play() -> None:
        one = asyncio.ensure_future(postgres.store.run(first))
        await asyncio.to_thread(held.wait, 10)
        two = asyncio.ensure_future(other.run(second))
        await asyncio.sleep(0.1)
        assert order == []
        go.set()
        await asyncio.gather(one, two)

    postgres.play(play())
    assert order == ["first", "second"]


@pytest.mark.postgres
def test_no_courier_sends_a_write_while_a_turn_plans_as_if_it_only_waited(postgres: Database) -> None:
    """Both would be granted: the write on the wire, and what the turn planned in its place."""
    other, held, go = postgres.another(), threading.Event(), threading.Event()
    postgres.run(add_lane)
    postgres.run(plan_intents, [intent("waiting", due_at=NOON - timedelta(days=1))])

    def turn(tx: Tx) -> None:
        load_lanes(tx, MAIN, [LaneKey("A@main")], TERMS)
        held.set()
        go.wait(10)

    def pick(tx: Tx) -> list[str]:
        return [found.intent_id for found in waiting_intents(tx, MAIN, SHOPIFY, 10)]

    async def play() -> tuple[list[str], list[str]]:
        planning = asyncio.ensure_future(postgres.store.run(turn))
        await asyncio.to_thread(held.wait, 10)
        meanwhile = await other.run(pick)
        go.set()
        await planning
        return meanwhile, await other.run(pick)

    assert postgres.play(play()) == ([], ["waiting"])
