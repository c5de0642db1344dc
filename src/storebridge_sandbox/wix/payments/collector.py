"""``/ecom/v1/payments-collector``: the older calls that mark orders as paid and trigger refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders.amounts import balance_of, totals_of
from storebridge_sandbox.wix.orders.office import MANAGE, READ, Bulk, Office, declared, texts_in
from storebridge_sandbox.wix.orders.reading import amount_in, object_in, one_of, quantity_in, text_in
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import RefundTransaction, WixLine, WixOrder
from storebridge_sandbox.wix.orders.transactions import transactions_payload
from storebridge_sandbox.wix.payments.refunding import remaining, why_not
from storebridge_sandbox.wix.wire import WixRefusal, money, validation_error

BASE = "/ecom/v1/payments-collector/orders/{ecomOrderId}"
MANUAL_PAYMENT = "/ecom/v1/payments-collector/orders/{orderId}/manual-payment"
SETTLED = ("PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED")
MANUAL = {"offlinePayment": True, "paymentMethod": "Offline"}
NEVER_BY_PROVIDER = "OFFLINE"
RESTOCKS = frozenset(("NO_ITEMS", "ALL_ITEMS", "SOME_ITEMS"))
IN_STATUS = {
    "CANCELED": "NONCOLLECTABLE_ORDER_IS_CANCELLED",
    "PENDING": "NONCOLLECTABLE_ORDER_IS_PENDING",
    "REJECTED": "NONCOLLECTABLE_ORDER_IS_REJECTED",
}


class CollectorAnswers:
    """Answers about payments that a person took in."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> list[Operation]:
        call = declared("ecom_orders")
        bulk = "/v1/bulk/payments-collector/mark-as-paid"
        collectability = f"{BASE}/payment-collectability-status"
        return [
            call("bulkMarkOrdersAsPaid", "POST", bulk, self.bulk_mark, MANAGE),
            call("markOrderAsPaid", "POST", f"{BASE}/mark-as-paid", self.mark, MANAGE),
            call("recordManuallyCollectedPayment", "POST", MANUAL_PAYMENT, self.record, MANAGE),
            call("getPaymentCollectabilityStatus", "GET", collectability, self.collectability, READ),
            call("getRefundabilityStatus", "GET", f"{BASE}/refundability", self.refundability, READ),
            call("triggerRefund", "POST", f"{BASE}/trigger-refund", self.trigger_refund, MANAGE),
        ]

    def mark(self, call: Call) -> dict[str, Any]:
        order = self._office.find(call.params["ecomOrderId"])
        self._mark(order, call)
        return {"order": order.shown}

    def bulk_mark(self, call: Call) -> dict[str, Any]:
        bulk = Bulk()
        for order_id in texts_in(call, "ecomOrderIds", 100):
            try:
                order = self._office.find(order_id)
                self._mark(order, call)
            except WixRefusal as refused:
                bulk.failed(order_id, refused)
            else:
                bulk.done(order.id, order.shown)
        return bulk.answer()

    def record(self, call: Call) -> dict[str, Any]:
        order = self._office.find(call.params["orderId"])
        if order.status in ("CANCELED", "REJECTED"):
            raise refusal("ORDER_CANCELED", f"The order is {order.status}")
        balance = self._balance(order)
        amount = amount_in(object_in(call.arguments.get("amount"), "amount"), "amount")
        if not 0 < amount <= balance:
            raise refusal("INVALID_AMOUNT", f"{amount} of {balance} that is left to pay")
        self._take_in(order, amount, call)
        return {}

    def collectability(self, call: Call) -> dict[str, Any]:
        order = self._office.find(call.params["ecomOrderId"])
        balance = balance_of(order, totals_of(order).total)
        status = IN_STATUS.get(order.status, "COLLECTABLE")
        if order.payment_status in SETTLED:
            status = "NONCOLLECTABLE_ORDER_IS_PAID"
        elif any(one.status == "APPROVED" for one in order.chargebacks):
            status = "NONCOLLECTABLE_ORDER_HAS_CHARGEBACKS"
        return {"status": status, "amount": money(max(balance, Decimal(0)), order.currency)}

    def refundability(self, call: Call) -> dict[str, Any]:
        order = self._office.find(call.params["ecomOrderId"])
        return {"refundabilities": [_refundability(order, payment.id) for payment in order.payments]}

    def trigger_refund(self, call: Call) -> dict[str, Any]:
        """Exactly one payment. ``sideEffects.restockInfo`` says what goes back to stock."""
        order = self._office.find(call.params["ecomOrderId"])
        rows = call.rows("payments", 1)
        payment = order.payment_of(rows[0].get("paymentId"))
        if payment is None:
            raise refusal("PAYMENTS_NOT_FOUND", f"The order has no payment {rows[0].get('paymentId')!r}")
        reason = why_not(payment, order)
        external = bool(rows[0].get("externalRefund"))
        if reason is not None or (payment.offline and not external):
            raise refusal("REFUND_NOT_AVAILABLE", f"The payment cannot be refunded: {reason or NEVER_BY_PROVIDER}")
        left = remaining(payment, order)
        amount = left if rows[0].get("amount") is None else amount_in(rows[0]["amount"], "payments[0].amount")
        if not 0 < amount <= left:
            raise refusal("INVALID_AMOUNT", f"{amount} of {left} that can be refunded")
        chosen, details = self._chosen(order, call), call.part("details")
        calls = not external or self._office.orders.quirks.w30_external_refund_calls_provider
        provider_id = self._office.orders.new_id() if calls else None
        transaction = RefundTransaction(payment.id, amount, "SUCCEEDED", external, provider_id)
        if details.get("reason") is not None:
            text_in(details["reason"], "details.reason", 200)
        before = order.payment_status
        refund = self._office.money.give_money_back(
            order, chosen, [transaction], call.actor, reason=details.get("reason")
        )
        self._office.news.refunded(order, refund, before, call.actor)
        call.wrote = True
        return {"orderTransactions": transactions_payload(order), "refundId": refund.id, "failedPaymentIds": []}

    def _chosen(self, order: WixOrder, call: Call) -> list[tuple[WixLine, int, int]]:
        details = call.part("details")
        refunded = _units(order, details.get("lineItems") or details.get("items") or [], "details.lineItems")
        for line_id, units in refunded.items():
            line = order.line(line_id)
            if line is not None and units > line.refundable:
                raise validation_error("details.lineItems.quantity", f"only {line.refundable} are left", "OTHER")
        info = call.part("sideEffects").get("restockInfo") or {}
        kind = one_of(info.get("type", "NO_ITEMS"), RESTOCKS, "sideEffects.restockInfo.type")
        back: dict[str, int] = {}
        if kind == "ALL_ITEMS":
            back = {line.id: line.current_quantity for line in order.shown_lines()}
        elif kind == "SOME_ITEMS":
            back = _units(order, info.get("items") or [], "sideEffects.restockInfo.items")
        goods = self._office.orders.goods
        return [
            (line, refunded.get(line.id, 0), goods.restockable(order, line, back.get(line.id, 0)))
            for line in order.shown_lines()
            if line.id in refunded or line.id in back
        ]

    def _mark(self, order: WixOrder, call: Call) -> None:
        balance = self._balance(order)
        under_way = [payment for payment in order.payments if payment.status == "PENDING_MERCHANT"]
        for payment in under_way:
            payment.status, payment.updated_at = "APPROVED", self._office.orders.now()
        if under_way:
            self._office.settle(order, call.actor, [payment.id for payment in under_way])
            call.wrote = True
        else:
            self._take_in(order, balance, call)

    def _take_in(self, order: WixOrder, amount: Decimal, call: Call) -> None:
        """A manual payment approves an order that waited."""
        payment = self._office.orders.add_payment(order, amount, "APPROVED", MANUAL)
        self._office.settle(order, call.actor, [payment.id])
        call.wrote = True

    def _balance(self, order: WixOrder) -> Decimal:
        if order.payment_status in SETTLED:
            raise refusal("ORDER_ALREADY_PAID", "The order is paid")
        if any(one.status == "APPROVED" for one in order.chargebacks):
            raise refusal("ORDER_HAS_CHARGEBACKS", "A payment of the order was charged back")
        return balance_of(order, totals_of(order).total) or totals_of(order).total


def _units(order: WixOrder, rows: list[Any], field: str) -> dict[str, int]:
    units: dict[str, int] = {}
    for row in rows:
        line = order.line(object_in(row, field).get("lineItemId"))
        if line is None:
            raise validation_error(f"{field}.lineItemId", "is no line item of the order", "OTHER")
        units[line.id] = units.get(line.id, 0) + quantity_in(row.get("quantity"), f"{field}.quantity")
    return units


def _refundability(order: WixOrder, payment_id: str) -> dict[str, Any]:
    payment = order.payment_of(payment_id)
    reason = None if payment is None else why_not(payment, order)
    if reason is not None:
        return {"paymentId": payment_id, "refundabilityStatus": "NOT_REFUNDABLE", "nonRefundableReason": reason}
    if payment is not None and payment.offline:
        return {"paymentId": payment_id, "refundabilityStatus": "MANUAL", "manuallyRefundableReason": "OFFLINE"}
    return {"paymentId": payment_id, "refundabilityStatus": "REFUNDABLE"}
