"""Policy guarded: what open stores show, what a checkout may hold, and how far its guard is relied on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from builders.lanes import POOL, lane, on_the_wire, position
from storebridge.inventory.guard_health import FAILED, GuardFacts, judge_guard
from storebridge.inventory.planner import plan
from storebridge.inventory.pools import guarantee_holds
from storebridge.inventory.reservations import cover, drop_impossible, free, hold, note_fall, shortages
from storebridge.model.checkouts import GuardMode, GuardTerms, Reservation
from storebridge.model.ids import ConnectionName, OrderId
from storebridge.model.stock import LaneState, Policy

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
WIX = ConnectionName("wix")
TERMS = GuardTerms()
Writes = list[tuple[str, int, int, str]]


def held(units: int, covered: int | None = None, flow: str = "flow", **changes: Any) -> Reservation:
    one = Reservation(flow, WIX, POOL, units, units if covered is None else covered, units, NOW, NOW, NOW + TERMS.hold)
    return msgspec.structs.replace(one, **changes)


def as_held(*ones: Reservation) -> dict[Any, Reservation]:
    return {(one.flow, one.pool_id): one for one in ones}


def guarded(
    shopify: int, wix: int, goods: int, *ones: Reservation, granted: int | None = None, **changes: Any
) -> LaneState:
    """Shopify sells to anybody, Wix asks; ``granted`` to Shopify, where it has sold since."""
    state = lane(
        position("shopify", shopify, granted, **changes), position("wix", wix), goods=goods, policy=Policy.GUARDED
    )
    reserved = sum(one.units for one in ones)
    expected = sum(min(one.units, one.seen) for one in ones)
    return msgspec.structs.replace(
        state,
        guards=frozenset({WIX}),
        reserved={POOL: reserved},
        held_by={(WIX, POOL): reserved},
        expected={POOL: expected},
    )


def written(state: LaneState) -> Writes:
    return sorted((w.position.connection, w.from_level, w.to_level, w.reason) for w in plan(state).writes)


def test_both_stores_show_all_that_is_left() -> None:
    assert written(guarded(5, 5, 10)) == [("shopify", 5, 10, "show_pool"), ("wix", 5, 10, "show_pool")]


def test_a_hold_lowers_the_store_that_does_not_ask_and_leaves_the_one_that_does() -> None:
    assert written(guarded(10, 10, 10, held(3, 0))) == [("shopify", 10, 7, "hold_for_checkout")]


def test_a_hold_is_covered_when_the_lower_is_confirmed_and_not_before() -> None:
    one = held(3, 0)
    assert cover(guarded(10, 10, 10, one), as_held(one)) == []
    assert cover(guarded(10, 10, 10, one, open_write=on_the_wire(-3)), as_held(one)) == []
    assert cover(guarded(7, 10, 10, one), as_held(one)) == [msgspec.structs.replace(one, covered=3)]


def test_a_raise_on_the_wire_counts_as_shown() -> None:
    one = held(3, 0)
    assert cover(guarded(7, 10, 10, one, open_write=on_the_wire(2)), as_held(one)) == []


def test_the_first_to_ask_is_covered_first() -> None:
    first, second = held(2, 0, "b"), held(2, 0, "a", asked_at=NOW + timedelta(seconds=1))
    assert cover(guarded(8, 10, 10, first, second), as_held(first, second)) == [
        msgspec.structs.replace(first, covered=2)
    ]


def test_a_basket_may_hold_what_is_left_and_nobody_holds() -> None:
    one = held(4)
    state = guarded(6, 10, 10, one)
    assert shortages(state, as_held(one), "other", {POOL: 4}, TERMS) == {}
    assert shortages(state, as_held(one), "other", {POOL: 5}, TERMS) == {POOL: 4}  # 8 of 10 may be held together
    assert shortages(state, as_held(one), "flow", {POOL: 9}, TERMS) == {POOL: 8}
    assert shortages(guarded(99, 99, 99), {}, "flow", {POOL: 21}, TERMS) == {POOL: 20}


def test_asking_again_changes_nothing_and_a_smaller_basket_is_freed_later() -> None:
    one = held(4)
    state = guarded(6, 10, 10, one)
    assert hold(state, as_held(one), WIX, "flow", {POOL: 4}, TERMS, NOW) == []
    (smaller,) = hold(state, as_held(one), WIX, "flow", {POOL: 1}, TERMS, NOW)
    assert (smaller.units, smaller.covered, smaller.wanted) == (4, 4, 1)
    assert smaller.free_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(("read_after", "units"), [(29, 4), (30, 0)])
def test_a_hold_ends_with_a_reading_that_was_sent_late_enough(read_after: int, units: int) -> None:
    one = held(4, wanted=0, free_at=NOW + timedelta(seconds=30))
    state = guarded(6, 10, 10, one)
    read = [
        msgspec.structs.replace(p, read_at=NOW + timedelta(seconds=read_after)) if p.key.connection == WIX else p
        for p in state.positions
    ]
    freed = free(msgspec.structs.replace(state, positions=tuple(read)), as_held(one), NOW + timedelta(minutes=1))
    assert [r.units for r in freed] == ([] if units else [0])


@pytest.mark.parametrize(("seen", "ended"), [(0, []), (4, [0])])
def test_an_order_ends_its_hold_when_the_fall_was_seen(seen: int, ended: list[int]) -> None:
    """A reading may lag behind the order (W15): without the fall it proves nothing for twenty seconds."""
    one = held(4, wanted=0, free_at=NOW, order_id=OrderId("o"), seen=seen)
    state = guarded(6, 6, 10, one)
    read = tuple(msgspec.structs.replace(p, read_at=NOW + timedelta(seconds=5)) for p in state.positions)
    assert [r.units for r in free(msgspec.structs.replace(state, positions=read), as_held(one), NOW)] == ended


def test_a_fall_that_was_another_checkouts_order_is_no_fall_of_this_one() -> None:
    """The first to ask was thought to have bought; then the order of the second is known and in the level."""
    late = NOW + timedelta(seconds=30)
    first = held(1, flow="first", seen=1, seen_at=NOW)
    second = held(1, flow="second", wanted=0, order_id=OrderId("2"), free_at=NOW)
    state = guarded(3, 5, 5, first, second)
    read = tuple(msgspec.structs.replace(position, read_at=late) for position in state.positions)
    state = msgspec.structs.replace(state, positions=read)
    ended = {one.flow: (one.units, one.seen, one.seen_at) for one in free(state, as_held(first, second), late)}
    assert ended == {"second": (0, 0, None), "first": (1, 0, None)}


def test_units_that_a_checkout_holds_are_handed_to_nobody_while_goods_are_divided() -> None:
    state = guarded(3, 2, 8, held(5))
    divided = msgspec.structs.replace(
        state, pools=tuple(msgspec.structs.replace(pool, policy=Policy.ESCROW) for pool in state.pools)
    )
    assert [to for store, _, to, _ in written(divided) if store == "shopify"] == []
    free_again = msgspec.structs.replace(divided, reserved={})
    assert sum(to - level for _, level, to, _ in written(free_again)) == 3


def test_a_fall_that_a_checkout_explains_lowers_nobody() -> None:
    (seen,) = note_fall([held(3)], 3, NOW)
    state = guarded(7, 7, 10, seen)
    sold = tuple(msgspec.structs.replace(p, granted=10) if p.key.connection == WIX else p for p in state.positions)
    assert written(msgspec.structs.replace(state, positions=sold)) == []


def test_no_store_is_lowered_for_a_basket_that_cannot_be_held() -> None:
    one = held(3, 0)
    sold_out = guarded(1, 10, 10, one, granted=10)
    assert drop_impossible(sold_out, as_held(one)) == [msgspec.structs.replace(one, units=0)]


def test_the_promise_holds_while_open_stores_and_holds_leave_nothing_over() -> None:
    (pool,) = guarded(7, 10, 10).pools
    assert guarantee_holds(guarded(7, 10, 10, held(3)), pool) is None
    assert guarantee_holds(guarded(8, 10, 10, held(3)), pool) == (
        "the stores may still show more than exists: waiting for levels to be lowered"
    )


def facts(*probes: int, mode: GuardMode = GuardMode.GUARDED, **changes: Any) -> GuardFacts:
    return msgspec.structs.replace(GuardFacts(mode, NOW, None, probes, None), **changes)


@pytest.mark.parametrize(
    ("found", "mode"),
    [
        (facts(5, 5, 5), GuardMode.GUARDED),
        (facts(5, 900, 5), GuardMode.GUARDED),
        (facts(5, 900, FAILED), GuardMode.SHARES),
        (facts(5, 5, mode=GuardMode.SHARES), GuardMode.SHARES),
        (facts(FAILED, 5, 5, mode=GuardMode.SHARES), GuardMode.SHARES),
        (facts(5, 5, 5, mode=GuardMode.SHARES), GuardMode.GUARDED),
        (facts(5, 5, 5, proven_at=None), GuardMode.SHARES),
        (facts(5, 5, 5, unreachable="shopify does not answer"), GuardMode.SHARES),
        (facts(5, 5, 5, past_at=NOW - timedelta(hours=23)), GuardMode.BOUNDED),
        (facts(5, 5, 5, past_at=NOW - timedelta(hours=25)), GuardMode.GUARDED),
    ],
)
def test_how_far_a_guard_is_relied_on(found: GuardFacts, mode: GuardMode) -> None:
    assert judge_guard(found, TERMS, NOW)[0] is mode


def test_ways_to_buy_that_do_not_ask_bound_the_promise() -> None:
    terms = GuardTerms(bypass_channels=True)
    assert judge_guard(facts(5, 5, 5), terms, NOW) == (GuardMode.BOUNDED, "the site has ways to buy that do not ask")
