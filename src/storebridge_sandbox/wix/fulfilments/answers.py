"""``/ecom/v1/fulfillments``: parcels, one by one and in bulk."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders.office import MANAGE, READ, Bulk, Office, declared, texts_in
from storebridge_sandbox.wix.orders.parcels import TRACKING, link_of, parcels_payload
from storebridge_sandbox.wix.orders.reading import object_in, one_of, quantity_in, text_in
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import WixFulfilment, WixLine, WixOrder
from storebridge_sandbox.wix.wire import WixRefusal, validation_error

BASE = "/ecom/v1/fulfillments"
STATUSES = frozenset(("Pending", "Accepted", "Ready", "In_Delivery", "Fulfilled"))
LONGEST = {"trackingNumber": 100, "shippingProvider": 100, "trackingLink": 2048}


class FulfilmentAnswers:
    """Parcels count units per line; the order's fulfilment status follows from them. Stock does not move."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> list[Operation]:
        call = declared("ecom_order-fulfillments")
        one = BASE + "/{fulfillmentId}/orders/{orderId}"
        of_order = BASE + "/orders/{orderId}"
        several, bulk = f"{BASE}/list-by-ids", f"{BASE}/orders/bulk/create-fulfillments"
        return [
            call(
                "bulkCreateFulfillments", "POST", bulk, self.bulk_create, MANAGE, message="BulkCreateFulfillmentRequest"
            ),
            call("listFulfillmentsForMultipleOrders", "POST", several, self.list_several, READ),
            call("listFulfillmentsForSingleOrder", "GET", of_order, self.list_one, READ),
            call("createFulfillment", "POST", f"{of_order}/create-fulfillment", self.create, MANAGE),
            call("updateFulfillment", "PATCH", one, self.update, MANAGE),
            call("deleteFulfillment", "DELETE", one, self.delete, MANAGE),
        ]

    def list_one(self, call: Call) -> dict[str, Any]:
        return {"orderWithFulfillments": parcels_payload(self._office.find(call.params["orderId"]))}

    def list_several(self, call: Call) -> dict[str, Any]:
        """Unknown orders are left out."""
        orders = [self._office.orders.orders.get(order_id) for order_id in texts_in(call, "orderIds", 100)]
        return {"ordersWithFulfillments": [parcels_payload(order) for order in orders if order is not None]}

    def create(self, call: Call) -> dict[str, Any]:
        order = self._office.changeable(call.params["orderId"])
        parcel = self._create(order, object_in(call.arguments.get("fulfillment"), "fulfillment"), call)
        call.wrote = True
        return {"orderWithFulfillments": parcels_payload(order), "fulfillmentId": parcel.id}

    def bulk_create(self, call: Call) -> dict[str, Any]:
        """One result per order; an order whose parcels cannot all be made keeps those before the wrong one."""
        bulk = Bulk()
        for row in call.rows("ordersWithFulfillments", 100):
            order_id = row.get("orderId")
            try:
                order = self._office.changeable(order_id)
                for message in row.get("fulfillments") or []:
                    self._create(order, object_in(message, "fulfillments"), call)
            except WixRefusal as refused:
                bulk.failed(order_id, refused)
            else:
                bulk.done(order.id, parcels_payload(order), "ordersWithFulfillments")
        call.wrote = True
        return bulk.answer()

    def update(self, call: Call) -> dict[str, Any]:
        """Tracking and status change; what lies in the parcel does not."""
        order, parcel = self._parcel(call)
        message = call.part("fulfillment")
        tracking, custom = self._contents(order, message, parcel)
        status = _status_in(message)
        if tracking is not None:
            self._office.orders.note(order, "TRACKING_NUMBER_EDITED")
            parcel.tracking, parcel.custom = tracking, None
        elif custom is not None:
            parcel.tracking, parcel.custom = {}, custom
        parcel.status = status or parcel.status
        parcel.completed = parcel.completed if message.get("completed") is None else bool(message["completed"])
        self._told(order, call, fulfilled=False)
        return {"orderWithFulfillments": parcels_payload(order)}

    def delete(self, call: Call) -> dict[str, Any]:
        order, parcel = self._parcel(call)
        order.fulfilments.remove(parcel)
        for line, quantity in parcel.lines:
            line.fulfilled -= quantity
        self._office.orders.note(order, "ORDER_NOT_FULFILLED")
        self._told(order, call, fulfilled=False)
        return {"orderWithFulfillments": parcels_payload(order)}

    def _create(self, order: WixOrder, message: dict[str, Any], call: Call) -> WixFulfilment:
        chosen = _lines_in(order, message)
        tracking, custom = self._contents(order, message, None)
        status = _status_in(message)
        before = order.shown["fulfillmentStatus"]
        parcel = self._office.staff.send(order, chosen, tracking or {})
        parcel.custom, parcel.status = custom, status
        parcel.completed = None if message.get("completed") is None else bool(message["completed"])
        whole = order.shown["fulfillmentStatus"] == "FULFILLED" != before
        self._office.news.shipped(order, call.actor, fulfilled=whole)
        return parcel

    def _told(self, order: WixOrder, call: Call, *, fulfilled: bool) -> None:
        self._office.orders.touch(order)
        self._office.news.shipped(order, call.actor, fulfilled=fulfilled)
        call.wrote = True

    def _parcel(self, call: Call) -> tuple[WixOrder, WixFulfilment]:
        order = self._office.find(call.params["orderId"])
        wanted = call.params["fulfillmentId"]
        parcel = next((parcel for parcel in order.parcels() if parcel.id == wanted), None)
        if parcel is None:
            raise refusal("FULFILLMENT_NOT_FOUND", f"Fulfillment {wanted!r} was not found")
        return order, parcel

    def _contents(
        self, order: WixOrder, message: dict[str, Any], parcel: WixFulfilment | None
    ) -> tuple[dict[str, str] | None, dict[str, str] | None]:
        """Tracking or custom information, never both; raises WixRefusal."""
        told, custom = message.get("trackingInfo"), message.get("customInfo")
        if told is not None and custom is not None:
            raise validation_error("fulfillment", "takes trackingInfo or customInfo, not both", "ONE_OF")
        if custom is not None:
            fields = object_in(object_in(custom, "fulfillment.customInfo").get("fieldsData") or {}, "fieldsData")
            return None, {str(name): str(value) for name, value in fields.items()}
        if told is None:
            return None, None
        tracking = _tracking_in(object_in(told, "fulfillment.trackingInfo"))
        self._check_unique(order, tracking.get("number"), parcel)
        return tracking, None

    def _check_unique(self, order: WixOrder, number: str | None, parcel: WixFulfilment | None) -> None:
        """W29: the same number twice is the mark of a repeated call."""
        reach = self._office.orders.quirks.w29_tracking_numbers_unique_in
        orders = {"order": [order], "site": self._office.orders.orders.values(), "nothing": []}[reach]
        taken = (other for one in orders for other in one.parcels() if other is not parcel)
        if number and any(other.tracking.get("number") == number for other in taken):
            raise refusal("TRACKING_NUMBER_ALREADY_EXISTS", f"A fulfillment has the tracking number {number!r}")


def _lines_in(order: WixOrder, message: dict[str, Any]) -> list[tuple[WixLine, int]]:
    """What a parcel is to hold: without lines the whole rest, without a quantity the line's rest."""
    rows = message.get("lineItems") or [
        {"id": line.id} for line in order.wix_lines() if line.unfulfilled > 0 and line.shown_quantity
    ]
    if not isinstance(rows, list):
        raise validation_error("fulfillment.lineItems", "must be a list", "FORMAT")
    chosen: dict[str, tuple[WixLine, int]] = {}
    for number, row in enumerate(rows):
        field = f"fulfillment.lineItems[{number}]"
        line = order.line(object_in(row, field).get("id"))
        if line is None:
            raise validation_error(f"{field}.id", "is no line item of the order", "OTHER")
        asked = row.get("quantity")
        units = line.unfulfilled if asked is None else quantity_in(asked, f"{field}.quantity")
        units += chosen[line.id][1] if line.id in chosen else 0
        if not 0 < units <= line.unfulfilled:
            raise validation_error(f"{field}.quantity", f"only {line.unfulfilled} are left to fulfill", "OTHER")
        chosen[line.id] = (line, units)
    if not chosen:
        raise validation_error("fulfillment.lineItems", "nothing is left to fulfill", "OTHER")
    return list(chosen.values())


def _tracking_in(told: dict[str, Any]) -> dict[str, str]:
    tracking: dict[str, str] = {}
    for ours, name in TRACKING.items():
        if told.get(name) is not None:
            tracking[ours] = text_in(told[name], f"fulfillment.trackingInfo.{name}", LONGEST[name])
    link = link_of(tracking.get("company", ""), tracking.get("number", ""))
    if link is not None:
        tracking["url"] = link
    return tracking


def _status_in(message: dict[str, Any]) -> str | None:
    if message.get("status") is None:
        return None
    return one_of(message["status"], STATUSES, "fulfillment.status")
