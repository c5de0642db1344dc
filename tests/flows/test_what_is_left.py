"""What is left of an order whose units went back before it was copied comes to what was kept for it, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from builders.orders import PLACED, WIX, eur, make_line, make_order
from storebridge.flows.copies import CopyHeld, differences, plan_copy
from storebridge.flows.following import untold_refunds
from storebridge.flows.what_is_left import without_refunds
from storebridge.model.copying import CopiedGoods
from storebridge.model.ids import ItemId, VariantId
from storebridge.model.order_writes import CreateCopy
from storebridge.model.sales import (
    Charged,
    Order,
    OrderLine,
    Payment,
    PaymentKind,
    PaymentOutcome,
    Refund,
    RefundLine,
    ShippingLine,
    TaxLine,
)

MUG = ItemId("mug")
KNOWN = {MUG: CopiedGoods(ItemId("p:v"), VariantId("v"), "p")}


def refund(amount: str, *units: tuple[str, int], shipping: str = "", number: int = 1) -> Refund:
    lines = tuple(RefundLine(line_id, count, 0, eur("0.00")) for line_id, count in units)
    return Refund(f"r{number}", PLACED, eur(amount), lines, shipping=eur(shipping) if shipping else None)


def sold(*lines: OrderLine, whole: str, left: str, refunds: tuple[Refund, ...], wix: bool, **facts: Any) -> Order:
    """Wix's total stays what was charged; Shopify's is what is left."""
    order = make_order(*lines, refunds=refunds, **facts)
    nothing, back = eur("0.00"), sum((one.amount.shop.amount for one in refunds), Decimal(0))
    charged = Charged(nothing, nothing, nothing, nothing, total=eur(whole), received=eur(whole))
    totals = replace(
        order.totals,
        total=eur(whole if wix else left),
        paid=eur(whole),
        refunded=replace(nothing, shop=eur(str(back)).shop),
    )
    return replace(order, totals=totals, charged=charged)


def mug(units: int, refunded: int = 0, line_id: str = "l1", **facts: Any) -> OrderLine:
    return make_line(line_id, units, current=units - refunded, refunded=refunded, item_id=MUG, **facts)


def copied(order: Order) -> CreateCopy:
    plan = plan_copy(order, WIX, "storebridge:main:shopify:o1", KNOWN, 300)
    assert not isinstance(plan, CopyHeld), plan.why
    assert isinstance(plan.write, CreateCopy)
    return plan.write


def held(order: Order) -> str:
    plan = plan_copy(order, WIX, "storebridge:main:shopify:o1", KNOWN, 300)
    assert isinstance(plan, CopyHeld)
    return plan.why


def amounts(order: Order) -> list[tuple[int, str, str]]:
    """Units, discount and tax of each line."""
    taxes = [sum((tax.amount.shop.amount for tax in line.taxes), Decimal("0.00")) for line in order.lines]
    return [
        (line.current, f"{line.discount.shop.amount:.2f}", f"{tax:.2f}")
        for line, tax in zip(order.lines, taxes, strict=True)
    ]


both_kinds = pytest.mark.parametrize("wix", [False, True], ids=["total falls", "total stays"])


@both_kinds
def test_a_line_that_went_back_whole_is_left_out_with_its_money(wix: bool) -> None:
    lines = mug(2, 2), mug(1, line_id="l2")
    write = copied(sold(*lines, whole="30.00", left="10.00", refunds=(refund("20.00", ("l1", 2)),), wix=wix))
    assert [(line.line_id, line.ordered, line.current) for line in write.original.lines] == [("l2", 1, 1)]
    totals = write.original.totals
    assert (totals.total, totals.paid, totals.refunded) == (eur("10.00"), eur("10.00"), eur("0.00"))
    assert write.taken_off == ("r1",)


@both_kinds
def test_what_is_left_of_a_line_bears_its_share_of_discount_and_tax(wix: bool) -> None:
    """Three for 30.00 less 1.00, and 5.51 tax: two of them cost 19.33 and 3.67."""
    line = mug(3, 1, discount=eur("1.00"), taxes=(TaxLine("VAT", eur("3.51")), TaxLine("city", eur("2.00"))))
    write = copied(sold(line, whole="34.51", left="23.00", refunds=(refund("11.51", ("l1", 1)),), wix=wix))
    assert amounts(write.original) == [(2, "0.67", "3.67")]
    assert write.original.totals.total == eur("23.00")


@both_kinds
@pytest.mark.parametrize(
    ("line", "whole", "back", "found"),
    [
        (mug(3, 1, discount=eur("1.00")), "29.00", "9.66", [(2, "0.66", "0.00")]),
        (mug(3, 1, taxes=(TaxLine("VAT", eur("5.51")),)), "35.51", "11.83", [(2, "0.00", "3.68")]),
    ],
    ids=["on the discount", "on the tax"],
)
def test_a_cent_that_the_store_rounded_otherwise_goes_where_it_was_rounded(
    line: OrderLine, whole: str, back: str, found: list[tuple[int, str, str]], wix: bool
) -> None:
    left = f"{Decimal(whole) - Decimal(back):.2f}"
    write = copied(sold(line, whole=whole, left=left, refunds=(refund(back, ("l1", 1)),), wix=wix))
    assert amounts(write.original) == found
    assert write.original.totals.total == eur(left)


@both_kinds
def test_shipping_that_went_back_with_units_is_taken_off_with_its_tax(wix: bool) -> None:
    way = ShippingLine("DHL", eur("5.00"), eur("0.00"), taxes=(TaxLine("VAT", eur("0.95")),))
    lines, back = (mug(2, 1),), refund("12.38", ("l1", 1), shipping="2.38")
    write = copied(sold(*lines, whole="25.95", left="13.57", refunds=(back,), wix=wix, shipping=(way,)))
    (kept,) = write.original.shipping
    assert (kept.price, kept.discount, kept.taxes[0].amount) == (eur("5.00"), eur("2.00"), eur("0.57"))


@both_kinds
def test_money_alone_that_went_back_is_noted_in_the_copy_afterwards(wix: bool) -> None:
    refunds = refund("10.00", ("l1", 1)), refund("3.00", number=2)
    order = sold(mug(2, 1), whole="20.00", left="10.00", refunds=refunds, wix=wix)
    write = copied(order)
    assert (write.taken_off, write.original.totals.paid) == (("r1",), eur("10.00"))
    copy = make_order(make_line("c1"), connection=WIX)
    seen = without_refunds(order, write.taken_off)
    assert [one.refund_id for one in untold_refunds(seen, copy)] == ["r2"]
    assert differences(seen, copy) == {"refunded": "3.00 EUR here, 0.00 EUR there"}


@both_kinds
def test_more_or_less_money_than_the_units_cost_holds_the_order(wix: bool) -> None:
    """With goodwill, or less a fee: no lines say what is left then."""
    more = sold(mug(2, 1), whole="20.00", left="10.00", refunds=(refund("13.00", ("l1", 1)),), wix=wix)
    assert held(more) == (
        "its parts come to 10.00, its total is 7.00 EUR"
        if wix
        else "what is left of it comes to 10.00, 7.00 EUR were kept for it"
    )


def test_a_refund_that_may_still_fail_holds_the_order_until_it_has_ended() -> None:
    pending = Payment("r1/0", PaymentKind.REFUND, PaymentOutcome.PENDING, eur("10.00"), PLACED)
    back = (refund("10.00", ("l1", 1)),)
    order = sold(mug(2, 1), whole="20.00", left="10.00", refunds=back, wix=True, payments=(pending,))
    assert held(order) == "a refund of it has not ended yet"
    ended = replace(order, payments=(replace(pending, outcome=PaymentOutcome.SUCCESS),))
    assert copied(ended).original.totals.total == eur("10.00")


def test_units_that_went_back_after_the_copy_was_made_are_told_to_it() -> None:
    refunds = refund("10.00", ("l1", 1)), refund("10.00", ("l1", 1), number=2)
    order = sold(mug(3, 2), whole="30.00", left="10.00", refunds=refunds, wix=False)
    seen = without_refunds(order, ("r1",))
    assert (seen.lines[0].ordered, seen.lines[0].current, seen.lines[0].refunded) == (2, 1, 1)
    assert [one.refund_id for one in seen.refunds] == ["r2"]


def edited(*lines: OrderLine, total: str, paid: str, tax: str = "0.00", **facts: Any) -> Order:
    """A Shopify order after an edit: its lines tell discount and tax of every unit that was ever on them."""
    order = make_order(*lines, **facts)
    totals = replace(order.totals, total=eur(total), paid=eur(paid), tax=eur(tax))
    charged = Charged(eur("0.00"), eur("0.00"), eur("0.00"), eur("0.00"), total=eur(paid), received=eur(paid))
    return replace(order, totals=totals, charged=charged)


def test_a_line_of_which_an_edit_took_units_bears_their_share_of_discount_and_tax_no_more() -> None:
    tax = TaxLine("VAT", eur("5.13"), Decimal("0.19"))
    line = make_line(units=3, current=2, item_id=MUG, discount=eur("3.00"), taxes=(tax,))
    write = copied(edited(line, total="21.42", paid="32.13", tax="3.42"))
    assert amounts(write.original) == [(2, "2.00", "3.42")]
    assert write.original.totals.tax == eur("3.42")
    assert write.original.totals.paid == eur("32.13"), "what is to be paid back is paid back later, and noted then"


def test_the_cent_that_does_not_divide_stays_with_the_edited_line() -> None:
    line = make_line(units=3, current=2, item_id=MUG, discount=eur("1.00"))
    write = copied(edited(line, mug(1, line_id="l2"), total="29.34", paid="39.00"))
    assert amounts(write.original) == [(2, "0.66", "0.00"), (1, "0.00", "0.00")]


def test_an_edit_and_a_refund_before_the_copy_are_both_left_out_of_it() -> None:
    line = make_line(units=4, current=2, refunded=1, item_id=MUG, discount=eur("4.00"))
    given_back = refund("9.00", ("l1", 1))
    order = edited(line, total="18.00", paid="27.00", refunds=(given_back,))
    order = replace(order, totals=replace(order.totals, refunded=eur("9.00")))
    write = copied(order)
    assert amounts(write.original) == [(2, "2.00", "0.00")]
    assert (write.original.totals.paid, write.original.totals.total) == (eur("18.00"), eur("18.00"))


def test_a_line_that_an_edit_took_out_whole_leaves_no_discount_behind() -> None:
    gone = make_line("l2", units=2, current=0, item_id=MUG, discount=eur("2.00"))
    write = copied(edited(mug(1), gone, total="10.00", paid="28.00"))
    assert amounts(write.original) == [(1, "0.00", "0.00")]


@both_kinds
def test_units_and_their_money_that_went_back_in_two_refunds_are_both_left_out(wix: bool) -> None:
    """Staff took the unit out first, and paid it back an hour later."""
    refunds = refund("0.00", ("l1", 1)), refund("10.00", number=2)
    write = copied(sold(mug(3, 1), whole="30.00", left="20.00", refunds=refunds, wix=wix))
    totals = write.original.totals
    assert (totals.total, totals.paid, totals.refunded) == (eur("20.00"), eur("20.00"), eur("0.00"))
    assert write.taken_off == ("r1", "r2")


@both_kinds
def test_goodwill_beside_units_that_were_paid_back_whole_is_still_noted_in_the_copy(wix: bool) -> None:
    refunds = refund("10.00", ("l1", 1)), refund("3.00", number=2)
    order = sold(mug(3, 1), whole="30.00", left="20.00", refunds=refunds, wix=wix)
    write = copied(order)
    assert write.taken_off == ("r1",)
    assert write.original.totals.refunded == eur("3.00")


@both_kinds
def test_units_whose_money_went_back_in_part_only_are_a_persons(wix: bool) -> None:
    refunds = refund("0.00", ("l1", 1)), refund("4.00", number=2)
    assert held(sold(mug(3, 1), whole="30.00", left="20.00", refunds=refunds, wix=wix))
