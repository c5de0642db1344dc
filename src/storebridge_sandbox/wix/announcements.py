"""Which events follow from what happened to goods, per catalogue version."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.generation import CatalogGeneration
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.inventory.shape import ItemRow, item_payload
from storebridge_sandbox.wix.inventory.state import Change, InventoryItem
from storebridge_sandbox.wix.inventory.v1 import inventory_id
from storebridge_sandbox.wix.notices import Notices
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.wire import wix_date

ITEM = "wix.stores.catalog.v3.inventory_item"
VARIANTS_V1 = "com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged"


class Announcements:
    """Sends the events about goods; a catalogue version fires only its own."""

    def __init__(self, notices: Notices, generation: CatalogGeneration, quirks: WixQuirks) -> None:
        self._notices = notices
        self._generation = generation
        self._quirks = quirks

    # -- goods ---------------------------------------------------------------------------------------------

    def item_opened(self, item: InventoryItem, actor: Actor) -> None:
        if self._generation.now == "v3" and self._notices.wants(f"{ITEM}_created"):
            self._notices.created(f"{ITEM}_created", _item(item), actor)

    def item_closed(self, item: InventoryItem, actor: Actor) -> None:
        """An item is no longer kept."""
        if self._generation.now == "v3" and self._notices.wants(f"{ITEM}_deleted"):
            self._notices.deleted(f"{ITEM}_deleted", _item(item), actor)

    def item_changed(self, item: InventoryItem, before: int, change: Change) -> None:
        """Told by the inventory after each change."""
        if self._generation.now == "v1":
            self._variants_changed(item, before, change)
            return
        actor = change.actor
        if self._notices.wants(f"{ITEM}_updated"):
            self._notices.updated(f"{ITEM}_updated", _item(item), actor)
        if self._notices.wants(f"{ITEM}_updated_with_reason"):
            told: dict[str, Any] = {"currentEntity": _item(item), "reason": change.reason}
            if self._quirks.w22_names_the_app and actor.app_id is not None:
                told["appId"] = actor.app_id
            self._notices.acted(f"{ITEM}_updated_with_reason", item.id, told, actor)
        in_stock = item.quantity > 0
        if item.tracked and in_stock != (before > 0) and self._notices.wants(f"{ITEM}_stock_status_updated"):
            self._notices.acted(f"{ITEM}_stock_status_updated", item.id, {"inStock": in_stock}, actor)

    def location(self, slug: str, location: dict[str, Any], actor: Actor) -> None:
        """A place of the business was ``created`` or ``updated``."""
        tell = self._notices.created if slug == "created" else self._notices.updated
        tell(f"wix.locations.v1.location_{slug}", location, actor)

    def _variants_changed(self, item: InventoryItem, before: int, change: Change) -> None:
        product_id = item.variant.product.id
        moved = {
            "id": item.variant.variant_id,
            "oldValue": {"quantity": before, "inStock": before > 0},
            "newValue": {"quantity": item.quantity, "inStock": item.quantity > 0},
        }
        body = {
            "inventoryItemId": inventory_id(product_id),
            "externalId": product_id,
            "productId": product_id,
            "variants": [moved],
            "updatedDate": wix_date(item.level.updated_at),
        }
        self._notices.flat(VARIANTS_V1, body, change.actor)


def _item(item: InventoryItem) -> dict[str, Any]:
    return item_payload(ItemRow(item, item.level.now))
