"""What hangs on an order, over REST: payments, refunds, fulfilment orders and parcels; read and written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.fulfilments.payloads import fulfilment_payload
from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.orders.payloads import refund_payload, transaction_payload
from storebridge_sandbox.shopify.rest.given import MISSING, Given, id_of, number, part, rows, said, wrapped
from storebridge_sandbox.shopify.rest.lists import RestLists
from storebridge_sandbox.shopify.rest.pages import RestRefused
from storebridge_sandbox.shopify.rest.verbs import Verbs
from storebridge_sandbox.shopify.sales.state import FulfilmentOrder, ShopOrder

TRACKING = {"number": "number", "numbers": "numbers", "company": "company", "url": "url", "urls": "urls"}
Find = Callable[[str], Any]


class AfterSale:
    """``find`` gives whatever hangs on orders by its global id. Raises RestRefused."""

    def __init__(self, verbs: Verbs, lists: RestLists, find: Find) -> None:
        self._verbs = verbs
        self._lists = lists
        self._find = find

    # -- reads -------------------------------------------------------------------------------------------------

    def transactions(self, order_number: int) -> dict[str, Any]:
        return {"transactions": [transaction_payload(one) for one in self._order(order_number).transactions]}

    def refunds(self, order_number: int) -> dict[str, Any]:
        return {"refunds": [refund_payload(one) for one in self._order(order_number).shop_refunds()]}

    def fulfilments(self, order_number: int) -> dict[str, Any]:
        return {"fulfillments": [fulfilment_payload(one) for one in self._order(order_number).fulfilments]}

    def fulfilment_orders(self, order_number: int) -> dict[str, Any]:
        return {"fulfillment_orders": [_fulfilment_order(one) for one in self._order(order_number).fulfilment_orders]}

    # -- writes ------------------------------------------------------------------------------------------------

    def pay(self, order_number: int, content: Given, ref: str) -> dict[str, Any]:
        """``capture`` and ``void`` of what was authorized, ``sale`` for the whole of what is open."""
        order, given = self._order(order_number), wrapped(content, "transaction")
        match given.get("kind"):
            case "capture" if any(one.kind == "AUTHORIZATION" for one in order.transactions):
                self._capture(order, given, ref)
            case "void":
                parent = ("ID!", self._authorization(order, given))
                self._verbs.carry_out("transactionVoid", ref, parentTransactionId=parent)
            case "sale" | "capture":
                self._verbs.carry_out("orderMarkAsPaid", ref, input=("OrderMarkAsPaidInput!", {"id": order.id}))
            case _:
                raise RestRefused(422, {"kind": ["is not a valid transaction"]})
        return {"transaction": transaction_payload(order.transactions[-1])}

    def _capture(self, order: ShopOrder, given: Given, ref: str) -> None:
        authorized = self._find(self._authorization(order, given))
        amount = given.get("amount") if given.get("amount") is not None else authorized.amount.shop
        wanted = {"id": order.id, "parentTransactionId": authorized.id, "amount": str(amount)}
        self._verbs.carry_out("orderCapture", ref, input=("OrderCaptureInput!", wanted))

    def _authorization(self, order: ShopOrder, given: Given) -> str:
        """The one that is named, else the order's."""
        named = id_of("OrderTransaction", given, "parent_id")
        found = [one.id for one in order.transactions if one.kind == "AUTHORIZATION" and named in (None, one.id)]
        if not found:
            raise RestRefused(422, {"parent_id": ["is not an authorization of this order"]})
        return found[-1]

    def refund(self, order_number: int, content: Given, ref: str) -> dict[str, Any]:
        order, given = self._order(order_number), wrapped(content, "refund")
        shipping = said(part(given, "shipping") or {}, {"full_refund": "fullRefund", "amount": "amount"})
        wanted: dict[str, Any] = {
            "orderId": order.id,
            **said(given, {"note": "note", "notify": "notify", "currency": "currency"}),
            **({"shipping": shipping} if shipping else {}),
            "refundLineItems": [_refund_line(one) for one in rows(given, "refund_line_items")],
            "transactions": [_repayment(order, one) for one in rows(given, "transactions")],
        }
        self._verbs.carry_out("refundCreate", ref, input=("RefundInput!", wanted))
        return {"refund": refund_payload(order.shop_refunds()[-1])}

    def fulfil(self, content: Given, ref: str) -> dict[str, Any]:
        given = wrapped(content, "fulfillment")
        wanted: dict[str, Any] = {
            "lineItemsByFulfillmentOrder": [_picks(one) for one in rows(given, "line_items_by_fulfillment_order")],
            **said(given, {"notify_customer": "notifyCustomer"}),
        }
        if part(given, "tracking_info"):
            wanted["trackingInfo"] = said(given["tracking_info"], TRACKING)
        payload = self._verbs.carry_out(
            "fulfillmentCreate", ref, shows="fulfillment { id }", fulfillment=("FulfillmentInput!", wanted)
        )
        return self._parcel(payload["fulfillment"]["id"])

    def track(self, parcel_number: int, content: Given, ref: str) -> dict[str, Any]:
        given, parcel_id = wrapped(content, "fulfillment"), self._known_parcel(parcel_number)
        told = said(part(given, "tracking_info") or {}, TRACKING)
        self._verbs.carry_out(
            "fulfillmentTrackingInfoUpdate",
            ref,
            fulfillmentId=("ID!", parcel_id),
            trackingInfoInput=("FulfillmentTrackingInput!", told),
        )
        return self._parcel(parcel_id)

    def call_back(self, parcel_number: int, _content: Given, ref: str) -> dict[str, Any]:
        parcel_id = self._known_parcel(parcel_number)
        self._verbs.carry_out("fulfillmentCancel", ref, id=("ID!", parcel_id))
        return self._parcel(parcel_id)

    def _order(self, order_number: int) -> ShopOrder:
        self._lists.one("orders", order_number)
        found: ShopOrder = self._find(gid("Order", order_number))
        return found

    def _known_parcel(self, parcel_number: int) -> str:
        parcel_id = gid("Fulfillment", parcel_number)
        if self._find(parcel_id) is None:
            raise RestRefused(404, "Not Found")
        return parcel_id

    def _parcel(self, parcel_id: str) -> dict[str, Any]:
        return {"fulfillment": fulfilment_payload(self._find(parcel_id))}


def _refund_line(given: Given) -> dict[str, Any]:
    kind = str(given.get("restock_type") or "no_restock").upper()
    place = id_of("Location", given, "location_id")
    return {
        "lineItemId": gid("LineItem", number(given.get("line_item_id"), "line_item_id")),
        "quantity": given.get("quantity"),
        "restockType": kind,
        **({"locationId": place} if place else {}),
    }


def _repayment(order: ShopOrder, given: Given) -> dict[str, Any]:
    parent = id_of("OrderTransaction", given, "parent_id")
    return {
        "orderId": order.id,
        "kind": str(given.get("kind") or "refund").upper(),
        "gateway": str(given.get("gateway") or "manual"),
        "amount": str(given.get("amount") or "0"),
        **({"parentId": parent} if parent else {}),
    }


def _picks(given: Given) -> dict[str, Any]:
    fo = id_of("FulfillmentOrder", given, "fulfillment_order_id")
    if fo is None:
        raise RestRefused(400, {"fulfillment_order_id": MISSING})
    lines = [
        {"id": id_of("FulfillmentOrderLineItem", one, "id"), "quantity": one.get("quantity")}
        for one in rows(given, "fulfillment_order_line_items")
    ]
    return {"fulfillmentOrderId": fo, **({"fulfillmentOrderLineItems": lines} if lines else {})}


def _fulfilment_order(fo: FulfilmentOrder) -> dict[str, Any]:
    """The REST resource; what webhooks carry of one is less."""
    order_number = number_of(fo.order.id)
    return {
        "id": number_of(fo.id),
        "order_id": order_number,
        "assigned_location_id": number_of(fo.location_id),
        "status": fo.status.lower(),
        "request_status": fo.request_status.lower(),
        "line_items": [
            {
                "id": number_of(one.id),
                "fulfillment_order_id": number_of(fo.id),
                "line_item_id": number_of(one.line.id),
                "quantity": one.total,
                "fulfillable_quantity": one.remaining,
                "variant_id": None if one.line.is_custom else number_of(one.line.variant.variant_id),
                "inventory_item_id": None if one.line.is_custom else number_of(one.line.variant.item_id),
            }
            for one in fo.lines
        ],
    }
