"""Fulfilment services: each ships from a location of its own, which comes and goes with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from storebridge_sandbox.shopify.call import Call, Resolvers, shows
from storebridge_sandbox.shopify.engine import load_schema
from storebridge_sandbox.shopify.ids import Numbers, gid, number_of
from storebridge_sandbox.shopify.mutations import Refusals, UserError, Verb, mutation_resolvers, refuse, showing
from storebridge_sandbox.shopify.shop.state import FulfilmentService, Location, ShopState
from storebridge_sandbox.stock import Stock

RESERVED = ("manual", "gift_card", "shopify", "amazon")
UNREACHABLE = ("example.com", "example.net", "example.org", "localhost")
ASIDE = "Inventory action Destination location id should not be present when deleting/keeping the inventory of the "
FIELDS = (
    "handle", "serviceName", "callbackUrl", "trackingSupport", "inventoryManagement", "requiresShippingMethod", "type",
)  # fmt: skip


class ServiceAnswers:
    """Reads of fulfilment services and the mutations that make, change and remove them."""

    def __init__(
        self, shop: ShopState, stock: Stock, numbers: Numbers, changed: Callable[[Location, str], None]
    ) -> None:
        self._shop = shop
        self._stock = stock
        self._numbers = numbers
        self._changed = changed
        self._manual = FulfilmentService(gid("FulfillmentService", "manual"), "manual", "Manual", "", type="MANUAL")

    def resolvers(self) -> Resolvers:
        kind = "FulfillmentService"
        verbs: dict[str, Verb] = {
            "fulfillmentServiceCreate": self._create,
            "fulfillmentServiceUpdate": self._update,
            "fulfillmentServiceDelete": self._delete,
        }
        return {
            **mutation_resolvers(load_schema(), verbs),
            **showing(kind, FIELDS),
            (kind, "id"): shows("id"),
            (kind, "fulfillmentOrdersOptIn"): lambda _s, _a, _c: True,
            (kind, "location"): self._location_of,
            ("QueryRoot", "fulfillmentService"): lambda _s, args, call: self.find(args["id"], call),
            ("Shop", "fulfillmentServices"): lambda _s, _a, _c: [self._manual, *self._shop.services],
            ("Location", "isFulfillmentService"): lambda place, _a, _c: place.service_id is not None,
            ("Location", "fulfillmentService"): self._service_at,
            ("Fulfillment", "service"): lambda one, _a, _c: self._sender(self._shop.location(one.location_id)),
        }

    def find(self, global_id: str, _call: Call) -> FulfilmentService | None:
        """By its number; the parameter that the id carries may be left out."""
        wanted = global_id.partition("?")[0]
        known = (self._manual, *self._shop.services)
        return next((one for one in known if one.id.partition("?")[0] == wanted), None)

    def _location_of(self, service: FulfilmentService, _args: dict[str, Any], _call: Call) -> Location | None:
        return self._shop.location(service.location_id) if service.location_id else self._shop.locations[0]

    def _service_at(self, place: Location, _args: dict[str, Any], call: Call) -> FulfilmentService | None:
        return self.find(place.service_id, call) if place.service_id else None

    def _sender(self, place: Location | None) -> FulfilmentService:
        found = [one for one in self._shop.services if place is not None and one.id == place.service_id]
        return found[0] if found else self._manual

    # -- writes ----------------------------------------------------------------------------------------------------

    def _create(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        self._check(args, None)
        name = args["name"]
        service = FulfilmentService(
            self._numbers.new("FulfillmentService") + "?id=true",
            handle_of(name),
            name,
            "",
            callback_url=args.get("callbackUrl"),
            tracking_support=bool(args.get("trackingSupport")),
            inventory_management=bool(args.get("inventoryManagement")),
            requires_shipping_method=args.get("requiresShippingMethod") is not False,
        )
        place = Location(self._numbers.new("Location"), name, call.now, call.now, service_id=service.id)
        service.location_id = place.id
        self._shop.services.append(service)
        self._shop.locations.append(place)
        self._changed(place, "locations/create")
        return {"fulfillmentService": service}

    def _update(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        service = self._known(args["id"], call)
        self._check(args, service)
        for given, name in (("trackingSupport", "tracking_support"), ("inventoryManagement", "inventory_management")):
            if args.get(given) is not None:
                setattr(service, name, args[given])
        service.requires_shipping_method = args.get("requiresShippingMethod") is not False
        if "callbackUrl" in args:
            service.callback_url = args["callbackUrl"]
        place = self._shop.location(service.location_id)
        if args.get("name") is not None:
            service.service_name = args["name"]
            if place is not None:
                place.name, place.updated_at = args["name"], call.now
                self._changed(place, "locations/update")
        return {"fulfillmentService": service}

    def _delete(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        service = self._known(args["id"], call)
        action, destination = args["inventoryAction"], args.get("destinationLocationId")
        if action in ("KEEP", "DELETE") and destination:
            raise refuse(["inventoryAction"], ASIDE + "fulfillment service.")
        target = self._shop.location(destination) if destination else self._shop.locations[0]
        if target is None:
            raise refuse(None, "Invalid destination location.")
        place = self._shop.location(service.location_id)
        self._shop.services.remove(service)
        if place is not None and action == "KEEP":
            place.service_id = None
            self._changed(place, "locations/update")
        elif place is not None:
            self._clear(place, target if action == "TRANSFER" else None, call)
        return {"deletedId": gid("FulfillmentService", number_of(service.id))}

    def _clear(self, place: Location, target: Location | None, call: Call) -> None:
        for level in [one for one in self._stock.all_levels() if one.location_id == place.id and one.active]:
            if target is not None:
                other = self._stock.connect(level.item_id, target.id)
                self._stock.move(other, "transfer", "api", call.ref, available=level.available)
            self._stock.move(level, "transfer", "api", call.ref, available=-level.available)
            self._stock.disconnect(level)
        self._shop.locations.remove(place)
        self._changed(place, "locations/delete")

    def _known(self, global_id: str, call: Call) -> FulfilmentService:
        service = self.find(global_id, call)
        if service is None or service is self._manual:
            raise refuse(["id"], "Fulfillment service could not be found.")
        return service

    def _check(self, args: dict[str, Any], own: FulfilmentService | None) -> None:
        """Raises Refusals with all that is wrong with the name and the address."""
        errors = [] if args.get("name") is None else self._of_name(args["name"], own)
        told = _of_callback(args.get("callbackUrl"))
        if told:
            errors.append(UserError(["callbackUrl"], told))
        if errors:
            raise Refusals(*errors)

    def _of_name(self, name: str, own: FulfilmentService | None) -> list[UserError]:
        told = []
        if not name.strip():
            told.append("Name can't be blank")
        elif name != name.strip():
            told += ["Name cannot begin with a whitespace character"] if name != name.lstrip() else []
            told += ["Name cannot end with a whitespace character"] if name != name.rstrip() else []
        elif handle_of(name) in RESERVED:
            told.append("Name is reserved")
        else:
            others = [one for one in self._shop.services if one is not own]
            taken = {one.service_name.casefold() for one in others} | {one.handle for one in others}
            if name.casefold() in taken or handle_of(name) in taken:
                told.append("Name has already been taken")
        return [UserError(["name"], one) for one in told]


def _of_callback(url: str | None) -> str | None:
    parts = urlsplit(url or "https://")
    if parts.scheme not in ("http", "https"):
        return f"Callback url protocol {parts.scheme}:// is not supported"
    return "Callback url is not allowed" if parts.hostname in UNREACHABLE else None


def handle_of(name: str) -> str:
    """Letters without their accents, digits and underscores; runs of anything else become one hyphen."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-")
