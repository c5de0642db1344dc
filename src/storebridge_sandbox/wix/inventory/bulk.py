"""``/stores/v3/bulk/inventory-items``: many items in one call, each with its own result.

The answer is 200 even when items fail: whoever calls must walk the results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix import bulk
from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.inventory.items import (
    WRITE,
    InventoryAnswers,
    api_change,
    apply_update,
    check_values,
    check_whole,
    not_found,
    written,
)
from storebridge_sandbox.wix.inventory.state import HIGHEST, LOWEST, Change, Inventory, InventoryItem
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.wire import WixRefusal, application_error, broken_rule, validation_error

BULK = "/stores/v3/bulk/inventory-items"
MOST_SET = 1000
MOST_ADJUSTED = 300

Row = dict[str, Any]
Find = Callable[[Row], InventoryItem]
Check = Callable[[InventoryItem, Row], None]
Apply = Callable[[InventoryItem, Row, Change], None]


class InventoryBulkAnswers:
    """Bulk create, set, delete, increment and decrement."""

    def __init__(
        self, inventory: Inventory, single: InventoryAnswers, quirks: WixQuirks, default_location: str
    ) -> None:
        self._inventory = inventory
        self._single = single
        self._quirks = quirks
        self._default_location = default_location

    def operations(self) -> list[Operation]:
        by_place = "by-variant-and-location"
        handlers: list[tuple[str, str, Callable[[Call], Row]]] = [
            ("bulkCreateInventoryItems", "create", self.create),
            ("bulkUpdateInventoryItems", "update", self.update),
            ("bulkUpsertInventoryItems", "upsert", self.upsert),
            ("bulkDeleteInventoryItems", "delete", self.delete),
            ("bulkIncrementInventoryItems", "increment", self.increment),
            ("bulkDecrementInventoryItems", "decrement", self.decrement),
            (
                "bulkIncrementInventoryItemsByVariantAndLocation",
                f"increment-{by_place}",
                self.increment_by_place,
            ),
            (
                "bulkDecrementInventoryItemsByVariantAndLocation",
                f"decrement-{by_place}",
                self.decrement_by_place,
            ),
        ]
        return [
            Operation(name, ("POST",), f"{BULK}/{path}", handler, WRITE, "v3", takes=takes_of(name))
            for name, path, handler in handlers
        ]

    def create(self, call: Call) -> Row:
        rows = call.rows("inventoryItems", MOST_SET)
        change, wants_entity = api_change(call), call.flag("returnEntity")

        def apply(row: Row) -> Row:
            return self._told(call, self._single.opened(row, "inventoryItems", change), wants_entity)

        return bulk.carry_out(rows, apply, lambda _row: "")

    def upsert(self, call: Call) -> Row:
        """Create what is missing, set what is there; a row needs no revision, but is refused with an old one."""
        rows = [_masked(row) for row in call.rows("inventoryItems", MOST_SET)]
        change, wants_entity = api_change(call), call.flag("returnEntity")
        keys = [(row.get("variantId"), row.get("locationId") or self._default_location) for row in rows]
        if len(set(keys)) < len(keys):
            raise broken_rule("inventoryItems", "DUPLICATE_BULK_UPSERT_KEY", "name a variant and location twice")

        def apply(row: Row) -> Row:
            return self._told(call, self._upserted(row, change), wants_entity)

        return bulk.carry_out(rows, apply, _id_of)

    def _upserted(self, row: Row, change: Change) -> InventoryItem:
        check_values(row, "inventoryItems.inventoryItem")
        self._single.check_extended(row, "inventoryItems.inventoryItem")
        quantity = row.get("quantity")
        if quantity is not None and quantity < 0:
            raise application_error(428, "INVALID_TARGET_QUANTITY", "The target quantity must not be negative")
        place = row.get("locationId") or self._default_location
        item = next(
            (
                item
                for item in self._inventory.by_variant.get(str(row.get("variantId", "")), ())
                if item.location_id == place and row.get("productId") in (None, item.variant.product.id)
            ),
            None,
        )
        if item is None:
            return self._single.opened(row, "inventoryItems.inventoryItem", change)
        if row.get("revision"):
            self._single.check(item, row)
        self._single.check_target(item, row)
        apply_update(self._inventory, item, row, change)
        return item

    def delete(self, call: Call) -> Row:
        change = api_change(call)

        def apply(item_id: str) -> Row:
            item = self._by_id({"id": item_id}, "id")
            self._inventory.delete(item, change)
            call.wrote = True
            return {"id": item.id}

        return bulk.carry_out(call.arguments["inventoryItemIds"], apply, str)

    def _told(self, call: Call, item: InventoryItem, wants_entity: bool) -> Row:
        call.wrote = True
        if not wants_entity:
            return {"id": item.id}
        return {"id": item.id, "item": written(call, item)}

    def update(self, call: Call) -> Row:
        rows = [_masked(row) for row in call.rows("inventoryItems", MOST_SET)]
        change = api_change(call)
        for row in rows:
            check_values(row, "inventoryItems.inventoryItem")
            self._single.check_extended(row, "inventoryItems.inventoryItem")

        def apply(item: InventoryItem, row: Row, why: Change) -> None:
            apply_update(self._inventory, item, row, why)

        return self._carry_out(call, rows, change, lambda row: self._by_id(row, "id"), self._single.check, apply)

    def increment(self, call: Call) -> Row:
        return self._adjust(call, "increment", lambda row: self._by_id(row, "inventoryItemId"))

    def decrement(self, call: Call) -> Row:
        return self._adjust(call, "decrement", lambda row: self._by_id(row, "inventoryItemId"))

    def increment_by_place(self, call: Call) -> Row:
        return self._adjust(call, "increment", self._by_place)

    def decrement_by_place(self, call: Call) -> Row:
        return self._adjust(call, "decrement", self._by_place)

    def _adjust(self, call: Call, verb: str, find: Find) -> Row:
        rows = call.rows(f"{verb}Data", MOST_ADJUSTED)
        change = api_change(call)
        restricted = call.flag("restrictInventory", True)
        for row in rows:
            check_whole(row.get(f"{verb}By"), f"{verb}Data.{verb}By", 1, HIGHEST)
        sign = 1 if verb == "increment" else -1

        def check(item: InventoryItem, row: Row) -> None:
            check_delta(item, sign * row[f"{verb}By"], restricted=restricted, preorder=_is_preorder(item, row))

        def apply(item: InventoryItem, row: Row, why: Change) -> None:
            units = row[f"{verb}By"]
            if _is_preorder(item, row):
                item.preorder.counter += units
                self._inventory.add(item, 0, why)
                return
            if sign < 0 and self._quirks.w6_unrestricted_decrement_clamps:
                units = min(units, max(0, item.quantity))
            self._inventory.add(item, sign * units, why)

        return self._carry_out(call, rows, change, find, check, apply)

    def _carry_out(self, call: Call, rows: list[Row], change: Change, find: Find, check: Check, apply: Apply) -> Row:
        """Row by row in the given order; a failing row leaves the others alone (W7)."""
        wants_entity = call.flag("returnEntity")
        held_back = self._quirks.w7_bulk_is_all_or_nothing and any(
            isinstance(_tried(row, find, check), WixRefusal) for row in rows
        )
        results: list[Row] = []
        for number, row in enumerate(rows):
            outcome = _tried(row, find, check)
            if isinstance(outcome, WixRefusal):
                results.append(bulk.failed(number, _id_of(row), outcome))
            elif held_back:
                results.append(bulk.failed(number, _id_of(row), _aborted()))
            else:
                apply(outcome, row, change)
                results.append(bulk.succeeded(number, **self._told(call, outcome, wants_entity)))
        return {"results": results, "bulkActionMetadata": bulk.summary(results)}

    def _by_id(self, row: Row, name: str) -> InventoryItem:
        item = self._inventory.items.get(str(row.get(name, "")))
        if item is None:
            raise not_found(str(row.get(name, "")))
        return item

    def _by_place(self, row: Row) -> InventoryItem:
        place = row.get("locationId") or self._default_location
        for item in self._inventory.by_variant.get(str(row.get("variantId", "")), ()):
            if item.location_id == place:
                return item
        raise not_found(str(row.get("variantId", "")))


def check_delta(item: InventoryItem, delta: int, *, restricted: bool, preorder: bool) -> None:
    """Whether a delta may be applied; raises WixRefusal."""
    if not item.tracked:
        raise application_error(428, "INVENTORY_QUANTITY_NOT_TRACKED", "The quantity of the item is not tracked")
    if preorder:
        return
    after = item.quantity + delta
    if delta < 0 and restricted and after < 0:
        raise application_error(428, "INSUFFICIENT_INVENTORY", "There are not enough items in stock")
    if after < LOWEST:
        raise application_error(428, "MIN_QUANTITY_LIMIT_REACHED", f"The quantity would fall below {LOWEST}")
    if after > HIGHEST:
        raise application_error(428, "MAX_QUANTITY_LIMIT_REACHED", f"The quantity would rise above {HIGHEST}")


def _is_preorder(item: InventoryItem, row: Row) -> bool:
    return bool(row.get("preorderRequest")) and item.preorder.enabled and item.quantity <= 0


def _masked(row: Row) -> Row:
    inner = row.get("inventoryItem")
    if not isinstance(inner, dict):
        raise validation_error("inventoryItems.inventoryItem", "must not be empty", "REQUIRED_FIELD")
    return inner


def _id_of(row: Row) -> str:
    return str(row.get("id") or row.get("inventoryItemId") or "")


def takes_of(name: str) -> str:
    """The vendor's name of the request message of an inventory call."""
    return f"stores_inventory-items-v-3:{name[0].upper()}{name[1:]}Request"


def _tried(row: Row, find: Find, check: Check) -> InventoryItem | WixRefusal:
    try:
        item = find(row)
        check(item, row)
    except WixRefusal as refusal:
        return refusal
    return item


def _aborted() -> WixRefusal:
    return application_error(428, "ABORTED", "Another item of the call failed")
