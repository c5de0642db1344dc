"""The invoice of an order: its parts, its sums, and a cent that is missing."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from builders.money import make_paid_order, make_payment
from builders.orders import eur, make_line, make_order
from storebridge.flows.invoices import invoice_of
from storebridge.model.ids import OrderKey
from storebridge.model.sales import Charged, Order, PaymentKind, ShippingLine, TaxLine
from storebridge.model.settlement import Invoice

KEY = OrderKey("k1")


def of(order: Order) -> Invoice:
    return invoice_of(KEY, order)


def taxed_order(**sums: str) -> Order:
    """Two mugs with a discount, shipping, and 19 % on top."""
    line = make_line(units=2, discount=eur("1.01"), taxes=(TaxLine("VAT", eur("3.61"), Decimal("0.19")),))
    shipping = ShippingLine("DHL", eur("4.90"), eur("0.00"), taxes=(TaxLine("VAT", eur("0.93"), Decimal("0.19")),))
    told = {"goods": "18.99", "shipping": "4.90", "tax": "4.54", "other": "0", "total": "28.43", "received": "28.43"}
    charged = Charged(**{name: eur(amount) for name, amount in {**told, **sums}.items()})
    payments = (make_payment(amount="28.43"),)
    return make_order(line, shipping=(shipping,), charged=charged, payments=payments)


def test_lines_shipping_and_taxes_come_to_the_total_of_the_store() -> None:
    invoice = of(taxed_order())
    assert [str(line.amount.shop) for line in (*invoice.lines, *invoice.shipping)] == ["18.99 EUR", "4.90 EUR"]
    assert [(tax.title, tax.rate, str(tax.amount.shop)) for tax in invoice.taxes] == [("VAT", "0.19", "4.54 EUR")]
    assert (str(invoice.total.shop), str(invoice.due.shop)) == ("28.43 EUR", "0.00 EUR")
    assert [(check.what, check.agrees) for check in invoice.checks] == [
        ("refunded", True),
        ("paid", True),
        ("total", True),
    ]


def test_a_total_that_its_parts_do_not_come_to_is_told_by_the_cent() -> None:
    (check,) = (one for one in of(taxed_order(total="28.44")).checks if one.what == "total")
    assert (str(check.ours), str(check.theirs), str(check.difference)) == ("28.43 EUR", "28.44 EUR", "0.01 EUR")


def test_taxes_within_the_prices_are_not_added() -> None:
    order = replace(taxed_order(total="23.89"), tax_included=True)
    assert all(check.agrees for check in of(order).checks if check.what == "total")


def test_the_tax_of_a_fee_is_the_stores_own_figure() -> None:
    order = taxed_order(other="2.00", tax="4.92", total="30.81")
    assert all(check.agrees for check in of(order).checks if check.what == "total")


def test_refunds_lower_no_line_and_make_nothing_due_again() -> None:
    line = make_line(units=1, current=0, refunded=1)
    order = make_paid_order(make_payment(), make_payment("t2", kind=PaymentKind.REFUND))
    invoice = of(replace(order, lines=(line,)))
    assert [(one.units, str(one.amount.shop)) for one in invoice.lines] == [(1, "10.00 EUR")]
    assert (str(invoice.refunded.shop), str(invoice.due.shop)) == ("10.00 EUR", "0.00 EUR")
    assert [one.amount.shop.in_coins for one in invoice.payments] == ["10.00", "-10.00"]


def test_a_line_that_an_edit_took_out_is_not_charged_and_the_total_is_not_judged() -> None:
    gone = make_line("l2", units=1, current=0)
    invoice = of(replace(make_paid_order(), lines=(make_line(), gone)))
    assert [line.units for line in invoice.lines] == [1]
    assert [check.what for check in invoice.checks] == ["refunded", "paid"]


def test_an_order_that_was_read_before_sums_were_kept_is_told_from_its_totals() -> None:
    invoice = of(make_order())
    assert (str(invoice.total.shop), [check.what for check in invoice.checks]) == ("10.00 EUR", ["refunded"])
