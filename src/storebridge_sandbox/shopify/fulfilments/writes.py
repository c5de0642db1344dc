"""The mutations of fulfilment orders and fulfilments, with the recorded refusals word for word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.mutations import Refusals, UserError, Verb, must_be, refuse, unknown_id
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.fulfilment_desk import FulfilmentDesk
from storebridge_sandbox.shopify.sales.inputs import moment_of
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.state import (
    FulfilmentEvent,
    FulfilmentOrder,
    FulfilmentOrderLine,
    Hold,
    MerchantRequest,
    ShopFulfilment,
)
from storebridge_sandbox.shopify.shop.state import ShopState

MOST_HOLDS = 10
NOT_THERE = "Fulfillment order does not exist."
NO_SUCH_LINE = "Fulfillment order line item does not exist."
TOO_MANY = "Invalid fulfillment order line item quantity requested."
PLACE = ("city", "province", "country", "zip", "address1", "latitude", "longitude")
Given = Mapping[str, Any]
Picks = list[tuple[FulfilmentOrderLine, int]]


class FulfilmentWrites:
    """Every verb gets the arguments and the call, and returns the payload's fields."""

    def __init__(
        self,
        book: Orders,
        desk: FulfilmentDesk,
        shop: ShopState,
        numbers: Numbers,
        news: News,
        now: Callable[[], datetime],
        options: ShopifyOptions,
    ) -> None:
        self._options = options
        self._book = book
        self._desk = desk
        self._shop = shop
        self._numbers = numbers
        self._news = news
        self._now = now

    def verbs(self) -> dict[str, Verb]:
        return {
            "fulfillmentCreate": self.create,
            "fulfillmentCreateV2": self.create,
            "fulfillmentCancel": self.cancel,
            "fulfillmentTrackingInfoUpdate": self.track,
            "fulfillmentTrackingInfoUpdateV2": self.track,
            "fulfillmentEventCreate": self.event,
            "fulfillmentOrderHold": self.hold,
            "fulfillmentOrderReleaseHold": self.release,
            "fulfillmentOrderMove": self.move,
            "fulfillmentOrdersReroute": self.reroute,
            "fulfillmentOrderSplit": self.split,
            "fulfillmentOrderMerge": self.merge,
            "fulfillmentOrderCancel": self.cancel_order,
            "fulfillmentOrderOpen": self.open,
            "fulfillmentOrderClose": self.close,
            "fulfillmentOrderReportProgress": self.report_progress,
            "fulfillmentOrderReschedule": self.reschedule,
            "fulfillmentOrdersSetFulfillmentDeadline": self.set_deadline,
            "fulfillmentOrderSubmitFulfillmentRequest": self.submit,
            "fulfillmentOrderAcceptFulfillmentRequest": self.accept,
            "fulfillmentOrderRejectFulfillmentRequest": self.reject,
            "fulfillmentOrderLineItemsPreparedForPickup": self.prepared_for_pickup,
        }

    # -- parcels -------------------------------------------------------------------------------------------

    def create(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["fulfillment"]
        picks = self._parcel(given["lineItemsByFulfillmentOrder"])
        trackings = trackings_of(given.get("trackingInfo"))
        with self._news.deed():
            parcel = self._desk.send(picks, trackings, "api", origin_address=given.get("originAddress"))
            order = picks[0][0].order.order
            self._book.after_sending(order)
        return {"fulfillment": parcel}

    def _parcel(self, groups: Sequence[Given]) -> Picks:
        """Checked in the recorded order: quantities, existence, one order, one place, status, lines, amounts."""
        for place, group in enumerate(groups):
            for n, one in enumerate(group.get("fulfillmentOrderLineItems") or ()):
                if one["quantity"] < 1:
                    path = ["fulfillment", "lineItemsByFulfillmentOrder", str(place)]
                    path += ["fulfillmentOrderLineItems", str(n), "quantity"]
                    raise refuse(path, "Quantity must be greater than 0")
        found = [self._book.things.get(group["fulfillmentOrderId"]) for group in groups]
        if not found or not all(isinstance(one, FulfilmentOrder) for one in found):
            raise refuse(["fulfillment"], NOT_THERE)
        orders = list(dict.fromkeys(number_of(fo.order.id) for fo in found))
        if len(orders) > 1:
            told = (
                f"All fulfillment orders must belong to the same order. Multiple orders with ids {orders} were found."
            )
            raise refuse(["fulfillment"], told)
        places = sorted({number_of(fo.location_id) for fo in found})
        if len(places) > 1:
            told = "All fulfillment orders must be assigned to a single location."
            raise refuse(["fulfillment"], f"{told} Multiple locations with ids {places} were found.")
        for fo in found:
            if fo.status in ("CLOSED", "CANCELLED", "ON_HOLD", "SCHEDULED"):
                status = fo.status.lower()
                told = f"Fulfillment order {number_of(fo.id)} has an unfulfillable status= {status}."
                raise refuse(["fulfillment"], told)
        pairs = zip(found, groups, strict=True)
        return [pick for fo, group in pairs for pick in self._picked(fo, group, ["fulfillment"], None)]

    def _picked(self, fo: FulfilmentOrder, group: Given, field: list[str] | None, _code: str | None) -> Picks:
        """The named lines of a fulfilment order, all that remains when none is named."""
        named = group.get("fulfillmentOrderLineItems")
        if not named:
            return [(one, one.remaining) for one in fo.lines if one.remaining]
        picks: Picks = []
        for given in named:
            line = next((one for one in fo.lines if one.id == given["id"]), None)
            if line is None:
                raise refuse(field, NO_SUCH_LINE)
            taken = sum(units for one, units in picks if one is line)
            if given["quantity"] + taken > line.remaining:
                raise refuse(field, TOO_MANY)
            picks.append((line, given["quantity"]))
        return picks

    def cancel(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        parcel = self._book.things.get(args["id"])
        if not isinstance(parcel, ShopFulfilment):
            raise refuse(["id"], "Fulfillment not found.")
        if parcel.status != "CANCELLED":
            with self._news.deed():
                self._book.call_back(parcel, "api")
        return {"fulfillment": parcel}

    def track(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        parcel = self._book.things.get(args["fulfillmentId"])
        if not isinstance(parcel, ShopFulfilment):
            raise refuse(["fulfillmentId"], "Fulfillment does not exist.")
        with self._news.deed():
            self._desk.track(parcel, trackings_of(args["trackingInfoInput"]))
            parcel.updated_at = self._now()
            self._news.add("fulfillments/update", parcel)
            self._book.touched(_owner(parcel))
        return {"fulfillment": parcel}

    def event(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """What the carrier says; recorded: even of a parcel that was cancelled."""
        given = args["fulfillmentEvent"]
        parcel = self._book.things.get(given["fulfillmentId"])
        if not isinstance(parcel, ShopFulfilment):
            raise refuse(["fulfillmentEvent", "fulfillmentId"], "Fulfillment does not exist.")
        moment = self._now()
        arrives = given.get("estimatedDeliveryAt")
        event = FulfilmentEvent(
            self._numbers.new("FulfillmentEvent"),
            given["status"],
            given.get("message"),
            moment_of(given["happenedAt"]) if given.get("happenedAt") else moment,
            moment,
            moment_of(arrives) if arrives else None,
            {name: given.get(name) for name in PLACE},
        )
        with self._news.deed():
            self._book.things[event.id] = event
            parcel.events = (*parcel.events, event)
            parcel.updated_at = moment
            self._news.add("fulfillment_events/create", (parcel, event))
            self._news.add("fulfillments/update", parcel)
            self._book.touched(_owner(parcel))
        return {"fulfillmentEvent": event}

    # -- holds ---------------------------------------------------------------------------------------------

    def hold(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo, given = self._known(args["id"]), args["fulfillmentHold"]
        picks = self._held(fo, given)
        hold = Hold(
            self._numbers.new("FulfillmentHold"),
            given["reason"],
            given.get("reasonNotes"),
            given.get("handle") or "",
            given.get("externalId"),
        )
        with self._news.deed():
            rest = self._desk.hold(fo, hold, picks)
            self._book.touched(fo.order)
        return {"fulfillmentHold": hold, "fulfillmentOrder": fo, "remainingFulfillmentOrder": rest}

    def _held(self, fo: FulfilmentOrder, given: Given) -> Picks:
        lines, path = given.get("fulfillmentOrderLineItems") or [], ["fulfillmentHold", "fulfillmentOrderLineItems"]
        for place, one in enumerate(lines):
            if one["quantity"] < 1:
                told = "You must select at least one item to place on partial hold."
                raise refuse([*path, str(place), "quantity"], told, "GREATER_THAN_ZERO")
        if len({one["id"] for one in lines}) < len(lines):
            raise refuse(path, "must contain unique line item ids", "DUPLICATED_FULFILLMENT_ORDER_LINE_ITEMS")
        if lines and fo.status == "ON_HOLD":
            told = "The fulfillment order is not in a splittable state."
            raise refuse(path, told, "FULFILLMENT_ORDER_NOT_SPLITTABLE")
        if any(hold.handle == (given.get("handle") or "") for hold in fo.holds):
            told = (
                "The handle provided for the fulfillment hold is already in use by this app for another hold on this "
                "fulfillment order."
            )
            raise refuse(["fulfillmentHold", "handle"], told, "DUPLICATE_FULFILLMENT_HOLD_HANDLE")
        if len(fo.holds) >= MOST_HOLDS:
            told = (
                "The maximum number of fulfillment holds for this fulfillment order has been reached for this app. An "
                "app can only have up to 10 holds on a single fulfillment order at any one time."
            )
            raise refuse(["id"], told, "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED")
        if fo.status in ("CLOSED", "CANCELLED"):
            raise refuse(["id"], "The fulfillment order is not in a holdable state.")
        return self._picked(fo, given, path, None) if lines else []

    def release(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo, wanted = self._known(args["id"]), args.get("holdIds")
        holds = [hold for hold in fo.holds if wanted is None or hold.id in wanted]
        if args.get("externalId") and wanted is None:
            holds = [hold for hold in holds if hold.external_id == args["externalId"]]
        if fo.status != "ON_HOLD":
            raise refuse(["id"], "The fulfillment order is not on hold.")
        with self._news.deed():
            self._desk.release(fo, holds)
            self._book.touched(fo.order)
        return {"fulfillmentOrder": fo}

    # -- moving, parting, joining --------------------------------------------------------------------------

    def move(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo, place = self._known(args["id"]), self._shop.location(args["newLocationId"])
        if place is None:
            raise refuse(["id"], "Location not found.")
        if fo.progress_reported and fo.status == "IN_PROGRESS":
            told = (
                "Cannot move a fulfillment order that has had progress reported. To move a fulfillment order that has "
                "had progress reported, the fulfillment order must first be marked as open resolving the ongoing "
                "progress state."
            )
            raise refuse(["id"], told, "CANNOT_MOVE_FULFILLMENT_ORDER_WITH_REPORTED_PROGRESS")
        if fo.request_status in ("SUBMITTED", "ACCEPTED"):
            raise refuse(None, "Cannot move submitted fulfillment order that is at a 3PL fulfillment service.")
        if fo.status not in ("OPEN", "ON_HOLD", "SCHEDULED", "INCOMPLETE", "IN_PROGRESS"):
            raise refuse(None, "Cannot change location.")
        picks = self._picked(fo, args, None, None) if args.get("fulfillmentOrderLineItems") else []
        with self._news.deed():
            moved = self._desk.move(fo, place.id, picks, "api")
            self._book.touched(fo.order)
        remaining = None if moved is fo else fo
        return {"movedFulfillmentOrder": moved, "originalFulfillmentOrder": fo, "remainingFulfillmentOrder": remaining}

    def reroute(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """To the first location that is asked for, or else to the first that is not shut out."""
        found = [self._known(one) for one in args["fulfillmentOrderIds"]]
        if any(fo.status not in ("OPEN", "SCHEDULED", "ON_HOLD") or fo.progress_reported for fo in found):
            raise refuse(["fulfillmentOrderIds"], "Fulfillment orders cannot be moved to another location.")
        wanted, shut = args.get("includedLocationIds") or (), args.get("excludedLocationIds") or ()
        open_ones = [one.id for one in self._shop.locations if one.active and one.fulfills_online_orders]
        targets = [one for one in (wanted or open_ones) if one in open_ones and one not in shut]
        moved = []
        with self._news.deed():
            for fo in found:
                others = [one for one in targets if one != fo.location_id]
                if others and (wanted or fo.location_id in shut):
                    moved.append(self._desk.move(fo, others[0], [], "api"))
                    self._book.touched(fo.order)
        return {"movedFulfillmentOrders": moved}

    def split(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """All inputs are checked before the first is carried out (recorded)."""
        checked: list[tuple[FulfilmentOrder, Picks]] = []
        for place, given in enumerate(args["fulfillmentOrderSplits"]):
            path = ["fulfillmentOrderSplits", str(place), "fulfillmentOrderLineItems"]
            if not given["fulfillmentOrderLineItems"]:
                told = "There must be at least one item selected in this fulfillment to split it."
                raise refuse(path, told, "NO_LINE_ITEMS_PROVIDED_TO_SPLIT")
            for n, one in enumerate(given["fulfillmentOrderLineItems"]):
                if one["quantity"] < 1:
                    told = "You must select at least one item to split into a new fulfillment order."
                    raise refuse([*path, str(n), "quantity"], told, "GREATER_THAN")
            fo = self._of(given["fulfillmentOrderId"])
            picks = self._picked(fo, given, None, None)
            if fo.status != "OPEN" or sum(units for _, units in picks) >= fo.remaining:
                raise refuse(None, f"Fulfillment order: {number_of(fo.id)} is currently not in a splittable state.")
            checked.append((fo, picks))
        with self._news.deed():
            results = []
            for fo, picks in checked:
                made = self._desk.split(fo, picks)
                results.append(Parted(fo, made))
                self._book.touched(fo.order)
        return {"fulfillmentOrderSplits": results}

    def merge(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        checked = [
            self._mergeable(given["mergeIntents"], ["fulfillmentOrderMergeInputs", str(place), "mergeIntents"])
            for place, given in enumerate(args["fulfillmentOrderMergeInputs"])
        ]
        with self._news.deed():
            for target, others in checked:
                self._desk.merge(target, others)
                self._book.touched(target.order)
        return {"fulfillmentOrderMerges": [Parted(target, None) for target, _ in checked]}

    def _mergeable(self, intents: Sequence[Given], path: list[str]) -> tuple[FulfilmentOrder, list[FulfilmentOrder]]:
        for place, intent in enumerate(intents):
            for n, one in enumerate(intent.get("fulfillmentOrderLineItems") or ()):
                if one["quantity"] < 1:
                    told = "You must select at least one item to merge into a new fulfillment order."
                    where = [*path, str(place), "fulfillmentOrderLineItems", str(n), "quantity"]
                    raise refuse(where, told, "GREATER_THAN")
        found = [self._of(intent["fulfillmentOrderId"]) for intent in intents]
        for fo, intent in zip(found, intents, strict=True):
            self._picked(fo, intent, None, None)
            if fo.status != "OPEN":
                raise refuse(None, f"Fulfillment order: {number_of(fo.id)} is currently not in a mergeable state.")
        if not found:
            raise refuse(None, "Fulfillment orders must belong to the same order and location.")
        target = found[0]
        if any(fo.order is not target.order or fo.location_id != target.location_id for fo in found):
            raise refuse(None, "Fulfillment orders must belong to the same order and location.")
        return target, [fo for fo in found[1:] if fo is not target]

    # -- the status machine --------------------------------------------------------------------------------

    def cancel_order(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._known(args["id"])
        if fo.progress_reported and fo.status == "IN_PROGRESS":
            told = "Cannot cancel fulfillment order that has had progress reported. Mark as unfulfilled first."
            raise refuse(["id"], told)
        if fo.status not in ("OPEN", "SCHEDULED", "INCOMPLETE"):
            raise refuse(None, "Fulfillment order is not in cancelable request state and can't be canceled.")
        with self._news.deed():
            made = self._desk.replace(fo)
            self._book.touched(fo.order)
        return {"fulfillmentOrder": fo, "replacementFulfillmentOrder": made}

    def open(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._known(args["id"])
        if fo.status not in ("SCHEDULED", "IN_PROGRESS"):
            told = f"Expected fulfillment order status to be valid but it was {fo.status.lower()}."
            raise refuse(None, told)
        fo.progress_reported = False
        return self._becomes(fo, "OPEN")

    def close(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._known(args["id"])
        if not self._of_service(fo):
            raise refuse(None, "The fulfillment order's assigned fulfillment service must be of api type")
        if fo.status != "IN_PROGRESS":
            raise refuse(None, "The fulfillment order must be in progress to be closed.")
        fo.request_status = "CLOSED"
        return self._becomes(fo, "INCOMPLETE")

    def report_progress(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._known(args["id"])
        if fo.status not in ("OPEN", "IN_PROGRESS"):
            raise refuse(["id"], f"Progress cannot be reported while the status is {fo.status.lower()}.")
        fo.progress_reported = True
        return self._becomes(fo, "IN_PROGRESS")

    def reschedule(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._known(args["id"])
        if fo.status != "SCHEDULED":
            raise refuse(None, "Fulfillment order must be scheduled.")
        fo.fulfill_at = moment_of(args["fulfillAt"])
        return self._becomes(fo, "SCHEDULED", "fulfillment_orders/rescheduled")

    def set_deadline(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found = [self._book.things.get(one) for one in args["fulfillmentOrderIds"]]
        known = [fo for fo in found if isinstance(fo, FulfilmentOrder)]
        if not known or len(known) < len(found):
            raise refuse(None, "Fulfillment orders could not be found.", success=False)
        for fo in known:
            fo.fulfill_by = moment_of(args["fulfillmentDeadline"])
            fo.updated_at = self._now()
        return {"success": True}

    def _becomes(self, fo: FulfilmentOrder, status: Any, topic: str | None = None) -> dict[str, Any]:
        with self._news.deed():
            fo.status = status
            fo.updated_at = self._now()
            if topic:
                self._news.add(topic, fo)
            self._book.touched(fo.order)
        return {"fulfillmentOrder": fo}

    # -- fulfilment services -------------------------------------------------------------------------------

    def submit(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._known(args["id"])
        if not self._of_service(fo) or fo.request_status not in ("UNSUBMITTED", "REJECTED", "CLOSED"):
            raise refuse(None, "The fulfillment order is not in a state that allows a fulfillment request.")
        request = MerchantRequest(
            self._numbers.new("FulfillmentOrderMerchantRequest"),
            "FULFILLMENT_REQUEST",
            args.get("message"),
            {"notify_customer": bool(args.get("notifyCustomer"))},
            self._now(),
            fo,
        )
        with self._news.deed():
            fo.requests = (*fo.requests, request)
            fo.request_status = "SUBMITTED"
            self._news.add("fulfillment_orders/fulfillment_request_submitted", fo)
            self._book.touched(fo.order)
        return {
            "originalFulfillmentOrder": fo,
            "submittedFulfillmentOrder": fo,
            "unsubmittedFulfillmentOrder": None,
        }

    def accept(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._submitted(args["id"])
        fo.request_status = "ACCEPTED"
        return self._becomes(fo, "IN_PROGRESS", "fulfillment_orders/fulfillment_request_accepted")

    def reject(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        fo = self._submitted(args["id"])
        fo.request_status = "REJECTED"
        return self._becomes(fo, "OPEN", "fulfillment_orders/fulfillment_request_rejected")

    def prepared_for_pickup(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """What ships is refused; what the buyer collects is in progress from then on, and not prepared again (S44)."""
        asked = [str(one["fulfillmentOrderId"]) for one in args["input"]["lineItemsByFulfillmentOrder"]]
        errors = [error for place, one in enumerate(asked) if (error := self._unprepared(place, one))]
        if errors:
            raise Refusals(*errors)
        with self._news.deed():
            for global_id in asked:
                fo = self._known(global_id)
                fo.prepared = True
                if self._options.prepared_is_in_progress:
                    self._becomes(fo, "IN_PROGRESS")
        return {}

    def _unprepared(self, place: int, global_id: str) -> UserError | None:
        path = ["input", "lineItemsByFulfillmentOrder", str(place), "fulfillmentOrderId"]
        fo = self._book.things.get(global_id)
        if not isinstance(fo, FulfilmentOrder) or fo.order.customer.get("delivery") != "pickup":
            told = f"Invalid fulfillment_order_id provided {number_of(global_id)}"
            return UserError(path, told, "FULFILLMENT_ORDER_INVALID")
        if fo.prepared or not fo.remaining or fo.status not in ("OPEN", "IN_PROGRESS"):
            told = "There are no line items to prepare for this fulfillment order"
            return UserError(path, told, "NO_LINE_ITEMS_TO_PREPARE_FOR_FULFILLMENT_ORDER")
        return None

    def _submitted(self, global_id: str) -> FulfilmentOrder:
        fo = self._known(global_id)
        if fo.request_status != "SUBMITTED":
            raise refuse(None, "The fulfillment order has no submitted fulfillment request.")
        return fo

    def _of_service(self, fo: FulfilmentOrder) -> bool:
        place = self._shop.location(fo.location_id)
        return place is not None and place.service_id is not None

    def _known(self, global_id: str) -> FulfilmentOrder:
        """Raises the top-level refusal that a single unknown id gets."""
        fo = self._book.things.get(must_be(global_id, "FulfillmentOrder"))
        if not isinstance(fo, FulfilmentOrder):
            raise unknown_id(global_id)
        return fo

    def _of(self, global_id: str) -> FulfilmentOrder:
        """Raises the user error that ids inside of inputs get."""
        fo = self._book.things.get(global_id)
        if not isinstance(fo, FulfilmentOrder):
            raise refuse(None, NOT_THERE, "FULFILLMENT_ORDER_NOT_FOUND")
        return fo


class Parted:
    """One result of a split or a merge."""

    def __init__(self, fulfilment_order: FulfilmentOrder, remaining: FulfilmentOrder | None) -> None:
        self.fulfilment_order = fulfilment_order
        self.remaining = remaining


def trackings_of(given: Given | None) -> tuple[dict[str, Any], ...]:
    """``FulfillmentTrackingInput``: one parcel may carry several numbers."""
    if not given:
        return ()
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    count = max(len(numbers), len(urls), 1 if given.get("company") else 0)
    return tuple(
        {
            "company": given.get("company"),
            "number": numbers[n] if n < len(numbers) else None,
            "url": urls[n] if n < len(urls) else None,
        }
        for n in range(count)
    )


def _owner(parcel: ShopFulfilment) -> Any:
    return parcel.order
