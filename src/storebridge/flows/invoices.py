"""The invoice of an order: what was charged, line by line, and whether that is what the store says. Pure.

Sums are exact; nothing is rounded here. A store's own sums are shown as the store tells them, and checked against the
parts (``docs/settlement.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from storebridge.model.ids import OrderKey
from storebridge.model.money import Money, sum_of
from storebridge.model.sales import (
    Charged,
    Order,
    OrderLine,
    Payment,
    PaymentKind,
    PaymentOutcome,
    Price,
    ShippingLine,
    TaxLine,
)
from storebridge.model.settlement import Check, Invoice, InvoiceLine, InvoicePayment, InvoiceTax

SIGNS = {
    PaymentKind.SALE: 1,
    PaymentKind.CAPTURE: 1,
    PaymentKind.REFUND: -1,
    PaymentKind.CHARGEBACK: -1,
    PaymentKind.CHARGEBACK_REVERSAL: 1,
}
"""What moves money, and in which direction; an authorisation or its end does not."""
CAME_IN = frozenset({PaymentKind.SALE, PaymentKind.CAPTURE})


def invoice_of(key: OrderKey, order: Order) -> Invoice:
    """The invoice. An order that was read before sums were kept is told from its totals."""
    charged = order.charged or _from_totals(order)
    paid, refunded = sum_of_kind(order, CAME_IN), sum_of_kind(order, {PaymentKind.REFUND})
    return Invoice(
        order_key=key,
        connection=order.connection,
        order_id=order.order_id,
        order_name=order.name,
        placed_at=order.placed_at,
        currency=order.currency,
        presentment_currency=order.presentment_currency or order.currency,
        priced_in=order.priced_in,
        conversion_rate="" if order.conversion_rate is None else f"{order.conversion_rate:f}",
        tax_included=order.tax_included,
        lines=tuple(_line(line) for line in order.lines if units_charged(line)),
        shipping=tuple(_shipping(line) for line in order.shipping),
        taxes=_taxes(order),
        goods=charged.goods,
        shipping_total=charged.shipping,
        tax=charged.tax,
        other=charged.other,
        total=charged.total,
        payments=tuple(_payment(one) for one in money_moves(order)),
        paid=paid,
        refunded=refunded,
        due=plus(charged.total, paid, -1),
        checks=checks_of(key, order),
    )


def checks_of(key: OrderKey, order: Order) -> tuple[Check, ...]:
    """What the order's parts come to against what its store says, in the shop's currency. Units that an edit took out
    are told by no store the same way, so the total of an edited order is not checked."""
    found = [("refunded", sum_of_kind(order, {PaymentKind.REFUND}), order.totals.refunded)]
    if order.charged is not None:
        found.append(("paid", sum_of_kind(order, CAME_IN), order.charged.received))
        if all(units_charged(line) == line.ordered for line in order.lines):
            found.append(("total", _parts_of(order, order.charged), order.charged.total))
    return tuple(
        Check(what, order.connection, order.order_id, ours.shop, theirs.shop, key, order.name)
        for what, ours, theirs in found
        if ours.shop.currency == theirs.shop.currency
    )


def money_moves(order: Order) -> list[Payment]:
    """Transactions that moved money, oldest first."""
    moved = [one for one in order.payments if one.kind in SIGNS and one.outcome is PaymentOutcome.SUCCESS]
    return sorted(moved, key=lambda one: (one.at, one.payment_id))


def signed(payment: Payment) -> Price:
    """In the merchant's favour: what came in above zero, what went back below."""
    return times(payment.amount, SIGNS[payment.kind])


def sum_of_kind(order: Order, kinds: Iterable[PaymentKind]) -> Price:
    """Money that moved in these ways, above zero."""
    wanted = frozenset(kinds)
    return _sum((one.amount for one in money_moves(order) if one.kind in wanted), order)


def units_charged(line: OrderLine) -> int:
    """What was bought and not edited out again; refunds do not lower it."""
    return min(line.ordered, line.current + line.refunded)


def plus(price: Price, other: Price, sign: int = 1) -> Price:
    """Both currencies, exactly; where the buyer's differ, the buyer's side is told as the shop's."""
    added = times(other, sign)
    shop = price.shop.plus(added.shop)
    if price.presentment.currency != added.presentment.currency:
        return Price(shop, shop)
    return Price(shop, price.presentment.plus(added.presentment))


def times(price: Price, factor: int) -> Price:
    """So many times the same."""
    return Price(
        Money(price.shop.amount * factor, price.shop.currency),
        Money(price.presentment.amount * factor, price.presentment.currency),
    )


def _parts_of(order: Order, charged: Charged) -> Price:
    """Lines, shipping and taxes added up; fees are known as a sum only. Where there are fees, some of the tax may be
    theirs, so the store's own sum of taxes is taken."""
    parts = [line.amount for line in map(_line, order.lines)] + [line.amount for line in map(_shipping, order.shipping)]
    if not order.tax_included:
        fees = bool(charged.other.shop.amount)
        parts += [charged.tax] if fees else [tax.amount for tax in _tax_lines(order)]
    return plus(_sum(parts, order), charged.other)


def _from_totals(order: Order) -> Charged:
    totals = order.totals
    return Charged(totals.subtotal, totals.shipping, totals.tax, totals.other, totals.total, totals.paid)


def _line(line: OrderLine) -> InvoiceLine:
    units = units_charged(line)
    amount = plus(times(line.unit_price, units), line.discount, -1)
    title = f"{line.title} {line.variant_title}".strip()
    return InvoiceLine(title, line.sku or "", units, line.unit_price, line.discount, amount)


def _shipping(line: ShippingLine) -> InvoiceLine:
    return InvoiceLine(line.title, line.code, 1, line.price, line.discount, plus(line.price, line.discount, -1))


def _tax_lines(order: Order) -> list[TaxLine]:
    of_goods = [tax for line in order.lines for tax in line.taxes]
    return of_goods + [tax for line in order.shipping for tax in line.taxes]


def _taxes(order: Order) -> tuple[InvoiceTax, ...]:
    found: dict[tuple[str, Decimal | None], Price] = {}
    for tax in _tax_lines(order):
        name = (tax.title, tax.rate)
        found[name] = plus(found[name], tax.amount) if name in found else tax.amount
    return tuple(
        InvoiceTax(title, "" if rate is None else f"{rate:f}", amount) for (title, rate), amount in found.items()
    )


def _payment(payment: Payment) -> InvoicePayment:
    return InvoicePayment(payment.kind.value, payment.at, signed(payment), payment.gateway)


def _sum(prices: Iterable[Price], order: Order) -> Price:
    """Exactly, in both currencies; where one of them is not the order's own, the buyer's side is told as the shop's."""
    found = list(prices)
    seen = order.presentment_currency or order.currency
    shop = sum_of((one.shop for one in found if one.shop.currency == order.currency), order.currency)
    if any(one.presentment.currency != seen for one in found):
        return Price(shop, shop)
    return Price(shop, sum_of((one.presentment for one in found), seen))
