"""Locations: reads, and the mutations that add, edit, activate, deactivate and delete them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, iso, refused, shows, shows_time
from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.inventory.answers import InventoryAnswers
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of
from storebridge_sandbox.shopify.shop.state import Location, ShopState
from storebridge_sandbox.stock import Level, Stock

ADDRESS = ("address1", "address2", "city", "country", "countryCode", "phone", "province", "provinceCode", "zip")
COUNTRIES = {"CA": "Canada", "US": "United States", "DE": "Germany", "GB": "United Kingdom", "FR": "France"}
QUANTITIES = ("available", "committed", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
MISSING = "Location not found."


class LocationAnswers:
    """``changed(location, topic)`` announces."""

    def __init__(
        self,
        shop: ShopState,
        stock: Stock,
        items: InventoryAnswers,
        numbers: Numbers,
        changed: Callable[[Location, str], None],
    ) -> None:
        self._shop = shop
        self._stock = stock
        self._items = items
        self._numbers = numbers
        self._changed = changed

    def resolvers(self) -> Resolvers:
        return {**self._reads(), **self._writes()}

    def _reads(self) -> Resolvers:
        return {
            ("QueryRoot", "locations"): self._locations,
            ("QueryRoot", "locationsAvailableForDeliveryProfilesConnection"): self._locations,
            ("QueryRoot", "locationsCount"): lambda _s, args, call: len(self._found(args, call)),
            ("QueryRoot", "location"): self._location,
            ("QueryRoot", "locationByIdentifier"): lambda _s, args, _c: self._shop.location(
                args["identifier"].get("id") or ""
            ),
            ("Location", "id"): shows("id"),
            ("Location", "legacyResourceId"): lambda place, _a, _c: str(number_of(place.id)),
            ("Location", "name"): shows("name"),
            ("Location", "isActive"): shows("active"),
            ("Location", "fulfillsOnlineOrders"): shows("fulfills_online_orders"),
            ("Location", "shipsInventory"): lambda place, _a, _c: place.fulfills_online_orders and not place.service_id,
            ("Location", "isPrimary"): lambda place, _a, _c: place is self._shop.locations[0],
            ("Location", "hasActiveInventory"): lambda place, _a, _c: bool(self._levels_at(place)),
            ("Location", "hasUnfulfilledOrders"): lambda place, _a, _c: self._committed(place) > 0,
            ("Location", "activatable"): lambda place, _a, _c: not place.active,
            ("Location", "deactivatable"): lambda place, _a, _c: place is not self._shop.locations[0],
            ("Location", "deletable"): lambda place, _a, _c: not place.active and not self._levels_at(place),
            ("Location", "deactivatedAt"): lambda p, _a, _c: iso(p.deactivated_at) if p.deactivated_at else None,
            ("Location", "addressVerified"): lambda _p, _a, _c: False,
            ("Location", "address"): _address,
            ("Location", "createdAt"): shows_time("created_at"),
            ("Location", "updatedAt"): shows_time("updated_at"),
            ("Location", "inventoryLevel"): self._level,
            ("Location", "inventoryLevels"): self._levels,
        }

    def _writes(self) -> Resolvers:
        return {
            ("Mutation", "locationAdd"): self._add,
            ("Mutation", "locationEdit"): self._edit,
            ("Mutation", "locationActivate"): self._activate,
            ("Mutation", "locationDeactivate"): self._deactivate,
            ("Mutation", "locationDelete"): self._delete,
        }

    def _location(self, _source: Any, args: dict[str, Any], _call: Call) -> Location | None:
        return self._shop.location(args["id"]) if args.get("id") else self._shop.locations[0]

    def _found(self, args: dict[str, Any], call: Call) -> list[Location]:
        fields = {
            "id": lambda place: number_of(place.id),
            "name": lambda place: place.name,
            "active": lambda place: str(place.active).lower(),
            "created_at": lambda place: place.created_at,
        }
        search = compile_search(args.get("query"), fields, lambda place: place.name, call=call)
        shown = [one for one in self._shop.locations if one.active or args.get("includeInactive")]
        return [one for one in shown if search.test(one)]

    def _locations(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        by_name = args.get("sortKey") in (None, "NAME")
        rows = [(one.name if by_name else one.id, number_of(one.id), one) for one in self._found(args, call)]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _levels_at(self, place: Location) -> list[Level]:
        return [one for one in self._stock.all_levels() if one.location_id == place.id and one.active]

    def _committed(self, place: Location) -> int:
        return sum(level.now.quantity("committed") for level in self._levels_at(place))

    def _level(self, place: Location, args: dict[str, Any], call: Call) -> Any:
        level = self._stock.level(args["inventoryItemId"], place.id)
        hidden = level is not None and not level.active and not args.get("includeInactive")
        return None if level is None or hidden else self._items.shown(level, call)

    def _levels(self, place: Location, args: dict[str, Any], call: Call) -> Page:
        rows = [(one.item_id, number_of(one.item_id), self._items.shown(one, call)) for one in self._levels_at(place)]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    # -- writes ----------------------------------------------------------------------------------------------------

    def _add(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        given = args["input"]
        error = self._name_error(given["name"], None)
        if error:
            return refused(["input", "name"], *error)
        place = Location(
            self._numbers.new("Location"),
            given["name"].strip(),
            call.now,
            call.now,
            fulfills_online_orders=given.get("fulfillsOnlineOrders", True),
            address={name: given["address"].get(name) for name in ADDRESS},
        )
        self._shop.locations.append(place)
        self._changed(place, "locations/create")
        return {"location": place, "userErrors": []}

    def _edit(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        place, given = self._shop.location(args["id"]), args["input"]
        if place is None:
            return refused(["id"], MISSING, "NOT_FOUND")
        error = self._name_error(given["name"], place) if given.get("name") is not None else None
        if error:
            return refused(["input", "name"], *error)
        place.name = (given.get("name") or place.name).strip()
        place.address = {**place.address, **(given.get("address") or {})}
        place.fulfills_online_orders = given.get("fulfillsOnlineOrders", place.fulfills_online_orders)
        place.updated_at = call.now
        self._changed(place, "locations/update")
        return {"location": place, "userErrors": []}

    def _name_error(self, name: str, own: Location | None) -> tuple[str, str] | None:
        if not name.strip():
            return "Add a location name", "BLANK"
        if len(name) > 100:
            return "Use a shorter location name (up to 100 characters)", "TOO_LONG"
        if any(one.name.lower() == name.strip().lower() and one is not own for one in self._shop.locations):
            return "You already have a location with this name", "TAKEN"
        return None

    def _activate(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        place = self._shop.location(args["locationId"])
        if place is None:
            return _refused_by("locationActivate", MISSING, "LOCATION_NOT_FOUND")
        if not place.active:
            place.active, place.deactivated_at, place.updated_at = True, None, call.now
            self._changed(place, "locations/activate")
        return {"location": place, "locationActivateUserErrors": []}

    def _deactivate(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        place = self._shop.location(args["locationId"])
        if place is None:
            return _refused_by("locationDeactivate", MISSING, "LOCATION_NOT_FOUND")
        error = self._deactivation_error(place, args.get("destinationLocationId"))
        if error:
            return _refused_by("locationDeactivate", *error, location=place)
        target = self._shop.location(args.get("destinationLocationId") or "")
        for level in self._levels_at(place):
            if target is not None:
                other = self._stock.connect(level.item_id, target.id)
                self._stock.move(other, "transfer", "api", call.ref, available=level.available)
                self._stock.move(level, "transfer", "api", call.ref, available=-level.available)
            self._stock.disconnect(level)
        place.active, place.deactivated_at, place.updated_at = False, call.now, call.now
        self._changed(place, "locations/deactivate")
        return {"location": place, "locationDeactivateUserErrors": []}

    def _deactivation_error(self, place: Location, destination: str | None) -> tuple[str, str] | None:
        levels = self._levels_at(place)
        if place is self._shop.locations[0] or sum(one.active for one in self._shop.locations) == 1:
            return "At least one location must fulfill online orders.", "CANNOT_DISABLE_ONLINE_ORDER_FULFILLMENT"
        if any(level.now.quantity("incoming") for level in levels):
            told = (
                "%{location_name} has incoming inventory. You'll be able to deactivate it once the inventory "
                "has been received."
            )
            return told, "TEMPORARILY_BLOCKED_FROM_DEACTIVATION_ERROR"
        if self._committed(place):
            told = "Location could not be deactivated because it has unfulfilled orders."
            return told, "HAS_FULFILLMENT_ORDERS_ERROR"
        if destination is None and any(level.now.quantity("on_hand") for level in levels):
            told = "Location could not be deactivated without specifying where to relocate inventory at the location."
            return told, "HAS_ACTIVE_INVENTORY_ERROR"
        if destination is not None:
            target = self._shop.location(destination)
            if target is None or not target.active:
                told = "Location could not be deactivated because the destination location is not found or inactive."
                return told, "DESTINATION_LOCATION_NOT_FOUND_OR_INACTIVE"
            if target is place:
                told = "Location could not be deactivated because the destination location is the same location."
                return told, "DESTINATION_LOCATION_IS_THE_SAME_LOCATION"
        return None

    def _delete(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        place = self._shop.location(args["locationId"])
        if place is None:
            return _refused_by("locationDelete", MISSING, "LOCATION_NOT_FOUND")
        errors = []
        if place.active:
            told = "The location cannot be deleted while it is active."
            errors.append({"field": ["locationId"], "message": told, "code": "LOCATION_IS_ACTIVE"})
        if any(level.now.quantity(name) for level in self._levels_at(place) for name in QUANTITIES):
            told = "The location cannot be deleted while it has inventory."
            errors.append({"field": ["locationId"], "message": told, "code": "LOCATION_HAS_INVENTORY"})
        if errors:
            return {"deletedLocationId": None, "locationDeleteUserErrors": errors}
        self._shop.locations.remove(place)
        self._changed(place, "locations/delete")
        return {"deletedLocationId": place.id, "locationDeleteUserErrors": []}


def _refused_by(mutation: str, message: str, code: str, *, location: Location | None = None) -> dict[str, Any]:
    error = {"field": ["locationId"], "message": message, "code": code}
    return {"location": location, f"{mutation}UserErrors": [error]}


def _address(place: Location, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
    held = place.address
    country = held.get("country") or COUNTRIES.get(held.get("countryCode") or "")
    lines = [held.get("address1"), held.get("city"), held.get("zip"), country]
    return {**held, "country": country, "formatted": [line for line in lines if line]}


def location_payload(place: Location) -> dict[str, Any]:
    """``locations/*``."""
    held = place.address
    return {
        "id": number_of(place.id),
        "admin_graphql_api_id": place.id,
        "name": place.name,
        "address1": held.get("address1"),
        "address2": held.get("address2"),
        "city": held.get("city"),
        "zip": held.get("zip"),
        "province": held.get("province"),
        "province_code": held.get("provinceCode"),
        "country": held.get("countryCode"),
        "country_code": held.get("countryCode"),
        "country_name": COUNTRIES.get(held.get("countryCode") or ""),
        "phone": held.get("phone"),
        "active": place.active,
        "legacy": False,
        "created_at": iso(place.created_at),
        "updated_at": iso(place.updated_at),
    }
