"""The mutations of stock: set, adjust, move, activate, deactivate, and the item's own data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, refused, shows, shows_time
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.inventory.answers import InventoryAnswers, ShownLevel
from storebridge_sandbox.shopify.inventory.rows import Change, Outcome, Row, UserError
from storebridge_sandbox.shopify.inventory.rules import (
    adjustable_error,
    ledger_errors,
    moved_ledgers_error,
    reason_error,
    reference_error,
    settable_error,
)
from storebridge_sandbox.shopify.inventory.state import MOST_AT_ONCE, Inventory
from storebridge_sandbox.shopify.products.items import apply_item, item_errors
from storebridge_sandbox.shopify.products.state import InventoryItem, Shelves, Variant
from storebridge_sandbox.shopify.versions import keys_are_demanded, told_from_is_demanded, unstocked_code
from storebridge_sandbox.stock import Level

ACTOR = "api"


@dataclass(frozen=True, slots=True)
class Group:
    """What one write did."""

    id: str
    created_at: datetime
    reason: str
    reference: str | None
    changes: list[Change]


class InventoryWrites:
    """Each mutation with its recorded refusals."""

    def __init__(
        self,
        answers: InventoryAnswers,
        inventory: Inventory,
        shelves: Shelves,
        numbers: Numbers,
        now: Callable[[], datetime],
        item_changed: Callable[[Variant], None],
        *,
        tells_after: bool,
        group_late: timedelta = timedelta(0),
    ) -> None:
        self._answers = answers
        self._inventory = inventory
        self._shelves = shelves
        self._numbers = numbers
        self._now = now
        self._item_changed = item_changed
        self._tells_after = tells_after
        self._group_late = group_late

    def resolvers(self) -> Resolvers:
        return {
            ("Mutation", "inventorySetQuantities"): self._set,
            ("Mutation", "inventorySetOnHandQuantities"): self._set_on_hand,
            ("Mutation", "inventoryAdjustQuantities"): self._adjust,
            ("Mutation", "inventoryMoveQuantities"): self._move,
            ("Mutation", "inventoryActivate"): self._activate,
            ("Mutation", "inventoryDeactivate"): self._deactivate,
            ("Mutation", "inventoryBulkToggleActivation"): self._toggle,
            ("Mutation", "inventoryItemUpdate"): self._update_item,
            ("InventoryAdjustmentGroup", "id"): shows("id"),
            ("InventoryAdjustmentGroup", "createdAt"): shows_time("created_at"),
            ("InventoryAdjustmentGroup", "reason"): shows("reason"),
            ("InventoryAdjustmentGroup", "referenceDocumentUri"): shows("reference"),
            ("InventoryAdjustmentGroup", "app"): lambda _g, _a, call: call.app,
            ("InventoryAdjustmentGroup", "changes"): _changes,
            ("InventoryChange", "name"): shows("name"),
            ("InventoryChange", "delta"): shows("delta"),
            ("InventoryChange", "ledgerDocumentUri"): shows("ledger"),
            ("InventoryChange", "quantityAfterChange"): lambda change, _a, _c: (
                change.after if self._tells_after else None
            ),
            ("InventoryChange", "item"): lambda change, _a, _c: self._answers.item_of(change.level.item_id),
            ("InventoryChange", "location"): lambda change, _a, _c: self._answers.location_of(change.level),
        }

    def _set(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        given = args["input"]
        name = given["name"]
        rows = [
            Row(
                one["inventoryItemId"],
                one["locationId"],
                ["input", "quantities", str(place)],
                name=name,
                to=one["quantity"],
                change_from=_told_from(one, "InventoryQuantityInput", call, given),
                compared_by="changeFromQuantity" if "changeFromQuantity" in one else "compareQuantity",
            )
            for place, one in enumerate(given["quantities"])
        ]
        early = [error for error in (reason_error(given["reason"]), settable_error(name)) if error]
        early += _uncompared(given, call)
        key = _key(call, "inventorySetQuantities")
        return self._written(given, call, "inventorySetQuantities", key, rows, early)

    def _set_on_hand(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        given = args["input"]
        rows = [
            Row(
                one["inventoryItemId"],
                one["locationId"],
                ["input", "setQuantities", str(place)],
                name="on_hand",
                to=one["quantity"],
                change_from=_told_from(one, "InventorySetQuantityInput", call),
            )
            for place, one in enumerate(given["setQuantities"])
        ]
        early = [error for error in (reason_error(given["reason"]),) if error]
        key = _key(call, "inventorySetOnHandQuantities")
        return self._written(given, call, "inventorySetOnHandQuantities", key, rows, early)

    def _adjust(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        given = args["input"]
        name = given["name"]
        rows = [
            Row(
                one["inventoryItemId"],
                one["locationId"],
                ["input", "changes", str(place)],
                name=name,
                delta=one["delta"],
                change_from=_told_from(one, "InventoryChangeInput", call),
                ledger=one.get("ledgerDocumentUri"),
            )
            for place, one in enumerate(given["changes"])
        ]
        early = [error for error in (reason_error(given["reason"]), adjustable_error(name, ["input", "name"])) if error]
        key = _key(call, "inventoryAdjustQuantities")
        return self._written(given, call, "inventoryAdjustQuantities", key, rows, early or list(ledger_errors(rows)))

    def _move(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        given = args["input"]
        rows: list[Row] = []
        early = [error for error in (reason_error(given["reason"]),) if error]
        for place, one in enumerate(given["changes"]):
            for end, sign in (("from", -1), ("to", 1)):
                part, path = one[end], ["input", "changes", str(place), end]
                wrong = adjustable_error(part["name"], [*path, "name"])
                early += [wrong] if wrong else []
                rows.append(
                    Row(
                        one["inventoryItemId"],
                        part["locationId"],
                        path,
                        name=part["name"],
                        delta=sign * one["quantity"],
                        change_from=_told_from(part, "InventoryMoveQuantityTerminalInput", call),
                        ledger=part.get("ledgerDocumentUri"),
                    )
                )
        if not early:
            early = _move_errors(rows) or [error for row in rows for error in ledger_errors([row])]
        crowded = moved_ledgers_error(rows)
        early = early or ([crowded] if crowded else [])
        key = _key(call, "inventoryMoveQuantities")
        return self._written(given, call, "inventoryMoveQuantities", key, rows, early)

    def _written(
        self,
        given: dict[str, Any],
        call: Call,
        operation: str,
        key: str | None,
        rows: list[Row],
        early: list[UserError],
    ) -> dict[str, Any]:
        moves = operation == "inventoryMoveQuantities"
        wrong = reference_error(given.get("referenceDocumentUri"))
        refused_early = [*early, wrong] if wrong else early

        def carry_out() -> Outcome:
            if refused_early:
                return Outcome(errors=refused_early)
            code = unstocked_code(call.version)
            outcome = self._inventory.write(rows, ACTOR, call.ref, with_twins=moves, unstocked_code=code)
            outcome.errors = _once_each(outcome.errors)
            return outcome

        outcome = self._inventory.once(key, operation, given, carry_out)
        group = None
        if outcome.changes:
            if outcome.group_id is None or outcome.group_at is None:
                outcome.group_id = self._numbers.new("InventoryAdjustmentGroup")
                outcome.group_at = call.now + self._group_late
            reference = given.get("referenceDocumentUri")
            group = Group(outcome.group_id, outcome.group_at, given["reason"], reference, outcome.changes)
        return {"inventoryAdjustmentGroup": group, "userErrors": outcome.errors}

    # -- activation ------------------------------------------------------------------------------------------------

    def _activate(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        key = _key(call, "inventoryActivate")
        available, on_hand = args.get("available"), args.get("onHand")

        def carry_out() -> Outcome:
            return self._inventory.activate(
                args["inventoryItemId"], args["locationId"], ACTOR, call.ref, available=available, on_hand=on_hand
            )

        outcome = self._inventory.once(key, "inventoryActivate", args, carry_out, has_codes=False)
        shown = None if outcome.level is None else ShownLevel(outcome.level, outcome.level.now)
        return {"inventoryLevel": shown, "userErrors": outcome.errors}

    def _deactivate(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        found = self._answers.find_level(args["inventoryLevelId"], call)
        if found is None:
            told = "The product couldn't be unstocked because the product or location wasn't found."
            return refused(None, told)
        error = self._inventory.deactivate(found.level)
        return {"userErrors": [error] if error else []}

    def _toggle(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        item = self._answers.item_of(args["inventoryItemId"])
        if item is None:
            told = "The product couldn't be stocked because the product wasn't found."
            return refused(["inventoryItemId"], told, "INVENTORY_ITEM_NOT_FOUND")
        levels: list[Level] = []
        for place, one in enumerate(args["inventoryItemUpdates"]):
            level, error = self._toggled(item.variant.item_id, one, call)
            if error is not None:
                path = ["inventoryItemUpdates", str(place), "locationId"]
                return refused(path, error.message, error.code or "FAILED_TO_STOCK_AT_LOCATION")
            levels += [level] if level else []
        shown = [ShownLevel(level, level.now) for level in levels]
        return {"inventoryItem": item, "inventoryLevels": shown, "userErrors": []}

    def _toggled(self, item_id: str, one: dict[str, Any], call: Call) -> tuple[Level | None, UserError | None]:
        if one["activate"]:
            outcome = self._inventory.activate(item_id, one["locationId"], ACTOR, call.ref)
            return outcome.level, next(iter(outcome.errors), None)
        level = self._inventory.level(item_id, one["locationId"])
        if level is None:
            told = "The product couldn't be unstocked because the location wasn't found."
            return None, UserError(None, told, "LOCATION_NOT_FOUND")
        return level, self._inventory.deactivate(level) if level.active else None

    # -- the item's own data -----------------------------------------------------------------------------------------

    def _update_item(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        variant = self._shelves.by_item.get(args["id"])
        if variant is None:
            return refused(["id"], "The product couldn't be updated because it does not exist.")
        errors = item_errors(args["input"], ["input"])
        if errors:
            return {"inventoryItem": None, "userErrors": errors}
        apply_item(self._shelves, variant, args["input"])
        variant.updated_at = self._now()
        self._item_changed(variant)
        return {"inventoryItem": InventoryItem(variant), "userErrors": []}


def _changes(group: Group, args: dict[str, Any], _call: Call) -> list[Change]:
    """Filtered as asked."""
    names, items, places = args.get("quantityNames"), args.get("inventoryItemIds"), args.get("locationIds")
    return [
        one
        for one in group.changes
        if (not names or one.name in names)
        and (not items or one.level.item_id in items)
        and (not places or one.level.location_id in places)
    ]


def _move_errors(rows: list[Row]) -> list[UserError]:
    """A move stays at one location and goes from one state to another."""
    errors = []
    for start, end in zip(rows[::2], rows[1::2], strict=True):
        path = start.path[:-1]
        if start.delta > 0:
            told = "The quantity can't be negative."
            errors.append(UserError([*path, "quantity"], told, "INVALID_QUANTITY_NEGATIVE"))
        elif start.delta < -MOST_AT_ONCE:
            told = "The quantity can't be higher than 2,000,000,000."
            errors.append(UserError([*path, "quantity"], told, "INVALID_QUANTITY_TOO_HIGH"))
        elif start.location_id != end.location_id:
            told = "The quantities can't be moved between different locations."
            errors.append(UserError(path, told, "DIFFERENT_LOCATIONS"))
        elif start.name == end.name:
            told = "The quantity names for each change can't be the same."
            errors.append(UserError(path, told, "SAME_QUANTITY_NAME"))
    return errors


def _once_each(errors: list[UserError]) -> list[UserError]:
    """A move names its item once, whatever its two ends say of it."""
    kept: dict[tuple[str, ...], UserError] = {}
    for error in errors:
        kept.setdefault((*(error.field or ()), error.message), error)
    return list(kept.values())


def _uncompared(given: dict[str, Any], call: Call) -> list[UserError]:
    """Until 2026-04 a set must compare every quantity, or say that it does not want to."""
    if told_from_is_demanded(call.version) or given.get("ignoreCompareQuantity"):
        return []
    rows = given["quantities"]
    if all("changeFromQuantity" in row or row.get("compareQuantity") is not None for row in rows):
        return []
    told = "The compareQuantity argument must be given to each quantity or ignored using ignoreCompareQuantity."
    return [UserError(["input", "ignoreCompareQuantity"], told, "COMPARE_QUANTITY_REQUIRED")]


def _told_from(row: dict[str, Any], kind: str, call: Call, given: dict[str, Any] | None = None) -> int | None:
    """What the level is said to have been. Since 2026-04 it must be said; null opts out."""
    if "changeFromQuantity" in row:
        value: int | None = row["changeFromQuantity"]
        return value
    if told_from_is_demanded(call.version):
        told = f"{kind} must include the following argument: changeFromQuantity."
        raise Refusal(told, "INVALID_FIELD_ARGUMENTS", names_variable=True)
    return None if given and given.get("ignoreCompareQuantity") else row.get("compareQuantity")


def _key(call: Call, operation: str) -> str | None:
    """The call's idempotency key; None where an older version does without."""
    key = call.keys.get(operation, "")
    if key.strip():
        return key
    if not keys_are_demanded(call.version):
        return None
    raise Refusal("The @idempotent directive is required for this mutation but was not provided.", "BAD_REQUEST")
