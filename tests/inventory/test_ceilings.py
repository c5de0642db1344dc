"""More goods than a store's counter takes: it is filled to its most, kept filled, and the ledger loses nothing."""

from __future__ import annotations

import msgspec
import pytest

from builders.lanes import POOL, key, lane, position
from storebridge.inventory.planner import plan
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName
from storebridge.model.stock import LaneState, Measured, Policy, Position, Share

SHOPIFY, WIX = ConnectionName("shopify"), ConnectionName("wix")
MOST = {SHOPIFY: 1000, WIX: 99}
"""As the vendors' own 1,000,000,000 and 99,999, for numbers that can be read."""


def _lane(*positions: Position, goods: int, policy: Policy, **changes: object) -> LaneState:
    measured = {name: Measured(watched_seconds=1e6, units_per_hour=1.0, notice_seconds=10.0) for name in MOST}
    guards = frozenset({WIX}) if policy is Policy.GUARDED else frozenset[ConnectionName]()
    state = lane(*positions, goods=goods, policy=policy, **changes)
    return msgspec.structs.replace(state, most_per_counter=MOST, measured=measured, guards=guards)


def _writes(state: LaneState) -> list[tuple[str, int, int]]:
    return [(w.position.connection, w.from_level, w.to_level) for w in plan(state).writes]


@pytest.mark.parametrize("policy", list(Policy))
def test_a_store_is_shown_no_more_than_its_counter_takes(policy: Policy) -> None:
    state = _lane(position("shopify", 0), position("wix", 0), goods=500, policy=policy)
    levels = {store: level for store, _, level in _writes(state)}
    assert levels["wix"] == 99
    assert levels["shopify"] == {Policy.ESCROW: 401, Policy.HYBRID: 499}.get(policy, 500)


@pytest.mark.parametrize("policy", list(Policy))
def test_nothing_is_written_to_a_store_that_shows_its_most_already(policy: Policy) -> None:
    shopify = {Policy.ESCROW: 401, Policy.HYBRID: 499}.get(policy, 500)
    state = _lane(position("shopify", shopify), position("wix", 99), goods=500, policy=policy)
    assert _writes(state) == []


def test_under_mirror_each_sale_from_the_full_counter_refills_it() -> None:
    state = _lane(position("shopify", 500), position("wix", 97, 99), goods=500, policy=Policy.MIRROR)
    assert goods_left(state, state.pools[0]) == 498
    assert _writes(state) == [("shopify", 500, 498), ("wix", 97, 99)]


def test_under_escrow_a_full_counter_is_refilled_out_of_the_reserve_that_no_store_can_take() -> None:
    state = _lane(position("shopify", 1000), position("wix", 97, 99), goods=5000, policy=Policy.ESCROW)
    assert _writes(state) == [("wix", 97, 99)]


def test_under_escrow_the_other_store_gives_units_back_when_the_full_counter_is_half_sold() -> None:
    shown = {"shopify": 401}
    few = _lane(position("shopify", shown["shopify"]), position("wix", 60, 99), goods=500, policy=Policy.ESCROW)
    assert _writes(few) == []
    half = _lane(position("shopify", shown["shopify"]), position("wix", 49, 99), goods=500, policy=Policy.ESCROW)
    assert _writes(half) == [("shopify", 401, 351)]
    lowered = _lane(position("shopify", 351), position("wix", 49, 99), goods=500, policy=Policy.ESCROW)
    assert _writes(lowered) == [("wix", 49, 99)]


@pytest.mark.parametrize("policy", [Policy.HYBRID, Policy.GUARDED])
def test_a_full_counter_is_refilled_long_before_it_is_dry(policy: Policy) -> None:
    state = _lane(position("shopify", 410), position("wix", 9, 99), goods=500, policy=policy)
    assert ("wix", 9, 99) in _writes(state)


def test_a_store_with_two_counters_fills_both() -> None:
    here = [position("wix", 0, rank=0), position("wix", 0, rank=1, location="outlet")]
    state = _lane(position("shopify", 150), *here, goods=150, policy=Policy.MIRROR)
    assert [(w.position.location_id, w.to_level) for w in plan(state).writes] == [("loc", 99), ("outlet", 51)]


def test_a_counter_that_cannot_be_written_gives_no_room() -> None:
    here = [position("wix", 0, rank=0), position("wix", 0, rank=1, location="outlet", writable=False)]
    state = _lane(position("shopify", 150), *here, goods=150, policy=Policy.MIRROR)
    assert [(w.position, w.to_level) for w in plan(state).writes] == [(key("wix"), 99)]


def test_units_on_hold_take_their_room_on_the_counter() -> None:
    state = _lane(position("shopify", 500), position("wix", 20, 0, held=20), goods=500, policy=Policy.MIRROR)
    assert _writes(state) == [("wix", 20, 99)]


def test_an_allocation_below_the_most_decides_and_one_above_it_does_not() -> None:
    for units, shown in ((5, 5), (300, 99)):
        state = _lane(
            position("shopify", 500),
            position("wix", 0),
            goods=500,
            policy=Policy.MIRROR,
            allocation={WIX: Share(units=units)},
        )
        assert _writes(state) == [("wix", 0, shown)]


@pytest.mark.parametrize("policy", [Policy.MIRROR, Policy.ESCROW])
def test_a_bundle_is_shown_no_more_often_than_its_counter_takes(policy: Policy) -> None:
    state = _lane(position("wix", 0, bundle="SET"), goods=500, policy=policy, weight=2)
    assert _writes(state) == [("wix", 0, 99)]


def test_what_no_counter_takes_is_in_the_books() -> None:
    state = _lane(position("shopify", 1000), position("wix", 99), goods=5000, policy=Policy.MIRROR)
    assert (goods_left(state, state.pools[0]), _writes(state)) == (5000, [])
    assert state.pools[0].pool_id == POOL
