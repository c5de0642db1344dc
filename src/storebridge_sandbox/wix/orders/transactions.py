"""How payments and refunds of an order read."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.orders.state import (
    UNDER_WAY,
    Chargeback,
    Payment,
    RefundTransaction,
    WixOrder,
    WixRefund,
)
from storebridge_sandbox.wix.wire import money, wix_date


def transactions_payload(order: WixOrder) -> dict[str, Any]:
    """The OrderTransactions message."""
    return {
        "orderId": order.id,
        "payments": [payment_payload(payment, order) for payment in order.payments],
        "refunds": [refund_payload(refund, order) for refund in order.wix_refunds()],
    }


def payment_payload(payment: Payment, order: WixOrder) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": payment.id,
        "createdDate": wix_date(payment.created_at),
        "updatedDate": wix_date(payment.updated_at),
        "amount": money(payment.amount, order.currency),
        "refundDisabled": payment.refund_disabled,
        "supportReceiptGeneration": False,
        "status": payment.status,
        payment.kind: dict(payment.details),
    }
    if payment.correlation_id is not None:
        shown["chargeCorrelationId"] = payment.correlation_id
    if payment.kind == "regularPaymentDetails":
        shown[payment.kind].update(_regular(payment, order))
    return shown


def _regular(payment: Payment, order: WixOrder) -> dict[str, Any]:
    told: dict[str, Any] = {"status": payment.status}
    chargebacks = [one for one in order.chargebacks if one.payment_id == payment.id]
    if chargebacks:
        told["chargebacks"] = [chargeback_payload(one, order) for one in chargebacks]
    if payment.captured_at or payment.voided_at or payment.status == "AUTHORIZED":
        told["authorizationDetails"] = _authorization(payment, order)
    return told


def _authorization(payment: Payment, order: WixOrder) -> dict[str, Any]:
    told: dict[str, Any] = {"delayedCapture": True, "authorizedDate": wix_date(payment.created_at)}
    if payment.captured_at is not None:
        capture = {"status": "SUCCEEDED", "amount": money(payment.amount, order.currency)}
        told["captures"] = [{**capture, "createdDate": wix_date(payment.captured_at)}]
    if payment.voided_at is not None:
        told["void"] = {"status": "SUCCEEDED", "voidedDate": wix_date(payment.voided_at), "reason": "MANUAL"}
    return told


def chargeback_payload(chargeback: Chargeback, order: WixOrder) -> dict[str, Any]:
    told = {
        "id": chargeback.id,
        "createdDate": wix_date(chargeback.at),
        "updatedDate": wix_date(chargeback.updated_at),
        "amount": money(chargeback.amount, order.currency),
        "status": chargeback.status,
    }
    if chargeback.status == "REVERSED":
        told["reversalAmount"] = money(chargeback.amount, order.currency)
    return told


def refund_payload(refund: WixRefund, order: WixOrder) -> dict[str, Any]:
    """The Refund message of the order's transactions."""
    shown: dict[str, Any] = {
        "id": refund.id,
        "transactions": [_transaction(one, order) for one in refund.transactions],
        "details": _details(refund, order),
        "createdDate": wix_date(refund.at),
        "summary": _summary(refund, order),
    }
    if refund.app_id is not None:
        shown["requestingServiceAppId"] = refund.app_id
    return shown


def refund_completed(refund: WixRefund, order: WixOrder) -> dict[str, Any]:
    """Body of ``wix.ecom.v1.order_transactions_refund_completed``."""
    restocked = [{"lineItemId": line_id, "quantity": units} for line_id, units in refund.restocked.items()]
    restock: dict[str, Any] = {"type": "SOME_ITEMS", "items": restocked} if restocked else {"type": "NO_ITEMS"}
    effects: dict[str, Any] = {"restockInfo": restock, "sendOrderRefundedEmail": refund.emailed}
    if refund.message is not None:
        effects["customMessage"] = refund.message
    return {
        "orderId": order.id,
        "refund": refund_payload(refund, order),
        "sideEffects": effects,
        "orderTransactions": transactions_payload(order),
    }


def _transaction(one: RefundTransaction, order: WixOrder) -> dict[str, Any]:
    told: dict[str, Any] = {
        "paymentId": one.payment_id,
        "amount": money(one.amount, order.currency),
        "refundStatus": one.status,
        "externalRefund": one.external,
    }
    if one.provider_refund_id is not None:
        told["gatewayRefundId"] = told["providerRefundId"] = one.provider_refund_id
    if one.status_info is not None:
        told["refundStatusInfo"] = one.status_info
    return told


def _details(refund: WixRefund, order: WixOrder) -> dict[str, Any]:
    lines = [{"lineItemId": back.line.id, "quantity": back.quantity} for back in refund.lines if back.quantity]
    told: dict[str, Any] = {"items": lines, "lineItems": lines, "shippingIncluded": refund.shipping is not None}
    if refund.fees:
        told["additionalFees"] = [
            {"additionalFeeId": fee, "amount": money(amount, order.currency)} for fee, amount in refund.fees.items()
        ]
    if refund.shipping is not None:
        told["shipping"] = {"amount": money(refund.shipping, order.currency)}
    if refund.reason is not None:
        told["reason"] = refund.reason
    return told


def _summary(refund: WixRefund, order: WixOrder) -> dict[str, Any]:
    currency = order.currency
    under_way = refund.amount_in(*UNDER_WAY)
    told: dict[str, Any] = {
        "requestedRefund": money(refund.amount, currency),
        "pendingRefund": money(under_way, currency),
        "refunded": money(refund.amount_in("SUCCEEDED"), currency),
        "failedRefundAmount": money(refund.amount_in("FAILED"), currency),
        "pending": bool(under_way),
    }
    if refund.completed:
        told["breakdown"] = {
            "lineItems": [
                {"lineItemId": back.line.id, "totalRefundedAmount": money(back.line.price * back.quantity, currency)}
                for back in refund.lines
                if back.quantity
            ]
        }
    return told
