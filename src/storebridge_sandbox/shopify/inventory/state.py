"""Writes of stock by the API: compare-and-set, adjust, activate, and the memory of idempotency keys (S1 to S6, S10)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import Level, Stock

HIGHEST, LOWEST = 1_000_000_000, -1_000_000_000


@dataclass(slots=True)
class UserError:
    """A refusal in the answer of a mutation."""

    field: list[str]
    message: str
    code: str | None = None


@dataclass(slots=True)
class Row:
    """One row of a write: absolute (``to``) or relative (``delta``)."""

    item_id: str
    location_id: str
    to: int | None = None
    delta: int = 0
    change_from: int | None = None


@dataclass(slots=True)
class Change:
    """One counter after a write."""

    level: Level
    delta: int
    after: int


@dataclass(slots=True)
class Outcome:
    """What a write did, or why not."""

    changes: list[Change] = field(default_factory=list)
    errors: list[UserError] = field(default_factory=list)
    made: str | None = None
    """The id of what a keyed call made, when that was no change of stock."""


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

    def once(self, key: str, operation: str, content: Any, carry_out: Callable[[], Outcome]) -> Outcome:
        """Carry a write out once per key: the same key and content is answered again, other content is refused.

        Raises Refusal where trouble with a key comes at the top level (S5).
        """
        digest = hashlib.sha256(msgspec.json.encode([operation, content])).hexdigest()
        known = self._keys.get(key)
        keep = timedelta(seconds=self._options.idempotency_retention_seconds)
        if known is not None and self._now() - known.at < keep:
            return self._again(known, digest)
        outcome = carry_out()
        if not outcome.errors or self._options.user_error_burns_key:
            self._keys[key] = _Remembered(digest, outcome, self._now())
        return outcome

    def _again(self, known: _Remembered, digest: str) -> Outcome:
        if known.digest != digest:
            told = "The same idempotency key cannot be used with different operation parameters."
            return self._key_trouble(told, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        if known.outcome.errors:
            told = "A previous request with this idempotency key failed. Retry with a new idempotency key."
            return self._key_trouble(told, "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")
        if self._options.replay_answer == "stored":
            return known.outcome
        changes = [Change(one.level, one.delta, one.level.available) for one in known.outcome.changes]
        return Outcome(changes, made=known.outcome.made)

    def _key_trouble(self, told: str, code: str) -> Outcome:
        if self._options.key_trouble == "top_level":
            raise Refusal(told, code)
        return Outcome(errors=[UserError([], told, code)])

    def write(self, rows: Sequence[Row], list_name: str, actor: str, ref: str) -> Outcome:
        """Set or adjust ``available``; nothing changes when a row is refused, unless rows stand alone (S2)."""
        outcome = Outcome()
        checked: list[tuple[Row, Level | None]] = []
        for place, row in enumerate(rows):
            error, level = self._check(row, ["input", list_name, str(place)])
            if error is not None:
                outcome.errors.append(error)
            else:
                checked.append((row, level))
        if outcome.errors and self._options.batch_is_atomic:
            return outcome
        for row, level in checked:
            outcome.changes.append(self._apply(row, level, actor, ref))
        return outcome

    def _check(self, row: Row, path: list[str]) -> tuple[UserError | None, Level | None]:
        if row.item_id not in self._shelves.by_item:
            told = "The specified inventory item could not be found."
            return UserError([*path, "inventoryItemId"], told, "INVALID_INVENTORY_ITEM"), None
        if self._shop.location(row.location_id) is None:
            told = "The specified location could not be found."
            return UserError([*path, "locationId"], told, "INVALID_LOCATION"), None
        level = self._stock.level(row.item_id, row.location_id)
        available = level.available if level is not None else 0
        if row.change_from is not None and row.change_from != available:
            told = "The changeFromQuantity value does not match persisted value."
            return UserError([*path, "changeFromQuantity"], told, self._options.stale_code), None
        wanted = row.to if row.to is not None else available + row.delta
        if not LOWEST <= wanted <= HIGHEST:
            code = "INVALID_QUANTITY_TOO_HIGH" if wanted > 0 else "INVALID_QUANTITY_TOO_LOW"
            return UserError([*path, "quantity"], "The quantity is out of range.", code), None
        if level is None and self._options.set_where_unconnected == "refused":
            told = "The specified inventory item is not stocked at the location."
            return UserError([*path, "locationId"], told, "INVALID_LOCATION"), None
        return None, level

    def _apply(self, row: Row, level: Level | None, actor: str, ref: str) -> Change:
        if level is None:
            level = self._stock.connect(row.item_id, row.location_id)
            if self._options.set_where_unconnected == "adds_to_on_hand":
                return self._hide(row, level, actor, ref)
        delta = row.to - level.available if row.to is not None else row.delta
        if delta:
            self._stock.move(level, "api", actor, ref, available=delta)
            self._changed(level)
        return Change(level, delta, level.available)

    def _hide(self, row: Row, level: Level, actor: str, ref: str) -> Change:
        """The units are on hand and nobody can buy them; the level does not show (S10)."""
        self._stock.move(level, "api", actor, ref, quality_control=row.delta if row.to is None else row.to)
        self._stock.disconnect(level)
        return Change(level, 0, level.available)

    def activate(self, item_id: str, location_id: str, available: int | None, actor: str, ref: str) -> Outcome:
        """Connect an item to a location; with a quantity only where it is not stocked yet."""
        if item_id not in self._shelves.by_item:
            return Outcome(errors=[UserError(["inventoryItemId"], "The product couldn't be stocked.")])
        if self._shop.location(location_id) is None:
            return Outcome(errors=[UserError(["locationId"], "The location could not be found.")])
        level = self._stock.level(item_id, location_id)
        if level is not None and level.active and available is not None:
            told = "Not allowed to set available quantity when the item is already active at the location."
            return Outcome(errors=[UserError(["available"], told)])
        level = self._stock.connect(item_id, location_id)
        delta = 0 if available is None else available - level.available
        if delta:
            self._stock.move(level, "api", actor, ref, available=delta)
        self._changed(level)
        return Outcome(changes=[Change(level, delta, level.available)])
