"""Money that cannot be what an order says is told before any store is."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from builders.orders import eur, make_line, make_order
from storebridge.flows.oddities import why_odd
from storebridge.model.currencies import CURRENCIES
from storebridge.model.sales import Order, ShippingLine, TaxLine
from storebridge_sandbox.shopify.engine import load_schema


def totalling(amount: str) -> Order:
    order = make_order()
    return replace(order, totals=replace(order.totals, total=eur(amount)))


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (make_order(make_line(unit_price=eur("-1.00"))), "the price of MUG is -1.00 EUR, less than nothing"),
        (make_order(make_line(discount=eur("10.01"))), "what MUG comes to is -0.01 EUR, less than nothing"),
        (make_order(make_line(discount=eur("-2.00"))), "the discount on MUG is -2.00 EUR, less than nothing"),
        (make_order(make_line(taxes=(TaxLine("VAT", eur("-0.10")),))), "a tax on MUG is -0.10 EUR, less than nothing"),
        (
            make_order(shipping=(ShippingLine("DHL", eur("3.00"), eur("4.00")),)),
            "the price of shipping is -1.00 EUR, less than nothing",
        ),
        (totalling("-0.01"), "its total is -0.01 EUR, less than nothing"),
        (totalling("1000000000000"), "its total is 1000000000000 EUR, more than an order can come to"),
        (totalling("1E+400"), "its total is 1.00E+400 EUR, more than an order can come to"),
        (make_order(currency="QQQ"), "its currency 'QQQ' does not exist"),
        (make_order(presentment_currency="BTC"), "its currency 'BTC' does not exist"),
    ],
)
def test_what_cannot_be_is_told_with_its_figure(order: Order, why: str) -> None:
    assert why_odd(order) == why


def test_free_goods_and_dear_ones_are_not_odd() -> None:
    assert why_odd(make_order(make_line(unit_price=eur("0.00")))) is None
    assert why_odd(make_order(make_line(discount=eur("10.00")))) is None
    assert why_odd(totalling("999999999999.99")) is None
    assert why_odd(make_order(currency="JPY", presentment_currency="XCG")) is None


def test_every_currency_that_shopify_lists_is_known_but_a_coin_and_the_one_that_means_none() -> None:
    listed = set(load_schema().type_map["CurrencyCode"].values)  # type: ignore[attr-defined]
    assert listed - CURRENCIES == {"USDC", "XXX"}
