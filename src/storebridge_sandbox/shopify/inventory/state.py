"""Writes of stock by the API: compare-and-set, adjust, activate, and the memory of idempotency keys (S1 to S6, S10)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.inventory.rows import Change, Outcome, Row, UserError
from storebridge_sandbox.shopify.inventory.rules import twin_errors
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import ON_HAND_PARTS, Level, Stock

STALE_SET = "The changeFromQuantity value does not match persisted value."
STALE_ADJUST = "The changeFromQuantity argument no longer matches the persisted quantity."
STALE_COMPARE = "The compareQuantity value does not match persisted value."
STANDS = "quantity when the item is already active at the location."
HIGHEST, LOWEST = 1_000_000_000, -1_000_000_000
MOST_AT_ONCE = 2_000_000_000
"""Of one row of an adjustment or a move; the level itself is bounded by the other two."""


@dataclass(slots=True)
class _Remembered:
    digest: str
    outcome: Outcome
    at: datetime


class Inventory:
    """The API's side of the book of stock."""

    def __init__(
        self,
        stock: Stock,
        shelves: Shelves,
        shop: ShopState,
        now: Callable[[], datetime],
        options: ShopifyOptions,
        changed: Callable[[Level], None],
    ) -> None:
        self._stock = stock
        self._shelves = shelves
        self._shop = shop
        self._now = now
        self._options = options
        self._changed = changed
        self._keys: dict[str, _Remembered] = {}

    def level(self, item_id: str, location_id: str) -> Level | None:
        """The counter of an item at a location."""
        return self._stock.level(item_id, location_id)

    def once(
        self,
        key: str | None,
        operation: str,
        content: Any,
        carry_out: Callable[[], Outcome],
        *,
        has_codes: bool = True,
    ) -> Outcome:
        """Carry a write out once per key: the same key and content is answered again, other content is refused.

        Raises Refusal where trouble with a key comes at the top level (S5; S7 for user errors that have no codes).
        Without a key nothing is remembered.
        """
        if key is None:
            return carry_out()
        digest = hashlib.sha256(msgspec.json.encode([operation, content])).hexdigest()
        known = self._keys.get(key)
        keep = timedelta(seconds=self._options.idempotency_retention_seconds)
        if known is not None and self._now() - known.at < keep:
            return self._again(known, digest, has_codes=has_codes)
        outcome = carry_out()
        if not outcome.errors or self._options.user_error_burns_key:
            self._keys[key] = _Remembered(digest, outcome, self._now())
        return outcome

    def _again(self, known: _Remembered, digest: str, *, has_codes: bool) -> Outcome:
        if known.digest != digest:
            told = "The same idempotency key cannot be used with different operation parameters."
            return self._key_trouble(told, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", has_codes)
        if known.outcome.errors:
            told = "A previous request with this idempotency key failed. Retry with a new idempotency key."
            return self._key_trouble(told, "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", has_codes)
        if self._options.replay_answer == "stored":
            return known.outcome
        renewed = [
            Change(one.level, one.delta, one.level.now.quantity(one.name), one.name, one.ledger)
            for one in known.outcome.changes
        ]
        again = Outcome(renewed, level=known.outcome.level, made=known.outcome.made)
        if self._options.replayed_group == "first":
            again.group_id, again.group_at = known.outcome.group_id, known.outcome.group_at
        return again

    def _key_trouble(self, told: str, code: str, has_codes: bool) -> Outcome:
        where = self._options.key_trouble if has_codes else self._options.uncoded_key_trouble
        if where == "top_level":
            raise Refusal(told, code)
        return Outcome(errors=[UserError([], told, code)])

    def write(
        self,
        rows: Sequence[Row],
        actor: str,
        ref: str,
        *,
        with_twins: bool = False,
        unstocked_code: str = "INVALID_LOCATION",
    ) -> Outcome:
        """Set or adjust quantities; nothing changes when a row is refused, unless rows stand alone (S2).

        ``with_twins``: the same item and location may stand in several rows, as the two ends of a move do.
        ``unstocked_code`` tells an item that is not stocked at the location, where that is refused (S10).
        """
        outcome = Outcome()
        if len(rows) > 1 and not with_twins:
            outcome.errors += twin_errors(rows)
        checked: list[tuple[Row, Level | None]] = []
        for row in rows:
            errors, level = self._check(row, unstocked_code)
            outcome.errors += errors
            if not errors:
                checked.append((row, level))
        if outcome.errors and (self._options.batch_is_atomic or with_twins):
            return outcome
        changed: dict[int, Level] = {}
        for row, level in checked:
            for change in self._apply(row, level, actor, ref):
                outcome.changes.append(change)
                changed[id(change.level)] = change.level
        if with_twins:
            outcome.changes = _without_evened_out(outcome.changes)
        for level in changed.values():
            self.tell(level)
        return outcome

    def tell(self, level: Level) -> None:
        """The webhook of what an app wrote (S20)."""
        if self._options.own_writes_are_told:
            self._changed(level)

    def _check(self, row: Row, unstocked_code: str) -> tuple[list[UserError], Level | None]:
        errors = []
        if row.item_id not in self._shelves.by_item:
            told = "The specified inventory item could not be found."
            errors.append(UserError([*_item_path(row.path), "inventoryItemId"], told, "INVALID_INVENTORY_ITEM"))
        elif self._shelves.by_item[row.item_id].requires_components:
            told = (
                "The specified inventory item is not allowed to be adjusted via API. "
                "Example: if the inventory item is a parent bundle."
            )
            errors.append(UserError([*_item_path(row.path), "inventoryItemId"], told, "NON_MUTABLE_INVENTORY_ITEM"))
        if self._shop.location(row.location_id) is None:
            told = "The specified location could not be found."
            errors.append(UserError([*row.path, "locationId"], told, "INVALID_LOCATION"))
        if errors:
            return errors, None
        level = self._stock.level(row.item_id, row.location_id)
        held = level.now.quantity(row.name) if level is not None else 0
        error = _range_error(row, row.to if row.to is not None else held + row.delta)
        if error is not None:
            return [error], None
        if row.change_from is not None and row.change_from != held:
            return [self._stale(row)], None
        if level is None and self._options.set_where_unconnected == "refused":
            told = "The specified inventory item is not stocked at the location."
            return [UserError([*row.path, "locationId"], told, unstocked_code)], None
        return [], level

    def _stale(self, row: Row) -> UserError:
        if row.compared_by == "compareQuantity":
            return UserError([*row.path, row.compared_by], STALE_COMPARE, "COMPARE_QUANTITY_STALE")
        told = STALE_SET if row.to is not None else STALE_ADJUST
        return UserError([*row.path, row.compared_by], told, self._options.stale_code)

    def _apply(self, row: Row, level: Level | None, actor: str, ref: str) -> list[Change]:
        if level is None:
            level = self._stock.connect(row.item_id, row.location_id)
            if self._options.set_where_unconnected == "adds_to_on_hand":
                self._hide(row, level, actor, ref)
                return []
        name = "available" if row.name == "on_hand" else row.name
        delta = row.to - level.now.quantity(row.name) if row.to is not None else row.delta
        if not delta:
            return []
        self._stock.move(level, "api", actor, ref, **{name: delta})
        changes = [Change(level, delta, level.now.quantity(name), name, row.ledger)]
        if name in ON_HAND_PARTS:
            changes.append(Change(level, delta, level.now.quantity("on_hand"), "on_hand"))
        return changes

    def _hide(self, row: Row, level: Level, actor: str, ref: str) -> None:
        """The units are on hand and nobody can buy them; the level does not show (S10)."""
        self._stock.move(level, "api", actor, ref, quality_control=row.delta if row.to is None else row.to)
        self._stock.disconnect(level)

    def activate(
        self,
        item_id: str,
        location_id: str,
        actor: str,
        ref: str,
        *,
        available: int | None = None,
        on_hand: int | None = None,
    ) -> Outcome:
        """Connect an item to a location; with a quantity only where it is not stocked yet."""
        if item_id not in self._shelves.by_item:
            return Outcome(errors=[UserError(["inventoryItemId"], "The product couldn't be stocked.")])
        if self._shop.location(location_id) is None:
            told = "The product couldn't be stocked because the location wasn't found."
            return Outcome(errors=[UserError(["locationId"], told)])
        level = self._stock.level(item_id, location_id)
        if level is not None and level.active:
            errors = [
                UserError([name], f"Not allowed to set {told} {STANDS}")
                for name, told, value in (("available", "available", available), ("onHand", "on hand", on_hand))
                if value is not None
            ]
            return Outcome(errors=errors, level=None if errors else level)
        level = self._stock.connect(item_id, location_id)
        wanted = available if available is not None else on_hand
        delta = 0 if wanted is None else wanted - level.available
        if delta:
            self._stock.move(level, "api", actor, ref, available=delta)
        self.tell(level)
        return Outcome([Change(level, delta, level.available)], level=level)

    def deactivate(self, level: Level) -> UserError | None:
        """The row stays, inactive, with its quantities; the last active one stays active."""
        others = [one for one in self._stock.levels_of(level.item_id) if one.active and one is not level]
        if not others:
            place = self._shop.location(level.location_id)
            told = (
                f"The product couldn't be unstocked from {place.name if place else 'the location'} because "
                "products need to be stocked at a minimum of 1 location."
            )
            return UserError(None, told, "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION")
        if level.now.quantity("committed"):
            told = "The product couldn't be unstocked because it has committed inventory."
            return UserError(None, told, "COMMITTED_INVENTORY_AT_LOCATION")
        self._stock.disconnect(level)
        return None


def _without_evened_out(changes: list[Change]) -> list[Change]:
    """A move within what is on hand leaves the sum as it is, and Shopify does not list it then (recorded)."""
    sums: dict[int, int] = {}
    for one in changes:
        if one.name == "on_hand":
            sums[id(one.level)] = sums.get(id(one.level), 0) + one.delta
    return [one for one in changes if one.name != "on_hand" or sums[id(one.level)]]


def _item_path(path: list[str]) -> list[str]:
    """A move names the item once, above its two ends."""
    return path[:-1] if path[-1] in ("from", "to") else path


def _range_error(row: Row, wanted: int) -> UserError | None:
    path = [*row.path, "quantity" if row.to is not None else "delta"]
    if row.to is None and abs(row.delta) > MOST_AT_ONCE:
        bound, code = ("higher than ", "HIGH") if row.delta > 0 else ("lower than -", "LOW")
        return UserError(path, f"The quantity can't be {bound}2,000,000,000.", f"INVALID_QUANTITY_TOO_{code}")
    if wanted > HIGHEST:
        return UserError(path, "The quantity can't be higher than 1,000,000,000.", "INVALID_QUANTITY_TOO_HIGH")
    if wanted < 0 and row.name == "on_hand":
        return UserError(path, "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE")
    if wanted < LOWEST:
        return UserError(path, "The quantity can't be lower than -1,000,000,000.", "INVALID_QUANTITY_TOO_LOW")
    return None
