"""Inventory items: one variant at one location, with a revision that says how often it changed.

The revision lies in the book of stock beside the quantity, so that a lagging read shows a pair that once was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from storebridge_sandbox.rows_in_order import RowsInOrder
from storebridge_sandbox.stock import Cause, Level, Snapshot, Stock
from storebridge_sandbox.wix.identities import Actor, Guids, Reason
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.shelf.state import Variant

LOWEST = -99_999
HIGHEST = 99_999
PREORDER_LIMIT = 100_000
EARLIER_FIELDS = 64
"""So many earlier states of apps' own fields can be shown by a lagging read."""


@dataclass(slots=True)
class Preorder:
    """Selling beyond the stock; ``counter`` is how many were promised that way."""

    enabled: bool = False
    message: str | None = None
    limit: int = PREORDER_LIMIT
    counter: int = 0


@dataclass(slots=True)
class Terms:
    """How a new item is kept; the quantity counts only while tracked, ``in_stock`` only while not."""

    tracked: bool
    in_stock: bool
    preorder: Preorder


@dataclass(slots=True)
class InventoryItem:
    """``in_stock`` counts only while ``tracked`` is false.

    ``extended`` are apps' own fields by namespace, as they were and as they are: the level's state ``extended`` says
    which of them belong to a snapshot.
    """

    id: str
    number: int
    variant: Variant
    location_id: str
    level: Level
    tracked: bool
    in_stock: bool
    preorder: Preorder
    created_at: datetime
    extended: list[dict[str, Any]] = field(default_factory=lambda: [{}])

    @property
    def quantity(self) -> int:
        return self.level.available

    @property
    def revision(self) -> int:
        return revision_of(self.level.now)

    def extended_at(self, snapshot: Snapshot) -> dict[str, Any]:
        """Apps' own fields as they stood, by namespace."""
        return self.extended[snapshot.quantities.get("extended", 0)]


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

    def item_opened(self, item: InventoryItem, actor: Actor) -> None: ...

    def item_closed(self, item: InventoryItem, actor: Actor) -> None: ...


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
        self.extended_fields = quirks.w34_extended_fields
        """W34, as it is now: a person may add the extension while the site runs."""
        self.items: dict[str, InventoryItem] = {}
        self.by_variant: dict[str, list[InventoryItem]] = {}
        self.by_product: dict[str, list[InventoryItem]] = {}
        self.in_order = RowsInOrder(self.items, lambda name: (self.items[name].number, 0), self.items.__getitem__)

    def open(self, variant: Variant, location_id: str, quantity: int) -> InventoryItem:
        """Begin to keep a variant at a location; an opening is no movement."""
        sellable = variant.sellable
        terms = Terms(sellable.tracked, True, Preorder(enabled=sellable.continue_selling))
        return self._keep(variant, location_id, quantity, terms)

    def create(self, variant: Variant, location_id: str, quantity: int, terms: Terms, change: Change) -> InventoryItem:
        """The same at run time: units that appear are a movement."""
        item = self._keep(variant, location_id, 0, terms)
        if quantity:
            self._stock.move(item.level, change.cause, change.actor.name, change.ref, available=quantity)
        variant.sellable.tracked = terms.tracked
        self._watcher.item_opened(item, change.actor)
        return item

    def _keep(self, variant: Variant, location_id: str, quantity: int, terms: Terms) -> InventoryItem:
        self._numbers += 1
        level = self._stock.connect(variant.sellable.item_id, location_id, available=quantity)
        item = InventoryItem(
            id=self._new_id(),
            number=self._numbers,
            variant=variant,
            location_id=location_id,
            level=level,
            tracked=terms.tracked,
            in_stock=terms.in_stock,
            preorder=terms.preorder,
            created_at=self._now(),
        )
        if not self._quirks.w16_sales_touch_updated_date:
            self._stock.move(level, "manual", "", "", touched=1)
        self.items[item.id] = item
        self.by_variant.setdefault(variant.variant_id, []).append(item)
        self.by_product.setdefault(variant.product.id, []).append(item)
        return item

    def delete(self, item: InventoryItem, change: Change) -> None:
        """The item and its level are gone; units that were there are a movement."""
        if item.quantity:
            self._stock.move(item.level, change.cause, change.actor.name, change.ref, available=-item.quantity)
        self.close(item)
        self._stock.drop(item.level)
        self._watcher.item_closed(item, change.actor)

    def close(self, item: InventoryItem) -> None:
        """The item is gone."""
        del self.items[item.id]
        self.by_variant[item.variant.variant_id].remove(item)
        self.by_product[item.variant.product.id].remove(item)

    def forget(self, variant: Variant, change: Change) -> None:
        """A variant was deleted: its items go with it."""
        for item in [item for item in self.by_variant.get(variant.variant_id, []) if item.variant is variant]:
            self.delete(item, change)

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
        if change.cause != "api" and self.extended_fields == "cleared_by_sales":
            self.extend(item, {})
        raises = self._quirks.w2_every_change_raises_revision or change.cause == "api"
        touches = not self._quirks.w16_sales_touch_updated_date and change.reason != "ORDER"
        self._stock.move(
            item.level,
            change.cause,
            change.actor.name,
            change.ref,
            available=delta,
            revision=1 if raises else 0,
            touched=1 if touches else 0,
        )
        self._watcher.item_changed(item, before, change)

    def set(self, item: InventoryItem, quantity: int, change: Change) -> None:
        """Set the quantity; the item is tracked from now on. A set to the same value is a change as well."""
        self.track(item, True)
        self.add(item, quantity - item.quantity, change)

    def extend(self, item: InventoryItem, namespaces: dict[str, Any]) -> None:
        """Apps' own fields are these from now on; what they were is kept only as long as a lagging read may show it."""
        if item.extended_at(item.level.now) == namespaces or self.extended_fields == "dropped":
            return
        item.extended.append(namespaces)
        if len(item.extended) > EARLIER_FIELDS:
            item.extended[-EARLIER_FIELDS - 1] = {}
        self._stock.move(item.level, "api", "", "", extended=len(item.extended) - 1 - self._extended(item))

    def _extended(self, item: InventoryItem) -> int:
        return item.level.now.quantities.get("extended", 0)

    def set_status(self, item: InventoryItem, in_stock: bool, change: Change) -> None:
        """In or out of stock without a count."""
        self.track(item, False)
        item.in_stock = in_stock
        self.add(item, 0, change)

    def start_tracking(self, item: InventoryItem) -> None:
        """Count from now on; it begins with what the counter last held."""
        self.track(item, True)

    def available_to_sell(self, item: InventoryItem) -> int | None:
        """What the storefront shows; None: as many as one likes."""
        if not item.tracked:
            return None if item.in_stock else 0
        if item.preorder.enabled:
            return None
        lag = self._quirks.w13_storefront_lag_ms
        shown = item.level.as_of(self._now() - timedelta(milliseconds=lag)).quantity("available") if lag else 0
        return max(0, item.quantity, shown)

    def track(self, item: InventoryItem, tracked: bool) -> None:
        """Count, or go by a status; no change of the level."""
        item.tracked = tracked
        item.variant.sellable.tracked = tracked
