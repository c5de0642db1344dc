"""Hybrid: what is left less the others' allowances; escrow where it must be, without a switch."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.lanes import STORES, lane, on_the_wire, position
from storebridge.inventory.channels import channels_of
from storebridge.inventory.planner import plan
from storebridge.inventory.policies.hybrid import allowance
from storebridge.inventory.risk import most_sold, reach
from storebridge.model.ids import ConnectionName
from storebridge.model.stock import LaneState, Measured, Policy, Position, Share

CALM = Measured(watched_seconds=3600.0, units_per_hour=2.0, notice_seconds=5.0)
BUSY = msgspec.structs.replace(CALM, units_per_hour=120.0, largest_sale=3)
CUT_OFF = msgspec.structs.replace(CALM, unreadable_seconds=61.0)
NEW = Measured(watched_seconds=899.0, units_per_hour=2.0, notice_seconds=5.0)


def _lane(
    *positions: Position, goods: int, measured: tuple[Measured, ...] = (CALM, CALM), **changes: object
) -> LaneState:
    state = lane(*positions, goods=goods, policy=Policy.HYBRID, **changes)
    named = {one.key.connection: told for one, told in zip(positions, measured, strict=True)}
    return msgspec.structs.replace(state, measured=named)


def _wanted(state: LaneState) -> dict[str, int]:
    shown = {p.key.connection: p.level for p in state.positions}
    return {**shown, **{w.position.connection: w.to_level for w in plan(state).writes}}


def test_each_store_shows_all_but_the_allowance_of_the_other() -> None:
    assert _wanted(_lane(position("shopify", 100), position("wix", 100), goods=100)) == {"shopify": 99, "wix": 99}


def test_a_busy_store_costs_the_other_more() -> None:
    state = _lane(position("shopify", 100), position("wix", 100), goods=100, measured=(BUSY, CALM))
    shopify, _ = channels_of(state)
    allowed = allowance(state, state.pools[0], shopify)
    assert allowed > 3
    assert _wanted(state) == {"shopify": 99, "wix": 100 - allowed}


def test_a_pool_no_larger_than_the_allowances_is_shared() -> None:
    assert _wanted(_lane(position("shopify", 2), position("wix", 2), goods=2)) == {"shopify": 1, "wix": 1}


def test_a_store_that_does_not_answer_keeps_its_level_and_the_other_gets_the_rest() -> None:
    state = _lane(position("shopify", 99), position("wix", 60), goods=100, measured=(CALM, CUT_OFF))
    assert _wanted(state)["shopify"] == 40
    back = _lane(position("shopify", 40, 99), position("wix", 60), goods=100)
    assert _wanted(back)["shopify"] == 40  # 59 units were sold meanwhile; 41 are left


def test_where_a_pool_must_be_shared_and_a_store_cannot_be_lowered_to_its_share_the_other_gets_the_rest() -> None:
    """Both were exposed; the lower of the one that is cut off is on the wire and counts as not done."""
    away = position("shopify", 33, open_write=on_the_wire(-8))
    state = _lane(away, position("wix", 15), goods=40, measured=(CUT_OFF, BUSY))
    assert _wanted(state)["wix"] == 7
    answered = _lane(position("shopify", 33), position("wix", 15), goods=40, measured=(CALM, BUSY))
    assert _wanted(answered)["wix"] > 7


def test_a_raise_in_doubt_counts_as_shown_there() -> None:
    away = position("shopify", 10, open_write=on_the_wire(6))
    assert _wanted(_lane(away, position("wix", 20), goods=20, measured=(CUT_OFF, BUSY)))["wix"] == 4


def test_a_store_of_which_nothing_is_known_makes_it_escrow() -> None:
    state = _lane(position("shopify", 50), position("wix", 50), goods=100, measured=(CALM, NEW))
    assert _wanted(state) == {"shopify": 50, "wix": 50}
    assert _wanted(lane(position("shopify", 50), position("wix", 50), goods=100, policy=Policy.HYBRID)) == {
        "shopify": 50,
        "wix": 50,
    }


def test_safety_stock_and_channel_allocation_bound_what_is_shown() -> None:
    allocation = {ConnectionName("wix"): Share(units=10)}
    state = _lane(position("shopify", 100), position("wix", 100), goods=100, safety_stock=20, allocation=allocation)
    assert _wanted(state) == {"shopify": 79, "wix": 10}


def test_a_small_change_of_an_allowance_causes_no_raise() -> None:
    assert plan(_lane(position("shopify", 96), position("wix", 99), goods=100)).writes == ()
    assert _wanted(_lane(position("shopify", 93), position("wix", 99), goods=100)) == {"shopify": 99, "wix": 99}


@pytest.mark.parametrize("measured", [CALM, BUSY])
def test_what_is_shown_together_never_jumps_up_when_a_unit_is_sold(measured: Measured) -> None:
    """From shares to exposure and back: one unit less in the pool never shows more."""
    shown = []
    for left in range(1, 80):
        state = _lane(position("shopify", 0), position("wix", 0), goods=left, measured=(measured, measured))
        shown.append(sum(_wanted(state).values()))
    assert all(before <= after <= before + 2 for before, after in itertools.pairwise(shown))


@given(st.floats(0, 500), st.floats(1, 900), st.sampled_from([0.1, 0.01, 0.001, 1e-5]), st.integers(1, 5))
def test_an_allowance_grows_with_sales_time_and_caution(rate: float, seconds: float, risk: float, size: int) -> None:
    allowed = most_sold(rate, seconds, risk, size)
    assert allowed >= size
    assert most_sold(rate + 1, seconds, risk, size) >= allowed
    assert most_sold(rate, seconds * 2, risk, size) >= allowed
    assert most_sold(rate, seconds, risk / 10, size) >= allowed


@given(st.integers(-3, 500))
def test_a_store_that_is_silent_could_sell_all_that_it_shows_and_no_more(level: int) -> None:
    assert reach(level, CUT_OFF, 0.001) == max(0, level)


@given(st.lists(st.integers(0, 60), min_size=3, max_size=3), st.integers(0, 120))
def test_what_hybrid_raises_stays_within_its_exposure(levels: list[int], goods: int) -> None:
    counters = [position(store, level) for store, level in zip(STORES, levels, strict=True)]
    state = _lane(*counters, goods=goods, measured=(CALM, CALM, BUSY))
    allowed = [allowance(state, state.pools[0], one) for one in channels_of(state)]
    left = max(0, goods - sum(levels) + sum(levels))
    spare = max(0, left - sum(allowed))
    raised = sum(max(0, write.delta) for write in plan(state).writes)
    assert raised <= max(0, goods - sum(levels) + 2 * spare)
