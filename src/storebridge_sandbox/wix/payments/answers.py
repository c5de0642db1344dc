"""``/ecom/v1/payments``: the records of an order's payments and refunds. Nobody is charged here."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders.office import MANAGE, READ, Bulk, Office, declared, texts_in
from storebridge_sandbox.wix.orders.reading import amount_in, guid_in, moment_in, object_in, one_of, text_in
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import Payment, WixOrder
from storebridge_sandbox.wix.orders.transactions import payment_payload, transactions_payload
from storebridge_sandbox.wix.wire import WixRefusal, validation_error

BASE = "/ecom/v1/payments"
KINDS = ("regularPaymentDetails", "giftcardPaymentDetails", "membershipPaymentDetails")
STATUSES = frozenset(
    (
        *("APPROVED", "PENDING", "PENDING_MERCHANT", "CANCELED", "DECLINED"),
        *("REFUNDED", "PARTIALLY_REFUNDED", "AUTHORIZED", "VOIDED"),
    )
)
SETTABLE = frozenset(("APPROVED", "PENDING", "PENDING_MERCHANT", "CANCELED", "DECLINED"))
"""Refunds, captures and voids have calls of their own."""
REFUND_STATUSES = frozenset(("PENDING", "SUCCEEDED", "FAILED", "SCHEDULED", "STARTED"))
LOST = frozenset(("DECLINED", "CANCELED"))


class TransactionAnswers:
    """Answers about the money that was recorded."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> list[Operation]:
        call = declared("ecom_order-transactions")
        of_order = BASE + "/orders/{orderId}"
        status = BASE + "/{paymentId}/orders/{orderId}/update-payment-transaction-status"
        several, bulk = f"{BASE}/list-by-ids", "/ecom/v1/bulk/payments/update-payment-transaction-status"
        refund = f"{of_order}/update-refund-transaction"
        return [
            call("listTransactionsForMultipleOrders", "POST", several, self.list_several, READ),
            call("bulkUpdatePaymentStatuses", "POST", bulk, self.bulk_update_status, MANAGE),
            call("listTransactionsForSingleOrder", "GET", of_order, self.list_one, READ),
            call("addPayments", "POST", f"{of_order}/add-payment", self.add, MANAGE),
            call("updatePayments", "POST", f"{of_order}/update-payments", self.update, MANAGE),
            call("updateRefundTransaction", "POST", refund, self.update_refund, MANAGE),
            call("updatePaymentStatus", "POST", status, self.update_status, MANAGE),
        ]

    def list_one(self, call: Call) -> dict[str, Any]:
        return {"orderTransactions": transactions_payload(self._office.find(call.params["orderId"]))}

    def list_several(self, call: Call) -> dict[str, Any]:
        """Unknown orders are left out."""
        orders = [self._office.orders.orders.get(order_id) for order_id in texts_in(call, "orderIds", 100)]
        return {"orderTransactions": [transactions_payload(order) for order in orders if order is not None]}

    def add(self, call: Call) -> dict[str, Any]:
        order = self._office.find(call.params["orderId"])
        rows = [_read_payment(row, number) for number, row in enumerate(call.rows("payments", 50))]
        made = [self._add(order, *row) for row in rows]
        self._office.settle(order, call.actor, [payment.id for payment in made])
        call.wrote = True
        return {"orderTransactions": transactions_payload(order), "paymentsIds": [payment.id for payment in made]}

    def update(self, call: Call) -> dict[str, Any]:
        """Details of payments are merged. The packages declare neither fields nor answer: ``payments[].payment``."""
        order = self._office.orders.orders.get(call.params["orderId"])
        if order is None:
            raise refusal("ORDER_TRANSACTIONS_NOT_FOUND", f"No transactions of order {call.params['orderId']!r}")
        changes: list[tuple[Payment, dict[str, Any]]] = []
        for row in call.rows("payments", 50):
            message = object_in(row.get("payment"), "payments.payment")
            payment = _payment(order, message.get("id"))
            changes.append((payment, object_in(message.get(payment.kind) or {}, f"payments.payment.{payment.kind}")))
        for payment, details in changes:
            payment.details.update(details)
            payment.details.pop("status", None)
            payment.updated_at = self._office.orders.now()
        self._office.news.money_moved(order, [payment.id for payment, _ in changes], [], call.actor)
        call.wrote = True
        return {}

    def update_refund(self, call: Call) -> dict[str, Any]:
        """The provider tells how a refund ended: ``refundId``, ``refundTransaction{paymentId, refundStatus}``."""
        order = self._office.orders.orders.get(call.params["orderId"])
        if order is None:
            raise refusal("ORDER_TRANSACTIONS_NOT_FOUND", f"No transactions of order {call.params['orderId']!r}")
        wanted = call.arguments.get("refundId")
        refund = next((refund for refund in order.wix_refunds() if refund.id == wanted), None)
        if refund is None:
            raise refusal("REFUND_NOT_FOUND", f"Refund {wanted!r} was not found")
        message = object_in(call.arguments.get("refundTransaction"), "refundTransaction")
        one = next((one for one in refund.transactions if one.payment_id == message.get("paymentId")), None)
        if one is None:
            raise refusal("REFUND_TRANSACTION_NOT_FOUND", f"No refund of payment {message.get('paymentId')!r}")
        one.status = one_of(message.get("refundStatus"), REFUND_STATUSES, "refundTransaction.refundStatus")
        one.status_info = message.get("refundStatusInfo") or one.status_info
        before = order.payment_status
        self._office.money.refund_settled(order, refund)
        self._office.news.refunded(order, refund, before, call.actor)
        call.wrote = True
        return {}

    def update_status(self, call: Call) -> dict[str, Any]:
        order = self._office.find(call.params["orderId"])
        payment = _payment(order, call.params["paymentId"])
        self._set_status(order, payment, call.arguments.get("status"), call)
        call.wrote = True
        return {"orderTransactions": transactions_payload(order)}

    def bulk_update_status(self, call: Call) -> dict[str, Any]:
        bulk, whole = Bulk(), call.flag("returnFullEntity")
        for row in call.rows("paymentAndOrderIds", 300):
            payment_id = row.get("paymentId")
            try:
                order = self._office.find(row.get("orderId"))
                payment = _payment(order, payment_id)
                self._set_status(order, payment, call.arguments.get("status"), call)
            except WixRefusal as refused:
                bulk.failed(payment_id, refused)
            else:
                bulk.done(payment.id, payment_payload(payment, order) if whole else None)
        call.wrote = True
        return bulk.answer()

    def _set_status(self, order: WixOrder, payment: Payment, status: Any, call: Call) -> None:
        """A declined payment of an order that waits for it ends the order, and its goods go back (W11)."""
        if status not in SETTABLE:
            raise refusal("STATUS_NOT_ALLOWED", f"A payment is not set to {status} this way")
        payment.status, payment.updated_at = str(status), self._office.orders.now()
        waits = order.status in ("INITIALIZED", "PENDING")
        if waits and all(one.status in LOST for one in order.payments):
            before = order.payment_status
            self._office.money.reject(order, call.actor)
            self._office.news.money_moved(order, [payment.id], [], call.actor)
            self._office.news.settled(order, before, call.actor, approved=False)
        else:
            self._office.settle(order, call.actor, [payment.id])

    def _add(self, order: WixOrder, kind: str, message: dict[str, Any], status: str) -> Payment:
        details = {name: value for name, value in (message.get(kind) or {}).items() if name != "status"}
        offline = kind != KINDS[0] or bool(details.get("offlinePayment"))
        amount = amount_in(message["amount"], "payments.amount")
        payment = self._office.orders.add_payment(order, amount, status, details, online=not offline)
        payment.kind = kind
        payment.refund_disabled = bool(message.get("refundDisabled"))
        if message.get("createdDate"):
            payment.created_at = moment_in(message["createdDate"], "payments.createdDate")
        if message.get("chargeCorrelationId"):
            payment.correlation_id = guid_in(message["chargeCorrelationId"], "payments.chargeCorrelationId")
        return payment


def _read_payment(message: dict[str, Any], number: int) -> tuple[str, dict[str, Any], str]:
    """Kind, message and status of a payment to record; raises WixRefusal before anything is recorded."""
    field = f"payments[{number}]"
    amount_in(object_in(message.get("amount"), f"{field}.amount"), f"{field}.amount")
    kinds = [kind for kind in KINDS if message.get(kind) is not None]
    if len(kinds) > 1:
        raise validation_error(field, "takes one kind of payment details", "ONE_OF")
    kind = kinds[0] if kinds else KINDS[0]
    details = object_in(message.get(kind) or {}, f"{field}.{kind}")
    for name in ("providerTransactionId", "gatewayTransactionId", "paymentOrderId"):
        if details.get(name) is not None:
            text_in(details[name], f"{field}.{kind}.{name}", 100)
    if message.get("chargeCorrelationId"):
        guid_in(message["chargeCorrelationId"], f"{field}.chargeCorrelationId")
    if message.get("createdDate"):
        moment_in(message["createdDate"], f"{field}.createdDate")
    status = message.get("status") or details.get("status") or "APPROVED"
    return kind, message, one_of(status, STATUSES, f"{field}.status")


def _payment(order: WixOrder, payment_id: object) -> Payment:
    payment = order.payment_of(payment_id)
    if payment is None:
        raise refusal("PAYMENT_NOT_FOUND", f"Order {order.name} has no payment {payment_id!r}")
    return payment
