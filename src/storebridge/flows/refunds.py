"""The second step of calling an order off, in stores whose cancellation moves no money. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from storebridge.model.order_writes import CancelOrder, OrderWrite, PaymentRefund, PlannedOrderWrite, RefundOrder
from storebridge.model.sales import Order, ParcelLine, Payment, PaymentKind, PaymentOutcome, Refund, Standing

CAME_IN = frozenset({PaymentKind.SALE, PaymentKind.CAPTURE})
REFUND_APART = "refund_apart"
"""In the result of a cancellation: its store pays nothing back by itself."""


def plan_refunds(order: Order, cancelled: Iterable[tuple[OrderWrite, dict[str, str]]]) -> list[PlannedOrderWrite]:
    """What is still to be paid back of an order that we called off; ``cancelled`` are its writes that took effect, with
    their results."""
    wanted = [w for w, result in cancelled if isinstance(w, CancelOrder) and w.refund and REFUND_APART in result]
    payments = tuple(PaymentRefund(one.payment_id, left, one.offline) for one, left in money_left(order))
    if not wanted or not payments or order.standing is not Standing.CANCELLED:
        return []
    lines = tuple(ParcelLine(line.line_id, line.current) for line in order.lines if line.current > 0)
    write = RefundOrder(order.order_id, payments, lines, wanted[0].note)
    purpose = f"refund:{order.connection}:{order.order_id}"
    return [PlannedOrderWrite(order.connection, purpose, write, "it was called off and is paid back")]


def is_under_way(order: Order, refund: Refund) -> bool:
    """Whether money of it may still go back or not."""
    parts = [one for one in order.payments if one.payment_id.startswith(f"{refund.refund_id}/")]
    return any(one.outcome is PaymentOutcome.PENDING for one in parts)


def money_left(order: Order) -> list[tuple[Payment, Decimal]]:
    """Payments of which something was not given back yet, and how much, in the shop's currency; the oldest first."""
    found = []
    for payment in order.payments:
        if payment.kind not in CAME_IN or payment.outcome is not PaymentOutcome.SUCCESS:
            continue
        back = [
            one.amount.shop.amount
            for one in order.payments
            if one.kind is PaymentKind.REFUND
            and one.parent_id == payment.payment_id
            and one.outcome is not PaymentOutcome.FAILED
        ]
        left = payment.amount.shop.amount - sum(back, Decimal(0))
        if left > 0:
            found.append((payment, left))
    return found
