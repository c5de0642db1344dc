"""Writes to orders: parcels, their tracking, copies. Wix takes no key for them.

So none is ever sent again before a read has shown that the first one did nothing. A tracking number that is there
already is refused (W29).
"""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.connectors.http import Response
from storebridge.connectors.port import EncodedOrderCall, OrderCallAnswer, OrderOutcome
from storebridge.connectors.wix.copies import copy_of
from storebridge.connectors.wix.errors import RefusedCall
from storebridge.connectors.wix.read import path_segment
from storebridge.connectors.wix.translate import Shape
from storebridge.model.order_writes import AddParcel, CancelOrder, ChangeTracking, CreateCopy, OrderWrite, UndoParcel
from storebridge.model.sales import Tracking

JOURNAL_BYTES = 64 * 1024
PARCELS = "/ecom/v1/fulfillments"
ADD_PARCEL, CHANGE_TRACKING, UNDO_PARCEL = "createFulfillment", "updateFulfillment", "deleteFulfillment"
CREATE_COPY, CANCEL_ORDER = "importOrder", "cancelOrder"
OWN_LINKS = frozenset({"fedex", "ups", "usps", "dhl", "canadaPost"})
"""Carriers whose link Wix makes by itself (facts, section 6)."""


class MadeOrder(Shape, frozen=True):
    """An order that was brought in."""

    id: str


class Made(Shape, frozen=True):
    """What is used of an answer: what the call made, if it made anything."""

    fulfillment_id: str | None = None
    order: MadeOrder | None = None


def encode_order_call(write: OrderWrite) -> EncodedOrderCall:
    """The exact bytes; pure. Raises CallTrouble for an id that is none of Wix's."""
    if isinstance(write, CreateCopy):
        return _call(CREATE_COPY, "POST", "/ecom/v1/orders/import", {"order": copy_of(write)})
    order_id = path_segment(write.order_id)
    if isinstance(write, AddParcel):
        lines = [{"id": line.line_id, "quantity": line.quantity} for line in write.lines]
        parcel: dict[str, Any] = {"lineItems": lines, "status": "Fulfilled", "completed": True}
        if write.tracking != Tracking():
            parcel["trackingInfo"] = _tracking(write.tracking)
        return _call(ADD_PARCEL, "POST", f"{PARCELS}/orders/{order_id}/create-fulfillment", {"fulfillment": parcel})
    if isinstance(write, CancelOrder):
        quietly = {"sendOrderCanceledEmail": False, "restockAllItems": False}
        return _call(CANCEL_ORDER, "POST", f"/ecom/v1/orders/{order_id}/cancel", quietly)
    path = f"{PARCELS}/{path_segment(write.parcel_id)}/orders/{order_id}"
    if isinstance(write, ChangeTracking):
        return _call(CHANGE_TRACKING, "PATCH", path, {"fulfillment": {"trackingInfo": _tracking(write.tracking)}})
    assert isinstance(write, UndoParcel)
    return _call(UNDO_PARCEL, "DELETE", path, None)


def _call(operation: str, method: str, path: str, content: object) -> EncodedOrderCall:
    body = b"" if content is None else msgspec.json.encode(content)
    return EncodedOrderCall(operation, method, path, body, key="")


def _tracking(tracking: Tracking) -> dict[str, str]:
    said = {"trackingNumber": tracking.number, "shippingProvider": tracking.company, "trackingLink": tracking.url}
    return {name: value for name, value in said.items() if value}


def order_answer_of(response: Response, answer: Made) -> OrderCallAnswer:
    """The answered write."""
    made = {"parcel_id": answer.fulfillment_id} if answer.fulfillment_id else {}
    made |= {"order_id": answer.order.id} if answer.order else {}
    return OrderCallAnswer(OrderOutcome.APPLIED, "", "", made, response.status, response.body[:JOURNAL_BYTES])


def refused_order_call(trouble: RefusedCall) -> OrderCallAnswer | None:
    """A refusal by Wix's own rules, which changed nothing; None when it is about the call and not about the order."""
    refusal = trouble.refusal
    if refusal.status not in (400, 404, 409, 428) or not refusal.code:
        return None
    return OrderCallAnswer(
        OrderOutcome.REFUSED, refusal.code, refusal.message, {}, refusal.status, trouble.body[:JOURNAL_BYTES]
    )
