"""Fulfilment orders and fulfilments as the Admin API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, iso, shows, shows_time
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.money import Bag, money_text
from storebridge_sandbox.shopify.mutations import showing
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.sales.fulfilment_status import mergeable, supported_actions
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.shown import bag_shown, numbered, time_text
from storebridge_sandbox.shopify.sales.state import FulfilmentOrder, Hold, ShopFulfilment, ShopOrder
from storebridge_sandbox.shopify.shop.state import Location, ShopState, Tokens
from storebridge_sandbox.sleeping import Sleepers

SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"
HOLD_REASONS = {
    "AWAITING_PAYMENT": "Awaiting payment",
    "AWAITING_RETURN_ITEMS": "Exchange items awaiting return delivery",
    "HIGH_RISK_OF_FRAUD": "High risk of fraud",
    "INCORRECT_ADDRESS": "Incorrect address",
    "INVENTORY_OUT_OF_STOCK": "Inventory out of stock",
    "ONLINE_STORE_POST_PURCHASE_CROSS_SELL": "Pending upsell offer",
    "OTHER": "Other",
    "UNKNOWN_DELIVERY_DATE": "Unknown delivery date",
}
FIELDS: dict[str, Callable[[FulfilmentOrder], Any]] = {
    "id": lambda fo: number_of(fo.id),
    "status": lambda fo: fo.status,
    "assigned_location_id": lambda fo: number_of(fo.location_id),
    "updated_at": lambda fo: fo.updated_at,
    "created_at": lambda fo: fo.created_at,
    "order_id": lambda fo: number_of(fo.order.id),
}


METHODS = {"shipping": "SHIPPING", "pickup": "PICK_UP", "local": "LOCAL"}


def _method(fo: FulfilmentOrder) -> dict[str, Any]:
    """How the shopper wanted it at the checkout."""
    number = number_of(fo.id)
    kind = METHODS[str(fo.order.customer.get("delivery", "shipping"))]
    return {"__typename": "DeliveryMethod", "id": f"gid://shopify/DeliveryMethod/{number}", "methodType": kind}


class FulfilmentAnswers:
    """Reads of what is to be sent and what was."""

    def __init__(
        self, orders: Sleepers[ShopOrder], things: Register, shop: ShopState, shelves: Shelves, tokens: Tokens
    ) -> None:
        self._orders = orders
        self._things = things
        self._shop = shop
        self._shelves = shelves
        self._tokens = tokens

    def resolvers(self) -> Resolvers:
        return {**self._roots(), **self._orders_to_send(), **self._lines_to_send(), **self._parcels(), **RESULTS}

    def _roots(self) -> Resolvers:
        return {
            ("QueryRoot", "fulfillmentOrder"): lambda _s, args, _c: self._of(args["id"], FulfilmentOrder),
            ("QueryRoot", "fulfillment"): lambda _s, args, _c: self._of(args["id"], ShopFulfilment),
            ("QueryRoot", "fulfillmentOrders"): self._list,
            ("QueryRoot", "manualHoldsFulfillmentOrders"): self._held,
            ("QueryRoot", "assignedFulfillmentOrders"): self._assigned,
        }

    def _of(self, global_id: str, kind: type) -> Any:
        found = self._things.get(global_id)
        return found if isinstance(found, kind) else None

    def _all(self) -> Iterator[FulfilmentOrder]:
        return (fo for order in self._orders.values() for fo in order.fulfilment_orders)

    def _list(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        search = compile_search(args.get("query"), FIELDS)
        call.ignored("fulfillmentOrders", args.get("query"), search)
        open_only = not args.get("includeClosed")
        found = [fo for fo in self._all() if search.test(fo) and not (open_only and fo.status == "CLOSED")]
        if args.get("sortKey") == "UPDATED_AT":
            rows = [(fo.updated_at.isoformat(), number_of(fo.id), fo) for fo in found]
            return page_of(sorted(rows, key=lambda row: row[:2]), args)
        return _by_number(found, args)

    def _held(self, _source: Any, args: dict[str, Any], _call: Call) -> Page:
        return _by_number([fo for fo in self._all() if fo.status == "ON_HOLD"], args)

    def _assigned(self, _source: Any, args: dict[str, Any], _call: Call) -> Page:
        """For apps that run a fulfilment service; others are refused (recorded)."""
        services = {place.id for place in self._shop.locations if _is_service(place)}
        if not services:
            told = '["The api_client is not associated with any fulfillment service."]'
            raise Refusal(told, "")
        wanted = set(args.get("locationIds") or services) & services
        found = [fo for fo in self._all() if fo.location_id in wanted and fo.status != "CLOSED"]
        return _by_number(found, args)

    # -- fulfilment orders ---------------------------------------------------------------------------------

    def _orders_to_send(self) -> Resolvers:
        kind = "FulfillmentOrder"
        return {
            **showing(kind, ("id", "status", "requestStatus", "order")),
            (kind, "createdAt"): shows_time("created_at"),
            (kind, "updatedAt"): shows_time("updated_at"),
            (kind, "fulfillAt"): shows_time("fulfill_at"),
            (kind, "fulfillBy"): shows_time("fulfill_by"),
            (kind, "orderId"): lambda fo, _a, _c: fo.order.id,
            (kind, "orderName"): lambda fo, _a, _c: fo.order.name,
            (kind, "orderProcessedAt"): lambda fo, _a, _c: iso(fo.order.processed_at),
            (kind, "supportedActions"): lambda fo, _a, _c: supported_actions(
                fo, of_service=_is_service(self._shop.location(fo.location_id))
            ),
            (kind, "deliveryMethod"): lambda fo, _a, _c: _method(fo),
            ("FulfillmentOrderSupportedAction", "action"): lambda action, _a, _c: action,
            (kind, "assignedLocation"): lambda fo, _a, _c: self._shop.location(fo.location_id),
            ("FulfillmentOrderAssignedLocation", "name"): shows("name"),
            ("FulfillmentOrderAssignedLocation", "countryCode"): lambda _l, _a, _c: "DE",
            ("FulfillmentOrderAssignedLocation", "location"): lambda place, _a, _c: place,
            (kind, "destination"): lambda fo, _a, _c: _destination(fo),
            (kind, "fulfillmentHolds"): shows("holds"),
            (kind, "fulfillmentOrdersForMerge"): lambda fo, args, _c: numbered(mergeable(fo), args),
            (kind, "fulfillments"): lambda fo, args, _c: numbered(_parcels_of(fo), args),
            (kind, "lineItems"): lambda fo, args, _c: numbered(fo.lines, args),
            (kind, "merchantRequests"): lambda fo, args, _c: numbered(fo.requests, args),
            (kind, "locationsForMove"): self._locations_for_move,
            **HOLDS,
            ("FulfillmentHold", "heldByApp"): self._held_by,
            ("FulfillmentHold", "heldByRequestingApp"): lambda _h, _a, _c: True,
            **MOVES,
            **REQUESTS,
        }

    def _held_by(self, _hold: Hold, _args: Any, _call: Call) -> Any:
        """Recorded: an app without ``read_apps`` is not told who holds."""
        if "read_apps" in self._tokens.scopes:
            return {"id": "gid://shopify/App/1", "title": "storebridge"}
        needed = "`read_apps` access scope."
        told = f"Access denied for heldByApp field. Required access: {needed}"
        raise Refusal(told, "ACCESS_DENIED", documentation=SCOPES_PAGE, requiredAccess=needed)

    def _locations_for_move(self, fo: FulfilmentOrder, args: dict[str, Any], _call: Call) -> Page:
        others = [(fo, place) for place in self._shop.locations if place.active and place.id != fo.location_id]
        wanted = args.get("locationIds")
        rows = [(p.name, number_of(p.id), (f, p)) for f, p in others if not wanted or p.id in wanted]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _lines_to_send(self) -> Resolvers:
        kind = "FulfillmentOrderLineItem"
        return {
            (kind, "id"): shows("id"),
            (kind, "totalQuantity"): shows("total"),
            (kind, "remainingQuantity"): shows("remaining"),
            (kind, "lineItem"): shows("line"),
            (kind, "inventoryItemId"): lambda one, _a, _c: one.line.variant.item_id or None,
            (kind, "productTitle"): lambda one, _a, _c: one.line.title,
            (kind, "sku"): lambda one, _a, _c: one.line.sku,
            (kind, "vendor"): lambda one, _a, _c: one.line.vendor,
            (kind, "variantTitle"): lambda one, _a, _c: one.line.variant_title,
            (kind, "variant"): lambda one, _a, _c: self._shelves.variants.get(one.line.variant.variant_id),
            (kind, "requiresShipping"): lambda one, _a, _c: one.line.requires_shipping,
            (kind, "warnings"): lambda _o, _a, _c: [],
            (kind, "originalUnitPriceSet"): lambda one, _a, _c: bag_shown(one.order.order, one.line.unit),
            (kind, "financialSummaries"): lambda _o, _a, _c: [],
        }

    # -- parcels -------------------------------------------------------------------------------------------

    def _parcels(self) -> Resolvers:
        kind = "Fulfillment"
        return {
            **showing(kind, ("id", "name", "status", "displayStatus", "order")),
            (kind, "legacyResourceId"): lambda one, _a, _c: str(number_of(one.id)),
            (kind, "createdAt"): shows_time("at"),
            (kind, "updatedAt"): shows_time("updated_at"),
            (kind, "deliveredAt"): lambda one, _a, _c: _happened(one, "DELIVERED"),
            (kind, "inTransitAt"): lambda one, _a, _c: _happened(one, "IN_TRANSIT"),
            (kind, "estimatedDeliveryAt"): lambda one, _a, _c: _estimated(one),
            (kind, "requiresShipping"): lambda one, _a, _c: any(part.line.requires_shipping for part in one.parts),
            (kind, "totalQuantity"): lambda one, _a, _c: sum(part.quantity for part in one.parts),
            (kind, "trackingInfo"): lambda one, args, _c: one.trackings[: args.get("first")],
            **{("FulfillmentTrackingInfo", name): _key(name) for name in ("company", "number", "url")},
            (kind, "events"): lambda one, args, _c: _events(one, args),
            (kind, "fulfillmentLineItems"): lambda one, args, _c: numbered(one.parts, args),
            (kind, "fulfillmentOrders"): lambda one, args, _c: numbered(
                list(dict.fromkeys(line.order for line, _ in one.drawn)), args
            ),
            (kind, "location"): lambda one, _a, _c: self._shop.location(one.location_id),
            (kind, "originAddress"): lambda one, _a, _c: one.origin_address,
            **_part_fields(),
            **EVENTS,
        }


def _by_number(found: list[FulfilmentOrder], args: dict[str, Any]) -> Page:
    return numbered(found, args)


def _is_service(place: Location | None) -> bool:
    return place is not None and place.service_id is not None


def _parcels_of(fo: FulfilmentOrder) -> list[Any]:
    return [one for one in fo.order.fulfilments if any(line.order is fo for line, _ in getattr(one, "drawn", ()))]


def _destination(fo: FulfilmentOrder) -> dict[str, Any] | None:
    address = fo.order.shipping_address
    return (
        None if address is None else {"id": fo.id.replace("FulfillmentOrder", "FulfillmentOrderDestination"), **address}
    )


def _happened(parcel: ShopFulfilment, status: str) -> str | None:
    event = parcel.first_event(status)
    return time_text(event.happened_at if event else None)


def _estimated(parcel: ShopFulfilment) -> str | None:
    known = [event.estimated_delivery_at for event in parcel.events if event.estimated_delivery_at]
    return time_text(known[-1] if known else None)


def _events(parcel: ShopFulfilment, args: dict[str, Any]) -> Page:
    rows = [(event.happened_at.isoformat(), number_of(event.id), event) for event in parcel.events]
    return page_of(sorted(rows, key=lambda row: row[:2]), args)


def _key(name: str) -> Any:
    return lambda source, _args, _call: source.get(name)


def _original(part: Any) -> Bag:
    worth: Bag = part.line.unit.times(part.quantity)
    return worth


def _discounted(part: Any) -> Bag:
    worth: Bag = part.line.discounted.share(part.quantity, part.line.quantity)
    return worth


def _part_fields() -> Resolvers:
    kind = "FulfillmentLineItem"
    return {
        **showing(kind, ("id", "quantity")),
        (kind, "lineItem"): shows("line"),
        (kind, "originalTotalSet"): lambda part, _a, _c: bag_shown(part.parcel.order, _original(part)),
        (kind, "originalTotal"): lambda part, _a, _c: money_text(_original(part).shop),
        (kind, "discountedTotalSet"): lambda part, _a, _c: bag_shown(part.parcel.order, _discounted(part)),
        (kind, "discountedTotal"): lambda part, _a, _c: money_text(_discounted(part).shop),
    }


_PLACE = ("city", "province", "country", "zip", "address1", "latitude", "longitude")
EVENTS: Resolvers = {
    **showing("FulfillmentEvent", ("id", "status", "message")),
    ("FulfillmentEvent", "createdAt"): shows_time("created_at"),
    ("FulfillmentEvent", "happenedAt"): shows_time("happened_at"),
    ("FulfillmentEvent", "estimatedDeliveryAt"): shows_time("estimated_delivery_at"),
    **{("FulfillmentEvent", name): (lambda key: lambda event, _a, _c: event.place.get(key))(name) for name in _PLACE},
}
HOLDS: Resolvers = {
    **showing("FulfillmentHold", ("id", "reason", "handle")),
    ("FulfillmentHold", "reasonNotes"): shows("notes"),
    ("FulfillmentHold", "displayReason"): lambda hold, _a, _c: HOLD_REASONS.get(hold.reason, "Other"),
}
MOVES: Resolvers = {
    ("FulfillmentOrderLocationForMove", "location"): lambda pair, _a, _c: pair[1],
    ("FulfillmentOrderLocationForMove", "movable"): lambda pair, _a, _c: pair[0].status in ("OPEN", "ON_HOLD"),
    ("FulfillmentOrderLocationForMove", "message"): lambda _p, _a, _c: None,
    ("FulfillmentOrderLocationForMove", "availableLineItems"): lambda pair, args, _c: numbered(pair[0].lines, args),
    ("FulfillmentOrderLocationForMove", "unavailableLineItems"): lambda _p, args, _c: page_of([], args),
}
REQUESTS: Resolvers = {
    **showing("FulfillmentOrderMerchantRequest", ("id", "kind", "message")),
    ("FulfillmentOrderMerchantRequest", "requestOptions"): shows("options"),
    ("FulfillmentOrderMerchantRequest", "sentAt"): shows_time("sent_at"),
    ("FulfillmentOrderMerchantRequest", "fulfillmentOrder"): shows("order"),
}
RESULTS: Resolvers = {
    ("FulfillmentOrderSplitResult", "fulfillmentOrder"): shows("fulfilment_order"),
    ("FulfillmentOrderSplitResult", "remainingFulfillmentOrder"): shows("remaining"),
    ("FulfillmentOrderSplitResult", "replacementFulfillmentOrder"): lambda _r, _a, _c: None,
    ("FulfillmentOrderMergeResult", "fulfillmentOrder"): shows("fulfilment_order"),
    **{
        ("FulfillmentOrderDestination", name): _key(name)
        for name in (
            "id",
            "address1",
            "address2",
            "city",
            "company",
            "countryCode",
            "firstName",
            "lastName",
            "phone",
            "province",
            "zip",
        )
    },
    **{
        ("FulfillmentOriginAddress", name): _key(name)
        for name in ("address1", "address2", "city", "countryCode", "provinceCode", "zip")
    },
}
