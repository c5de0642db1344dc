"""What is planned, by example and for any state."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.lanes import POOL, key, lane, lanes, on_the_wire, position
from storebridge.inventory.channels import channels_of
from storebridge.inventory.planner import plan
from storebridge.inventory.policies.shares import divide
from storebridge.inventory.pools import accepted_level, goods_left, guarantee_holds, pessimistic_reserve, reserve
from storebridge.inventory.settle import apply_delta
from storebridge.model.ids import ConnectionName, IntentId, ItemId, LocationId, PoolId
from storebridge.model.stock import (
    Draw,
    LaneState,
    OpenWrite,
    PlannedWrite,
    Policy,
    Pool,
    Position,
    PositionKey,
    WritePriority,
)

Shown = list[tuple[str, int, int, str]]


def _writes(state: LaneState) -> Shown:
    return [(w.position.connection, w.from_level, w.to_level, w.reason) for w in plan(state).writes]


def _landed(state: LaneState, writes: Iterable[PlannedWrite]) -> LaneState:
    """The state after these writes took effect."""
    deltas = {write.position: write.delta for write in writes}
    return msgspec.structs.replace(
        state, positions=tuple(apply_delta(p, deltas.get(p.key, 0), version=None) for p in state.positions)
    )


def _sent(state: LaneState, writes: Iterable[PlannedWrite]) -> LaneState:
    """The state with these writes on the wire."""
    deltas = {write.position: write.delta for write in writes}
    return msgspec.structs.replace(
        state,
        positions=tuple(
            msgspec.structs.replace(p, open_write=OpenWrite(IntentId("new"), deltas[p.key], True))
            if p.key in deltas
            else p
            for p in state.positions
        ),
    )


# what a pool holds


def test_a_sale_moves_what_is_left_and_not_the_reserve() -> None:
    before = lane(position("shopify", 10), position("wix", 10), goods=10)
    after = lane(position("shopify", 7, 10), position("wix", 10), goods=10)
    pool = before.pools[0]
    assert (reserve(before, pool), goods_left(before, pool)) == (-10, 10)
    assert (reserve(after, pool), goods_left(after, pool)) == (-10, 7)


def test_units_on_hold_are_not_goods() -> None:
    state = lane(position("shopify", 15, 10, held=5), position("wix", 0), goods=10)
    assert goods_left(state, state.pools[0]) == 10


def test_an_unanswered_raise_counts_as_applied_and_an_unanswered_lower_as_not() -> None:
    raised = lane(position("shopify", 3, open_write=on_the_wire(4)), position("wix", 3), goods=10)
    lowered = lane(position("shopify", 3, open_write=on_the_wire(-3)), position("wix", 3), goods=10)
    unsent = lane(position("shopify", 3, open_write=OpenWrite(IntentId("i"), 4, False)), position("wix", 3), goods=10)
    assert [pessimistic_reserve(state, state.pools[0]) for state in (raised, lowered, unsent)] == [0, 4, 4]


def test_one_sale_of_a_bundle_takes_all_its_parts() -> None:
    state = lane(position("shopify", 4, 5), goods=20, weight=3)
    assert (reserve(state, state.pools[0]), goods_left(state, state.pools[0])) == (5, 17)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"tracked": False}, "shopify does not count this item"),
        ({"denies_oversell": False}, "shopify goes on selling at zero"),
        ({"granted": 9}, "the stores may still show more than exists: waiting for levels to be lowered"),
    ],
)
def test_the_guarantee_is_given_only_where_it_holds(change: dict[str, object], why: str | None) -> None:
    first = msgspec.structs.replace(position("shopify", 5), **change)  # type: ignore[arg-type]
    state = lane(first, position("wix", 5), goods=10, policy=Policy.ESCROW)
    assert guarantee_holds(state, state.pools[0]) == why


def test_mirror_promises_nothing() -> None:
    state = lane(position("shopify", 10), goods=10)
    assert guarantee_holds(state, state.pools[0]) == "the policy is mirror"


# mirror


def test_mirror_sets_the_other_store_after_a_sale() -> None:
    assert _writes(lane(position("shopify", 7, 10), position("wix", 10), goods=10)) == [("wix", 10, 7, "show_pool")]


def test_mirror_writes_nothing_where_nothing_differs() -> None:
    assert _writes(lane(position("shopify", 7, 10), position("wix", 7, 7), goods=10)) == []


def test_mirror_keeps_the_safety_stock_off_the_shelves() -> None:
    state = lane(position("shopify", 10), position("wix", 10), goods=10, safety_stock=3)
    assert _writes(state) == [("shopify", 10, 7, "show_pool"), ("wix", 10, 7, "show_pool")]


def test_mirror_never_shows_less_than_nothing() -> None:
    state = lane(position("shopify", 2, 10), position("wix", 3, 10), goods=10)
    assert goods_left(state, state.pools[0]) == -5
    assert _writes(state) == [("shopify", 2, 0, "show_pool"), ("wix", 3, 0, "show_pool")]


def test_a_counter_below_zero_is_lifted_to_zero_and_gets_no_goods_by_it() -> None:
    state = lane(position("shopify", -2, 10), position("wix", 10, 10), goods=10)
    assert goods_left(state, state.pools[0]) == -2
    assert _writes(state) == [("shopify", -2, 0, "lift_negative"), ("wix", 10, 0, "show_pool")]


def test_a_lower_takes_the_last_location_first_and_a_raise_gives_to_the_first() -> None:
    here = [position("shopify", 4, rank=0), position("shopify", 4, rank=1, location="outlet")]
    lowered = plan(lane(*here, position("wix", 3, 8), goods=8)).writes
    assert [(w.position.location_id, w.from_level, w.to_level) for w in lowered] == [("outlet", 4, 0), ("loc", 4, 3)]
    raised = plan(lane(*here, position("wix", 10, 8), goods=8)).writes
    assert [(w.position.location_id, w.from_level, w.to_level) for w in raised] == [("loc", 4, 6)]


def test_a_store_with_a_write_on_the_wire_waits_for_its_answer() -> None:
    assert _writes(lane(position("shopify", 7, 10), position("wix", 10, open_write=on_the_wire(-1)), goods=10)) == []


@pytest.mark.parametrize("change", [{"writable": False}, {"tracked": False}])
def test_a_counter_that_cannot_be_written_is_left_alone(change: dict[str, bool]) -> None:
    assert _writes(lane(position("shopify", 7, 10), position("wix", 10, **change), goods=10)) == []


def test_a_frozen_pool_plans_nothing() -> None:
    assert _writes(lane(position("shopify", 7, 10), position("wix", 10), goods=10, frozen=True)) == []


def test_a_lane_without_goods_plans_nothing() -> None:
    assert plan(LaneState((), (), ())).writes == ()


def test_a_bundle_shows_what_its_scarcest_part_allows() -> None:
    bundle = PositionKey(ConnectionName("wix"), ItemId("bundle"), LocationId("loc"))
    mug = Pool(PoolId("mug"), "mug", 7)
    spoon = Pool(PoolId("spoon"), "spoon", 30)
    state = LaneState(
        (mug, spoon), (Position(bundle, 0, 0),), (Draw(bundle, mug.pool_id, 2), Draw(bundle, spoon.pool_id, 4))
    )
    assert _writes(state) == [("wix", 0, 3, "show_pool")]


def test_lowers_are_more_urgent_than_raises() -> None:
    there = key("wix")
    assert PlannedWrite(there, 5, 4, "x").priority is WritePriority.LOWER
    assert PlannedWrite(there, 4, 5, "x").priority is WritePriority.RAISE


def _as_it_should_be(state: LaneState) -> LaneState:
    """Every counter can be written, nothing is held or under way."""
    plain = {"held": 0, "open_write": None, "tracked": True, "writable": True}
    return msgspec.structs.replace(state, positions=tuple(msgspec.structs.replace(p, **plain) for p in state.positions))


@given(lanes(Policy.MIRROR))
def test_mirror_sets_every_store_to_the_pool(state: LaneState) -> None:
    """A counter below zero is lifted first, so the second turn is the last one that may write."""
    state = _as_it_should_be(state)
    pool = state.pools[0]
    once = _landed(state, plan(state).writes)
    twice = _landed(once, plan(once).writes)
    target = max(0, goods_left(state, pool) - pool.safety_stock)
    assert {channel.level for channel in channels_of(twice)} == {target}
    assert plan(twice).writes == ()
    if all(p.level >= 0 for p in state.positions):
        assert once == twice


# escrow


def test_escrow_shares_the_goods_out() -> None:
    state = lane(position("shopify", 10), position("wix", 0), goods=10, policy=Policy.ESCROW)
    assert _writes(state) == [("shopify", 10, 5, "share_falls")]
    lowered = _landed(state, plan(state).writes)
    assert _writes(lowered) == [("wix", 0, 5, "share_rises")]


def test_escrow_raises_nobody_before_the_lower_is_known_to_have_landed() -> None:
    state = lane(position("shopify", 10), position("wix", 0), goods=10, policy=Policy.ESCROW)
    assert _writes(_sent(state, plan(state).writes)) == []


def test_under_escrow_a_sale_in_one_store_need_not_move_the_other() -> None:
    state = lane(position("shopify", 4, 5), position("wix", 5), goods=10, policy=Policy.ESCROW)
    assert _writes(state) == []


def test_escrow_takes_back_first_what_was_shown_twice() -> None:
    state = lane(position("shopify", 10), position("wix", 10), goods=10, policy=Policy.ESCROW)
    writes = _writes(state)
    assert [(store, start, reason) for store, start, _, reason in writes] == [
        ("shopify", 10, "share_falls"),
        ("wix", 10, "share_falls"),
    ]
    assert sum(end for _, _, end, _ in writes) == 10


def test_the_last_unit_is_shown_by_one_store() -> None:
    state = lane(position("shopify", 1), position("wix", 0), goods=1, policy=Policy.ESCROW)
    assert [p.level for p in _landed(state, plan(state).writes).positions] == [1, 0]


@settings(max_examples=400)
@given(lanes(Policy.ESCROW))
def test_escrow_writes_never_make_the_pessimistic_reserve_negative(state: LaneState) -> None:
    """I2: whatever of the planned writes lands, and in whichever order.

    Lifting a counter from below zero is booked against the reserve, because those units were sold already: the next
    plan then takes them from the other stores.
    """
    pool = state.pools[0]
    before = pessimistic_reserve(state, pool)
    writes = plan(state).writes
    lifted = sum(-write.from_level for write in writes if write.from_level < 0)
    assert pessimistic_reserve(_sent(state, writes), pool) >= min(before, 0) - lifted
    raises = [write for write in writes if write.delta > 0 and write.from_level >= 0]
    assert sum(write.delta for write in raises) <= max(0, before - pool.safety_stock)


def test_escrow_gives_nobody_the_units_that_a_counter_below_zero_sold_already() -> None:
    state = lane(
        position("shopify", -3), position("shopify", 0, location="outlet"), position("wix", -3), goods=-3,
        policy=Policy.ESCROW,
    )  # fmt: skip
    assert _writes(state) == [("shopify", -3, 0, "lift_negative"), ("wix", -3, 0, "lift_negative")]


@given(lanes(Policy.ESCROW))
def test_under_escrow_what_stores_can_sell_never_grows_beyond_what_is_left(state: LaneState) -> None:
    """A raise that staff typed and nobody accepted yet can be bought already: it counts here on both sides."""
    pool = state.pools[0]
    there = goods_left(state, pool) + sum(p.held for p in state.positions)
    after = _landed(state, [write for write in plan(state).writes if write.delta > 0])
    before, then = [sum(max(0, p.level) for p in one.positions) for one in (state, after)]
    assert then <= max(before, there - pool.safety_stock)


@given(lanes(Policy.ESCROW))
def test_under_escrow_what_stores_can_sell_never_grows_beyond_what_exists(state: LaneState) -> None:
    """Units that can be sold are the levels above zero; a lift of a counter below zero gives none."""
    pool = state.pools[0]
    whole = pessimistic_reserve(state, pool) >= 0
    raises = [write for write in plan(state).writes if write.delta > 0]
    after = _landed(state, raises)
    sellable = [sum(max(0, accepted_level(p)) for p in one.positions) for one in (state, after)]
    if whole:
        assert sellable[1] - sellable[0] <= max(0, pessimistic_reserve(state, pool) - pool.safety_stock)
    else:
        assert sellable[1] == sellable[0]


@given(st.sampled_from([Policy.MIRROR, Policy.ESCROW]).flatmap(lanes))
def test_no_counter_is_ever_set_below_zero_or_written_while_it_is_busy(state: LaneState) -> None:
    by_key = {p.key: p for p in state.positions}
    for write in plan(state).writes:
        before = by_key[write.position]
        assert write.to_level >= 0
        assert write.from_level == before.level
        assert write.delta != 0
        assert before.writable
        assert before.tracked
        assert before.open_write is None or not before.open_write.sent


@given(st.sampled_from([Policy.MIRROR, Policy.ESCROW]).flatmap(lanes))
def test_the_same_state_is_planned_the_same_way_once_per_counter(state: LaneState) -> None:
    writes = plan(state).writes
    assert plan(state).writes == writes
    assert len({write.position for write in writes}) == len(writes)
    shuffled = msgspec.structs.replace(
        state, positions=tuple(reversed(state.positions)), draws=tuple(reversed(state.draws))
    )
    assert sorted(plan(shuffled).writes, key=lambda w: w.position) == sorted(writes, key=lambda w: w.position)


@given(lanes(Policy.ESCROW))
def test_our_own_writes_never_change_what_is_left(state: LaneState) -> None:
    """Rights and levels move together, so a landed write is not a movement of goods."""
    pool = state.pools[0]
    assert goods_left(_landed(state, plan(state).writes), pool) == goods_left(state, pool)


@given(st.integers(0, 500), st.lists(st.floats(0.1, 50), min_size=1, max_size=5))
def test_shares_add_up_and_nobody_goes_empty_while_there_is_one_for_everybody(units: int, weights: list[float]) -> None:
    parts = divide(units, weights)
    assert sum(parts) == units
    assert min(parts) >= (1 if units >= len(weights) else 0)


def test_shares_follow_how_fast_each_store_sells() -> None:
    assert divide(10, [1.0, 1.0]) == [5, 5]
    assert divide(10, [3.0, 1.0]) == [7, 3]
    assert divide(1, [1.0, 1.0]) == [1, 0]
    assert divide(5, []) == []


def test_the_pool_of_a_state_is_the_one_that_its_counters_draw_on() -> None:
    state = lane(position("shopify", 5), goods=5)
    assert [draw.pool_id for draw in state.draws] == [POOL]
