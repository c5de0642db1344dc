"""Writes to orders: parcels, their tracking, copies and what copies follow. Only refunds take a key (facts, section 2).

So none is ever sent again before a read has shown that the first one did nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from storebridge.connectors.port import Blame, CallTrouble, EncodedOrderCall, OrderCallAnswer, OrderOutcome, Remedy
from storebridge.connectors.shopify.client import PATH, Answer, Operation, Shape
from storebridge.connectors.shopify.copies import COPY_OPTIONS, copy_of, details_of
from storebridge.connectors.shopify.edit_orders import COMMIT_EDIT, encode_edit
from storebridge.connectors.shopify.errors import UserError, drift
from storebridge.connectors.shopify.translate import LineRef
from storebridge.model.carriers import shopify_name
from storebridge.model.ids import OrderId
from storebridge.model.money import Money
from storebridge.model.order_writes import (
    AddParcel,
    CancelOrder,
    ChangeDetails,
    ChangeTracking,
    CreateCopy,
    EditLines,
    MoneyBack,
    OrderWrite,
    PaymentBack,
    PrepareForPickup,
    RecordPayments,
    RefundCopy,
    RefundOrder,
    TakeOff,
    UndoParcel,
)
from storebridge.model.sales import ParcelLine, Tracking

JOURNAL_BYTES = 64 * 1024
TRY_LATER = "Please try again later"
ADD_PARCEL = Operation(
    "fulfillmentCreate",
    "mutation fulfillmentCreate($fulfillment: FulfillmentInput!) {"
    " order: fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } } }",
    writes=True,
)
CHANGE_TRACKING = Operation(
    "fulfillmentTrackingInfoUpdate",
    "mutation fulfillmentTrackingInfoUpdate($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {"
    " order: fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify) {"
    " fulfillment { id } userErrors { field message } } }",
    writes=True,
)
UNDO_PARCEL = Operation(
    "fulfillmentCancel",
    "mutation fulfillmentCancel($id: ID!) { order: fulfillmentCancel(id: $id) {"
    " fulfillment { id } userErrors { field message } } }",
    writes=True,
)
CREATE_COPY = Operation(
    "orderCreate",
    "mutation orderCreate($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {"
    " order: orderCreate(order: $order, options: $options) { order { id } userErrors { code field message } } }",
    writes=True,
)
CANCEL_ORDER = Operation(
    "orderCancel",
    "mutation orderCancel($id: ID!, $reason: OrderCancelReason!, $refund: Boolean, $note: String,"
    " $method: OrderCancelRefundMethodInput, $notify: Boolean!) { order: orderCancel(orderId: $id, reason: $reason,"
    " restock: false, refund: $refund, refundMethod: $method, notifyCustomer: $notify, staffNote: $note) {"
    " job { id } userErrors: orderCancelUserErrors { code field message } } }",
    writes=True,
)
"""A job does it: that it was taken on is no proof, a read is."""
REFUND = Operation(
    "refundCreate",
    "mutation refundCreate($input: RefundInput!, $key: String!) {"
    " order: refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } } }",
    writes=True,
)
MARK_PAID = Operation(
    "orderMarkAsPaid",
    "mutation orderMarkAsPaid($input: OrderMarkAsPaidInput!) { order: orderMarkAsPaid(input: $input) {"
    " order { id } userErrors { field message } } }",
    writes=True,
)
CHANGE_DETAILS = Operation(
    "orderUpdate",
    "mutation orderUpdate($input: OrderInput!) { order: orderUpdate(input: $input) {"
    " order { id } userErrors { field message } } }",
    writes=True,
)
PREPARED = Operation(
    "fulfillmentOrderLineItemsPreparedForPickup",
    "mutation fulfillmentOrderLineItemsPreparedForPickup($input: FulfillmentOrderLineItemsPreparedForPickupInput!) {"
    " order: fulfillmentOrderLineItemsPreparedForPickup(input: $input) { userErrors { code field message } } }",
    writes=True,
)
NOTHING_TO_PREPARE = "NO_LINE_ITEMS_TO_PREPARE_FOR_FULFILLMENT_ORDER"
READY = {"ready": "yes"}
"""The answer names nothing, and no field of the order surely tells; so the answer itself is the proof (S44)."""
PARCELS = (ADD_PARCEL, CHANGE_TRACKING, UNDO_PARCEL, PREPARED)
COPIES = (CREATE_COPY, CANCEL_ORDER, REFUND, MARK_PAID, CHANGE_DETAILS, COMMIT_EDIT)
ORDER_OPERATIONS = {one.name: one for one in (*PARCELS, *COPIES)}


class Payload(Shape, frozen=True):
    """What is used of the payload."""

    user_errors: tuple[UserError, ...]
    fulfillment: LineRef | None = None
    order: LineRef | None = None
    refund: LineRef | None = None


class OrderAnswer(Shape, frozen=True):
    """What is used of the answer."""

    order: Payload | None = None


def encode_order_call(write: OrderWrite, key: str) -> EncodedOrderCall:
    """The exact bytes; pure. ``key`` goes into a refund, the only one of these calls that takes one."""
    if isinstance(write, EditLines):
        return encode_edit(write)
    operation, variables = _content(write)
    if operation is not REFUND:
        key = ""
    content = variables | ({"key": key} if key else {})
    body = msgspec.json.encode({"query": operation.document, "variables": content})
    return EncodedOrderCall(operation.name, "POST", PATH, body, key=key)


def _content(write: OrderWrite) -> tuple[Operation, dict[str, Any]]:
    if isinstance(write, AddParcel):
        return ADD_PARCEL, {"fulfillment": _parcel(write)}
    if isinstance(write, ChangeTracking):
        tracking = _tracking(write.tracking)
        return CHANGE_TRACKING, {"id": write.parcel_id, "tracking": tracking, "notify": write.notify}
    if isinstance(write, CreateCopy):
        return CREATE_COPY, {"order": copy_of(write), "options": COPY_OPTIONS}
    if isinstance(write, CancelOrder):
        return CANCEL_ORDER, _cancellation(write)
    if isinstance(write, RefundCopy):
        return REFUND, {"input": _refund(write)}
    if isinstance(write, TakeOff):
        return REFUND, {"input": _take_off(write)}
    if isinstance(write, RecordPayments):
        return MARK_PAID, {"input": {"id": write.order_id}}
    if isinstance(write, PrepareForPickup):
        rows = [{"fulfillmentOrderId": one} for one in write.shipments]
        return PREPARED, {"input": {"lineItemsByFulfillmentOrder": rows}}
    if isinstance(write, RefundOrder):
        raise ValueError(f"Shopify refunds {write.order_id} with its cancellation")
    if isinstance(write, ChangeDetails):
        return CHANGE_DETAILS, {"input": details_of(write)}
    assert isinstance(write, UndoParcel)
    return UNDO_PARCEL, {"id": write.parcel_id}


def _not_restocked(lines: Sequence[ParcelLine]) -> list[dict[str, Any]]:
    return [{"lineItemId": line.line_id, "quantity": line.quantity, "restockType": "NO_RESTOCK"} for line in lines]


def _paid_back(order_id: OrderId, payment: PaymentBack | MoneyBack, money: Money) -> dict[str, Any]:
    """Of one payment so much, in the currency that the refund names."""
    return {
        "orderId": order_id,
        "parentId": payment.payment_id,
        "kind": "REFUND",
        "gateway": payment.gateway,
        "amount": f"{money.amount:f}",
    }


def _refund(write: RefundCopy) -> dict[str, Any]:
    """Against payments that ``orderCreate`` recorded, so that no provider is called (S35); nothing is restocked."""
    told: dict[str, Any] = {
        "orderId": write.order_id,
        "note": write.mark,
        "notify": False,
        "refundLineItems": _not_restocked(write.lines),
        "transactions": [_paid_back(write.order_id, one, one.amount.shop) for one in write.payments],
    }
    if write.shipping is not None:
        told["shipping"] = {"amount": f"{write.shipping.shop.amount:f}"}
    return told


def _take_off(write: TakeOff) -> dict[str, Any]:
    """In the buyer's currency where it is another one than the shop's, which the input then has to name. Without a
    payment nothing is paid back (S45)."""
    abroad = any(one.amount.presentment.currency != one.amount.shop.currency for one in write.payments)
    sums = [one.amount.presentment if abroad else one.amount.shop for one in write.payments]
    told: dict[str, Any] = {
        "orderId": write.order_id,
        "note": write.note,
        "notify": True,
        "refundLineItems": _not_restocked(write.lines),
        "transactions": [
            _paid_back(write.order_id, one, money) for one, money in zip(write.payments, sums, strict=True)
        ],
    }
    if abroad:
        told["currency"] = write.payments[0].amount.presentment.currency
    if write.shipping is not None:
        told["shipping"] = {"fullRefund": True}
    return told


def _cancellation(write: CancelOrder) -> dict[str, Any]:
    """Only one of ``refund`` and ``refundMethod`` may be given (recorded), so the other is left out."""
    said: dict[str, Any] = {"id": write.order_id, "reason": "INVENTORY" if write.refund else "OTHER"}
    said |= {"method": {"originalPaymentMethodsRefund": True}} if write.refund else {"refund": False}
    return said | {"notify": write.refund} | ({"note": write.note} if write.note else {})


def _parcel(write: AddParcel) -> dict[str, Any]:
    waiting: dict[str, list[dict[str, Any]]] = {}
    for pick in write.picks:
        line = {"id": pick.shipment_line_id, "quantity": pick.quantity}
        waiting.setdefault(pick.shipment_id, []).append(line)
    if not waiting:
        raise ValueError(f"a parcel of {write.order_id} names no fulfilment order of Shopify's")
    parcel: dict[str, Any] = {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": shipment, "fulfillmentOrderLineItems": lines} for shipment, lines in waiting.items()
        ],
        "notifyCustomer": write.notify,
    }
    if write.tracking != Tracking():
        parcel["trackingInfo"] = _tracking(write.tracking)
    return parcel


def _tracking(tracking: Tracking) -> dict[str, str]:
    """In Shopify's own word, letter for letter: then it makes the link."""
    said = {"company": shopify_name(tracking.company), "number": tracking.number, "url": tracking.url}
    return {name: value for name, value in said.items() if value}


def order_answer_of(call: EncodedOrderCall, answer: Answer[OrderAnswer]) -> OrderCallAnswer:
    """What became of the write. A user error means that nothing was changed. Raises CallTrouble(UNKNOWN_OUTCOME) for an
    answer that says nothing, CallTrouble(RETRY) where a development store has had its orders of the minute (S31)."""
    payload = answer.data.order
    if payload is None:
        raise drift(f"Shopify's answer to {call.operation} says nothing", writes=True)
    status, body = answer.response.status, answer.response.body[:JOURNAL_BYTES]
    if payload.user_errors:
        error = payload.user_errors[0]
        path = ".".join(error.field or ())
        if TRY_LATER in error.message:
            told = f"Shopify takes no more orders this minute: {error.message}"
            raise CallTrouble(Remedy.RETRY, Blame.VENDOR, told, code="ORDERS_A_MINUTE", status=status)
        if call.operation == PREPARED.name and error.code == NOTHING_TO_PREPARE:
            return OrderCallAnswer(OrderOutcome.APPLIED, "", "", READY, status, body)  # somebody said so before (S44)
        return OrderCallAnswer(OrderOutcome.REFUSED, error.code or path, error.message, {}, status, body)
    made = {"parcel_id": payload.fulfillment.id} if payload.fulfillment else {}
    made |= {"order_id": payload.order.id} if payload.order else {}
    made |= READY if call.operation == PREPARED.name else {}
    made |= {"refund_id": payload.refund.id} if payload.refund else {}
    return OrderCallAnswer(OrderOutcome.APPLIED, "", "", made, status, body)
