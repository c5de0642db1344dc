"""Variants and locations, as a vendor describes them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from storebridge.model.ids import ItemId, LocationId, ProductId, VariantId
from storebridge.model.money import Money


class Location(msgspec.Struct, frozen=True):
    """A place where one store counts stock."""

    location_id: LocationId
    name: str
    active: bool = True
    sells_online: bool = True
    """Whether the store's own checkout can sell from here (Wix: only the default location does)."""
    is_default: bool = False


class Variant(msgspec.Struct, frozen=True):
    """One sellable thing of one store, with what is needed to link and to watch it."""

    variant_id: VariantId
    product_id: ProductId
    item_id: ItemId
    product_title: str
    variant_title: str
    sku: str | None
    """As the vendor has it, stripped; None when blank."""
    barcode: str | None = None
    price: Money | None = None
    tracked: bool = True
    """Whether the store counts it at all; an untracked item never changes."""
    denies_oversell: bool = True
    """Whether the store refuses to sell it below zero (Shopify ``inventoryPolicy`` DENY)."""
    adjustable: bool = True
    """False for what the vendor derives itself (Shopify bundles: NON_MUTABLE_INVENTORY_ITEM)."""
    components: dict[str, int] = {}
    """Of what the vendor makes it up itself: units by SKU; empty for an ordinary variant."""
    collections: tuple[str, ...] | None = ()
    """Titles and handles of the collections that its product is in; a store may have told only the first fifty. None
    where it did not let them be read: what was known stays."""
    visible: bool = True
    updated_at: datetime | None = None
