"""What a copy still lacks of what happened to its original."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders.orders import PLACED, WIX, eur, make_line, make_order
from storebridge.flows.amending import Target
from storebridge.flows.following import mark_of, plan_following
from storebridge.flows.told import Told
from storebridge.model.ids import OrderId
from storebridge.model.order_writes import OrderWrite, RecordPayments, RefundCopy
from storebridge.model.sales import (
    Order,
    ParcelLine,
    Payment,
    PaymentKind,
    PaymentOutcome,
    Refund,
    RefundLine,
    ShippingLine,
    Standing,
)

LINES = {"l1": "c1"}


def payment(amount: str = "20.00", kind: PaymentKind = PaymentKind.SALE, **facts: Any) -> Payment:
    told: dict[str, Any] = {"payment_id": "pay", "outcome": PaymentOutcome.SUCCESS, "at": PLACED, "gateway": "card"}
    return Payment(kind=kind, amount=eur(amount), **{**told, **facts})


def refund(amount: str = "10.00", units: int = 1, refund_id: str = "r1", **facts: Any) -> Refund:
    lines = (RefundLine("l1", units, 0, eur(amount)),) if units else ()
    return Refund(refund_id, PLACED + timedelta(hours=1), eur(amount), lines, **facts)


def original(*refunds: Refund, **facts: Any) -> Order:
    return make_order(make_line("l1", 2), payments=(payment(),), refunds=refunds, **facts)


def copy_of(**facts: Any) -> Order:
    told = {"connection": WIX, "order_id": OrderId("k1"), "payments": (payment(payment_id="there"),), "name": "77"}
    return make_order(make_line("c1", 2), **{**told, **facts})


def planned(first: Order, copy: Order, *told: Told) -> OrderWrite | None:
    plans = plan_following(first, copy, LINES, told, Target({}))
    assert len(plans) <= 1
    assert all(plan.connection == WIX for plan in plans)
    return plans[0].write if plans else None


def refunded(first: Order, copy: Order, *told: Told) -> RefundCopy:
    write = planned(first, copy, *told)
    assert isinstance(write, RefundCopy)
    return write


def test_nothing_happened_nothing_is_planned() -> None:
    assert planned(original(), copy_of()) is None


def test_a_refund_is_noted_with_its_units_its_money_and_its_mark() -> None:
    write = refunded(original(refund("12.50")), copy_of())
    assert write.order_id == "k1"
    assert write.mark == "Refund r1 of shopify #1001"
    assert write.lines == (ParcelLine("c1", 1),)
    assert [(one.payment_id, one.amount) for one in write.payments] == [("there", eur("12.50"))]


def test_a_refund_that_the_copy_shows_by_its_mark_is_not_planned_again() -> None:
    first = original(refund())
    there = Refund("x", PLACED, eur("10.00"), (), note=mark_of(first, first.refunds[0]))
    assert planned(first, copy_of(refunds=(there,))) is None


def test_a_refund_of_the_same_money_made_there_by_hand_counts_once() -> None:
    by_hand = Refund("x", PLACED, eur("10.00"), (RefundLine("c1", 1, 0, eur("10.00")),))
    assert planned(original(refund()), copy_of(refunds=(by_hand,))) is None
    again = refunded(original(refund(), refund(refund_id="r2")), copy_of(refunds=(by_hand,)))
    assert again.mark == "Refund r2 of shopify #1001"


def test_one_write_is_on_its_way_at_a_time_and_a_refused_one_is_left_to_a_person() -> None:
    first = original(refund(), refund(refund_id="r2"))
    write = refunded(first, copy_of())
    assert planned(first, copy_of(), Told(write, open=True)) is None
    assert refunded(first, copy_of(), Told(write, open=False)).mark == "Refund r2 of shopify #1001"


def test_money_is_spread_over_the_payments_that_have_some_left() -> None:
    went = payment("4.00", PaymentKind.REFUND, payment_id="back", parent_id="a")
    payments = (payment("5.00", payment_id="a"), payment("15.00", payment_id="b"), went)
    write = refunded(original(refund("7.00")), copy_of(payments=payments))
    assert [(one.payment_id, one.amount) for one in write.payments] == [("a", eur("1.00")), ("b", eur("6.00"))]


def test_more_than_the_copy_has_left_is_not_planned() -> None:
    assert planned(original(refund("20.01")), copy_of()) is None


def test_units_that_the_copy_does_not_hold_any_more_are_left_out() -> None:
    cancelled = copy_of(standing=Standing.CANCELLED)
    gone = replace(cancelled, lines=(make_line("c1", 0),))
    assert refunded(original(refund(), standing=Standing.CANCELLED), gone).lines == ()


def test_shipping_goes_back_as_far_as_the_copy_says_that_it_cost_something() -> None:
    shipping = (ShippingLine("Standard", eur("4.00"), eur("0.00")),)
    first = original(refund("5.00", 0, shipping=eur("5.00")))
    assert refunded(first, copy_of(shipping=shipping)).shipping == eur("4.00")
    assert refunded(first, copy_of()).shipping is None


def test_a_refund_that_is_still_under_way_at_the_provider_waits() -> None:
    under_way = payment("10.00", PaymentKind.REFUND, payment_id="r1/0", outcome=PaymentOutcome.PENDING)
    first = replace(original(refund()), payments=(payment(), under_way))
    assert planned(first, copy_of()) is None
    ended = replace(under_way, outcome=PaymentOutcome.SUCCESS)
    assert planned(replace(first, payments=(payment(), ended)), copy_of()) is not None


def test_units_called_off_without_money_are_told_unless_the_order_is_cancelled() -> None:
    assert refunded(original(refund("0.00")), copy_of()).payments == ()
    assert planned(original(refund("0.00"), standing=Standing.CANCELLED), copy_of()) is None


def test_a_copy_without_recorded_payments_gets_them_before_a_refund_and_only_then() -> None:
    assert planned(original(), copy_of(payments=())) is None
    write = planned(original(refund()), copy_of(payments=()))
    assert isinstance(write, RecordPayments)
    assert [(one.payment_id, one.amount) for one in write.payments] == [("pay", eur("20.00"))]
    assert write.paid == eur("20.00")


@pytest.mark.parametrize(("total", "wanted"), [("25.00", True), ("30.00", False)])
def test_more_money_is_noted_when_it_is_what_the_copy_still_owes(total: str, *, wanted: bool) -> None:
    paid = replace(original(), payments=(payment(), payment("5.00", payment_id="more")))
    paid = replace(paid, totals=replace(paid.totals, paid=eur("25.00")))
    copy = copy_of()
    write = planned(paid, replace(copy, totals=replace(copy.totals, total=eur(total))))
    assert (write is not None) == wanted
    if write is not None:
        assert isinstance(write, RecordPayments)
        assert [one.amount for one in write.payments] == [eur("5.00")]
