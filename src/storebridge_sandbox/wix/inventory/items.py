"""``/stores/v3/inventory-items``: single items, queries, and the rules of what an item may become."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, get_args

from storebridge_sandbox.wix.aggregations import aggregate
from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.identities import Reason
from storebridge_sandbox.wix.inventory.shape import LANGUAGE, SEARCH, ItemRow, item_payload
from storebridge_sandbox.wix.inventory.state import (
    HIGHEST,
    LOWEST,
    PREORDER_LIMIT,
    Change,
    Inventory,
    InventoryItem,
    Preorder,
    Terms,
)
from storebridge_sandbox.wix.locations.state import Locations
from storebridge_sandbox.wix.query import Language, Page, Question
from storebridge_sandbox.wix.query_in_order import TIE, page_in_order
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.shelf.state import Shelf, Variant, item_key
from storebridge_sandbox.wix.wire import WixRefusal, application_error, broken_rule, millis, validation_error

ITEMS = "/stores/v3/inventory-items"
READ = "SCOPE.STORES.INVENTORY_ITEM_READ"
WRITE = "SCOPE.STORES.INVENTORY_ITEM_WRITE"
INDEXED = {"id", "variantId", "product.variantSku", "productId"}
"""Fields by which the items that are meant are found."""
REASONS: tuple[Reason, ...] = get_args(Reason)


class InventoryAnswers:
    """Answers about single items and queries."""

    def __init__(
        self,
        inventory: Inventory,
        shelf: Shelf,
        locations: Locations,
        quirks: WixQuirks,
        now: Callable[[], datetime],
    ) -> None:
        self._inventory = inventory
        self._shelf = shelf
        self._locations = locations
        self._quirks = quirks
        self._now = now

    def operations(self) -> list[Operation]:
        one, both, takes = ITEMS + "/{inventoryItemId}", ("POST", "GET"), "stores_inventory-items-v-3:"

        def make(name: str, methods: tuple[str, ...], path: str, handler: Handler, message: str) -> Operation:
            reads = handler in (self.query, self.get, self.search, self.count)
            lag: Lag = ("get" if handler == self.get else "query") if reads else None
            return Operation(name, methods, path, handler, READ if reads else WRITE, "v3", lag, takes=takes + message)

        return [
            make("queryInventoryItems", both, f"{ITEMS}/query", self.query, "QueryInventoryItemsRequest"),
            make("searchInventoryItems", both, f"{ITEMS}/search", self.search, "SearchInventoryItemsRequest"),
            make("countInventoryItems", both, f"{ITEMS}/count", self.count, "CountInventoryItemsRequest"),
            make("createInventoryItem", ("POST",), ITEMS, self.create, "CreateInventoryItemRequest"),
            make("getInventoryItem", ("GET",), one, self.get, "GetInventoryItemRequest"),
            make("updateInventoryItem", ("PATCH",), one, self.update, "UpdateInventoryItemRequest"),
            make("deleteInventoryItem", ("DELETE",), one, self.delete, "DeleteInventoryItemRequest"),
        ]

    def query(self, call: Call) -> dict[str, Any]:
        question = LANGUAGE.read(call.part("query"))
        page = self._page(LANGUAGE, question, call)
        return {
            "inventoryItems": [item_payload(row) for row in page.rows],
            "pagingMetadata": page.metadata(has_next=False),
        }

    def search(self, call: Call) -> dict[str, Any]:
        asked = call.part("search")
        question = SEARCH.read(asked)
        page = self._page(SEARCH, question, call, whole=bool(asked.get("aggregations")))
        told = {
            "inventoryItems": [item_payload(row) for row in page.rows],
            "pagingMetadata": page.metadata(),
        }
        if asked.get("aggregations"):
            told["aggregationData"] = aggregate(SEARCH, asked["aggregations"], page.found)
        return told

    def _page(self, language: Language, question: Question, call: Call, *, whole: bool = False) -> Page:
        """``whole`` where all that was found is needed, not only the page."""
        moment = call.read_moment
        if not whole and not INDEXED & question.wanted.keys():
            kept = {TIE: self._inventory.in_order}
            page = page_in_order(language, question, kept, lambda item: ItemRow(item, item.level.as_of(moment)))
            if page is not None:
                return page
        return language.page(question, (ItemRow(item, item.level.as_of(moment)) for item in self._candidates(question)))

    def count(self, call: Call) -> dict[str, Any]:
        return {"count": len(self.matching(call))}

    def matching(self, call: Call) -> list[InventoryItem]:
        """The items that ``filter`` and ``search`` of a call find; raises WixRefusal."""
        question = SEARCH.read({"filter": call.arguments.get("filter"), "search": call.arguments.get("search")})
        moment = call.read_moment
        return [
            item for item in self._candidates(question) if question.matches(ItemRow(item, item.level.as_of(moment)))
        ]

    def create(self, call: Call) -> dict[str, Any]:
        item = self.opened(call.part("inventoryItem"), "inventoryItem", api_change(call))
        call.wrote = True
        return {"inventoryItem": written(call, item)}

    def opened(self, asked: dict[str, Any], name: str, change: Change) -> InventoryItem:
        """A new item as asked; raises WixRefusal, having changed nothing."""
        check_values(asked, name)
        self.check_extended(asked, name)
        variant = self._variant(asked, name)
        place = asked.get("locationId") or self._locations.default.id
        if self._locations.find(place) is None:
            raise application_error(404, "NOT_FOUND", f"Stores location {place!r} was not found")
        if self._inventory.at(variant, place) is not None:
            raise application_error(
                409, "ITEM_ALREADY_EXISTS", "An inventory item of this variant at this location already exists"
            )
        item = self._inventory.create(variant, place, asked.get("quantity") or 0, terms_of(asked, name), change)
        if asked.get("extendedFields") is not None:
            set_extended(self._inventory, item, asked["extendedFields"])
        return item

    def delete(self, call: Call) -> dict[str, Any]:
        item = self._inventory.items.get(call.params["inventoryItemId"])
        if item is None:
            return self._missing(call.params["inventoryItemId"])
        self._inventory.delete(item, api_change(call))
        call.wrote = True
        return {}

    def get(self, call: Call) -> dict[str, Any]:
        item = self._inventory.items.get(call.params["inventoryItemId"])
        if item is None:
            return self._missing(call.params["inventoryItemId"])
        return {"inventoryItem": item_payload(ItemRow(item, item.level.as_of(call.get_moment)))}

    def update(self, call: Call) -> dict[str, Any]:
        asked = call.part("inventoryItem")
        item = self._inventory.items.get(call.params["inventoryItemId"])
        if item is None:
            return self._missing(call.params["inventoryItemId"])
        change = api_change(call)
        check_values(asked, "inventoryItem")
        self.check_extended(asked, "inventoryItem")
        self.check(item, asked)
        apply_update(self._inventory, item, asked, change)
        call.wrote = True
        return {"inventoryItem": written(call, item)}

    def check_extended(self, asked: dict[str, Any], name: str) -> None:
        """Whether apps' own fields may be sent at all (W34); raises WixRefusal."""
        if asked.get("extendedFields") is not None and self._inventory.extended_fields == "refused":
            raise validation_error(f"{name}.extendedFields", "no extension defines this namespace", "NOT_FOUND")

    def check(self, item: InventoryItem, asked: dict[str, Any]) -> None:
        """Whether the item may be set so; raises WixRefusal, having changed nothing."""
        revision = asked.get("revision")
        if revision is None or revision == "":
            raise validation_error("inventoryItem.revision", "must not be empty", "REQUIRED_FIELD")
        if str(revision) != str(item.revision) and not self._lets_through(item, revision):
            raise self.stale(item)
        self.check_target(item, asked)

    def _lets_through(self, item: InventoryItem, revision: Any) -> bool:
        """The fence may have a hole just after a change (W3)."""
        patience = self._quirks.w3_stale_accepted_within_ms
        if not patience or str(revision) != str(item.revision - 1):
            return False
        return millis(self._now()) - millis(item.level.updated_at) <= patience

    def check_target(self, item: InventoryItem, asked: dict[str, Any]) -> None:
        """Whether the values may follow those that are there; raises WixRefusal."""
        check_preorder(item.preorder, item.tracked, asked)
        quantity = asked.get("quantity")
        if isinstance(quantity, int) and quantity < 0 and not item.quantity < quantity:
            raise application_error(
                428,
                "REQUESTED_QUANTITY_MUST_BE_NON_NEGATIVE_DECREASING",
                "A negative quantity can only be raised towards zero",
            )

    def stale(self, item: InventoryItem) -> WixRefusal:
        """The entity changed since it was read (W1)."""
        return application_error(
            self._quirks.w1_stale_status,
            self._quirks.w1_stale_code,
            "entity has already changed since the requested revision",
            {"inventoryItemId": item.id},
        )

    def _variant(self, asked: dict[str, Any], name: str) -> Variant:
        for key in ("variantId", "productId"):
            if not asked.get(key):
                raise validation_error(f"{name}.{key}", "must not be empty", "REQUIRED_FIELD")
        variant = self._shelf.by_key.get(item_key(asked["productId"], asked["variantId"]))
        if variant is None:
            raise application_error(
                404, "NOT_FOUND", f"Product {asked['productId']!r} has no variant {asked['variantId']!r}"
            )
        return variant

    def _missing(self, item_id: str) -> dict[str, Any]:
        if self._quirks.w19_missing_status == 200:
            return {}
        raise not_found(item_id, self._quirks.w19_missing_status)

    def _candidates(self, question: Question) -> Iterable[InventoryItem]:
        """The items that an index finds for the filter; all of them when no index fits."""
        inventory = self._inventory
        wanted = question.wanted
        if "id" in wanted:
            found = (inventory.items.get(str(one)) for one in dict.fromkeys(wanted["id"]))
            return [item for item in found if item is not None]
        if "variantId" in wanted:
            lists = (inventory.by_variant.get(str(one), ()) for one in dict.fromkeys(wanted["variantId"]))
            return [item for items in lists for item in items]
        if "product.variantSku" in wanted:
            skus = dict.fromkeys(map(str, wanted["product.variantSku"]))
            variants = [variant for sku in skus for variant in self._shelf.with_sku(sku)]
            return [
                item
                for variant in variants
                for item in inventory.by_variant.get(variant.variant_id, ())
                if item.variant is variant
            ]
        if "productId" in wanted:
            lists = (inventory.by_product.get(str(one), ()) for one in dict.fromkeys(wanted["productId"]))
            return [item for items in lists for item in items]
        return inventory.items.values()


def written(call: Call, item: InventoryItem) -> dict[str, Any]:
    """The item in the answer to a write; where the answer is made later, as it stands then (W38)."""
    told = item_payload(ItemRow(item, item.level.now))

    def bring_up_to_date() -> None:
        told.clear()
        told.update(item_payload(ItemRow(item, item.level.now)))

    call.late.append(bring_up_to_date)
    return told


def api_change(call: Call) -> Change:
    """An API write, named by the answer's request id; raises WixRefusal for an unknown reason."""
    asked = call.arguments.get("reason") or "MANUAL"
    reason = next((known for known in REASONS if known == asked), None)
    if reason is None:
        raise validation_error("reason", f"must be one of {', '.join(REASONS)}", "INVALID_ENUM_VALUE")
    return Change("api", call.actor, call.request_id, reason)


def check_values(asked: dict[str, Any], name: str) -> None:
    """Types and limits of what a client may set; raises WixRefusal."""
    if "quantity" in asked and "inStock" in asked and asked["quantity"] is not None:
        raise validation_error(name, "takes either quantity or inStock", "ONE_OF_ALIGNMENT")
    quantity = asked.get("quantity")
    if quantity is not None:
        check_whole(quantity, f"{name}.quantity", LOWEST, HIGHEST)
    if asked.get("inStock") is not None and not isinstance(asked["inStock"], bool):
        raise validation_error(f"{name}.inStock", "must be true or false", "FORMAT")
    extended = asked.get("extendedFields")
    if extended is not None:
        namespaces = (extended.get("namespaces") or {}) if isinstance(extended, dict) else None
        if not isinstance(namespaces, dict) or not all(isinstance(held, dict) for held in namespaces.values()):
            raise validation_error(f"{name}.extendedFields.namespaces", "must be objects by namespace", "FORMAT")


def check_whole(value: Any, name: str, lowest: int, highest: int) -> int:
    """A whole number within limits; raises WixRefusal."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise validation_error(name, "must be a whole number", "FORMAT")
    if value < lowest:
        raise validation_error(name, f"must be greater than or equal to {lowest}", "MIN", {"threshold": lowest})
    if value > highest:
        raise validation_error(name, f"must be less than or equal to {highest}", "MAX", {"threshold": highest})
    return value


def check_preorder(preorder: Preorder, tracked: bool, asked: dict[str, Any]) -> None:
    """Rules of selling beyond the stock; raises WixRefusal."""
    wanted = asked.get("preorderInfo")
    if not isinstance(wanted, dict) or wanted.get("limit") is None:
        return
    limit = check_whole(wanted["limit"], "inventoryItem.preorderInfo.limit", 0, PREORDER_LIMIT)
    will_track = asked.get("quantity") is not None or (tracked and asked.get("inStock") is None)
    if not will_track:
        raise broken_rule(
            "inventoryItem.preorderInfo.limit",
            "PREORDER_LIMIT_NOT_SUPPORTED_FOR_UNTRACKED_INVENTORY",
            "needs an item whose quantity is tracked",
        )
    if limit < preorder.counter:
        raise application_error(
            428, "PRE_ORDER_VALIDATION", f"{preorder.counter} were preordered already, more than the limit {limit}"
        )


def terms_of(asked: dict[str, Any], name: str) -> Terms:
    """How a new item is kept; raises WixRefusal."""
    quantity = asked.get("quantity")
    if quantity is None and asked.get("inStock") is None:
        raise validation_error(name, "needs quantity or inStock", "REQUIRED_ONE_OF_FIELD")
    if quantity is not None and quantity < 0:
        raise broken_rule(f"{name}.quantity", "REQUESTED_QUANTITY_MUST_BE_NON_NEGATIVE", "must not be negative")
    preorder = Preorder()
    check_preorder(preorder, quantity is not None, asked)
    set_preorder(preorder, asked)
    return Terms(quantity is not None, bool(asked.get("inStock")), preorder)


def set_preorder(preorder: Preorder, asked: dict[str, Any]) -> None:
    """Take over what the client sent about selling beyond the stock."""
    wanted = asked.get("preorderInfo")
    if not isinstance(wanted, dict):
        return
    preorder.enabled = bool(wanted.get("enabled", preorder.enabled))
    preorder.message = wanted.get("message", preorder.message)
    if wanted.get("limit") is not None:
        preorder.limit = wanted["limit"]


def set_extended(inventory: Inventory, item: InventoryItem, asked: dict[str, Any]) -> None:
    """A namespace that was sent replaces the one that is there; the others stay."""
    inventory.extend(item, {**item.extended_at(item.level.now), **(asked.get("namespaces") or {})})


def apply_update(inventory: Inventory, item: InventoryItem, asked: dict[str, Any], change: Change) -> None:
    """Set what the client sent; presence decides, and the revision grows by one."""
    if asked.get("preorderInfo") is not None:
        set_preorder(item.preorder, asked)
    if asked.get("extendedFields") is not None:
        set_extended(inventory, item, asked["extendedFields"])
    if asked.get("quantity") is not None:
        inventory.set(item, asked["quantity"], change)
    elif asked.get("inStock") is not None:
        inventory.set_status(item, asked["inStock"], change)
    else:
        inventory.add(item, 0, change)


def not_found(item_id: str, status: int = 404) -> WixRefusal:
    """No such item (W19)."""
    return application_error(status, "NOT_FOUND", f"Inventory item {item_id!r} was not found")
