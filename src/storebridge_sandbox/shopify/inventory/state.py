"""What the inventory mutations do to the book of stock, row by row, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.shopify.wire import user_error
from storebridge_sandbox.stock import Level, Snapshot, Stock

HIGHEST = 1_000_000_000
ACTOR = "app"
SETTABLE = ("available", "on_hand")
ADJUSTABLE = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
REASONS = (
    "correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created",
    "movement_received", "movement_updated", "other", "promotion", "quality_control", "received",
    "reservation_created", "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage",
)  # fmt: skip
NOT_FOUND_ITEM = ("INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.")
NOT_FOUND_PLACE = ("INVALID_LOCATION", "The specified location could not be found.")
STALE_SET = "The changeFromQuantity value does not match persisted value."
STALE_ADJUST = "The changeFromQuantity argument no longer matches the persisted quantity."
TWICE = "The combination of inventoryItemId and locationId must be unique."

Problem = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LevelView:
    """A level as one answer shows it."""

    graphql_type: ClassVar[str] = "InventoryLevel"
    level: Level
    shown: Snapshot


@dataclass(frozen=True, slots=True)
class QuantityChange:
    """One row of an adjustment group."""

    level: Level
    name: str
    delta: int


@dataclass(frozen=True, slots=True)
class AdjustmentGroup:
    """The record of one call that changed something."""

    graphql_type: ClassVar[str] = "InventoryAdjustmentGroup"
    id: str
    created_at: datetime
    reason: str
    reference: str | None
    changes: list[QuantityChange]


class Inventory:
    """The write side of inventory. Problems are userErrors; whatever has one changes nothing of its row."""

    def __init__(
        self,
        stock: Stock,
        shelves: Shelves,
        shop: ShopState,
        numbers: Numbers,
        options: ShopifyOptions,
        now: Callable[[], datetime],
    ) -> None:
        self._stock = stock
        self._shelves = shelves
        self._shop = shop
        self._numbers = numbers
        self._options = options
        self._now = now

    def set_levels(self, asked: Row, ref: str) -> tuple[AdjustmentGroup | None, list[Problem]]:
        """``inventorySetQuantities``: levels become what the rows say, if they still are what they say."""
        name, rows = asked["name"], asked["quantities"]
        if name not in SETTABLE:
            message = "The quantity name must be either 'available' or 'on_hand'."
            return None, [user_error(("input", "name"), message, "INVALID_NAME")]
        problems = self._reason_problems(asked) or _twice(rows, "quantities", "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR")
        if problems:
            return None, problems
        checks = [self._check_set(name, row, index) for index, row in enumerate(rows)]
        good = self._good(rows, checks)
        changes = [change for row in good for change in self._set_row(name, row, ref)]
        return self._group(asked, changes), [problem for check in checks for problem in check]

    def adjust_levels(self, asked: Row, ref: str) -> tuple[AdjustmentGroup | None, list[Problem]]:
        """``inventoryAdjustQuantities``: levels move by deltas."""
        name, rows = asked["name"], asked["changes"]
        if name not in ADJUSTABLE:
            message = f"The specified quantity name is invalid. Valid values are: {', '.join(ADJUSTABLE)}."
            return None, [user_error(("input", "name"), message, "INVALID_QUANTITY_NAME")]
        problems = self._reason_problems(asked) or _twice(rows, "changes", "ADJUST_QUANTITIES_FAILED")
        if problems:
            return None, problems
        checks = [self._check_adjust(name, row, index) for index, row in enumerate(rows)]
        good = self._good(rows, checks)
        changes = [
            change for row in good for change in self._move(self._open(row), name, row["delta"], ref)
        ]
        return self._group(asked, changes), [problem for check in checks for problem in check]

    def activate(self, args: Row, ref: str) -> tuple[Level | None, list[Problem]]:
        """``inventoryActivate``: connect, or open again with the quantities that were left behind."""
        item_id, location_id = args["inventoryItemId"], args["locationId"]
        available, on_hand = args.get("available"), args.get("onHand")
        problems: list[Problem] = []
        if item_id not in self._shelves.by_item:
            problems.append(user_error(("inventoryItemId",), NOT_FOUND_ITEM[1]))
        if self._shop.location(location_id) is None:
            problems.append(user_error(("locationId",), NOT_FOUND_PLACE[1]))
        level = self._stock.level(item_id, location_id)
        if level is not None and level.active:
            for field, value in (("available", available), ("onHand", on_hand)):
                if value is not None:
                    word = "available" if field == "available" else "on hand"
                    message = f"Not allowed to set {word} quantity when the item is already active at the location."
                    problems.append(user_error((field,), message))
        if problems:
            return None, problems
        if level is None or not level.active:
            level = self._stock.connect(item_id, location_id)
        if available is not None:
            self._move(level, "available", available - level.available, ref)
        elif on_hand is not None:
            self._move(level, "available", on_hand - level.now.quantity("on_hand"), ref)
        return level, []

    def deactivate(self, level: Level | None) -> list[Problem]:
        """``inventoryDeactivate``: the row stays; the only active location of an item cannot go."""
        if level is None or not level.active:
            return [user_error(None, "The inventory level could not be found.")]
        if sum(one.active for one in self._stock.levels_of(level.item_id)) == 1:
            sku = self._shelves.sku_of(level.item_id)
            place = self._shop.location(level.location_id)
            name = place.name if place else level.location_id
            return [user_error(None, f"The product {sku} couldn't be unstocked from {name} because it is its only location.")]
        self._stock.disconnect(level)
        return []

    # -- rows ----------------------------------------------------------------------------------------------

    def _good(self, rows: Sequence[Row], checks: Sequence[list[Problem]]) -> list[Row]:
        if self._options.batch_is_atomic and any(checks):
            return []
        return [row for row, check in zip(rows, checks, strict=True) if not check]

    def _check_set(self, name: str, row: Row, index: int) -> list[Problem]:
        place = ("input", "quantities", index)
        problems = self._unknown(row, place)
        quantity = row["quantity"]
        if quantity > HIGHEST:
            message = "The quantity can't be higher than 1,000,000,000."
            problems.append(user_error((*place, "quantity"), message, "INVALID_QUANTITY_TOO_HIGH"))
        if name == "on_hand" and quantity < 0:
            message = "The quantity can't be negative."
            problems.append(user_error((*place, "quantity"), message, "INVALID_QUANTITY_NEGATIVE"))
        if quantity < -HIGHEST:
            message = "The quantity can't be lower than -1,000,000,000."
            problems.append(user_error((*place, "quantity"), message, "INVALID_QUANTITY_TOO_LOW"))
        return problems or self._stale(name, row, place, STALE_SET) or self._unconnected(row, place)

    def _check_adjust(self, name: str, row: Row, index: int) -> list[Problem]:
        place = ("input", "changes", index)
        problems = self._unknown(row, place)
        document = row.get("ledgerDocumentUri")
        if name == "available" and document is not None:
            message = "A ledger document URI is not allowed when adjusting available."
            problems.append(user_error((*place, "ledgerDocumentUri"), message, "INVALID_AVAILABLE_DOCUMENT"))
        if name != "available" and document is None:
            message = "A ledger document URI is required except when adjusting available."
            problems.append(user_error((*place, "ledgerDocumentUri"), message, "INVALID_QUANTITY_DOCUMENT"))
        return problems or self._stale(name, row, place, STALE_ADJUST) or self._unconnected(row, place)

    def _unknown(self, row: Row, place: tuple[str | int, ...]) -> list[Problem]:
        problems: list[Problem] = []
        if row["inventoryItemId"] not in self._shelves.by_item:
            problems.append(user_error((*place, "inventoryItemId"), NOT_FOUND_ITEM[1], NOT_FOUND_ITEM[0]))
        if self._shop.location(row["locationId"]) is None:
            problems.append(user_error((*place, "locationId"), NOT_FOUND_PLACE[1], NOT_FOUND_PLACE[0]))
        return problems

    def _stale(self, name: str, row: Row, place: tuple[str | int, ...], message: str) -> list[Problem]:
        expected = row["changeFromQuantity"]
        if expected is None or expected == self._quantity(row, name):
            return []
        return [user_error((*place, "changeFromQuantity"), message, self._options.stale_code)]

    def _unconnected(self, row: Row, place: tuple[str | int, ...]) -> list[Problem]:
        level = self._stock.level(row["inventoryItemId"], row["locationId"])
        if (level is not None and level.active) or self._options.set_where_unconnected != "refused":
            return []
        message = "The specified inventory item is not stocked at the location."
        return [user_error((*place, "locationId"), message, "INVALID_LOCATION")]

    def _quantity(self, row: Row, name: str) -> int:
        level = self._stock.level(row["inventoryItemId"], row["locationId"])
        return 0 if level is None else level.now.quantity(name)

    def _set_row(self, name: str, row: Row, ref: str) -> list[QuantityChange]:
        level = self._stock.level(row["inventoryItemId"], row["locationId"])
        if level is None and self._options.set_where_unconnected == "adds_to_on_hand":
            return self._add_unseen(row, ref)
        if level is not None and not level.active and self._options.set_where_unconnected == "adds_to_on_hand":
            return self._move(level, "quality_control", row["quantity"], ref)
        level = self._open(row)
        delta = row["quantity"] - level.now.quantity(name)
        return self._move(level, "available", delta, ref)

    def _add_unseen(self, row: Row, ref: str) -> list[QuantityChange]:
        """Phantom stock: on hand, but never available, at a level that stays inactive."""
        level = self._stock.connect(row["inventoryItemId"], row["locationId"])
        self._stock.disconnect(level)
        return self._move(level, "quality_control", row["quantity"], ref)

    def _open(self, row: Row) -> Level:
        level = self._stock.level(row["inventoryItemId"], row["locationId"])
        if level is None or not level.active:
            level = self._stock.connect(row["inventoryItemId"], row["locationId"])
        return level

    def _move(self, level: Level, name: str, delta: int, ref: str) -> list[QuantityChange]:
        if not delta:
            return []
        self._stock.move(level, "api", ACTOR, ref, **{name: delta})
        changes = [QuantityChange(level, name, delta)]
        return changes if name == "incoming" else [*changes, QuantityChange(level, "on_hand", delta)]

    def _reason_problems(self, asked: Row) -> list[Problem]:
        if asked["reason"] in REASONS:
            return []
        message = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
        return [user_error(("input", "reason"), message, "INVALID_REASON")]

    def _group(self, asked: Row, changes: list[QuantityChange]) -> AdjustmentGroup | None:
        """The changes of the named quantity come first, those of on_hand after them."""
        if not changes:
            return None
        return AdjustmentGroup(
            id=self._numbers.new("InventoryAdjustmentGroup"),
            created_at=self._now(),
            reason=asked["reason"],
            reference=asked.get("referenceDocumentUri"),
            changes=sorted(changes, key=lambda change: change.name == "on_hand"),
        )


def _twice(rows: Sequence[Row], list_name: str, code: str) -> list[Problem]:
    places: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(rows):
        places.setdefault((row["inventoryItemId"], row["locationId"]), []).append(index)
    doubled = sorted(index for indexes in places.values() if len(indexes) > 1 for index in indexes)
    return [user_error(("input", list_name, index, "locationId"), TWICE, code) for index in doubled]
