"""``inventoryItems``, levels, and the inventory mutations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.call import ShopCall, attribute, constant, payload_readers, read_keys
from storebridge_sandbox.shopify.engine import Resolver
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.idempotency import IdempotencyKeys
from storebridge_sandbox.shopify.ids import level_gid, level_parts, number_of
from storebridge_sandbox.shopify.inventory.state import (
    AdjustmentGroup,
    Inventory,
    LevelView,
    QuantityChange,
)
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.products.state import InventoryItem, Shelves
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.shopify.wire import moment_text, optional_moment
from storebridge_sandbox.stock import ON_HAND_PARTS, STATES, Level, Stock

Payload = dict[str, Any]
Resolvers = dict[tuple[str, str], Resolver]
NAMES = frozenset((*STATES, "on_hand"))


class InventoryAnswers:
    """Answers about how many there are. ``announce`` runs a write and sends the notices that follow."""

    def __init__(
        self,
        inventory: Inventory,
        stock: Stock,
        shelves: Shelves,
        shop: ShopState,
        keys: IdempotencyKeys,
        announce: Callable[[Callable[[], Payload]], Payload],
    ) -> None:
        self._inventory = inventory
        self._stock = stock
        self._shelves = shelves
        self._shop = shop
        self._keys = keys
        self._announce = announce

    def resolvers(self) -> Resolvers:
        return {**self._roots(), **self._of_item(), **self._of_level(), **self._of_group()}

    def item(self, item_id: str) -> InventoryItem | None:
        variant = self._shelves.by_item.get(item_id)
        return None if variant is None else InventoryItem(variant)

    def level(self, global_id: str, call: ShopCall) -> LevelView | None:
        parts = level_parts(global_id)
        found = None if parts is None else self._stock.level(parts[1], parts[0])
        return None if found is None else _view(found, call)

    def _roots(self) -> Resolvers:
        return {
            ("QueryRoot", "inventoryItem"): lambda _source, args, _call: self.item(args["id"]),
            ("QueryRoot", "inventoryItems"): self._items,
            ("QueryRoot", "inventoryLevel"): lambda _source, args, call: self.level(args["id"], call),
            ("QueryRoot", "inventoryProperties"): constant({"quantityNames": _quantity_names()}),
            ("Mutation", "inventorySetQuantities"): self._set,
            ("Mutation", "inventoryAdjustQuantities"): self._adjust,
            ("Mutation", "inventoryActivate"): self._activate,
            ("Mutation", "inventoryDeactivate"): self._deactivate,
            **read_keys("InventorySetQuantitiesPayload", "inventoryAdjustmentGroup userErrors"),
            **read_keys("InventoryAdjustQuantitiesPayload", "inventoryAdjustmentGroup userErrors"),
            **read_keys("InventoryActivatePayload", "inventoryLevel userErrors"),
            **read_keys("InventoryDeactivatePayload", "userErrors"),
            **read_keys("InventoryProperties", "quantityNames"),
            **read_keys("InventoryQuantityName", "name displayName isInUse belongsTo comprises"),
            **payload_readers("UserError", "InventorySetQuantitiesUserError", "InventoryAdjustQuantitiesUserError"),
        }

    # -- reads ---------------------------------------------------------------------------------------------

    def _items(self, _source: Any, args: dict[str, Any], _call: ShopCall) -> Page:
        numbers = ((number_of(item_id), variant) for item_id, variant in self._shelves.by_item.items())
        return page_of(sorted((f"{number:020d}", number, InventoryItem(one)) for number, one in numbers), args)

    def _levels(self, item: InventoryItem, args: dict[str, Any], call: ShopCall) -> Page:
        inactive = args.get("includeInactive")
        rows = []
        for level in self._stock.levels_of(item.variant.item_id):
            view = _view(level, call)
            if view.shown.active or inactive:
                rows.append((level.location_id, number_of(level.location_id), view))
        return page_of(rows, args)

    def _level_of(self, item: InventoryItem, args: dict[str, Any], call: ShopCall) -> LevelView | None:
        level = self._stock.level(item.variant.item_id, args["locationId"])
        view = None if level is None else _view(level, call)
        return view if view and (view.shown.active or args.get("includeInactive")) else None

    def _of_item(self) -> Resolvers:
        kind = "InventoryItem"
        return {
            (kind, "id"): lambda item, *_: item.variant.item_id,
            (kind, "legacyResourceId"): lambda item, *_: str(number_of(item.variant.item_id)),
            (kind, "sku"): lambda item, *_: item.variant.sku,
            (kind, "tracked"): lambda item, *_: item.variant.tracked,
            (kind, "requiresShipping"): constant(True),
            (kind, "duplicateSkuCount"): constant(0),
            (kind, "variant"): attribute("variant"),
            (kind, "variants"): lambda item, args, _call: page_of([("", 1, item.variant)], args),
            (kind, "createdAt"): lambda item, *_: moment_text(item.variant.created_at),
            (kind, "updatedAt"): lambda item, *_: moment_text(item.variant.updated_at),
            (kind, "locationsCount"): lambda item, *_: len(self._stock.levels_of(item.variant.item_id)),
            (kind, "inventoryLevels"): self._levels,
            (kind, "inventoryLevel"): self._level_of,
        }

    def _of_level(self) -> Resolvers:
        kind = "InventoryLevel"
        return {
            (kind, "id"): lambda view, *_: level_gid(view.level.location_id, view.level.item_id),
            (kind, "isActive"): lambda view, *_: view.shown.active,
            (kind, "item"): lambda view, *_: self.item(view.level.item_id),
            (kind, "location"): lambda view, *_: self._shop.location(view.level.location_id),
            (kind, "canDeactivate"): self._can_deactivate,
            (kind, "createdAt"): lambda view, *_: moment_text(view.level.created_at),
            (kind, "updatedAt"): lambda view, *_: moment_text(view.shown.since),
            (kind, "quantities"): _quantities,
            **read_keys("InventoryQuantity", "id name quantity updatedAt"),
        }

    def _can_deactivate(self, view: LevelView, _args: dict[str, Any], _call: ShopCall) -> bool:
        return sum(level.active for level in self._stock.levels_of(view.level.item_id)) > 1

    def _of_group(self) -> Resolvers:
        return {
            ("InventoryAdjustmentGroup", "id"): attribute("id"),
            ("InventoryAdjustmentGroup", "createdAt"): lambda group, *_: moment_text(group.created_at),
            ("InventoryAdjustmentGroup", "reason"): attribute("reason"),
            ("InventoryAdjustmentGroup", "referenceDocumentUri"): attribute("reference"),
            ("InventoryAdjustmentGroup", "changes"): _changes,
            ("InventoryChange", "name"): attribute("name"),
            ("InventoryChange", "delta"): attribute("delta"),
            ("InventoryChange", "item"): lambda change, *_: self.item(change.level.item_id),
            ("InventoryChange", "location"): lambda change, *_: self._shop.location(change.level.location_id),
        }

    # -- writes --------------------------------------------------------------------------------------------

    def _set(self, _source: Any, args: dict[str, Any], call: ShopCall) -> Payload:
        asked = args["input"]
        return self._keyed("inventorySetQuantities", "InventoryQuantityInput", asked["quantities"], args, call)(
            lambda ref: _grouped(*self._inventory.set_levels(asked, ref))
        )

    def _adjust(self, _source: Any, args: dict[str, Any], call: ShopCall) -> Payload:
        asked = args["input"]
        return self._keyed("inventoryAdjustQuantities", "InventoryChangeInput", asked["changes"], args, call)(
            lambda ref: _grouped(*self._inventory.adjust_levels(asked, ref))
        )

    def _keyed(
        self, mutation: str, row_type: str, rows: list[Payload], args: dict[str, Any], call: ShopCall
    ) -> Callable[[Callable[[str], Payload]], Payload]:
        """A write under its idempotency key, once the rows are complete."""

        def run(write: Callable[[str], Payload]) -> Payload:
            call.idempotency_key()
            if any("changeFromQuantity" not in row for row in rows):
                message = f"{row_type} must include the following argument: changeFromQuantity."
                raise Refusal(message, "INVALID_FIELD_ARGUMENTS", names_variable=True)
            return self._keys.once(mutation, args, call, lambda ref: self._announce(lambda: write(ref)))

        return run

    def _activate(self, _source: Any, args: dict[str, Any], call: ShopCall) -> Payload:
        def write(ref: str) -> Payload:
            level, problems = self._inventory.activate(args, ref)
            return {"inventoryLevel": level and LevelView(level, level.now), "userErrors": problems}

        def rebuild(payload: Payload) -> Payload:
            view = payload["inventoryLevel"]
            return {**payload, "inventoryLevel": LevelView(view.level, view.level.now)}

        carry_out = lambda ref: self._announce(lambda: write(ref))  # noqa: E731
        return self._keys.once("inventoryActivate", args, call, carry_out, rebuild)

    def _deactivate(self, _source: Any, args: dict[str, Any], _call: ShopCall) -> Payload:
        parts = level_parts(args["inventoryLevelId"])
        level = None if parts is None else self._stock.level(parts[1], parts[0])
        return self._announce(lambda: {"userErrors": self._inventory.deactivate(level)})


def _view(level: Level, call: ShopCall) -> LevelView:
    return LevelView(level, level.as_of(call.read_moment))


def _grouped(group: AdjustmentGroup | None, problems: list[Payload]) -> Payload:
    return {"inventoryAdjustmentGroup": group, "userErrors": problems}


def _quantities(view: LevelView, args: dict[str, Any], _call: ShopCall) -> list[Payload]:
    unknown = [name for name in args["names"] if name not in NAMES]
    if unknown:
        raise Refusal(f"Invalid quantity name: {unknown[0]}", "BAD_REQUEST")
    item = number_of(view.level.item_id)
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{item}-{number_of(view.level.location_id)}?name={name}",
            "name": name,
            "quantity": view.shown.quantity(name),
            "updatedAt": optional_moment(view.shown.changed_at(name)),
        }
        for name in args["names"]
    ]


def _changes(group: AdjustmentGroup, args: dict[str, Any], _call: ShopCall) -> list[QuantityChange]:
    items, places, names = (args.get(name) for name in ("inventoryItemIds", "locationIds", "quantityNames"))
    return [
        change
        for change in group.changes
        if (not items or change.level.item_id in items)
        and (not places or change.level.location_id in places)
        and (not names or change.name in names)
    ]


def _quantity_names() -> list[Payload]:
    names = ("available", "committed", "damaged", "incoming", "on_hand", "quality_control", "reserved", "safety_stock")
    return [
        {
            "name": name,
            "displayName": name.replace("_", " ").capitalize(),
            "isInUse": name in ("available", "committed", "on_hand", "reserved"),
            "belongsTo": ["on_hand"] if name in ON_HAND_PARTS else [],
            "comprises": list(ON_HAND_PARTS) if name == "on_hand" else [],
        }
        for name in names
    ]
