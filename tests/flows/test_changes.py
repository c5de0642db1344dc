"""What happened to an order is told from two readings of it."""

from __future__ import annotations

import itertools

from builders.orders import PLACED, eur, make_line, make_order, make_parcel
from storebridge.flows.changes import changes_between
from storebridge.model.sales import Address, Order, PaymentState, Refund, RefundLine, Standing, Tracking


def told(before: Order | None, after: Order) -> list[tuple[str, dict[str, object]]]:
    return [(change.kind, change.detail) for change in changes_between(before, after)]


def test_a_new_order_was_placed() -> None:
    assert told(None, make_order(channel="web")) == [
        ("placed", {"name": "#1001", "channel": "web", "total": "10.00 EUR"})
    ]


def test_two_readings_that_say_the_same_tell_nothing() -> None:
    assert told(make_order(), make_order(minutes=5)) == []


def test_an_order_that_is_first_read_late_tells_what_happened_to_it_meanwhile() -> None:
    late = make_order(parcels=(make_parcel("p1", number="7"),), standing=Standing.CANCELLED, cancel_reason="customer")
    assert [kind for kind, _ in told(None, late)] == ["placed", "shipped", "cancelled"]


def test_a_payment_is_told_with_both_states() -> None:
    before, after = make_order(payment_state=PaymentState.UNPAID), make_order()
    assert told(before, after) == [("payment", {"from": "unpaid", "to": "paid"})]


def test_a_refund_with_restock_is_told_once_and_not_as_an_edit() -> None:
    line = RefundLine("l1", 1, 1, eur("10.00"))
    after = make_order(
        make_line(units=2, current=1, refunded=1, restocked=1),
        totals=make_order(make_line(units=2)).totals,
        refunds=(Refund("r1", PLACED, eur("10.00"), (line,)),),
    )
    assert told(make_order(make_line(units=2)), after) == [
        ("restocked", {"sku": "MUG", "title": "Mug", "units": 1}),
        ("refunded", {"refund": "r1", "amount": "10.00 EUR", "units": 1, "restocked": 1}),
    ]


def test_a_line_that_was_edited_says_by_how_much_and_what_the_order_comes_to_now() -> None:
    before, after = make_order(make_line(units=2)), make_order(make_line(units=2, current=3))
    assert told(before, after) == [
        ("line_edited", {"sku": "MUG", "title": "Mug", "units": 1}),
        ("total_changed", {"from": "20.00 EUR", "to": "30.00 EUR"}),
    ]


def test_parcels_tracking_and_delivery_are_told_as_they_come() -> None:
    bare, tracked = make_parcel("p1"), make_parcel("p1", tracking=(Tracking("DHL", "7"),))
    arrived = make_parcel("p1", tracking=(Tracking("DHL", "7"),), delivered_at=PLACED)
    orders = [make_order(parcels=parcels) for parcels in ((), (bare,), (tracked,), (arrived,))]
    assert [told(before, after)[0][0] for before, after in itertools.pairwise(orders)] == [
        "shipped",
        "tracking_changed",
        "delivered",
    ]


def test_a_parcel_that_vanished_or_was_cancelled_is_told() -> None:
    before = make_order(parcels=(make_parcel("p1"),))
    assert [kind for kind, _ in told(before, make_order())] == ["parcel_cancelled"]
    assert [kind for kind, _ in told(before, make_order(parcels=(make_parcel("p1", cancelled=True),)))] == [
        "parcel_cancelled"
    ]


def test_no_change_carries_personal_data() -> None:
    after = make_order(shipping_address=Address(first_name="Ann", street="Main Street 1"), note="ring twice")
    assert told(make_order(), after) == [("address_changed", {}), ("note_changed", {})]
