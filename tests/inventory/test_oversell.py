"""Who loses when more was sold than exists, and which cancelled units never existed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from builders.orders import PLACED, SHOPIFY, WIX, eur, make_line, make_order, make_parcel
from storebridge.inventory.claims import called_off, claim_of, paid_at, restocked_since, taken_off, units_beside
from storebridge.inventory.oversell import Claim, choose_losers, voided_units
from storebridge.model.ids import ConnectionName, ItemId, OrderKey
from storebridge.model.sales import Payment, PaymentKind, PaymentOutcome, Refund, RefundLine, Return, Standing

MUG = ItemId("mug")


def later(minutes: float) -> datetime:
    return PLACED + timedelta(minutes=minutes)


def claim(name: str, units: int = 1, *, paid: float | None = 0, store: ConnectionName = SHOPIFY) -> Claim:
    return Claim(OrderKey(name), store, name, PLACED, None if paid is None else later(paid), units)


def losing(*claims: Claim, short: int, first: tuple[ConnectionName, ...] = ()) -> list[tuple[str, int]]:
    return [(loser.claim.name, loser.units) for loser in choose_losers(claims, short, first)]


def mug(units: int = 1, **facts: Any) -> Any:
    return make_line("l1", units, **{"item_id": MUG, **facts})


def paid(minutes: float, outcome: PaymentOutcome = PaymentOutcome.SUCCESS) -> Payment:
    return Payment(f"p{minutes}", PaymentKind.SALE, outcome, eur("10.00"), later(minutes))


def test_the_last_paid_lose_until_what_is_missing_is_covered() -> None:
    orders = claim("early", 2, paid=1), claim("middle", 2, paid=2), claim("late", 2, paid=3)
    assert losing(*orders, short=1) == [("late", 1)]
    assert losing(*orders, short=2) == [("late", 2)]
    assert losing(*orders, short=3) == [("late", 2), ("middle", 1)]
    assert losing(*orders, short=9) == [("late", 2), ("middle", 2), ("early", 2)]
    assert losing(*orders, short=0) == []


def test_an_order_that_nobody_paid_loses_before_any_that_was() -> None:
    assert losing(claim("paid late", paid=99), claim("unpaid", paid=None), short=1) == [("unpaid", 1)]


def test_a_store_that_comes_first_keeps_whatever_the_time() -> None:
    orders = claim("shop", paid=9), claim("wix", paid=1, store=WIX)
    assert losing(*orders, short=1) == [("shop", 1)]
    assert losing(*orders, short=1, first=(SHOPIFY,)) == [("wix", 1)]
    assert losing(*orders, short=1, first=(WIX, SHOPIFY)) == [("shop", 1)]


def test_orders_paid_in_the_same_moment_are_told_apart_by_their_keys_in_any_sequence() -> None:
    one, two = claim("a"), claim("b")
    assert losing(one, two, short=1) == losing(two, one, short=1) == [("b", 1)]


def test_what_has_left_or_was_cancelled_is_no_claim() -> None:
    key = OrderKey("k")
    part = make_order(mug(3, fulfilled=2), parcels=(make_parcel(units=2),))
    assert claim_of(key, part, {MUG: 2}) == Claim(key, SHOPIFY, "#1001", PLACED, None, 2)
    assert claim_of(key, make_order(mug(2, fulfilled=2)), {MUG: 1}) is None
    assert claim_of(key, make_order(mug(2), standing=Standing.CANCELLED), {MUG: 1}) is None
    assert claim_of(key, make_order(mug(2)), {ItemId("other"): 1}) is None


def test_an_order_is_paid_when_the_last_of_its_money_came_in() -> None:
    assert paid_at(make_order(payments=(paid(1), paid(5), paid(9, PaymentOutcome.FAILED)))) == later(5)
    assert paid_at(make_order()) is None


@pytest.mark.parametrize(("off", "left", "voided"), [(2, -1, 1), (2, -5, 2), (2, 0, 0), (2, 3, 0)])
def test_cancelled_units_never_existed_only_as_far_as_the_pool_was_short(off: int, left: int, voided: int) -> None:
    assert voided_units(off, left) == voided


def test_called_off_are_units_that_neither_left_nor_came_back() -> None:
    order = make_order(mug(5, fulfilled=1), standing=Standing.CANCELLED, cancelled_at=later(60))
    assert called_off(order, {"l1": 5}) == {MUG: 4}
    assert called_off(order, {"l1": 3}) == {MUG: 2}
    assert called_off(order, {}) == {}
    assert called_off(replace(order, standing=Standing.OPEN), {"l1": 5}) == {}


def test_what_was_refunded_without_restock_long_before_is_not_called_off_now() -> None:
    lost = Refund("r1", later(1), eur("10.00"), (RefundLine("l1", 2, 0, eur("10.00")),))
    own = Refund("r2", later(60), eur("10.00"), (RefundLine("l1", 3, 0, eur("10.00")),))
    order = make_order(mug(5), standing=Standing.CANCELLED, cancelled_at=later(60), refunds=(lost, own))
    assert called_off(order, {"l1": 5}) == {MUG: 3}


@pytest.mark.parametrize(
    ("refunded_at", "units", "restocked", "off"),
    [(5, 1, 0, 2), (1, 1, 0, 1), (5, 2, 0, 1), (5, 3, 0, 0), (5, 1, 1, 2)],
    ids=["after it was sent", "before", "two of which one was sent", "all", "came back"],
)
def test_a_unit_that_was_sent_and_then_refunded_is_not_taken_off_twice(
    refunded_at: float, units: int, restocked: int, off: int
) -> None:
    """Three ordered, one sent after two minutes; so many refunded, and the rest called off after an hour."""
    refund = Refund("r1", later(refunded_at), eur("10.00"), (RefundLine("l1", units, restocked, eur("10.00")),))
    undone = make_parcel("p0", 3, created_at=later(0), cancelled=True)
    of_another_line = make_parcel("p2", 3, line="l2", created_at=later(2))
    parcels = (undone, make_parcel("p1", 1, created_at=later(2)), of_another_line)
    facts = {"standing": Standing.CANCELLED, "cancelled_at": later(60), "refunds": (refund,), "parcels": parcels}
    order = make_order(mug(3, fulfilled=1, refunded=units, restocked=restocked), **facts)
    assert called_off(order, {"l1": 3 - restocked}).get(MUG, 0) == off


def test_whatever_was_sent_refunded_and_put_back_before_only_units_that_still_waited_are_called_off() -> None:
    """Three ordered, some sent after two minutes and some more after four; two refunds, before, between or after. Each
    unit is followed by hand: a refund is about one that had been sent by then, where there is any."""
    refunds = [(at, units, back) for at in (1, 3, 5) for units in (1, 2) for back in range(units + 1)]
    for sent, first, second in product(product(range(3), range(2)), refunds, refunds):
        waits, away, put_back = 3, 0, 0
        days = [(2, "sent", sent[0], 0), (4, "sent", sent[1], 0), (first[0], "back", *first[1:])]
        possible = True
        for _, what, units, back in sorted([*days, (second[0], "back", *second[1:])], key=lambda day: day[0]):
            of_sent = min(units, away) if what == "back" else 0
            waits, put_back = waits - (units - of_sent), put_back + back
            away += units if what == "sent" else -of_sent
            possible = possible and waits >= 0
        if possible:
            told = tuple(
                Refund(f"r{n}", later(at), eur("10.00"), (RefundLine("l1", units, back, eur("10.00")),))
                for n, (at, units, back) in enumerate((first, second))
            )
            parcels = (make_parcel("p1", sent[0], created_at=later(2)), make_parcel("p2", sent[1], created_at=later(4)))
            line = mug(3, fulfilled=sum(sent), refunded=first[1] + second[1], restocked=put_back)
            facts = {"standing": Standing.CANCELLED, "cancelled_at": later(60), "refunds": told, "parcels": parcels}
            found = called_off(make_order(line, **facts), {"l1": 3 - put_back}).get(MUG, 0)
            assert found == waits, (sent, first, second)


def test_where_units_came_back_and_no_refund_says_which_none_counts_as_sent() -> None:
    """Wix tells of the line only that one came back: four ordered, one sent, one refunded."""
    told = Refund("r1", later(5), eur("10.00"), (RefundLine("l1", 1, 0, eur("10.00")),))
    facts = {"standing": Standing.CANCELLED, "cancelled_at": later(60), "refunds": (told,)}
    parcels = (make_parcel("p1", 1, created_at=later(2)),)
    assert called_off(make_order(mug(4, fulfilled=1, restocked=1), parcels=parcels, **facts), {"l1": 3}) == {MUG: 1}
    assert called_off(make_order(mug(4, fulfilled=1), parcels=parcels, **facts), {"l1": 4}) == {MUG: 3}


def test_two_refunds_do_not_take_the_same_sent_unit() -> None:
    lost = [Refund(f"r{at}", later(at), eur("10.00"), (RefundLine("l1", 1, 0, eur("10.00")),)) for at in (5, 6)]
    facts = {"standing": Standing.CANCELLED, "cancelled_at": later(60), "refunds": tuple(lost)}
    order = make_order(mug(4, fulfilled=1, refunded=2), parcels=(make_parcel("p1", 1, created_at=later(2)),), **facts)
    assert called_off(order, {"l1": 4}) == {MUG: 2}


def test_restocks_are_told_by_refunds_and_by_the_cancellation_itself() -> None:
    early = Refund("r1", later(1), eur("10.00"), (RefundLine("l1", 1, 1, eur("10.00")),))
    late = Refund("r2", later(9), eur("10.00"), (RefundLine("l1", 2, 2, eur("20.00")),))
    refunded = make_order(mug(5, restocked=3), refunds=(early, late))
    assert restocked_since(refunded, later(5)) == {MUG: 2}
    assert restocked_since(refunded, later(10)) == {}
    cancelled = make_order(mug(5, restocked=5), refunds=(early,), cancelled_at=later(8))
    assert restocked_since(cancelled, later(5)) == {MUG: 4}
    assert restocked_since(cancelled, later(8)) == {}


def test_where_refunds_do_not_say_what_came_back_all_of_it_came_with_them_or_none_can_be_dated() -> None:
    """Wix tells restocks of the line only."""
    told = (refunded(4, 1), refunded(9, 2))
    assert restocked_since(make_order(mug(5, refunded=3, restocked=3), refunds=told), later(5)) == {MUG: 2}
    assert restocked_since(make_order(mug(5, refunded=3, restocked=3), refunds=told), later(10)) == {}
    assert restocked_since(make_order(mug(5, refunded=3, restocked=2), refunds=told), later(5)) == {}
    returned = (Return("t1", "closed", (), later(3)),)
    kept = make_order(mug(5, refunded=3, restocked=3), refunds=told, returns=returned)
    assert restocked_since(kept, later(5)) == {}, "a return may have brought them before"


def refunded(at: float, units: int, restocked: int = 0) -> Refund:
    return Refund(f"r{at}", later(at), eur("10.00"), (RefundLine("l1", units, restocked, eur("10.00")),))


def taken(line: Any, *refunds: Refund, **facts: Any) -> list[tuple[str, int]]:
    found = taken_off(make_order(line, refunds=refunds, updated_at=later(90), **facts))
    return [(one.how, one.units[MUG]) for one in found]


@pytest.mark.parametrize(
    ("refunded_at", "units", "restocked", "off"),
    [(1, 2, 0, [2]), (5, 2, 0, [1]), (5, 1, 0, []), (1, 2, 1, [1]), (1, 1, 1, [])],
    ids=["before it was sent", "one had been sent", "that had been sent", "one came back", "came back"],
)
def test_taken_off_is_what_was_refunded_before_it_was_sent_and_did_not_come_back(
    refunded_at: float, units: int, restocked: int, off: list[int]
) -> None:
    """Three ordered, one sent after two minutes."""
    parcels = (make_parcel("p1", 1, created_at=later(2)),)
    line = mug(3, current=3 - units, fulfilled=1, refunded=units, restocked=restocked)
    found = taken(line, refunded(refunded_at, units, restocked), parcels=parcels)
    assert found == [("refunded", count) for count in off]


def test_where_nobody_tells_which_units_came_back_the_first_refunds_brought_them() -> None:
    line = mug(4, current=1, refunded=3, restocked=1)
    assert taken(line, refunded(1, 1), refunded(2, 2)) == [("refunded", 2)]


def test_the_refund_that_a_cancellation_made_is_part_of_it() -> None:
    gone = {"standing": Standing.CANCELLED, "cancelled_at": later(60)}
    assert taken(mug(3, current=0, refunded=3), refunded(1, 1), refunded(60, 2), **gone) == [("refunded", 1)]


def test_units_that_an_edit_took_out_are_those_that_no_refund_tells_of() -> None:
    assert taken(mug(5, current=2, refunded=1, restocked=2), refunded(1, 1)) == [("refunded", 1), ("edited", 2)]
    assert taken(mug(5)) == []


def test_beside_missing_units_an_order_holds_the_rest_of_its_goods_and_of_the_same() -> None:
    shirt = make_line("l2", 5, item_id=ItemId("shirt"), sku="SHIRT")
    order = make_order(mug(3, sku="MUG", fulfilled=1), shirt)
    assert units_beside(order, {MUG: 1}, 2) == {"SHIRT": 5}
    assert units_beside(order, {MUG: 1}, 1) == {"MUG": 1, "SHIRT": 5}
    assert units_beside(order, {MUG: 4}, 1) == {"MUG": 1, "SHIRT": 5}
