"""What orders do to stock: at the default location only, once per order, back on request or failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from storebridge_sandbox.orders import OutOfStock, Sellable
from storebridge_sandbox.stock import Cause
from storebridge_sandbox.wix.identities import Actor, Reason
from storebridge_sandbox.wix.inventory.state import Change, Inventory, InventoryItem
from storebridge_sandbox.wix.orders.state import WixLine, WixOrder
from storebridge_sandbox.wix.shelf.state import Shelf, item_key


class Goods:
    """The site's stock as its orders see it. Shipping moves nothing."""

    def __init__(self, inventory: Inventory, shelf: Shelf, default_location: str) -> None:
        self._inventory = inventory
        self._shelf = shelf
        self.default_location = default_location
        self.is_guarded: Callable[[], bool] = lambda: False
        """Whether an app guards the checkout: what is sold without one goes past it."""

    def shown(self, sellable: Sellable) -> int | None:
        """What the storefront offers; None: as many as one likes."""
        item = self._item(sellable)
        return 0 if item is None else self._inventory.available_to_sell(item)

    def check_shown(self, wishes: Sequence[tuple[Sellable, int]]) -> None:
        """Raises OutOfStock for the first SKU that is not shown so often."""
        wanted: dict[str, int] = {}
        for sellable, quantity in wishes:
            wanted[sellable.item_id] = wanted.get(sellable.item_id, 0) + quantity
            shown = self.shown(sellable)
            if not sellable.for_sale or (shown is not None and wanted[sellable.item_id] > shown):
                raise OutOfStock(sellable.sku)

    def sellable(self, product_id: str, variant_id: str | None) -> Sellable | None:
        """The goods of a catalogue reference; without a variant the product's only one."""
        if variant_id is not None:
            variant = self._shelf.by_key.get(item_key(product_id, variant_id))
            return variant.sellable if variant else None
        product = self._shelf.products.get(product_id)
        if product is None or len(product.variants) != 1:
            return None
        return product.variants[0].sellable

    def take_order(self, order: WixOrder) -> None:
        """The order lowers stock now, once; copies that must not touch it never do."""
        if order.took or not order.takes_stock:
            return
        order.took = True
        for line in order.wix_lines():
            self.take(line, line.shown_quantity, "sale", order.buyer, order.id)

    def take(self, line: WixLine, quantity: int, cause: Cause, actor: Actor | None, ref: str) -> None:
        """Units are sold; the level may go below zero."""
        item = self._item(line.variant)
        if item is None or not item.tracked or actor is None or not quantity:
            return
        if item.preorder.enabled:
            item.preorder.counter += max(0, quantity - max(0, item.quantity))
        line.held += quantity
        self._inventory.add(item, -quantity, Change(cause, actor, ref, "ORDER"))

    def give_back(self, line: WixLine, quantity: int, cause: Cause, actor: Actor, ref: str) -> None:
        """Units can be sold again."""
        item = self._item(line.variant)
        if not quantity:
            return
        line.held = max(0, line.held - quantity)
        if item is not None and item.tracked:
            reason: Reason = "REVERT_INVENTORY_CHANGE"
            self._inventory.add(item, quantity, Change(cause, actor, ref, reason))

    def restockable(self, order: WixOrder, line: WixLine, quantity: int) -> int:
        """How many of these units a restock puts back: never more than were sold, and of the site's own orders never
        more than they took."""
        open_units = max(0, min(quantity, line.quantity - line.restocked))
        if not line.variant.item_id:
            return 0
        return min(open_units, line.held) if order.takes_stock else open_units

    def _item(self, sellable: Sellable) -> InventoryItem | None:
        variant = self._shelf.by_key.get(sellable.item_id)
        return None if variant is None else self._inventory.at(variant, self.default_location)
