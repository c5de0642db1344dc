"""An order stands in the queue where its next step is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders.orders import PLACED, eur, make_line, make_order, make_shipment
from storebridge.flows.queue import (
    NOWHERE,
    Place,
    held_units,
    in_words,
    locations_of,
    place_in_queue,
    remember_cancellation,
    remember_lines,
    remember_payment,
    ship_by,
    units_left_at,
    waits_at,
)
from storebridge.model.sales import (
    LineKind,
    Order,
    PaymentState,
    Refund,
    RefundLine,
    RiskLevel,
    ShipmentState,
    Standing,
)


def test_a_paid_order_is_ready() -> None:
    assert place_in_queue(make_order()) is Place.READY


def test_an_order_that_is_not_paid_waits_for_its_payment() -> None:
    assert place_in_queue(make_order(payment_state=PaymentState.UNPAID)) is Place.AWAITING_PAYMENT


def test_a_checkout_under_way_is_not_shipped() -> None:
    assert place_in_queue(make_order(standing=Standing.PENDING)) is Place.AWAITING_PAYMENT


def test_an_order_of_which_something_left_is_partly_shipped() -> None:
    assert place_in_queue(make_order(make_line(units=3, fulfilled=1))) is Place.PARTLY_SHIPPED


def test_an_order_of_which_all_that_is_wanted_left_is_shipped() -> None:
    assert place_in_queue(make_order(make_line(units=3, current=2, fulfilled=2))) is Place.SHIPPED


def test_what_was_refunded_before_it_left_is_not_shipped_any_more() -> None:
    assert place_in_queue(make_order(make_line(units=2, current=0, refunded=2))) is Place.NOTHING_TO_SHIP


def test_digital_goods_are_not_picked() -> None:
    assert place_in_queue(make_order(make_line(kind=LineKind.DIGITAL, needs_shipping=False))) is Place.NOTHING_TO_SHIP


def test_a_cancelled_order_is_cancelled_whatever_else_is_true_of_it() -> None:
    order = make_order(standing=Standing.CANCELLED, payment_state=PaymentState.UNPAID)
    assert place_in_queue(order, held=True, oversold=True) is Place.CANCELLED


def test_an_order_held_by_a_person_is_on_hold() -> None:
    assert place_in_queue(make_order(), held=True) is Place.ON_HOLD


def test_an_order_that_is_likely_fraud_is_on_hold() -> None:
    assert place_in_queue(make_order(risk=RiskLevel.HIGH)) is Place.ON_HOLD


def test_an_order_is_on_hold_in_its_store_only_when_nothing_of_it_can_be_shipped() -> None:
    held = make_shipment(state=ShipmentState.ON_HOLD)
    free = make_shipment("f2")
    assert place_in_queue(make_order(shipments=(held,))) is Place.ON_HOLD
    assert place_in_queue(make_order(shipments=(held, free))) is Place.READY


def test_an_oversold_order_stands_apart_from_those_that_can_be_picked() -> None:
    assert place_in_queue(make_order(), oversold=True) is Place.OVERSOLD


def test_an_order_to_be_shipped_later_is_scheduled() -> None:
    assert place_in_queue(make_order(shipments=(make_shipment(state=ShipmentState.SCHEDULED),))) is Place.SCHEDULED


def test_the_promise_of_an_order_is_the_earliest_of_what_still_waits() -> None:
    gone = make_shipment("f0", state=ShipmentState.CLOSED, ship_by=PLACED)
    late = make_shipment("f1", ship_by=PLACED + timedelta(days=3))
    soon = make_shipment("f2", ship_by=PLACED + timedelta(days=1))
    assert ship_by(make_order(shipments=(gone, late, soon))) == PLACED + timedelta(days=1)


def part_held(state: ShipmentState = ShipmentState.ON_HOLD, *reasons: str) -> Order:
    """One unit of three may go; two wait in Lyon for something."""
    free = make_shipment("f1", [("l1", 1)])
    held = make_shipment("f2", [("l1", 2)], location="lyon", state=state, hold_reasons=reasons)
    return make_order(make_line(units=3), shipments=(held, free))


@pytest.mark.parametrize("state", [ShipmentState.ON_HOLD, ShipmentState.SCHEDULED])
def test_only_units_that_can_be_sent_now_wait_at_a_location(state: ShipmentState) -> None:
    order = part_held(state)
    assert place_in_queue(order) is Place.READY
    assert waits_at(order) == {"main": {"l1": 1}}
    assert locations_of(order) == ("main",)
    assert units_left_at(order, [], None) == {"l1": 1}


def test_what_a_store_holds_is_told_with_its_reason() -> None:
    (held,) = held_units(part_held(ShipmentState.ON_HOLD, "awaiting_payment"))
    assert (held.units, in_words(held)) == ({"l1": 2}, "2 on hold: awaiting payment")
    (later,) = held_units(part_held(ShipmentState.SCHEDULED))
    assert in_words(later) == "2 scheduled"


def test_an_order_of_which_all_is_held_is_found_where_it_is_held() -> None:
    order = make_order(shipments=(make_shipment(location="lyon", state=ShipmentState.ON_HOLD),))
    assert (waits_at(order), locations_of(order)) == ({}, ("lyon",))


def test_units_that_a_store_assigns_to_no_location_can_be_sent() -> None:
    assert waits_at(make_order(make_line(units=3))) == {NOWHERE: {"l1": 3}}


def test_what_left_or_was_refunded_is_held_no_more() -> None:
    held = make_shipment("f2", [("l1", 2)], state=ShipmentState.ON_HOLD)
    assert [one.units for one in held_units(make_order(make_line(units=3, fulfilled=2), shipments=(held,)))] == [
        {"l1": 1}
    ]


def test_a_deposit_waits_for_the_rest() -> None:
    assert place_in_queue(make_order(payment_state=PaymentState.PARTLY_PAID)) is Place.AWAITING_PAYMENT


@pytest.mark.parametrize("between", [[], [PaymentState.PARTLY_REFUNDED], [PaymentState.PARTLY_PAID] * 2])
def test_an_order_that_was_paid_and_owes_again_does_not_wait(between: list[PaymentState]) -> None:
    known: Order | None = None
    for state in (PaymentState.PARTLY_PAID, PaymentState.PAID, *between, PaymentState.PARTLY_PAID):
        known = remember_payment(make_order(payment_state=state), known)
    assert known is not None
    assert place_in_queue(known) is Place.READY


def test_a_cancellation_happened_when_it_was_first_seen() -> None:
    """Wix dates it anew with each change of the order."""
    cancelled = make_order(standing=Standing.CANCELLED, cancelled_at=PLACED)
    tagged = replace(cancelled, cancelled_at=PLACED + timedelta(hours=1), tags=("gift",))
    assert remember_cancellation(tagged, cancelled) == replace(cancelled, tags=("gift",))
    assert remember_cancellation(cancelled, tagged) == cancelled
    for before in (None, make_order()):
        assert remember_cancellation(tagged, before) == tagged


def test_a_reading_of_a_paid_order_is_as_it_was_read() -> None:
    paid, owing = make_order(), make_order(payment_state=PaymentState.PARTLY_PAID)
    assert remember_payment(paid, None) == paid
    assert remember_payment(paid, remember_payment(owing, paid)) == paid
    assert remember_payment(owing, make_order(payment_state=PaymentState.UNPAID)) == owing


def test_a_line_that_our_own_edit_took_out_whole_is_remembered_and_one_that_others_took_out_is_not() -> None:
    nothing = eur("0.00")
    before = make_order(make_line("l1", 2), make_line("l2", 1))
    ours = Refund("e", PLACED, nothing, (RefundLine("l1", 2, 0, nothing),), note="storebridge case_1 write_1")
    after = replace(before, lines=before.lines[1:], refunds=(ours,))
    kept = remember_lines(after, before)
    assert [(line.line_id, line.ordered, line.current, line.refunded) for line in kept.lines] == [
        ("l2", 1, 1, 0),
        ("l1", 2, 0, 2),
    ]
    assert remember_lines(after, kept) == kept
    assert remember_lines(replace(after, refunds=(replace(ours, note="broken"),)), before).lines == after.lines
    assert remember_lines(after, None) == after
