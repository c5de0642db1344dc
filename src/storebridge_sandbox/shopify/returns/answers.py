"""Returns and what is under them, as the Admin API shows them."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.mutations import showing
from storebridge_sandbox.shopify.paging import Page
from storebridge_sandbox.shopify.returns.reasons import DEFINITIONS
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.return_desk import returnable
from storebridge_sandbox.shopify.sales.shown import bag_shown, numbered
from storebridge_sandbox.shopify.sales.state import (
    Return,
    ReturnLine,
    ReverseDelivery,
    ReverseOrder,
    ShopFulfilment,
    ShopOrder,
)
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.sleeping import Sleepers


class Returnable:
    """``ReturnableFulfillment``: a parcel seen as something that may come back."""

    graphql_type = "ReturnableFulfillment"

    def __init__(self, parcel: ShopFulfilment) -> None:
        self.parcel = parcel
        self.id = gid("ReturnableFulfillment", number_of(parcel.id))


class ReturnAnswers:
    """Reads of returns."""

    def __init__(self, orders: Sleepers[ShopOrder], things: Register, shop: ShopState) -> None:
        self._orders = orders
        self._things = things
        self._shop = shop

    def resolvers(self) -> Resolvers:
        return {**self._roots(), **RETURNS, **self._reverse(), **RETURNABLES}

    def find(self, global_id: str, _call: Call) -> Returnable | None:
        """What ``node`` finds under an id that only stands for a parcel."""
        prefix = "gid://shopify/ReturnableFulfillment/"
        if not global_id.startswith(prefix):
            return None
        parcel = self._things.get(gid("Fulfillment", global_id.removeprefix(prefix)))
        return Returnable(parcel) if isinstance(parcel, ShopFulfilment) else None

    def _roots(self) -> Resolvers:
        return {
            ("QueryRoot", "return"): lambda _s, args, _c: self._of(args["id"], Return),
            ("QueryRoot", "reverseFulfillmentOrder"): lambda _s, args, _c: self._of(args["id"], ReverseOrder),
            ("QueryRoot", "reverseDelivery"): lambda _s, args, _c: self._of(args["id"], ReverseDelivery),
            ("QueryRoot", "returnableFulfillment"): lambda _s, args, call: self.find(args["id"], call),
            ("QueryRoot", "returnableFulfillments"): self._returnables,
            ("QueryRoot", "returnReasonDefinitions"): lambda _s, args, _c: numbered(list(DEFINITIONS.values()), args),
            **showing("ReturnReasonDefinition", ("id", "name", "handle", "deleted")),
        }

    def _of(self, global_id: str, kind: type) -> Any:
        found = self._things.get(global_id)
        return found if isinstance(found, kind) else None

    def _returnables(self, _source: Any, args: dict[str, Any], _call: Call) -> Page:
        order = self._orders.get(args["orderId"])
        parcels = [one for one in (order.fulfilments if order else ()) if isinstance(one, ShopFulfilment)]
        open_ones = [one for one in parcels if one.status == "SUCCESS" and any(returnable(p) > 0 for p in one.parts)]
        return numbered([Returnable(one) for one in open_ones], args)

    def _reverse(self) -> Resolvers:
        order, line, disposed = (
            "ReverseFulfillmentOrder",
            "ReverseFulfillmentOrderLineItem",
            "ReverseFulfillmentOrderDisposition",
        )
        return {
            **showing(order, ("id", "status")),
            (order, "order"): lambda one, _a, _c: one.returned.order,
            (order, "lineItems"): lambda one, args, _c: numbered(one.lines, args),
            (order, "reverseDeliveries"): lambda one, args, _c: numbered(one.deliveries, args),
            (line, "id"): shows("id"),
            (line, "totalQuantity"): shows("total"),
            (line, "fulfillmentLineItem"): lambda one, _a, _c: one.line.sent,
            (line, "dispositions"): shows("dispositions"),
            (disposed, "id"): shows("id"),
            (disposed, "type"): shows("kind"),
            (disposed, "quantity"): shows("quantity"),
            (disposed, "createdAt"): shows_time("created_at"),
            (disposed, "location"): lambda one, _a, _c: self._shop.location(one.location_id or ""),
            **DELIVERIES,
        }


DELIVERIES: Resolvers = {
    ("ReverseDelivery", "id"): shows("id"),
    ("ReverseDelivery", "reverseFulfillmentOrder"): shows("order"),
    ("ReverseDelivery", "reverseDeliveryLineItems"): lambda one, args, _c: numbered(one.parts, args),
    ("ReverseDelivery", "deliverable"): lambda one, _a, _c: {
        "__typename": "ReverseDeliveryShippingDeliverable",
        "delivery": one,
    },
    ("ReverseDeliveryLineItem", "id"): shows("id"),
    ("ReverseDeliveryLineItem", "quantity"): shows("quantity"),
    ("ReverseDeliveryLineItem", "reverseFulfillmentOrderLineItem"): shows("line"),
    ("ReverseDeliveryLineItem", "dispositions"): lambda part, _a, _c: part.line.dispositions,
    ("ReverseDeliveryShippingDeliverable", "tracking"): lambda one, _a, _c: one["delivery"].tracking or None,
    ("ReverseDeliveryShippingDeliverable", "label"): lambda one, _a, _c: (
        one["delivery"] if one["delivery"].label_url else None
    ),
    ("ReverseDeliveryTrackingV2", "number"): lambda one, _a, _c: one.get("number"),
    ("ReverseDeliveryTrackingV2", "url"): lambda one, _a, _c: one.get("url"),
    ("ReverseDeliveryTrackingV2", "carrierName"): lambda _one, _a, _c: None,
    ("ReverseDeliveryLabelV2", "publicFileUrl"): shows("label_url"),
    ("ReverseDeliveryLabelV2", "createdAt"): lambda one, _a, _c: _since(one),
    ("ReverseDeliveryLabelV2", "updatedAt"): lambda one, _a, _c: _since(one),
}


def _since(delivery: ReverseDelivery) -> str:
    return delivery.order.returned.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _processable(line: ReturnLine, returned: Return | None) -> int:
    return 0 if returned is None or returned.status == "REQUESTED" else line.quantity - line.processed


def _return_of(line: ReturnLine) -> Return | None:
    order = line.sent.parcel.order
    return next((one for one in (order.returns if order else ()) if any(it is line for it in one.lines)), None)


def _worth(line: ReturnLine) -> Any:
    sold, order = line.sent.line, line.sent.parcel.order
    assert order is not None
    return bag_shown(order, sold.discounted.share(line.quantity, sold.quantity))


RETURNS: Resolvers = {
    **showing("Return", ("id", "name", "status", "order")),
    ("Return", "createdAt"): shows_time("created_at"),
    ("Return", "closedAt"): shows_time("closed_at"),
    ("Return", "requestApprovedAt"): shows_time("approved_at"),
    ("Return", "totalQuantity"): shows("quantity"),
    ("Return", "decline"): shows("decline"),
    ("ReturnDecline", "reason"): lambda pair, _a, _c: pair[0],
    ("ReturnDecline", "note"): lambda pair, _a, _c: pair[1],
    ("Return", "returnLineItems"): lambda one, args, _c: numbered(one.lines, args),
    ("Return", "exchangeLineItems"): lambda one, args, _c: numbered(one.exchanges, args),
    **showing("ExchangeLineItem", ("id", "quantity")),
    ("ExchangeLineItem", "lineItems"): lambda one, _a, _c: [one.line] if one.line else [],
    ("ExchangeLineItem", "lineItem"): shows("line"),
    ("ExchangeLineItem", "processedQuantity"): shows("processed"),
    ("ExchangeLineItem", "unprocessedQuantity"): lambda one, _a, _c: one.quantity - one.processed,
    ("ExchangeLineItem", "processableQuantity"): lambda one, _a, _c: one.quantity - one.processed,
    ("ExchangeLineItem", "title"): lambda one, _a, _c: one.variant.title,
    ("ExchangeLineItem", "variantId"): lambda one, _a, _c: one.variant.variant_id,
    ("ExchangeLineItem", "variantSku"): lambda one, _a, _c: one.variant.sku,
    ("Return", "returnShippingFees"): lambda one, _a, _c: [one] if one.fee.shop else [],
    ("ReturnShippingFee", "id"): lambda one, _a, _c: gid("ReturnShippingFee", number_of(one.id)),
    ("ReturnShippingFee", "amountSet"): lambda one, _a, _c: bag_shown(one.order, one.fee),
    ("Return", "reverseFulfillmentOrders"): lambda one, args, _c: numbered(one.reverse_orders, args),
    ("Return", "refunds"): lambda one, args, _c: numbered(one.refunds, args),
    ("Return", "transactions"): lambda one, args, _c: numbered(
        [paid for refund in one.refunds for paid in refund.transactions], args
    ),
    **showing("ReturnLineItem", ("id", "quantity", "customerNote")),
    ("ReturnLineItem", "processedQuantity"): shows("processed"),
    ("ReturnLineItem", "unprocessedQuantity"): lambda line, _a, _c: line.quantity - line.processed,
    ("ReturnLineItem", "processableQuantity"): lambda line, _a, _c: _processable(line, _return_of(line)),
    ("ReturnLineItem", "refundedQuantity"): shows("refunded"),
    ("ReturnLineItem", "refundableQuantity"): lambda line, _a, _c: line.quantity - line.refunded,
    ("ReturnLineItem", "returnReason"): shows("reason"),
    ("ReturnLineItem", "returnReasonNote"): shows("reason_note"),
    ("ReturnLineItem", "returnReasonDefinition"): lambda line, _a, _c: DEFINITIONS.get(line.definition_id or ""),
    ("ReturnLineItem", "fulfillmentLineItem"): shows("sent"),
    ("ReturnLineItem", "withCodeDiscountedTotalPriceSet"): lambda line, _a, _c: _worth(line),
}
RETURNABLES: Resolvers = {
    ("ReturnableFulfillment", "id"): shows("id"),
    ("ReturnableFulfillment", "fulfillment"): shows("parcel"),
    ("ReturnableFulfillment", "returnableFulfillmentLineItems"): lambda one, args, _c: numbered(one.parcel.parts, args),
    ("ReturnableFulfillmentLineItem", "quantity"): lambda part, _a, _c: returnable(part),
    ("ReturnableFulfillmentLineItem", "fulfillmentLineItem"): lambda part, _a, _c: part,
}
