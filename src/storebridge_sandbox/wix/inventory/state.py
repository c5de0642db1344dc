"""Inventory items: one variant at one location, with a revision that says how often it changed.

The revision lies in the book of stock beside the quantity, so that a lagging read shows a pair that once was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from storebridge_sandbox.stock import Cause, Level, Snapshot, Stock
from storebridge_sandbox.wix.identities import Actor, Guids, Reason
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.shelf.state import Variant, item_key

LOWEST = -99_999
HIGHEST = 99_999
PREORDER_LIMIT = 100_000


@dataclass(slots=True)
class Preorder:
    """Selling beyond the stock; ``counter`` is how many were promised that way."""

    enabled: bool = False
    message: str | None = None
    limit: int = PREORDER_LIMIT
    counter: int = 0


@dataclass(slots=True)
class InventoryItem:
    """``in_stock`` counts only while ``tracked`` is false."""

    id: str
    number: int
    variant: Variant
    location_id: str
    level: Level
    tracked: bool
    in_stock: bool
    preorder: Preorder
    created_at: datetime

    @property
    def quantity(self) -> int:
        return self.level.available

    @property
    def revision(self) -> int:
        return revision_of(self.level.now)


def revision_of(snapshot: Snapshot) -> int:
    """The revision that belongs to this state of a level; the first is 1."""
    return snapshot.quantities.get("revision", 0) + 1


@dataclass(frozen=True, slots=True)
class Change:
    """Why an item changes and by whom; ``ref`` names the order, refund or call behind it."""

    cause: Cause
    actor: Actor
    ref: str
    reason: Reason


class Watcher(Protocol):
    """Told of every change after it happened."""

    def item_changed(self, item: InventoryItem, before: int, change: Change) -> None: ...


class Inventory:
    """All inventory items of the site."""

    def __init__(
        self, stock: Stock, now: Callable[[], datetime], new_id: Guids, quirks: WixQuirks, watcher: Watcher
    ) -> None:
        self._stock = stock
        self._now = now
        self._new_id = new_id
        self._quirks = quirks
        self._watcher = watcher
        self._numbers = 0
        self.items: dict[str, InventoryItem] = {}
        self.by_variant: dict[str, list[InventoryItem]] = {}
        self.by_product: dict[str, list[InventoryItem]] = {}

    def open(self, variant: Variant, location_id: str, quantity: int) -> InventoryItem:
        """Begin to keep a variant at a location; an opening is no movement."""
        self._numbers += 1
        sellable = variant.sellable
        level = self._stock.connect(sellable.item_id, location_id, available=quantity)
        item = InventoryItem(
            id=self._new_id(),
            number=self._numbers,
            variant=variant,
            location_id=location_id,
            level=level,
            tracked=sellable.tracked,
            in_stock=True,
            preorder=Preorder(enabled=sellable.continue_selling),
            created_at=self._now(),
        )
        self.items[item.id] = item
        self.by_variant.setdefault(variant.variant_id, []).append(item)
        self.by_product.setdefault(variant.product.id, []).append(item)
        return item

    def close(self, item: InventoryItem) -> None:
        """The item is gone."""
        del self.items[item.id]
        self.by_variant[item.variant.variant_id].remove(item)
        self.by_product[item.variant.product.id].remove(item)

    def forget(self, variant: Variant) -> list[InventoryItem]:
        """A variant was deleted: its items go with it."""
        gone = [item for item in self.by_variant.get(variant.variant_id, []) if item.variant is variant]
        for item in gone:
            self.close(item)
        self._stock.forget_item(item_key(variant.product.id, variant.variant_id))
        return gone

    def at(self, variant: Variant, location_id: str) -> InventoryItem | None:
        for item in self.by_variant.get(variant.variant_id, []):
            if item.location_id == location_id and item.variant is variant:
                return item
        return None

    def tracked_items(self) -> Iterator[InventoryItem]:
        return (item for item in self.items.values() if item.tracked)

    def add(self, item: InventoryItem, delta: int, change: Change) -> None:
        """Change the quantity by a delta; whether it may is the caller's question."""
        before = item.quantity
        raises = self._quirks.w2_every_change_raises_revision or change.cause == "api"
        self._stock.move(
            item.level,
            change.cause,
            change.actor.name,
            change.ref,
            available=delta,
            revision=1 if raises else 0,
        )
        self._watcher.item_changed(item, before, change)

    def set(self, item: InventoryItem, quantity: int, change: Change) -> None:
        """Set the quantity; the item is tracked from now on. A set to the same value is a change as well."""
        self._track(item, True)
        self.add(item, quantity - item.quantity, change)

    def set_status(self, item: InventoryItem, in_stock: bool, change: Change) -> None:
        """In or out of stock without a count."""
        self._track(item, False)
        item.in_stock = in_stock
        self.add(item, 0, change)

    def available_to_sell(self, item: InventoryItem) -> int | None:
        """What the storefront shows; None: as many as one likes."""
        if not item.tracked:
            return None if item.in_stock else 0
        return None if item.preorder.enabled else max(0, item.quantity)

    def _track(self, item: InventoryItem, tracked: bool) -> None:
        item.tracked = tracked
        item.variant.sellable.tracked = tracked
