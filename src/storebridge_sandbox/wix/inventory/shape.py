"""How an inventory item reads in answers and webhooks, and which of its fields can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storebridge_sandbox.stock import Snapshot
from storebridge_sandbox.wix.inventory.state import InventoryItem, Preorder, revision_of
from storebridge_sandbox.wix.query import EQUALITY, LISTS, ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.wire import millis, wix_date


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as it stood at some moment."""

    item: InventoryItem
    at: Snapshot

    @property
    def quantity(self) -> int | None:
        return self.at.quantity("available") if self.item.tracked else None

    @property
    def updated_at(self) -> datetime:
        """The last change of any kind, or of those that count (W16)."""
        return self.at.changed.get("touched", self.at.since)


def availability(row: ItemRow) -> str:
    """OUT_OF_STOCK, IN_STOCK or PREORDER."""
    quantity = row.quantity
    if row.item.in_stock if quantity is None else quantity > 0:
        return "IN_STOCK"
    return "PREORDER" if row.item.preorder.enabled else "OUT_OF_STOCK"


def item_payload(row: ItemRow) -> dict[str, Any]:
    """The InventoryItem message."""
    item = row.item
    variant = item.variant
    product: dict[str, Any] = {
        "name": variant.product.name,
        "directCategoryIds": [],
        "variantSku": variant.sku,
    }
    product["variantVisible"] = variant.visible
    if variant.choices:
        product["variantName"] = variant.name
    told = {
        "id": item.id,
        "revision": str(revision_of(row.at)),
        "createdDate": wix_date(item.created_at),
        "updatedDate": wix_date(row.updated_at),
        "variantId": variant.variant_id,
        "locationId": item.location_id,
        "productId": variant.product.id,
        "trackQuantity": item.tracked,
        "availabilityStatus": availability(row),
        "preorderInfo": _preorder(item.preorder, item.tracked),
        "product": product,
    }
    extended = item.extended_at(row.at)
    if extended:
        told["extendedFields"] = {"namespaces": extended}
    if item.tracked:
        told["quantity"] = row.quantity
    else:
        told["inStock"] = item.in_stock
    return told


def _preorder(preorder: Preorder, tracked: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"enabled": preorder.enabled}
    if preorder.message:
        told["message"] = preorder.message
    if preorder.enabled and tracked:
        told["limit"] = preorder.limit
        told["counter"] = preorder.counter
        told["quantity"] = max(0, preorder.limit - preorder.counter)
    return told


def _in_stock(row: ItemRow) -> bool:
    return availability(row) == "IN_STOCK"


FIELDS: dict[str, Field] = {
    "id": Field(lambda row: row.item.id),
    "locationId": Field(lambda row: row.item.location_id),
    "variantId": Field(lambda row: row.item.variant.variant_id),
    "productId": Field(lambda row: row.item.variant.product.id, "text", TEXT, sortable=True),
    "createdDate": Field(lambda row: millis(row.item.created_at), "moment", ORDERING, sortable=True),
    "updatedDate": Field(lambda row: millis(row.updated_at), "moment", ORDERING, sortable=True),
    "availabilityStatus": Field(availability, "text", EQUALITY, sortable=True),
    "inStock": Field(_in_stock, "flag", EQUALITY, sortable=True),
    "preorderInfo.enabled": Field(lambda row: row.item.preorder.enabled, "flag", EQUALITY, sortable=True),
    "product.name": Field(lambda row: row.item.variant.product.name, "text", TEXT, sortable=True),
    "product.variantName": Field(lambda row: row.item.variant.name or None, "text", TEXT, sortable=True),
    "product.variantSku": Field(lambda row: row.item.variant.sku, "text", TEXT, sortable=True),
    "product.variantBarcode": Field(lambda row: row.item.variant.barcode or None, "text", TEXT, sortable=True),
    "product.directCategoryIds": Field(lambda _row: (), "list", LISTS),
    "quantity": Field(lambda row: row.quantity, "number", ORDERING, sortable=True),
    "trackQuantity": Field(lambda row: row.item.tracked, "flag", EQUALITY, sortable=True),
}

LANGUAGE = Language(FIELDS, tie=lambda row: row.item.number, default_limit=100, most=1000)
SEARCH = Language(
    FIELDS,
    tie=lambda row: row.item.number,
    default_limit=100,
    most=1000,
    name="search",
    searchable=("product.name", "product.variantName", "product.variantSku"),
)
