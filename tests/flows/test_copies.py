"""Which orders are copied, what a copy says, and which are held whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders.orders import PLACED, SHOPIFY, WIX, eur, make_line, make_order, make_parcel
from storebridge.flows.copies import (
    CopyHeld,
    differences,
    lines_of_copy,
    out_of_step,
    parcels_of_copy,
    plan_cancelled,
    plan_copy,
    shipped_too_much,
    wants_copy,
)
from storebridge.model.copying import LONGEST_STAMP, CopiedGoods, is_stamp, stamp_of
from storebridge.model.ids import ItemId, OrderId, VariantId, Workspace
from storebridge.model.order_writes import CancelOrder, CreateCopy
from storebridge.model.sales import (
    LineKind,
    Order,
    ParcelLine,
    PaymentState,
    Return,
    RiskLevel,
    ShippingLine,
    Standing,
    TaxLine,
)

STAMP = "storebridge:main:shopify:o1"
MUG = ItemId("mug")
KNOWN = {MUG: CopiedGoods(ItemId("p:v"), VariantId("v"), "p")}


def mug(units: int = 1, **facts: Any) -> Any:
    return make_line("l1", units, **{"item_id": MUG, **facts})


def planned(order: Order) -> CreateCopy:
    plan = plan_copy(order, WIX, STAMP, KNOWN, 300)
    assert not isinstance(plan, CopyHeld), plan.why
    assert isinstance(plan.write, CreateCopy)
    return plan.write


def held(order: Order) -> CopyHeld:
    plan = plan_copy(order, WIX, STAMP, KNOWN, 300)
    assert isinstance(plan, CopyHeld)
    return plan


def test_a_paid_order_that_waits_to_be_shipped_wants_a_copy_in_the_other_store_only() -> None:
    order = make_order(mug())
    assert wants_copy(order, WIX, PLACED, held=False)
    assert not wants_copy(order, SHOPIFY, PLACED, held=False)


@pytest.mark.parametrize(
    "facts",
    [
        {"payment_state": PaymentState.UNPAID},
        {"payment_state": PaymentState.AUTHORISED},
        {"payment_state": PaymentState.PARTLY_PAID},
        {"payment_state": PaymentState.REFUNDED},
        {"standing": Standing.CANCELLED},
        {"standing": Standing.PENDING},
        {"origin": STAMP},
        {"test": True},
        {"risk": RiskLevel.HIGH},
        {"placed_at": PLACED - timedelta(seconds=1)},
    ],
    ids=str,
)
def test_what_is_not_to_be_shipped_now_or_is_older_than_copying_wants_none(facts: dict[str, Any]) -> None:
    assert not wants_copy(make_order(mug(), **facts), WIX, PLACED, held=False)


def test_an_order_that_ships_nothing_or_is_held_by_a_person_wants_none() -> None:
    digital = make_order(mug(kind=LineKind.DIGITAL, needs_shipping=False))
    assert not wants_copy(digital, WIX, PLACED, held=False)
    assert not wants_copy(make_order(mug()), WIX, PLACED, held=True)


def test_an_order_whose_goods_do_not_exist_wants_none() -> None:
    assert not wants_copy(make_order(mug()), WIX, PLACED, oversold=True)


def test_a_copy_names_the_other_stores_variant_and_what_the_buyer_keeps() -> None:
    order = make_order(mug(3, current=2), make_line("l2", 1, current=0, item_id=MUG))
    write = planned(order)
    assert [(line.line_id, line.ordered, line.current) for line in write.original.lines] == [("l1", 2, 2)]
    assert write.goods == (KNOWN[MUG],)
    assert write.stamp == STAMP


def test_goods_that_the_other_store_does_not_know_hold_the_whole_order() -> None:
    other = make_line("l2", 1, item_id=ItemId("vase"), title="Vase", sku="VASE")
    found = held(make_order(mug(), other))
    assert found.unmapped == ("Vase (VASE)",)


def test_what_is_not_shipped_is_repeated_by_its_name() -> None:
    tip = make_line("l2", 1, kind=LineKind.TIP, needs_shipping=False, title="Tip", sku=None)
    assert planned(make_order(mug(), tip)).goods == (KNOWN[MUG], None)


def test_fees_become_a_line_of_their_own() -> None:
    order = make_order(mug(1))
    totals = replace(order.totals, other=eur("1.50"), total=eur("11.50"))
    write = planned(replace(order, totals=totals))
    assert [(line.title, line.unit_price.shop.amount) for line in write.original.lines][1:] == [
        ("Fees of the original order", eur("1.50").shop.amount)
    ]


@pytest.mark.parametrize(
    ("included", "total"), [(False, "15.49"), (True, "13.00")], ids=["taxes on top", "taxes in the price"]
)
def test_discounts_shipping_and_taxes_must_add_up_to_the_cent(included: bool, total: str) -> None:
    line = mug(1, discount=eur("1.00"), taxes=(TaxLine("VAT", eur("1.71")),))
    way = ShippingLine("DHL", eur("5.00"), eur("1.00"), taxes=(TaxLine("VAT", eur("0.78")),))
    order = make_order(line, shipping=(way,), tax_included=included)
    right = replace(order, totals=replace(order.totals, total=eur(total)))
    assert planned(right).original.totals.total == eur(total)
    wrong = replace(order, totals=replace(order.totals, total=eur("15.50")))
    assert held(wrong).why == f"its parts come to {total}, its total is 15.50 EUR"


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (
            make_order(mug(2, fulfilled=1), parcels=(make_parcel(),)),
            "a part of it was shipped before it could be copied",
        ),
        (
            make_order(mug(2), returns=(Return("r", "open", (), PLACED),)),
            "goods were sent back before it could be copied",
        ),
        (
            make_order(*[make_line(f"l{n}", item_id=MUG) for n in range(301)]),
            "it has 301 lines; wix takes 300 in one order",
        ),
    ],
    ids=["shipped", "returned", "long"],
)
def test_odd_orders_are_held_with_their_reason(order: Order, why: str) -> None:
    assert held(order) == CopyHeld(why)


def test_lines_are_matched_by_their_order_and_not_at_all_when_somebody_changed_their_number() -> None:
    write = planned(make_order(mug(1), make_line("l2", 2, item_id=MUG)))
    copy = make_order(make_line("c1", 1), make_line("c2", 2), connection=WIX, origin=STAMP)
    assert lines_of_copy(write, copy) == {"l1": "c1", "l2": "c2"}
    assert lines_of_copy(write, replace(copy, lines=copy.lines[:1])) == {}


def test_a_difference_is_told_with_both_figures() -> None:
    original = make_order(mug(1))
    copy = make_order(make_line("c1"), connection=WIX, origin=STAMP)
    assert differences(original, copy) == {}
    dear = replace(copy, totals=replace(copy.totals, total=eur("10.01")))
    assert differences(original, dear) == {"total": "10.00 EUR here, 10.01 EUR there"}
    assert differences(replace(original, standing=Standing.CANCELLED), dear) == {}
    asked = Return("r1", "open", (), PLACED)
    assert differences(replace(original, returns=(asked,)), dear) == {"total": "10.00 EUR here, 10.01 EUR there"}
    exchanged = replace(asked, replaced_by=(ParcelLine("l2", 1),))
    assert differences(replace(original, returns=(exchanged,)), dear) == {}


def test_a_stamp_is_the_same_for_ever_and_at_most_a_hundred_characters() -> None:
    short = stamp_of(Workspace("main"), SHOPIFY, OrderId("gid://shopify/Order/1"))
    assert short == "storebridge:main:shopify:gid://shopify/Order/1"
    longer = stamp_of(Workspace("m" * 90), SHOPIFY, OrderId("gid://shopify/Order/1"))
    assert len(longer) <= LONGEST_STAMP
    assert longer == stamp_of(Workspace("m" * 90), SHOPIFY, OrderId("gid://shopify/Order/1"))
    assert longer != stamp_of(Workspace("m" * 90), SHOPIFY, OrderId("gid://shopify/Order/2"))
    assert [is_stamp(text) for text in (short, longer, "gid://shopify/Order/1")] == [True, True, False]


def copied(**facts: Any) -> Order:
    told = {"connection": WIX, "order_id": OrderId("c"), "origin": STAMP, **facts}
    return make_order(make_line("c1", 2), **told)


def test_parcels_of_a_copy_are_told_in_lines_of_the_original_and_lines_without_one_are_left_out() -> None:
    copy = copied(parcels=(make_parcel("p1", 2, line="c1", number="1"), make_parcel("p2", 1, line="fees")))
    (parcel,) = parcels_of_copy(copy, {"l1": "c1"})
    assert (parcel.parcel_key, parcel.tracking.number, parcel.cancelled) == ("copy:wix:p1", "1", False)
    assert [(line.line_id, line.quantity) for line in parcel.lines] == [("l1", 2)]


def test_the_copy_of_a_cancelled_order_is_cancelled_unless_something_of_it_left() -> None:
    gone = make_order(mug(2), standing=Standing.CANCELLED)
    (plan,) = plan_cancelled(gone, copied())
    assert (plan.connection, plan.purpose, plan.write) == (WIX, "cancel:wix:c", CancelOrder(OrderId("c")))
    shipped = copied(parcels=(make_parcel("p1", 2, line="c1"),))
    assert plan_cancelled(gone, shipped) == []
    assert out_of_step(gone, shipped, {"o": "copy:wix:p1"}) == {"standing": "cancelled here, shipped there"}
    both = copied(parcels=shipped.parcels, standing=Standing.CANCELLED)
    assert out_of_step(gone, both, {}) == {"standing": "cancelled here, shipped there"}
    assert out_of_step(replace(gone, parcels=(make_parcel("o", 2),)), both, {"o": "copy:wix:p1"}) == {}
    assert plan_cancelled(make_order(mug(2)), copied()) == []
    assert plan_cancelled(gone, copied(standing=Standing.CANCELLED)) == []


def test_what_happened_on_one_side_only_is_told() -> None:
    original = make_order(mug(2), parcels=(make_parcel("o1", 2),))
    alone = {"parcels": "1 left here; there they still wait"}
    assert out_of_step(original, copied(), {}) == alone
    there = copied(parcels=(make_parcel("p1", 2, line="c1"),))
    told = {"o1": "copy:wix:p1"}
    assert out_of_step(original, there, told) == {}
    assert out_of_step(original, copied(), told) == {"parcels": "1 here that are not there any more"}
    back = {"parcels": "1 that left there were taken back here"}
    assert out_of_step(make_order(mug(2), parcels=(make_parcel("o1", 2, cancelled=True),)), there, told) == back
    again = make_order(mug(2), parcels=(make_parcel("o1", 2, cancelled=True), make_parcel("o2", 2)))
    assert out_of_step(again, there, told) == alone, "somebody noted it anew"
    cancelled = copied(standing=Standing.CANCELLED)
    assert out_of_step(make_order(mug(2)), cancelled, {}) == {"standing": "still to be shipped here, cancelled there"}


def test_units_that_left_after_they_were_refunded_are_told() -> None:
    refunded = make_order(mug(2, current=1, refunded=1))
    sent = copied(parcels=(make_parcel("p1", 2, line="c1"),))
    found = {"shipped": "1 unit there, not to be shipped here any more"}
    lines = {"l1": "c1"}
    assert shipped_too_much(refunded, sent, lines, {}) == found
    assert shipped_too_much(make_order(mug(2)), sent, lines, {}) == {}, "its parcel is still to be told"
    repeated = make_order(mug(2, fulfilled=2), parcels=(make_parcel("o1", 2),))
    assert shipped_too_much(repeated, sent, lines, {"o1": "copy:wix:p1"}) == {}
    twice = {"shipped": "2 units there, not to be shipped here any more"}
    assert shipped_too_much(repeated, sent, lines, {}) == twice, "they left here, too"
    back = copied(parcels=(make_parcel("p1", 2, line="c1", cancelled=True),))
    assert shipped_too_much(refunded, back, lines, {}) == {}
