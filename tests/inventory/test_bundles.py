"""A bundle's counter draws on the pools of its components: what it shows, and what it leaves to them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storebridge.inventory.channels import channels_of
from storebridge.inventory.observe import Condition, HoldRules, fold_reading
from storebridge.inventory.planner import plan
from storebridge.inventory.pools import goods_left, pessimistic_reserve, reserve
from storebridge.model.ids import ConnectionName, ItemId, LocationId, PoolId
from storebridge.model.stock import Draw, LaneState, LevelReading, PlannedWrite, Policy, Pool, Position, PositionKey

Counters = Mapping[tuple[str, str], int]
"""(store, SKU) to what its counter shows."""
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GIFT = {"MUG": 2, "TEA": 1}


def at(store: str, sku: str) -> PositionKey:
    return PositionKey(ConnectionName(store), ItemId(sku), LocationId("main"))


def lane_of(
    goods: Mapping[str, int],
    counters: Counters,
    recipes: Mapping[str, Mapping[str, int]],
    policy: Policy = Policy.MIRROR,
    **settings: int,
) -> LaneState:
    """Rights are what is shown."""
    pools = tuple(Pool(PoolId(sku), sku, units, policy, **settings) for sku, units in sorted(goods.items()))
    positions = tuple(
        Position(at(*name), units, units, bundle=name[1] if name[1] in recipes else None)
        for name, units in sorted(counters.items())
    )
    draws = tuple(
        Draw(at(store, sku), PoolId(part), units)
        for store, sku in sorted(counters)
        for part, units in recipes.get(sku, {sku: 1}).items()
    )
    return LaneState(pools, positions, draws)


def targets(state: LaneState) -> dict[tuple[str, str], int]:
    return {(write.position.connection, write.position.item_id): write.to_level for write in plan(state).writes}


def with_write(state: LaneState, write: PlannedWrite) -> LaneState:
    """One of our writes took effect and was answered."""
    moved = tuple(
        msgspec.structs.replace(p, level=p.level + write.delta, granted=p.granted + write.delta)
        if p.key == write.position
        else p
        for p in state.positions
    )
    return LaneState(state.pools, moved, state.draws, state.velocity)


def shown_units(state: LaneState, sku: str) -> int:
    return sum(channel.units(PoolId(sku)) for channel in channels_of(state))


def test_under_mirror_a_bundle_shows_what_its_scarcest_component_allows() -> None:
    counters = {("shopify", "MUG"): 9, ("shopify", "TEA"): 7, ("wix", "GIFT"): 0}
    assert targets(lane_of({"MUG": 9, "TEA": 7}, counters, {"GIFT": GIFT})) == {("wix", "GIFT"): 4}


def test_a_sold_bundle_takes_all_of_its_components_from_every_store() -> None:
    state = lane_of(
        {"MUG": 9, "TEA": 7}, {("shopify", "MUG"): 9, ("shopify", "TEA"): 7, ("wix", "GIFT"): 4}, {"GIFT": GIFT}
    )
    sold = tuple(msgspec.structs.replace(p, level=3) if p.key == at("wix", "GIFT") else p for p in state.positions)
    state = LaneState(state.pools, sold, state.draws)
    assert {pool.sku: goods_left(state, pool) for pool in state.pools} == {"MUG": 7, "TEA": 6}
    assert targets(state) == {("shopify", "MUG"): 7, ("shopify", "TEA"): 6}


def test_safety_stock_of_a_component_is_kept_from_its_bundle() -> None:
    counters = {("shopify", "MUG"): 8, ("shopify", "TEA"): 6, ("wix", "GIFT"): 4}
    state = lane_of({"MUG": 9, "TEA": 7}, counters, {"GIFT": GIFT}, safety_stock=2)
    assert targets(state) == {("shopify", "MUG"): 7, ("shopify", "TEA"): 5, ("wix", "GIFT"): 3}


@pytest.mark.parametrize("change", [1, 3, 500])
def test_every_raise_of_a_bundle_is_held_however_small(change: int) -> None:
    bundle = Position(at("wix", "GIFT"), 4, 4, bundle="GIFT")
    reading = LevelReading(ItemId("GIFT"), LocationId("main"), 4 + change)
    rules = HoldRules(Policy.MIRROR, 200)
    folded = fold_reading(bundle, reading, sent_at=NOON, rules=rules, written_at=None)
    assert (folded.position.held, folded.condition) == (change, Condition.CHANGE_HELD)


def test_under_escrow_a_unit_is_a_right_of_the_bundle_or_of_the_component_and_never_of_both() -> None:
    counters = {("shopify", "MUG"): 10, ("shopify", "TEA"): 10, ("wix", "GIFT"): 0}
    state = settled(lane_of({"MUG": 10, "TEA": 10}, counters, {"GIFT": GIFT}, Policy.ESCROW), random.Random(1))
    assert {str(p.key.item_id): p.level for p in state.positions} == {"GIFT": 2, "MUG": 6, "TEA": 8}


def test_what_a_bundle_cannot_use_of_one_component_goes_to_that_components_own_counters() -> None:
    counters = {("shopify", "MUG"): 0, ("shopify", "TEA"): 0, ("wix", "GIFT"): 0}
    state = settled(lane_of({"MUG": 3, "TEA": 50}, counters, {"GIFT": GIFT}, Policy.ESCROW), random.Random(1))
    assert {sku: shown_units(state, sku) for sku in ("MUG", "TEA")} == {"MUG": 3, "TEA": 50}


def settled(state: LaneState, chance: random.Random) -> LaneState:
    """Apply what is planned, one write after the other in any order, until nothing is planned any more."""
    for _ in range(400):
        for pool in state.pools:
            if pessimistic_reserve(state, pool) >= 0:
                assert shown_units(state, pool.sku) <= goods_left(state, pool)
        writes = plan(state).writes
        if not writes:
            return state
        state = with_write(state, chance.choice(writes))
    raise AssertionError("it moves for ever")


recipes = st.fixed_dictionaries(
    {
        "GIFT": st.dictionaries(st.sampled_from(["MUG", "TEA", "BOX"]), st.integers(1, 3), min_size=1),
        "PAIR": st.dictionaries(st.sampled_from(["MUG", "TEA", "BOX"]), st.integers(1, 2), min_size=1),
    }
)
places = [(store, sku) for store in ("shopify", "wix") for sku in ("MUG", "TEA", "BOX", "GIFT", "PAIR")]


@settings(max_examples=400, deadline=None)
@given(
    goods=st.fixed_dictionaries({sku: st.integers(0, 25) for sku in ("MUG", "TEA", "BOX")}),
    counters=st.fixed_dictionaries({place: st.integers(0, 12) for place in places}),
    recipes=recipes,
    left_out=st.sets(st.sampled_from(places[:3] + places[8:]), max_size=4),
    velocity=st.fixed_dictionaries({store: st.floats(0, 9) for store in ("shopify", "wix")}),
    chance=st.randoms(use_true_random=False),
)
def test_under_escrow_shares_come_to_rest_and_all_that_is_left_can_be_sold(
    goods: dict[str, int],
    counters: dict[tuple[str, str], int],
    recipes: dict[str, dict[str, int]],
    left_out: set[tuple[str, str]],
    velocity: dict[str, float],
    chance: random.Random,
) -> None:
    """From any opening: no pool shows more than is left, nothing moves for ever, and no unit stays in the reserve while
    an ordinary counter could sell it."""
    kept = {place: units for place, units in counters.items() if place not in left_out or place[0] == "shopify"}
    opened = lane_of(goods, kept, recipes, Policy.ESCROW)
    state = LaneState(opened.pools, opened.positions, opened.draws, {ConnectionName(k): v for k, v in velocity.items()})
    state = settled(state, chance)
    for pool in state.pools:
        assert reserve(state, pool) == 0
        assert shown_units(state, pool.sku) == goods_left(state, pool) == pool.goods


def leaving(state: LaneState, sku: str = "GIFT") -> LaneState:
    """The SKU is a bundle no more; its counters are on their way out."""
    moved = tuple(msgspec.structs.replace(p, leaving=True) if p.key.item_id == sku else p for p in state.positions)
    return LaneState(state.pools, moved, state.draws, state.velocity)


@pytest.mark.parametrize("recipe", [GIFT, {"MUG": 1}, {"MUG": 3}])
@pytest.mark.parametrize("policy", [Policy.MIRROR, Policy.ESCROW])
def test_what_leaves_is_lowered_to_zero_in_one_step_and_never_raised(policy: Policy, recipe: dict[str, int]) -> None:
    counters = {("shopify", "MUG"): 5, ("wix", "GIFT"): 2, ("shopify", "TEA"): 3}
    state = lane_of({"MUG": 11, "TEA": 5}, counters, {"GIFT": recipe}, policy)
    assert targets(leaving(state))["wix", "GIFT"] == 0
    (lower,) = [write for write in plan(leaving(state)).writes if write.position.item_id == "GIFT"]
    gone = leaving(with_write(state, lower))
    assert ("wix", "GIFT") not in targets(gone)
    rest = gone
    for _ in range(9):
        for write in plan(rest).writes:
            rest = with_write(rest, write)
    assert {p.key.item_id: p.level for p in rest.positions} == {"MUG": 11, "TEA": 5, "GIFT": 0}


def test_a_last_set_that_nobody_needs_the_units_of_is_taken_back_all_the_same() -> None:
    """Shares move only where it pays; what leaves is no share."""
    counters = {("shopify", "MUG"): 5, ("shopify", "TEA"): 5, ("wix", "GIFT"): 1}
    state = lane_of({"MUG": 6, "TEA": 6}, counters, {"GIFT": {"MUG": 1, "TEA": 1}}, Policy.ESCROW)
    assert targets(leaving(state)) == {("wix", "GIFT"): 0}
