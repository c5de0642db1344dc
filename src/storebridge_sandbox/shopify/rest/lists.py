"""What the REST API lists: rows of each resource in the shape that webhooks carry, and the filters of each list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.customers.answers import FIELDS, customer_payload
from storebridge_sandbox.shopify.ids import gid, level_gid, number_of
from storebridge_sandbox.shopify.inventory.locations import location_payload
from storebridge_sandbox.shopify.order_office import OrderOffice
from storebridge_sandbox.shopify.orders.payloads import Payloads
from storebridge_sandbox.shopify.paging import compile_search
from storebridge_sandbox.shopify.products.payloads import item_payload, product_payload, variant_payload
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.rest.pages import RestRefused
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import Level, Stock

Row = dict[str, Any]
Filters = Mapping[str, str]
MOST_IDS = 250
EQUAL = {
    "products": ("title", "handle", "vendor", "product_type"),
    "customers": ("email", "phone"),
}
ORDER_STATES = ("financial_status", "fulfillment_status")


class RestLists:
    """Reads of the shop, every list in its order: orders newest first, all else by number."""

    def __init__(self, shop: ShopState, shelves: Shelves, stock: Stock, office: OrderOffice) -> None:
        self._shop = shop
        self._shelves = shelves
        self._stock = stock
        self._office = office
        self._order_row = Payloads(office.buyers).order
        self._lists: dict[str, Callable[[], Iterable[Row]]] = {
            "products": lambda: map(product_payload, shelves.products.values()),
            "variants": lambda: map(variant_payload, shelves.variants.values()),
            "locations": lambda: map(location_payload, shop.locations),
            "customers": lambda: (self._customer(one) for one in office.buyers.known.values()),
            "orders": lambda: map(self._order_row, office.book.orders.values()),
        }

    @property
    def names(self) -> frozenset[str]:
        """The resources that have a list, a count and single rows."""
        return frozenset(self._lists)

    def rows(self, name: str, filters: Filters) -> list[Row]:
        """All rows that pass; raises RestRefused for a filter that cannot be read."""
        rows = sorted(self._lists[name](), key=lambda row: row["id"], reverse=name == "orders")
        if filters.get("since_id"):
            since = _number(filters["since_id"], "since_id")
            rows = sorted((row for row in rows if row["id"] > since), key=lambda row: row["id"])
        if filters.get("ids"):
            wanted = set(_numbers(filters["ids"], "ids"))
            rows = [row for row in rows if row["id"] in wanted]
        for word in EQUAL.get(name, ()):
            if filters.get(word):
                rows = [row for row in rows if str(row.get(word) or "").lower() == filters[word].lower()]
        window = _window(filters)
        return [row for row in rows if _in_time(row, window) and _in_state(name, row, filters)]

    def one(self, name: str, number: int) -> Row:
        """Raises RestRefused for a number that is nobody's."""
        held: dict[str, tuple[str, Mapping[str, Any], Callable[[Any], Row]]] = {
            "products": ("Product", self._shelves.products, product_payload),
            "variants": ("ProductVariant", self._shelves.variants, variant_payload),
            "orders": ("Order", self._office.book.orders, self._order_row),
            "customers": ("Customer", self._office.buyers.known, self._customer),
            "locations": ("Location", {one.id: one for one in self._shop.locations}, location_payload),
            "inventory_items": ("InventoryItem", self._shelves.by_item, item_payload),
        }
        kind, things, shown = held[name]
        thing = things.get(gid(kind, number))
        if thing is None:
            raise RestRefused(404, "Not Found")
        return shown(thing)

    def variants_of(self, number: int, filters: Filters) -> list[Row]:
        self.one("products", number)
        product = self._shelves.products[gid("Product", number)]
        since = _number(filters["since_id"], "since_id") if filters.get("since_id") else 0
        return [row for row in map(variant_payload, product.variants) if row["id"] > since]

    def orders_of(self, number: int) -> dict[str, Any]:
        """The orders of one customer, the newest first, whatever became of them."""
        self.one("customers", number)
        held = self._office.book.orders_of(gid("Customer", number))
        return {"orders": [self._order_row(one) for one in reversed(held)]}

    def addresses_of(self, number: int) -> dict[str, Any]:
        return {"addresses": self.one("customers", number)["addresses"]}

    def searched(self, filters: Filters) -> list[Row]:
        """Customers by the search language of the newer API."""
        search = compile_search(filters.get("query"), FIELDS, lambda one: f"{one.display_name} {one.email}")
        found = (one for one in self._office.buyers.known.values() if search.test(one))
        return sorted(map(self._customer, found), key=lambda row: row["id"])

    def items(self, filters: Filters) -> list[Row]:
        """Inventory items by their numbers, which must be given."""
        if not filters.get("ids"):
            raise RestRefused(422, {"ids": "Required parameter missing or invalid"})
        found = (self._shelves.by_item.get(gid("InventoryItem", one)) for one in _numbers(filters["ids"], "ids"))
        return [item_payload(variant) for variant in found if variant is not None]

    def levels(self, filters: Filters) -> list[Row]:
        """Active levels of items, of locations, or of both; one of the two must be given."""
        items, places = filters.get("inventory_item_ids"), filters.get("location_ids")
        if not items and not places:
            told = "inventory_item_ids and/or location_ids must be provided"
            raise RestRefused(422, [told])
        window = _window(filters)
        wanted_items = {gid("InventoryItem", one) for one in _numbers(items or "", "inventory_item_ids")}
        wanted_places = {gid("Location", one) for one in _numbers(places or "", "location_ids")}
        return [
            level_row(level)
            for level in self._stock.all_levels()
            if level.active
            and (not wanted_items or level.item_id in wanted_items)
            and (not wanted_places or level.location_id in wanted_places)
            and _in_time({"updated_at": iso(level.updated_at)}, window)
        ]

    def shop(self) -> Row:
        held = self._shop
        return {
            "id": 1,
            "name": held.name,
            "domain": held.domain,
            "myshopify_domain": held.domain,
            "email": "owner@larkfield.example",
            "currency": held.currency,
            "money_format": "{{amount}}",
            "iana_timezone": "Europe/Berlin",
            "timezone": "(GMT+01:00) Europe/Berlin",
            "weight_unit": "kg",
            "primary_location_id": number_of(held.locations[0].id) if held.locations else None,
            "taxes_included": False,
            "created_at": iso(held.created_at),
            "updated_at": iso(held.created_at),
        }

    def _customer(self, one: Any) -> Row:
        return customer_payload(one, self._office.book.orders_of(one.id))


def level_row(level: Level) -> Row:
    """An ``inventory_level``, as webhooks carry it too."""
    return {
        "inventory_item_id": number_of(level.item_id),
        "location_id": number_of(level.location_id),
        "available": level.available,
        "updated_at": iso(level.updated_at),
        "admin_graphql_api_id": level_gid(level.location_id, level.item_id),
    }


def _in_state(name: str, row: Row, filters: Filters) -> bool:
    """Orders are listed while they are open, unless others are asked for."""
    status = filters.get("status") or ("open" if name == "orders" else "any")
    if name == "products" and status != "any":
        return bool(row["status"] in status.split(","))
    if name != "orders":
        return True
    wanted = {
        "open": row["cancelled_at"] is None and row["closed_at"] is None,
        "closed": row["closed_at"] is not None,
        "cancelled": row["cancelled_at"] is not None,
    }.get(status, True)
    for word in ORDER_STATES:
        asked = filters.get(word, "any")
        shown = row[word] or "unshipped"
        wanted = wanted and (asked == "any" or shown in asked.split(","))
    return wanted


def _window(filters: Filters) -> list[tuple[str, str, datetime]]:
    """The moments that a list is bounded by: (field, ``min`` or ``max``, moment). Raises RestRefused."""
    names = [(word, end) for word in ("created_at", "updated_at") for end in ("min", "max")]
    asked = [(word, end, filters.get(f"{word}_{end}")) for word, end in names]
    return [(word, end, _moment(text, f"{word}_{end}")) for word, end, text in asked if text]


def _in_time(row: Row, window: list[tuple[str, str, datetime]]) -> bool:
    for word, end, bound in window:
        at = _moment(row[word], word) if row.get(word) else None
        if at is None or (at < bound if end == "min" else at > bound):
            return False
    return True


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise RestRefused(400, {name: "Invalid date"}) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 19:
        raise RestRefused(400, {name: "must be a number"})
    return int(text)


def _numbers(text: str, name: str) -> list[int]:
    found = [_number(one.strip(), name) for one in text.split(",") if one.strip()]
    if len(found) > MOST_IDS:
        raise RestRefused(400, {name: f"may name {MOST_IDS} at most"})
    return found
