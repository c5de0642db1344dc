"""``/stores/v3/bulk/inventory-items/...-by-filter``: the answer is a job, which tells what each item said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.inventory.bulk import BULK, check_delta, takes_of
from storebridge_sandbox.wix.inventory.items import WRITE, InventoryAnswers, api_change, apply_update, check_values
from storebridge_sandbox.wix.inventory.state import Change, Inventory, InventoryItem
from storebridge_sandbox.wix.jobs.answers import work_through
from storebridge_sandbox.wix.jobs.state import Jobs
from storebridge_sandbox.wix.query import Language
from storebridge_sandbox.wix.shelf.state import Shelf, Variant
from storebridge_sandbox.wix.wire import application_error, validation_error

Row = dict[str, Any]


class InventoryByFilterAnswers:
    """Many items at once, named by what they have in common. ``variants`` is how variants are asked for."""

    def __init__(
        self, inventory: Inventory, single: InventoryAnswers, jobs: Jobs, shelf: Shelf, variants: Language
    ) -> None:
        self._inventory = inventory
        self._single = single
        self._jobs = jobs
        self._shelf = shelf
        self._variants = variants

    def operations(self) -> list[Operation]:
        handlers: list[tuple[str, str, Callable[[Call], Row]]] = [
            ("bulkUpdateInventoryItemsByFilter", "update-by-filter", self.update),
            ("bulkDeleteInventoryItemsByFilter", "delete-by-filter", self.delete),
            ("bulkAdjustInventoryItemsByFilter", "adjust-by-filter", self.adjust),
            ("bulkSetOrAdjustInventoryItemsByFilter", "set-or-adjust-by-filter", self.set_or_adjust),
            ("bulkCreateInventoryItemsByVariantFilter", "create-by-variant-filter", self.create),
        ]
        return [
            Operation(name, ("POST",), f"{BULK}/{path}", handler, WRITE, "v3", takes=takes_of(name))
            for name, path, handler in handlers
        ]

    def update(self, call: Call) -> Row:
        asked, change = call.part("inventoryItem"), api_change(call)
        check_values(asked, "inventoryItem")

        def apply(item: InventoryItem) -> None:
            self._single.check_target(item, asked)
            apply_update(self._inventory, item, asked, change)

        return self._started(call, "bulkUpdateInventoryItemsByFilter", apply)

    def delete(self, call: Call) -> Row:
        change = api_change(call)
        return self._started(
            call, "bulkDeleteInventoryItemsByFilter", lambda item: self._inventory.delete(item, change)
        )

    def adjust(self, call: Call) -> Row:
        delta, change = _delta(call, "adjustment"), api_change(call)
        starts_tracking = call.flag("trackQuantity")

        def apply(item: InventoryItem) -> None:
            if starts_tracking and not item.tracked:
                self._inventory.start_tracking(item)
            self._adjusted(item, delta, change)

        return self._started(call, "bulkAdjustInventoryItemsByFilter", apply)

    def set_or_adjust(self, call: Call) -> Row:
        """Untracked items are set to the increment; tracked ones are adjusted by it."""
        delta, change = _delta(call, "adjustedInventoryAction"), api_change(call)

        def apply(item: InventoryItem) -> None:
            if item.tracked:
                self._adjusted(item, delta, change)
            elif delta < 0:
                raise application_error(
                    428, "INVENTORY_QUANTITY_NOT_TRACKED", "The quantity of the item is not tracked"
                )
            else:
                self._inventory.set(item, delta, change)

        return self._started(call, "bulkSetOrAdjustInventoryItemsByFilter", apply)

    def create(self, call: Call) -> Row:
        """A new item at the location for each variant that has none there."""
        place, change = str(call.arguments["locationId"]), api_change(call)
        quantity = call.part("inventoryCreationData").get("quantity", 0)
        question = self._variants.read({"filter": call.arguments.get("filter"), "search": call.arguments.get("search")})

        def apply(variant: Variant) -> None:
            asked = {"variantId": variant.variant_id, "productId": variant.product.id, "locationId": place}
            self._single.opened({**asked, "quantity": quantity}, "inventoryCreationData", change)

        call.wrote = True
        found = [variant for variant in self._shelf.variants() if question.matches(variant)]
        named = [(variant.variant_id, variant) for variant in found]
        return work_through(self._jobs, "bulkCreateInventoryItemsByVariantFilter", named, apply)

    def _adjusted(self, item: InventoryItem, delta: int, change: Change) -> None:
        check_delta(item, delta, restricted=True, preorder=False)
        self._inventory.add(item, delta, change)

    def _started(self, call: Call, operation: str, apply: Callable[[InventoryItem], None]) -> Row:
        items = [(item.id, item) for item in self._single.matching(call)]
        call.wrote = True
        return work_through(self._jobs, operation, items, apply)


def _delta(call: Call, name: str) -> int:
    asked = call.part(name)
    for key, sign in (("incrementBy", 1), ("decrementBy", -1)):
        if asked.get(key) is not None:
            if not isinstance(asked[key], int):
                raise validation_error(f"{name}.{key}", "must be a whole number", "FORMAT")
            return sign * int(asked[key])
    raise validation_error(name, "needs incrementBy or decrementBy", "REQUIRED_ONE_OF_FIELD")
