"""The arithmetic of an order: price summary, balance, and the statuses that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from storebridge_sandbox.wix.orders.state import ZERO, WixOrder

PAYING = {"PENDING": "PENDING", "PENDING_MERCHANT": "PENDING_MERCHANT"}
NOT_PAYING = {"DECLINED": "DECLINED", "CANCELED": "CANCELED"}
PAYMENT_WORDS = {
    "PAID": "paid",
    "PARTIALLY_PAID": "partially_paid",
    "PARTIALLY_REFUNDED": "partially_refunded",
    "FULLY_REFUNDED": "refunded",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """``subtotal`` is before discounts and tax; ``total`` is what the buyer owes altogether."""

    subtotal: Decimal
    shipping: Decimal
    tax: Decimal
    discount: Decimal
    fees: Decimal
    total: Decimal


def totals_of(order: WixOrder) -> Totals:
    """Total = subtotal + shipping + additional fees + tax (unless the prices hold it) - discount; stated sums win."""
    sums = order.sums
    subtotal = sums.subtotal
    if subtotal is None:
        subtotal = sum((line.unit_before_discounts * line.shown_quantity for line in order.shown_lines()), ZERO)
    total = sums.total
    if total is None:
        total = subtotal + sums.shipping + sums.fees - sums.discount
        total += ZERO if sums.tax_included else sums.tax
    return Totals(subtotal, sums.shipping, sums.tax, sums.discount, sums.fees, max(total, ZERO))


def line_discounts(order: WixOrder) -> Decimal:
    """What the lines' own prices lack."""
    return sum(((line.unit_before_discounts - line.price) * line.shown_quantity for line in order.shown_lines()), ZERO)


def payment_status(order: WixOrder, total: Decimal) -> str:
    """What the recorded payments and refunds add up to, else what was stated."""
    paid, back = order.paid, order.refunded
    if paid and back >= paid:
        return "FULLY_REFUNDED"
    if paid and back:
        return "PARTIALLY_REFUNDED"
    if paid:
        return "PAID" if paid >= total else "PARTIALLY_PAID"
    statuses = [payment.status for payment in order.payments]
    for words in (PAYING, NOT_PAYING):
        for status in statuses:
            if status in words:
                return words[status]
    if order.stated_payment is not None:
        return order.stated_payment
    return "PAID" if not total else "NOT_PAID"


def payment_word(order: WixOrder) -> str:
    """The same in the words of ``/_sandbox/truth``."""
    word = PAYMENT_WORDS.get(order.payment_status)
    if word is None:
        word = "voided" if order.cancelled_at else "pending"
    return word


def fulfilment_status(order: WixOrder) -> str:
    """Quantities decide; without parcels a stated status, and orders that ship nothing count as fulfilled."""
    lines = order.shown_lines()
    if any(line.fulfilled for line in lines):
        whole = all(line.fulfilled >= line.shown_quantity for line in lines)
        return "FULFILLED" if whole else "PARTIALLY_FULFILLED"
    if order.stated_fulfilment is not None:
        return order.stated_fulfilment
    return "NOT_FULFILLED" if "shippingInfo" in order.told else "FULFILLED"


def balance_of(order: WixOrder, total: Decimal) -> Decimal:
    """What is left to pay; below zero where an edit made the order cheaper than what was paid."""
    if order.payment_status in ("UNSPECIFIED", "NOT_PAID", "PARTIALLY_PAID", "DECLINED", "CANCELED"):
        return total - order.paid
    if order.payment_status == "PAID" and order.paid:
        return min(ZERO, total - order.paid)
    return ZERO
