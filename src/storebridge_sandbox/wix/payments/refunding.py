"""Whether and how much of an order can be refunded, and what a refund would be made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.orders.amounts import totals_of
from storebridge_sandbox.wix.orders.reading import amount_in, object_in
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import MONEY_IN, UNDER_WAY, ZERO, Payment, WixLine, WixOrder
from storebridge_sandbox.wix.wire import WixRefusal, money, validation_error

CENT = Decimal("0.01")


def why_not(payment: Payment, order: WixOrder) -> str | None:
    """Why nothing of a payment can be refunded; None when something can."""
    if order.status in ("PENDING", "REJECTED"):
        return f"ORDER_IS_{order.status}"
    if not payment.amount:
        return "ZERO_PRICE"
    if payment.status not in MONEY_IN:
        return "NOT_PAID"
    if payment.refund_disabled:
        return "DISABLED_BY_PROVIDER"
    if remaining(payment, order) > 0:
        return None
    if order.refunded_of(payment) < payment.came_in:
        return "AMOUNT_OFFSET_BY_CHARGEBACK"
    under_way = (one for refund in order.wix_refunds() for one in refund.transactions if one.payment_id == payment.id)
    return "PENDING_REFUND" if any(one.status in UNDER_WAY for one in under_way) else "ALREADY_REFUNDED"


def remaining(payment: Payment, order: WixOrder) -> Decimal:
    """What can still go back, with chargebacks taken off."""
    gone = sum(
        (one.amount for one in order.chargebacks if one.payment_id == payment.id and one.status == "APPROVED"), ZERO
    )
    return max(ZERO, payment.came_in - order.refunded_of(payment) - gone)


def fee_amount(order: WixOrder, fee_id: object) -> Decimal | None:
    """The price of an additional fee; None for one that the order does not have."""
    for fee in order.told.get("additionalFees") or []:
        if fee.get("id") == fee_id:
            return Decimal(str((fee.get("price") or {}).get("amount", "0")))
    return None


def refunded_fee(order: WixOrder, fee_id: str) -> Decimal:
    return sum((refund.fees.get(fee_id, ZERO) for refund in order.wix_refunds()), ZERO)


def refunded_shipping(order: WixOrder) -> Decimal:
    return sum((refund.shipping or ZERO for refund in order.wix_refunds()), ZERO)


@dataclass(frozen=True, slots=True)
class Worth:
    """What some part of an order is worth: total = subtotal - discount + tax."""

    subtotal: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount + self.tax

    def __add__(self, other: Worth) -> Worth:
        return Worth(self.subtotal + other.subtotal, self.discount + other.discount, self.tax + other.tax)

    def payload(self, currency: str) -> dict[str, Any]:
        sums = {"total": self.total, "tax": self.tax, "discount": self.discount, "subtotal": self.subtotal}
        return {name: money(amount, currency) for name, amount in sums.items()}


def line_worth(line: WixLine, order: WixOrder, units: int) -> Worth:
    """Units of a line with their share of its discount and tax, and of discounts on the whole order."""
    full = line.unit_before_discounts * units
    discount = (line.unit_before_discounts - line.price) * units + _global_share(order, line.price * units)
    tax = (line.tax * units / line.quantity).quantize(CENT) if line.quantity else ZERO
    return Worth(full - tax if order.sums.tax_included else full, discount, tax)


def _global_share(order: WixOrder, worth: Decimal) -> Decimal:
    lines = order.shown_lines()
    own = sum(((line.unit_before_discounts - line.price) * line.shown_quantity for line in lines), ZERO)
    base = sum((line.price * line.shown_quantity for line in lines), ZERO)
    rest = max(ZERO, order.sums.discount - own)
    return (rest * worth / base).quantize(CENT) if base else ZERO


@dataclass(slots=True)
class Asked:
    """What a caller wants refunded; ``wrong`` are the parts that cannot be, each with its item and refusal."""

    lines: list[tuple[WixLine, int]] = field(default_factory=list)
    fees: dict[str, Decimal] = field(default_factory=dict)
    shipping: Decimal | None = None
    wrong: list[tuple[str, dict[str, Any], WixRefusal]] = field(default_factory=list)

    def units_of(self, line_id: object) -> int:
        return sum(units for line, units in self.lines if line.id == line_id)


def read_items(order: WixOrder, items: dict[str, Any]) -> Asked:
    """Sort a RefundItems message into what can be refunded and what cannot."""
    asked = Asked()
    for row in items.get("lineItems") or []:
        _attempt(asked, "lineItem", object_in(row, "refundItems.lineItems"), lambda row: _read_line(order, asked, row))
    for row in items.get("additionalFees") or []:
        _attempt(asked, "additionalFee", object_in(row, "refundItems"), lambda row: _read_fee(order, asked, row))
    if items.get("shipping") is not None:
        shipping = object_in(items["shipping"], "refundItems.shipping")
        _attempt(asked, "shipping", shipping, lambda row: _read_shipping(order, asked, row))
    return asked


def _attempt(asked: Asked, name: str, row: dict[str, Any], read: Any) -> None:
    try:
        read(row)
    except WixRefusal as refused:
        asked.wrong.append((name, row, refused))


def _read_line(order: WixOrder, asked: Asked, row: dict[str, Any]) -> None:
    line = order.line(row.get("lineItemId"))
    if line is None:
        raise refusal("LINE_ITEM_NOT_FOUND", f"The order has no line item {row.get('lineItemId')!r}")
    quantity = row.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int):
        raise validation_error("refundItems.lineItems.quantity", "must be a whole number", "FORMAT")
    if not 1 <= quantity <= line.refundable - asked.units_of(line.id):
        left = line.refundable
        raise refusal("INVALID_LINE_ITEM_REFUND_QUANTITY", f"{quantity} of {left} that can be refunded", dict(row))
    asked.lines.append((line, quantity))


def _read_fee(order: WixOrder, asked: Asked, row: dict[str, Any]) -> None:
    fee_id = str(row.get("additionalFeeId"))
    price = fee_amount(order, fee_id)
    if price is None:
        raise refusal("ADDITIONAL_FEE_NOT_FOUND", f"The order has no additional fee {fee_id!r}", dict(row))
    left = price - refunded_fee(order, fee_id) - asked.fees.get(fee_id, ZERO)
    amount = left if row.get("amount") is None else amount_in(row["amount"], "refundItems.additionalFees.amount")
    if not 0 < amount <= left:
        raise refusal("INVALID_ADDITIONAL_FEE_REFUND_AMOUNT", f"{amount} of {left} that can be refunded", dict(row))
    asked.fees[fee_id] = asked.fees.get(fee_id, ZERO) + amount


def _read_shipping(order: WixOrder, asked: Asked, row: dict[str, Any]) -> None:
    cost = totals_of(order).shipping
    if "shippingInfo" not in order.told or not cost:
        raise refusal("SHIPPING_NOT_FOUND", "The order has no shipping that was paid for", dict(row))
    left = cost - refunded_shipping(order)
    amount = left if row.get("amount") is None else amount_in(row["amount"], "refundItems.shipping.amount")
    if not 0 < amount <= left:
        raise refusal("INVALID_SHIPPING_REFUND_AMOUNT", f"{amount} of {left} that can be refunded", dict(row))
    asked.shipping = amount
