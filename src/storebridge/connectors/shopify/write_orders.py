"""Writes to orders: parcels, their tracking, copies. None of these calls takes a key (facts, section 2).

So none is ever sent again before a read has shown that the first one did nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.connectors.port import EncodedOrderCall, OrderCallAnswer, OrderOutcome
from storebridge.connectors.shopify.client import PATH, Answer, Operation, Shape
from storebridge.connectors.shopify.copies import COPY_OPTIONS, copy_of
from storebridge.connectors.shopify.errors import UserError, drift
from storebridge.connectors.shopify.translate import LineRef
from storebridge.model.order_writes import AddParcel, CancelOrder, ChangeTracking, CreateCopy, OrderWrite, UndoParcel
from storebridge.model.sales import Tracking

JOURNAL_BYTES = 64 * 1024
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
    "mutation orderCancel($id: ID!) { order: orderCancel(orderId: $id, reason: OTHER, restock: false, refund: false,"
    " notifyCustomer: false) { job { id } userErrors: orderCancelUserErrors { code field message } } }",
    writes=True,
)
"""A job does it: that it was taken on is no proof, a read is."""
ORDER_OPERATIONS = {one.name: one for one in (ADD_PARCEL, CHANGE_TRACKING, UNDO_PARCEL, CREATE_COPY, CANCEL_ORDER)}


class Payload(Shape, frozen=True):
    """What is used of the payload."""

    user_errors: tuple[UserError, ...]
    fulfillment: LineRef | None = None
    order: LineRef | None = None


class OrderAnswer(Shape, frozen=True):
    """What is used of the answer."""

    order: Payload | None = None


def encode_order_call(write: OrderWrite) -> EncodedOrderCall:
    """The exact bytes; pure."""
    operation, variables = _content(write)
    body = msgspec.json.encode({"query": operation.document, "variables": variables})
    return EncodedOrderCall(operation.name, "POST", PATH, body, key="")


def _content(write: OrderWrite) -> tuple[Operation, dict[str, Any]]:
    if isinstance(write, AddParcel):
        return ADD_PARCEL, {"fulfillment": _parcel(write)}
    if isinstance(write, ChangeTracking):
        tracking = _tracking(write.tracking)
        return CHANGE_TRACKING, {"id": write.parcel_id, "tracking": tracking, "notify": write.notify}
    if isinstance(write, CreateCopy):
        return CREATE_COPY, {"order": copy_of(write), "options": COPY_OPTIONS}
    if isinstance(write, CancelOrder):
        return CANCEL_ORDER, {"id": write.order_id}
    assert isinstance(write, UndoParcel)
    return UNDO_PARCEL, {"id": write.parcel_id}


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
    said = {"company": tracking.company, "number": tracking.number, "url": tracking.url}
    return {name: value for name, value in said.items() if value}


def order_answer_of(call: EncodedOrderCall, answer: Answer[OrderAnswer]) -> OrderCallAnswer:
    """What became of the write. A user error means that nothing was changed. Raises CallTrouble(UNKNOWN_OUTCOME) for an
    answer that says nothing."""
    payload = answer.data.order
    if payload is None:
        raise drift(f"Shopify's answer to {call.operation} says nothing", writes=True)
    status, body = answer.response.status, answer.response.body[:JOURNAL_BYTES]
    if payload.user_errors:
        error = payload.user_errors[0]
        path = ".".join(error.field or ())
        return OrderCallAnswer(OrderOutcome.REFUSED, error.code or path, error.message, {}, status, body)
    made = {"parcel_id": payload.fulfillment.id} if payload.fulfillment else {}
    made |= {"order_id": payload.order.id} if payload.order else {}
    return OrderCallAnswer(OrderOutcome.APPLIED, "", "", made, status, body)
