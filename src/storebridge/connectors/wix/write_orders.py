"""Writes to orders: parcels, their tracking, copies and what copies follow. Wix takes no key for them.

So none is ever sent again before a read has shown that the first one did nothing. A tracking number that is there
already is refused (W29): a further parcel under it gets the number with a mark, and the link of the number itself.
"""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.connectors.http import Response
from storebridge.connectors.port import NUMBER_TAKEN, EncodedOrderCall, OrderCallAnswer, OrderOutcome
from storebridge.connectors.wix.copies import copy_of, place_of
from storebridge.connectors.wix.edit_orders import encode_edit
from storebridge.connectors.wix.errors import RefusedCall
from storebridge.connectors.wix.marked_numbers import marked
from storebridge.connectors.wix.read import path_segment
from storebridge.connectors.wix.translate import Shape
from storebridge.model.carriers import carrier_of, link_of, shopify_name
from storebridge.model.order_writes import (
    AddParcel,
    CancelOrder,
    ChangeDetails,
    ChangeTracking,
    CreateCopy,
    EditLines,
    OrderWrite,
    PrepareForPickup,
    RecordPayments,
    RefundCopy,
    RefundOrder,
    ReplaceCopy,
    TakeOff,
    UndoParcel,
)
from storebridge.model.sales import Buyer, Payment, Price, Tracking

JOURNAL_BYTES = 64 * 1024
PARCELS = "/ecom/v1/fulfillments"
ADD_PARCEL, CHANGE_TRACKING, UNDO_PARCEL = "createFulfillment", "updateFulfillment", "deleteFulfillment"
CREATE_COPY, CANCEL_ORDER = "importOrder", "cancelOrder"
REFUND, ADD_PAYMENTS, CHANGE_DETAILS = "refundPayments", "addPayments", "updateOrder"
LONGEST_REASON, LONGEST_NUMBER = 200, 100
TAKEN = "TRACKING_NUMBER_ALREADY_EXISTS"


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
    if isinstance(write, ReplaceCopy):
        again = copy_of(CreateCopy(write.order_id, write.stamp, write.original, write.goods))
        return _call(CREATE_COPY, "POST", "/ecom/v1/orders/import", {"order": {**again, "number": write.name}})
    order_id = path_segment(write.order_id)
    if isinstance(write, ChangeDetails):
        return _call(CHANGE_DETAILS, "PATCH", f"/ecom/v1/orders/{order_id}", {"order": _details(write)})
    if isinstance(write, AddParcel):
        lines = [{"id": line.line_id, "quantity": line.quantity} for line in write.lines]
        parcel: dict[str, Any] = {"lineItems": lines, "status": "Fulfilled", "completed": True}
        if write.tracking != Tracking():
            parcel["trackingInfo"] = _tracking(write.tracking, write.mark)
        return _call(ADD_PARCEL, "POST", f"{PARCELS}/orders/{order_id}/create-fulfillment", {"fulfillment": parcel})
    if isinstance(write, CancelOrder):
        said = {"sendOrderCanceledEmail": write.refund, "restockAllItems": False}
        return _call(CANCEL_ORDER, "POST", f"/ecom/v1/orders/{order_id}/cancel", said)
    if isinstance(write, RefundOrder):
        return _call(REFUND, "POST", "/ecom/v1/order-billing/refund-payments", _pay_back(write))
    if isinstance(write, TakeOff) and not write.payments:
        return encode_edit(write)
    if isinstance(write, TakeOff):
        return _call(REFUND, "POST", "/ecom/v1/order-billing/refund-payments", _take_off(write))
    if isinstance(write, RefundCopy):
        return _call(REFUND, "POST", "/ecom/v1/order-billing/refund-payments", _refund(write))
    if isinstance(write, RecordPayments):
        payments = {"payments": [_payment(one) for one in write.payments]}
        return _call(ADD_PAYMENTS, "POST", f"/ecom/v1/payments/orders/{order_id}/add-payment", payments)
    if isinstance(write, PrepareForPickup):
        raise ValueError(f"Wix keeps no word for {write.order_id} being ready to be collected")
    if isinstance(write, EditLines):
        raise ValueError(f"lines of {write.order_id} are changed by bringing the order in anew")
    path = f"{PARCELS}/{path_segment(write.parcel_id)}/orders/{order_id}"
    if isinstance(write, ChangeTracking):
        tracking = _tracking(write.tracking, write.mark)
        return _call(CHANGE_TRACKING, "PATCH", path, {"fulfillment": {"trackingInfo": tracking}})
    assert isinstance(write, UndoParcel)
    return _call(UNDO_PARCEL, "DELETE", path, None)


def _pay_back(write: RefundOrder) -> dict[str, Any]:
    """No side effect is asked for: nothing goes back on sale. Money that no provider took is only recorded (W30)."""
    return {
        "orderId": write.order_id,
        "paymentRefunds": [
            {"paymentId": one.payment_id, "amount": {"amount": f"{one.amount:f}"}, "externalRefund": one.offline}
            for one in write.payments
        ],
        "refundItems": {"lineItems": [{"lineItemId": line.line_id, "quantity": line.quantity} for line in write.lines]},
        "customerReason": write.note,
    }


def _refunded(write: TakeOff | RefundCopy) -> dict[str, Any]:
    items: dict[str, Any] = {
        "lineItems": [{"lineItemId": line.line_id, "quantity": line.quantity} for line in write.lines]
    }
    return items if write.shipping is None else items | {"shipping": {"amount": _amount(write.shipping)}}


def _take_off(write: TakeOff) -> dict[str, Any]:
    """As ``_pay_back``, and Wix writes to the buyer. Without money it takes no refund
    (``RefundPaymentsRequest.paymentRefunds``, at least one): then an edit takes the units off."""
    return {
        "orderId": write.order_id,
        "paymentRefunds": [
            {"paymentId": one.payment_id, "amount": _amount(one.amount), "externalRefund": one.offline}
            for one in write.payments
        ],
        "refundItems": _refunded(write),
        "sideEffects": {"notifications": {"sendCustomerEmail": True}},
        "customerReason": write.note,
    }


def _call(operation: str, method: str, path: str, content: object) -> EncodedOrderCall:
    body = b"" if content is None else msgspec.json.encode(content)
    return EncodedOrderCall(operation, method, path, body, key="")


def _tracking(tracking: Tracking, mark: int) -> dict[str, str]:
    """Wix's own word for a carrier that it knows: then it makes the link by itself. Any other comes with its link,
    where that is known, and so does a number with a mark, of which Wix would make a link that leads nowhere."""
    known, marks = carrier_of(tracking.company), bool(mark and tracking.number)
    makes_link = known is not None and not marks
    provider = shopify_name(tracking.company)
    if known is not None:
        provider = known.wix if makes_link else known.full
    link = tracking.url or ("" if makes_link else link_of(tracking.company, tracking.number))
    number = marked(tracking.number, mark) if marks else tracking.number
    said = {"trackingNumber": number, "shippingProvider": provider, "trackingLink": link}
    return {name: value for name, value in said.items() if value}


def _details(write: ChangeDetails) -> dict[str, Any]:
    """What changed only. Notes and tags are none of what Wix lets an app change here."""
    details, told = write.details, dict[str, Any]()
    if "email" in write.changed and details.email:
        told["buyerInfo"] = {"email": details.email}
    if "shipping_address" in write.changed and details.shipping_address is not None:
        place = place_of(details.shipping_address, Buyer())
        told |= {"recipientInfo": place, "shippingInfo": {"logistics": {"shippingDestination": place}}}
    return told


def _refund(write: RefundCopy) -> dict[str, Any]:
    """External: Wix records it and calls no provider (W30). Without ``sideEffects.restock`` no stock moves (W10)."""
    return {
        "orderId": write.order_id,
        "paymentRefunds": [
            {"paymentId": one.payment_id, "amount": _amount(one.amount), "externalRefund": True}
            for one in write.payments
        ],
        "refundItems": _refunded(write),
        "sideEffects": {"notifications": {"sendCustomerEmail": False}},
        "customerReason": write.mark[:LONGEST_REASON],
    }


def _payment(payment: Payment) -> dict[str, Any]:
    """A record of money that came in elsewhere; the number of origin stands where a provider's would."""
    details = {
        "offlinePayment": True,
        "paymentMethod": payment.gateway or "External",
        "providerTransactionId": payment.payment_id[:LONGEST_NUMBER],
    }
    return {
        "amount": _amount(payment.amount),
        "createdDate": payment.at.isoformat(),
        "status": "APPROVED",
        "regularPaymentDetails": details,
    }


def _amount(price: Price) -> dict[str, str]:
    return {"amount": f"{price.shop.amount:f}"}


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
    code = NUMBER_TAKEN if refusal.code == TAKEN else refusal.code
    return OrderCallAnswer(
        OrderOutcome.REFUSED, code, refusal.message, {}, refusal.status, trouble.body[:JOURNAL_BYTES]
    )
