"""Money of orders: payments that arrive or fail, refunds, and the stock that goes back with them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from storebridge_sandbox.orders import RefundedLine, Refused, Wish
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.orders.amounts import payment_status, totals_of
from storebridge_sandbox.wix.orders.book import CARD, Orders
from storebridge_sandbox.wix.orders.state import ZERO, RefundTransaction, WixLine, WixOrder, WixRefund


class Money:
    """Verbs raise Refused, having changed nothing."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def pay(self, order: WixOrder) -> None:
        """The payment arrives; an order under way is approved, and under ON_ORDER_PAID stock is taken now."""
        if order.payment != "pending":
            raise Refused(f"order {order.name} awaits no payment, it is {order.payment}", 409)
        under_way = [payment for payment in order.payments if payment.status == "PENDING"]
        for payment in under_way:
            payment.status, payment.updated_at = "APPROVED", self._orders.now()
        if not under_way:
            details = {"paymentMethod": CARD, "offlinePayment": order.status == "APPROVED"}
            self._orders.add_payment(order, totals_of(order).total, "APPROVED", details)
        self.settle(order)

    def settle(self, order: WixOrder) -> None:
        """Payments changed: the order is approved and takes its stock when the money is there."""
        before = order.payment_status
        order.payment_status = payment_status(order, totals_of(order).total)
        if order.payment_status in ("PAID", "PARTIALLY_PAID") and before != order.payment_status:
            self._orders.note(order, "ORDER_PAID" if order.payment_status == "PAID" else "ORDER_PARTIALLY_PAID")
        saved = order.approval == "PAYMENT_METHOD_SAVED" and any(
            payment.details.get("savedPaymentMethod") for payment in order.payments
        )
        if order.payment_status == "PAID" or saved:
            if order.status in ("INITIALIZED", "PENDING"):
                order.status = "APPROVED"
            if order.status == "APPROVED":
                self._orders.goods.take_order(order)
        self._orders.touch(order)

    def fail(self, order: WixOrder, actor: Actor) -> None:
        """The online payment fails: the order is rejected, and what it took goes back by itself (W11)."""
        if order.status not in ("INITIALIZED", "PENDING"):
            raise Refused(f"order {order.name} awaits no online payment, it is {order.status}", 409)
        for payment in order.payments:
            if payment.status == "PENDING":
                payment.status, payment.updated_at = "DECLINED", self._orders.now()
        if not order.payments:
            details = {"paymentMethod": CARD, "offlinePayment": False}
            self._orders.add_payment(order, totals_of(order).total, "DECLINED", details)
        self.reject(order, actor)

    def reject(self, order: WixOrder, actor: Actor) -> None:
        """A declined order ends."""
        order.status = "REJECTED"
        order.cancelled_at = self._orders.now()
        self._orders.note(order, "ORDER_REJECTED")
        restocks = self._orders.quirks.w11_failed_payment_restocks
        for line in order.wix_lines():
            back = line.held if restocks else 0
            self._orders.goods.give_back(line, back, "revert", actor, order.id)
            line.cancelled += line.current_quantity
            line.restocked += back
            line.reverted += back
        self._orders.touch(order)

    def refund(self, order: WixOrder, wishes: Sequence[Wish], amount: Decimal | None, actor: Actor) -> WixRefund:
        """Staff give money back for units by SKU; the money comes off the order's payments, first to last."""
        chosen: list[tuple[WixLine, int, int]] = []
        for wish in wishes:
            line = next((line for line in order.wix_lines() if line.variant.sku == wish.sku), None)
            if line is None:
                raise Refused(f"order {order.name} has no line with SKU {wish.sku!r}")
            if not 0 < wish.quantity <= line.refundable:
                raise Refused(f"{wish.sku}: more than was bought")
            back = self._orders.goods.restockable(order, line, wish.quantity) if wish.restock else 0
            chosen.append((line, wish.quantity, back))
        worth = sum((line.price * quantity for line, quantity, _ in chosen), ZERO)
        return self.give_money_back(order, chosen, self._spread(order, worth if amount is None else amount), actor)

    def _spread(self, order: WixOrder, amount: Decimal) -> list[RefundTransaction]:
        parts: list[RefundTransaction] = []
        left = amount
        payments = [payment for payment in order.payments if payment.came_in]
        for payment in payments:
            part = min(left, payment.amount - order.refunded_of(payment))
            if part > 0:
                parts.append(RefundTransaction(payment.id, part, "SUCCEEDED", payment.offline, self._orders.new_id()))
                left -= part
        if left > 0 and payments:
            parts.append(RefundTransaction(payments[-1].id, left, "SUCCEEDED", True))
        elif left > 0:
            parts.append(RefundTransaction("", left, "SUCCEEDED", True))
        return parts

    def give_money_back(
        self,
        order: WixOrder,
        chosen: Sequence[tuple[WixLine, int, int]],
        transactions: list[RefundTransaction],
        actor: Actor,
        **more: Any,
    ) -> WixRefund:
        """Record a refund of (line, units, units to restock); stock moves for the latter. ``more`` are further fields
        of the refund (fees, shipping, reason, e-mail)."""
        amount = sum((one.amount for one in transactions), ZERO)
        refund = WixRefund(self._orders.new_id(), self._orders.now(), amount, [], **more)
        known = {payment.id for payment in order.payments}
        refund.transactions = [one for one in transactions if one.payment_id in known]
        refund.app_id = actor.identity.get("appId")
        for line, quantity, back in chosen:
            self._refund_line(order, refund, line, quantity, back, actor)
        order.refunds.append(refund)
        self._orders.note(order, "REFUND_INITIATED", refundInitiated={"refundId": refund.id})
        self.refund_settled(order, refund)
        return refund

    def _refund_line(
        self, order: WixOrder, refund: WixRefund, line: WixLine, quantity: int, back: int, actor: Actor
    ) -> None:
        if order.imported and self._orders.quirks.w10_imported_restocks_unasked:
            back = self._orders.goods.restockable(order, line, quantity)
        self._orders.goods.give_back(line, back, "refund", actor, refund.id)
        line.refunded += quantity
        line.restocked += back
        line.cancelled = min(line.cancelled, line.quantity - line.refunded)
        if back:
            refund.restocked[line.id] = refund.restocked.get(line.id, 0) + back
        place = self._orders.goods.default_location if back else None
        refund.lines.append(RefundedLine(line, quantity, bool(back), place, was_fulfilled=False))

    def refund_settled(self, order: WixOrder, refund: WixRefund) -> None:
        """Transactions of a refund changed: payments and order get the statuses that follow."""
        for payment in order.payments:
            if payment.came_in:
                back = order.refunded_of(payment)
                payment.status = "REFUNDED" if back >= payment.amount else "PARTIALLY_REFUNDED" if back else "APPROVED"
                payment.updated_at = self._orders.now() if back else payment.updated_at
        order.payment_status = payment_status(order, totals_of(order).total)
        refund.completed = not refund.amount_in("PENDING", "SCHEDULED", "STARTED")
        if refund.completed:
            failed = bool(refund.amount_in("FAILED"))
            self._orders.note(order, "PAYMENT_REFUND_FAILED" if failed else "PAYMENT_REFUNDED")
        self._orders.touch(order)
