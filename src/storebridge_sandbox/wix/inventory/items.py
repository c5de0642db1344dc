"""``/stores/v3/inventory-items``: read, and set with the revision as a guard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.identities import Reason
from storebridge_sandbox.wix.inventory.shape import LANGUAGE, ItemRow, item_payload
from storebridge_sandbox.wix.inventory.state import HIGHEST, LOWEST, Change, Inventory, InventoryItem
from storebridge_sandbox.wix.query import Question
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.shelf.state import Shelf
from storebridge_sandbox.wix.wire import WixRefusal, application_error, validation_error

ITEMS = "/stores/v3/inventory-items"
READ = "SCOPE.STORES.INVENTORY_ITEM_READ"
WRITE = "SCOPE.STORES.INVENTORY_ITEM_WRITE"
REASONS: tuple[Reason, ...] = get_args(Reason)


class InventoryAnswers:
    """Answers about single items and queries."""

    def __init__(self, inventory: Inventory, shelf: Shelf, quirks: WixQuirks) -> None:
        self._inventory = inventory
        self._shelf = shelf
        self._quirks = quirks

    def operations(self) -> list[Operation]:
        return [
            Operation("queryInventoryItems", ("POST", "GET"), f"{ITEMS}/query", self.query, READ, "v3", "query"),
            Operation("getInventoryItem", ("GET",), ITEMS + "/{inventoryItemId}", self.get, READ, "v3", "get"),
            Operation("updateInventoryItem", ("PATCH",), ITEMS + "/{inventoryItemId}", self.update, WRITE, "v3"),
        ]

    def query(self, call: Call) -> dict[str, Any]:
        question = LANGUAGE.read(call.part("query"))
        moment = call.read_moment
        rows = (ItemRow(item, item.level.as_of(moment)) for item in self._candidates(question))
        page = LANGUAGE.page(question, rows)
        return {
            "inventoryItems": [item_payload(row) for row in page.rows],
            "pagingMetadata": page.metadata(has_next=False),
        }

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
        self.check(item, asked)
        apply_update(self._inventory, item, asked, change)
        call.wrote = True
        return {"inventoryItem": item_payload(ItemRow(item, item.level.now))}

    def check(self, item: InventoryItem, asked: dict[str, Any]) -> None:
        """Whether the item may be set so; raises WixRefusal, having changed nothing."""
        revision = asked.get("revision")
        if revision is None or revision == "":
            raise validation_error("inventoryItem.revision", "must not be empty", "REQUIRED_FIELD")
        if str(revision) != str(item.revision):
            raise self.stale(item)
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
            variants = (self._shelf.by_sku.get(str(one)) for one in dict.fromkeys(wanted["product.variantSku"]))
            keys = (variant.variant_id for variant in variants if variant is not None)
            return [item for key in keys for item in inventory.by_variant.get(key, ())]
        if "productId" in wanted:
            lists = (inventory.by_product.get(str(one), ()) for one in dict.fromkeys(wanted["productId"]))
            return [item for items in lists for item in items]
        return inventory.items.values()


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


def check_whole(value: Any, name: str, lowest: int, highest: int) -> int:
    """A whole number within limits; raises WixRefusal."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise validation_error(name, "must be a whole number", "FORMAT")
    if value < lowest:
        raise validation_error(name, f"must be greater than or equal to {lowest}", "MIN", {"threshold": lowest})
    if value > highest:
        raise validation_error(name, f"must be less than or equal to {highest}", "MAX", {"threshold": highest})
    return value


def apply_update(inventory: Inventory, item: InventoryItem, asked: dict[str, Any], change: Change) -> None:
    """Set what the client sent; presence decides, and the revision grows by one."""
    preorder = asked.get("preorderInfo")
    if isinstance(preorder, dict):
        item.preorder.enabled = bool(preorder.get("enabled", item.preorder.enabled))
        item.preorder.message = preorder.get("message", item.preorder.message)
    if asked.get("quantity") is not None:
        inventory.set(item, asked["quantity"], change)
    elif asked.get("inStock") is not None:
        inventory.set_status(item, asked["inStock"], change)
    else:
        inventory.add(item, 0, change)


def not_found(item_id: str, status: int = 404) -> WixRefusal:
    """No such item (W19)."""
    return application_error(status, "NOT_FOUND", f"Inventory item {item_id!r} was not found")
