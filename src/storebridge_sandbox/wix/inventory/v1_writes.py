"""``/stores/v2/inventoryItems``: writing stock on a V1 site.

No revision guards these calls and none of them is idempotent. A set that leaves out ``trackQuantity`` turns the
tracking of the whole product off.
"""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Operation
from storebridge_sandbox.wix.inventory.items import api_change, check_whole
from storebridge_sandbox.wix.inventory.state import PREORDER_LIMIT, Change, Inventory, InventoryItem
from storebridge_sandbox.wix.inventory.v1 import InventoryAnswersV1, inventory_id
from storebridge_sandbox.wix.notices import Notices
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID
from storebridge_sandbox.wix.shelf.state import Product
from storebridge_sandbox.wix.wire import application_error, validation_error, wix_date

MANAGE = "SCOPE.DC-STORES.MANAGE-PRODUCTS"
BASE = "/stores/v2/inventoryItems"
ITEM_CHANGED = "com.wix.ecommerce.inventory.api.v1.InventoryItemChanged"

Told = dict[str, Any]


class InventoryWritesV1:
    """Answers to writes of stock."""

    def __init__(self, inventory: Inventory, reads: InventoryAnswersV1, notices: Notices, quirks: WixQuirks) -> None:
        self._inventory = inventory
        self._reads = reads
        self._notices = notices
        self._quirks = quirks

    def operations(self) -> list[Operation]:
        def write(name: str, method: str, path: str, handler: Handler, message: str) -> Operation:
            takes = f"stores_inventory:{message}Request"
            return Operation(name, (method,), BASE + path, handler, MANAGE, "v1", takes=takes)

        return [
            write("decrementInventory", "POST", "/decrement", self.decrement, "DecrementInventory"),
            write("incrementInventory", "POST", "/increment", self.increment, "IncrementInventory"),
            write("updateInventoryVariants", "PATCH", "/product/{productId}", self.update, "UpdateInventoryVariants"),
            write("updateInventoryVariants", "PATCH", "/{inventoryId}", self.update, "UpdateInventoryVariants"),
        ]

    def update(self, call: Call) -> Told:
        asked, change = call.part("inventoryItem"), api_change(call)
        product = self._reads.product_of(call.params)
        rows = [(self._item(product, row.get("variantId")), row) for row in asked.get("variants") or []]
        tracks = bool(asked.get("trackQuantity"))
        for _, row in rows:
            if tracks and row.get("quantity") is not None:
                check_whole(row["quantity"], "inventoryItem.variants.quantity", 0, self._quirks.w40_v1_most_units)
        self._set_terms(product, asked, tracks, call)
        for item, row in rows:
            if tracks and row.get("quantity") is not None:
                self._inventory.set(item, row["quantity"], change)
            elif not tracks and row.get("inStock") is not None:
                self._inventory.set_status(item, row["inStock"], change)
        call.wrote = True
        return {}

    def increment(self, call: Call) -> Told:
        return self._adjust(call, "increment", 1)

    def decrement(self, call: Call) -> Told:
        return self._adjust(call, "decrement", -1)

    def _adjust(self, call: Call, verb: str, sign: int) -> Told:
        """All rows are found before the first is applied. No level keeps a lower from being applied (W32); a raise
        above what a counter takes refuses the whole call, in words of ours (W40)."""
        change = api_change(call)
        rows = call.rows(f"{verb}Data", 300)
        found = [(self._item(self._reads.product_of(row), row.get("variantId")), row) for row in rows]
        most = self._quirks.w40_v1_most_units
        wanted: dict[str, int] = {}
        for item, row in found:
            units = check_whole(row.get(f"{verb}By", 1), f"{verb}Data.{verb}By", 1, most)
            wanted[item.id] = wanted.get(item.id, item.quantity) + sign * units
            if sign > 0 and item.tracked and wanted[item.id] > most:
                raise validation_error(f"{verb}Data.{verb}By", f"would raise the stock above {most}", "MAX")
        for item, row in found:
            self._apply(item, sign * int(row.get(f"{verb}By", 1)), bool(row.get("preorderRequest")), change)
        call.wrote = True
        return {}

    def _apply(self, item: InventoryItem, delta: int, preorder: bool, change: Change) -> None:
        if not item.tracked:
            if not self._quirks.w32_v1_delta_sets_tracking:
                return
            self._inventory.start_tracking(item)
        if preorder and item.preorder.enabled and item.quantity <= 0:
            item.preorder.counter -= delta
            return
        if delta < 0 and self._quirks.w32_v1_clamps_at_zero:
            delta = -min(-delta, max(0, item.quantity))
        self._inventory.add(item, delta, change)

    def _item(self, product: Product, variant_id: Any) -> InventoryItem:
        wanted = variant_id or DEFAULT_VARIANT_ID
        for item in self._inventory.by_product.get(product.id, []):
            if item.variant.variant_id == wanted:
                return item
        raise application_error(404, "NOT_FOUND", f"Product {product.id!r} has no variant {wanted!r}")

    def _set_terms(self, product: Product, asked: Told, tracks: bool, call: Call) -> None:
        """Tracking and preorder are matters of the whole product."""
        items = self._inventory.by_product.get(product.id, [])
        mask = []
        if any(item.tracked != tracks for item in items):
            mask.append("trackInventory")
        for item in items:
            self._inventory.track(item, tracks)
        wanted = asked.get("preorderInfo")
        if isinstance(wanted, dict):
            mask.append("preorderInfo")
            for item in items:
                item.preorder.enabled = bool(wanted.get("enabled", item.preorder.enabled))
                item.preorder.message = wanted.get("message", item.preorder.message)
                item.preorder.limit = wanted.get("limit", PREORDER_LIMIT)
        if mask:
            self._tell(product, tracks, mask, call)

    def _tell(self, product: Product, tracks: bool, mask: list[str], call: Call) -> None:
        items = self._inventory.by_product.get(product.id, [])
        changed = max((item.level.updated_at for item in items), default=product.updated_at)
        body = {
            "inventoryItemId": inventory_id(product.id),
            "externalId": product.id,
            "productId": product.id,
            "trackInventory": tracks,
            "preorderInfo": {"enabled": any(item.preorder.enabled for item in items)},
            "fieldMask": mask,
            "updatedDate": wix_date(changed),
        }
        self._notices.flat(ITEM_CHANGED, body, call.actor)
