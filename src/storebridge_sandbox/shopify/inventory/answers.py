"""Inventory items, levels and the mutations of stock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from storebridge_sandbox.shopify.call import Call, Resolvers, iso, shows, shows_time
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.ids import Numbers, level_gid, level_parts, number_of
from storebridge_sandbox.shopify.inventory.state import Change, Inventory, Outcome, Row
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.products.state import InventoryItem, Shelves
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import Level, Snapshot, Stock

ACTOR = "api"
WRITES = ("InventorySetQuantities", "InventoryAdjustQuantities", "InventoryActivate")


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """A level as of some moment."""

    graphql_type: ClassVar[str] = "InventoryLevel"
    level: Level
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Group:
    """What one write did."""

    id: str
    created_at: datetime
    reason: str
    reference: str | None
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Payload:
    """A mutation's answer."""

    group: Group | None
    outcome: Outcome


class InventoryAnswers:
    """Reads by item, and writes."""

    def __init__(
        self,
        stock: Stock,
        shelves: Shelves,
        shop: ShopState,
        inventory: Inventory,
        numbers: Numbers,
        lags: Callable[[datetime], datetime | None],
    ) -> None:
        """``lags`` gives the moment that a read by id shows, None for the present (S26)."""
        self._stock = stock
        self._shelves = shelves
        self._shop = shop
        self._inventory = inventory
        self._numbers = numbers
        self._lags = lags

    def resolvers(self) -> Resolvers:
        return {**self._reads(), **self._writes()}

    def _reads(self) -> Resolvers:
        return {
            ("QueryRoot", "inventoryItem"): lambda _s, args, _c: self._item_of(args["id"]),
            ("QueryRoot", "inventoryLevel"): lambda _s, args, call: self.find_level(args["id"], call),
            ("InventoryItem", "id"): lambda item, _a, _c: item.variant.item_id,
            ("InventoryItem", "legacyResourceId"): lambda item, _a, _c: str(number_of(item.variant.item_id)),
            ("InventoryItem", "sku"): lambda item, _a, _c: item.variant.sku or None,
            ("InventoryItem", "tracked"): lambda item, _a, _c: item.variant.tracked,
            ("InventoryItem", "requiresShipping"): lambda _i, _a, _c: True,
            ("InventoryItem", "createdAt"): lambda item, _a, _c: iso(item.variant.created_at),
            ("InventoryItem", "updatedAt"): lambda item, _a, _c: iso(item.variant.updated_at),
            ("InventoryItem", "variant"): shows("variant"),
            ("InventoryItem", "inventoryLevels"): self._levels,
            ("InventoryItem", "inventoryLevel"): self._level_at,
            ("InventoryLevel", "id"): lambda shown, _a, _c: level_gid(shown.level.location_id, shown.level.item_id),
            ("InventoryLevel", "isActive"): lambda shown, _a, _c: shown.snapshot.active,
            ("InventoryLevel", "updatedAt"): lambda shown, _a, _c: iso(shown.snapshot.since),
            ("InventoryLevel", "createdAt"): lambda shown, _a, _c: iso(shown.level.created_at),
            ("InventoryLevel", "location"): lambda shown, _a, _c: self._shop.location(shown.level.location_id),
            ("InventoryLevel", "item"): lambda shown, _a, _c: self._item_of(shown.level.item_id),
            ("InventoryLevel", "quantities"): _quantities,
            **{("InventoryQuantity", name): _of(name) for name in ("name", "quantity", "updatedAt", "id")},
        }

    def _writes(self) -> Resolvers:
        errors = [f"{write}UserError" for write in WRITES[:2]]
        return {
            ("Mutation", "inventorySetQuantities"): self._set,
            ("Mutation", "inventoryAdjustQuantities"): self._adjust,
            ("Mutation", "inventoryActivate"): self._activate,
            **{(f"{write}Payload", "inventoryAdjustmentGroup"): shows("group") for write in WRITES[:2]},
            **{(f"{write}Payload", "userErrors"): lambda payload, _a, _c: payload.outcome.errors for write in WRITES},
            **{(kind, name): shows(name) for kind in (*errors, "UserError") for name in ("field", "message", "code")},
            ("InventoryActivatePayload", "inventoryLevel"): _activated,
            ("InventoryAdjustmentGroup", "id"): shows("id"),
            ("InventoryAdjustmentGroup", "createdAt"): shows_time("created_at"),
            ("InventoryAdjustmentGroup", "reason"): shows("reason"),
            ("InventoryAdjustmentGroup", "referenceDocumentUri"): shows("reference"),
            ("InventoryAdjustmentGroup", "changes"): shows("changes"),
            ("InventoryChange", "name"): lambda _c, _a, _call: "available",
            ("InventoryChange", "delta"): shows("delta"),
            ("InventoryChange", "quantityAfterChange"): shows("after"),
            ("InventoryChange", "item"): lambda change, _a, _c: self._item_of(change.level.item_id),
            ("InventoryChange", "location"): lambda change, _a, _c: self._shop.location(change.level.location_id),
        }

    # -- reads -------------------------------------------------------------------------------------------------

    def find_level(self, global_id: str, call: Call) -> ShownLevel | None:
        """A level by its own id."""
        parts = level_parts(global_id)
        level = None if parts is None else self._stock.level(parts[1], parts[0])
        return None if level is None else self._shown(level, call)

    def _shown(self, level: Level, call: Call) -> ShownLevel:
        moments = [moment for moment in (call.read_moment, self._lags(call.now)) if moment is not None]
        return ShownLevel(level, level.as_of(min(moments) if moments else None))

    def _item_of(self, item_id: str) -> InventoryItem | None:
        variant = self._shelves.by_item.get(item_id)
        return None if variant is None else InventoryItem(variant)

    def _levels(self, item: InventoryItem, args: dict[str, Any], call: Call) -> Page:
        shown = [self._shown(level, call) for level in self._stock.levels_of(item.variant.item_id)]
        wanted = [one for one in shown if one.snapshot.active or args.get("includeInactive")]
        rows = [(one.level.location_id, number_of(one.level.location_id), one) for one in wanted]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _level_at(self, item: InventoryItem, args: dict[str, Any], call: Call) -> ShownLevel | None:
        level = self._stock.level(item.variant.item_id, args["locationId"])
        return None if level is None else self._shown(level, call)

    # -- writes ------------------------------------------------------------------------------------------------

    def _set(self, _source: Any, args: dict[str, Any], call: Call) -> Payload:
        given = _available_only(args["input"])
        rows = [
            Row(
                one["inventoryItemId"],
                one["locationId"],
                to=one["quantity"],
                change_from=_change_from(one, "InventoryQuantityInput"),
            )
            for one in given["quantities"]
        ]
        return self._written(given, call, "inventorySetQuantities", rows, "quantities")

    def _adjust(self, _source: Any, args: dict[str, Any], call: Call) -> Payload:
        given = _available_only(args["input"])
        rows = [
            Row(
                one["inventoryItemId"],
                one["locationId"],
                delta=one["delta"],
                change_from=_change_from(one, "InventoryChangeInput"),
            )
            for one in given["changes"]
        ]
        return self._written(given, call, "inventoryAdjustQuantities", rows, "changes")

    def _written(self, given: dict[str, Any], call: Call, operation: str, rows: list[Row], name: str) -> Payload:
        key = _key(call, operation)
        outcome = self._inventory.once(
            key, operation, given, lambda: self._inventory.write(rows, name, ACTOR, call.ref)
        )
        if not outcome.changes:
            return Payload(None, outcome)
        group_id = self.group_id()
        reference = given.get("referenceDocumentUri")
        return Payload(Group(group_id, call.now, given["reason"], reference, outcome.changes), outcome)

    def group_id(self) -> str:
        return self._numbers.new("InventoryAdjustmentGroup")

    def _activate(self, _source: Any, args: dict[str, Any], call: Call) -> Payload:
        key, (item, place) = _key(call, "inventoryActivate"), (args["inventoryItemId"], args["locationId"])
        outcome = self._inventory.once(
            key,
            "inventoryActivate",
            args,
            lambda: self._inventory.activate(item, place, args.get("available"), ACTOR, call.ref),
        )
        return Payload(None, outcome)


def _available_only(given: dict[str, Any]) -> dict[str, Any]:
    if given["name"] != "available":
        raise Refusal("The sandbox store writes available quantities only.", "NOT_BUILT")
    return given


def _change_from(row: dict[str, Any], kind: str) -> int | None:
    """Since 2026-04 it must be said; null opts out."""
    if "changeFromQuantity" not in row:
        told = f"{kind} must include the following argument: changeFromQuantity."
        raise Refusal(told, "INVALID_FIELD_ARGUMENTS", names_variable=True)
    value: int | None = row["changeFromQuantity"]
    return value


def _key(call: Call, operation: str) -> str:
    key = call.keys.get(operation, "")
    if not key.strip():
        told = "The @idempotent directive is required for this mutation but was not provided."
        raise Refusal(told, "BAD_REQUEST")
    return key


def _activated(payload: Payload, _args: dict[str, Any], _call: Call) -> ShownLevel | None:
    if not payload.outcome.changes:
        return None
    level = payload.outcome.changes[0].level
    return ShownLevel(level, level.now)


def _quantities(shown: ShownLevel, args: dict[str, Any], _call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{number_of(shown.level.item_id)}?name={name}",
            "name": name,
            "quantity": shown.snapshot.quantity(name),
            "updatedAt": None if (at := shown.snapshot.changed_at(name)) is None else iso(at),
        }
        for name in args["names"]
    ]


def _of(name: str) -> Callable[[dict[str, Any], dict[str, Any], Any], Any]:
    return lambda source, _args, _call: source[name]
