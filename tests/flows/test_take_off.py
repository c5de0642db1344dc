"""Units taken off an order take back what was paid for them, to the cent, and never more than was paid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from builders.orders import PLACED, eur, make_line, make_order
from storebridge.flows.take_off import nothing_else_left, plan_take_off
from storebridge.model.money import Money
from storebridge.model.sales import (
    LineKind,
    Order,
    ParcelLine,
    Payment,
    PaymentKind,
    PaymentOutcome,
    PaymentState,
    Price,
    ShippingLine,
    TaxLine,
)


def paid(payment_id: str, amount: str, **facts: Any) -> Payment:
    return Payment(payment_id, PaymentKind.SALE, PaymentOutcome.SUCCESS, eur(amount), PLACED, **facts)


def back(order: Order, *units: tuple[str, int]) -> list[tuple[str, str]]:
    """(payment, amount) of what goes back when these units are taken off."""
    write = plan_take_off(order, [ParcelLine(*one) for one in units], "note")
    return [(one.payment_id, str(one.amount.shop.amount)) for one in write.payments]


def test_what_is_taken_off_one_after_the_other_comes_to_the_lines_price() -> None:
    taxes = (TaxLine("VAT", eur("1.90")),)
    line = make_line("l1", 3, unit_price=eur("3.33"), discount=eur("1.00"), taxes=taxes)
    sums = []
    for current in (3, 2, 1):
        order = make_order(replace(line, current=current), make_line("l2"), payments=(paid("p", "99.00"),))
        sums.append(Decimal(back(order, ("l1", 1))[0][1]))
    assert sum(sums) == Decimal("3.33") * 3 - Decimal("1.00") + Decimal("1.90")


def test_where_prices_include_tax_it_goes_back_with_them() -> None:
    line = make_line("l1", 2, taxes=(TaxLine("VAT", eur("3.19")),))
    order = make_order(line, make_line("l2"), payments=(paid("p", "30.00"),), tax_included=True)
    assert back(order, ("l1", 1)) == [("p", "10.00")]


def test_a_discount_on_the_whole_order_is_borne_by_its_lines_in_proportion() -> None:
    order = make_order(make_line("l1", 2), make_line("l2", 1, unit_price=eur("20.00")), payments=(paid("p", "36.00"),))
    order = replace(order, totals=replace(order.totals, discount=eur("4.00")))
    assert back(order, ("l1", 1)) == [("p", "9.00")]


def test_the_oldest_payment_gives_back_first_and_none_more_than_it_has() -> None:
    gone = Payment("r", PaymentKind.REFUND, PaymentOutcome.SUCCESS, eur("2.00"), PLACED, parent_id="p1")
    order = make_order(make_line("l1", 2), make_line("l2"), payments=(paid("p1", "5.00"), paid("p2", "9.00"), gone))
    assert back(order, ("l1", 1)) == [("p1", "3.00"), ("p2", "7.00")]
    assert back(order, ("l1", 2)) == [("p1", "3.00"), ("p2", "9.00")]


@pytest.mark.parametrize(("owed", "given_back"), [("0.00", [("p", "10.00")]), ("4.00", [("p", "6.00")]), ("12.00", [])])
def test_of_a_deposit_only_what_goes_beyond_the_rest_of_the_order_goes_back(
    owed: str, given_back: list[tuple[str, str]]
) -> None:
    order = make_order(make_line("l1", 2), payments=(paid("p", "20.00"),), payment_state=PaymentState.PARTLY_PAID)
    order = replace(order, totals=replace(order.totals, owed=eur(owed)))
    assert back(order, ("l1", 1)) == given_back


def test_of_an_order_that_nobody_paid_nothing_goes_back() -> None:
    assert back(make_order(make_line("l1", 2), payment_state=PaymentState.UNPAID), ("l1", 1)) == []


SHIPPING = ShippingLine("post", eur("5.00"), eur("1.00"), taxes=(TaxLine("VAT", eur("0.80")),))


def test_shipping_goes_back_once_nothing_is_sent_any_more() -> None:
    card = make_line("l2", kind=LineKind.GIFT_CARD, needs_shipping=False)
    order = make_order(make_line("l1", 2), card, shipping=(SHIPPING,), payments=(paid("p", "34.80"),))
    assert back(order, ("l1", 1)) == [("p", "10.00")]
    write = plan_take_off(order, [ParcelLine("l1", 2)], "note")
    assert write.shipping == eur("4.00")
    assert back(order, ("l1", 2)) == [("p", "24.80")]


def test_shipping_of_what_left_stays_paid() -> None:
    order = make_order(make_line("l1", 2, fulfilled=1), shipping=(SHIPPING,), payments=(paid("p", "24.80"),))
    assert back(order, ("l1", 1)) == [("p", "10.00")]


def test_a_buyer_who_paid_in_another_currency_gets_it_back_at_the_rate_of_the_payment() -> None:
    amount = Price(Money(Decimal("30.00"), "EUR"), Money(Decimal("33.00"), "USD"))
    order = make_order(make_line("l1", 2), make_line("l2"), payments=(replace(paid("p", "30.00"), amount=amount),))
    (part,) = plan_take_off(order, [ParcelLine("l1", 1)], "note").payments
    assert str(part.amount.presentment) == "11.00 USD"


def test_an_order_of_which_only_a_tip_is_left_keeps_nothing() -> None:
    tip = make_line("tip", kind=LineKind.TIP, needs_shipping=False)
    assert nothing_else_left(make_order(make_line("l1", 2), tip), [ParcelLine("l1", 2)])
    assert not nothing_else_left(make_order(make_line("l1", 3), tip), [ParcelLine("l1", 2)])
