"""Money of a Wix order, read from its answers: fees, chargebacks, and what a site prices in another currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from storebridge.connectors.port import CallTrouble
from storebridge.connectors.wix.sales_shapes import OrderTransactions, SalesOrder
from storebridge.connectors.wix.translate_sales import sales_order_of
from storebridge.flows.invoices import invoice_of, money_moves, signed
from storebridge.model.ids import ConnectionName, OrderKey
from storebridge.model.sales import Order

ORDER: dict[str, Any] = {
    "id": "o1",
    "number": "10001",
    "createdDate": "2026-03-02T08:00:00.000Z",
    "updatedDate": "2026-03-02T09:00:00.000Z",
    "currency": "JPY",
    "status": "APPROVED",
    "paymentStatus": "PAID",
    "priceSummary": {"subtotal": {"amount": "3000"}, "total": {"amount": "3000"}},
    "balanceSummary": {"paid": {"amount": "3000"}, "refunded": {"amount": "0"}},
}
PAYMENT: dict[str, Any] = {
    "id": "p1",
    "amount": {"amount": "3000"},
    "status": "APPROVED",
    "createdDate": "2026-03-02T08:00:01.000Z",
}


def read(order: dict[str, Any], **details: Any) -> Order:
    payment = {**PAYMENT, "regularPaymentDetails": {"paymentMethod": "CreditCard", **details}}
    money = msgspec.convert({"orderId": "o1", "payments": [payment]}, OrderTransactions)
    node = msgspec.convert({**ORDER, **order}, SalesOrder, strict=False)
    return sales_order_of(node, money, None, ConnectionName("wix"), "app")


def moves(order: Order) -> list[tuple[str, str, str]]:
    return [(one.kind.value, str(signed(one).shop), f"{one.at:%d %H:%M}") for one in money_moves(order)]


def test_what_wix_keeps_of_a_payment_is_its_fee() -> None:
    (payment,) = read({}, platformFee={"amount": "90"}).payments
    assert (str(payment.fee), payment.in_books) == ("90 JPY", False)
    assert read({}).payments[0].fee is None


def test_a_chargeback_and_its_reversal_are_two_moves_of_money() -> None:
    taken: dict[str, Any] = {
        "id": "c1",
        "amount": {"amount": "3000"},
        "status": "APPROVED",
        "createdDate": "2026-03-05T10:00:00.000Z",
        "updatedDate": "2026-03-05T10:00:00.000Z",
    }
    assert moves(read({}, chargebacks=[taken])) == [
        ("sale", "3000 JPY", "02 08:00"),
        ("chargeback", "-3000 JPY", "05 10:00"),
    ]
    reversed_ = {
        **taken,
        "status": "REVERSED",
        "reversalAmount": {"amount": "2500"},
        "updatedDate": "2026-03-09T10:00:00.000Z",
    }
    assert moves(read({}, chargebacks=[reversed_]))[1:] == [
        ("chargeback", "-3000 JPY", "05 10:00"),
        ("chargeback_reversal", "2500 JPY", "09 10:00"),
    ]


def test_a_payment_under_dispute_came_in_all_the_same() -> None:
    order = read({}, status="DISPUTE", chargebacks=[{"id": "c1", "amount": {"amount": "3000"}}])
    assert [move[:2] for move in moves(order)] == [("sale", "3000 JPY"), ("chargeback", "-3000 JPY")]


def test_the_currency_that_a_site_prices_in_is_named_with_its_rate_and_nothing_is_converted() -> None:
    order = read({"currencyConversionDetails": {"originalCurrency": "EUR", "conversionRate": "160.25"}})
    assert (order.currency, order.priced_in, order.conversion_rate) == ("JPY", "EUR", Decimal("160.25"))
    invoice = invoice_of(OrderKey("k"), order)
    assert (str(invoice.total.shop), invoice.priced_in, invoice.conversion_rate) == ("3000 JPY", "EUR", "160.25")
    same = read({"currencyConversionDetails": {"originalCurrency": "JPY", "conversionRate": "1"}})
    assert same.priced_in == ""
    with pytest.raises(CallTrouble, match="a conversion rate that is no number: 'dear'"):
        read({"currencyConversionDetails": {"originalCurrency": "EUR", "conversionRate": "dear"}})


def test_the_sums_of_a_wix_order_are_those_that_wix_tells() -> None:
    summary = {
        "subtotal": {"amount": "3000"},
        "discount": {"amount": "300"},
        "shipping": {"amount": "500"},
        "tax": {"amount": "320"},
        "totalAdditionalFees": {"amount": "100"},
        "total": {"amount": "3620"},
    }
    charged = read({"priceSummary": summary}).charged
    assert charged is not None
    parts = (charged.goods, charged.shipping, charged.tax, charged.other, charged.total, charged.received)
    assert [str(part.shop) for part in parts] == [
        "2700 JPY",
        "500 JPY",
        "320 JPY",
        "100 JPY",
        "3620 JPY",
        "3000 JPY",
    ]
