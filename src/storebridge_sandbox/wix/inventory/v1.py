"""Inventory of a site with Catalog V1: one row per product, no revision, no locations; filters are JSON in a
string."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.inventory.state import Inventory, InventoryItem
from storebridge_sandbox.wix.query import ORDERING, Field, Language, Question
from storebridge_sandbox.wix.query_v1 import page_metadata, read_legacy
from storebridge_sandbox.wix.shelf.state import Product, Shelf
from storebridge_sandbox.wix.wire import application_error, wix_date

READ = "SCOPE.DC-STORES.READ-PRODUCTS"
READER = "/stores-reader/v2/inventoryItems"
QUERY = "stores_inventory:QueryInventoryRequest"
GET = "stores_inventory:GetInventoryVariantsRequest"
ALL_ONES = (1 << 128) - 1


def inventory_id(product_id: str) -> str:
    """The row's own id: the product's GUID with every bit turned over, so one leads to the other."""
    return str(UUID(int=UUID(product_id).int ^ ALL_ONES))


@dataclass(frozen=True, slots=True)
class StockRow:
    """All variants of a product at the only place there is."""

    product: Product
    items: list[InventoryItem]


LANGUAGE = Language(
    {
        "id": Field(lambda row: inventory_id(row.product.id)),
        "productId": Field(lambda row: row.product.id),
        "externalId": Field(lambda row: row.product.id),
        "numericId": Field(lambda row: str(row.product.number), "text", ORDERING, sortable=True),
    },
    tie=lambda row: row.product.number,
    default_limit=100,
    most=100,
)


class InventoryAnswersV1:
    """Answers about stock on a V1 site."""

    def __init__(self, inventory: Inventory, shelf: Shelf) -> None:
        self._inventory = inventory
        self._shelf = shelf

    def operations(self) -> list[Operation]:
        one = READER + "/{inventoryId}/getVariants"
        by_product = READER + "/product/{productId}/getVariants"
        return [
            Operation("queryInventoryV2", ("POST",), f"{READER}/query", self.query, READ, "v1", "query", takes=QUERY),
            Operation(
                "queryInventoryV2",
                ("POST",),
                "/stores/v2/inventoryItems/query",
                self.query,
                READ,
                "v1",
                "query",
                takes=QUERY,
            ),
            Operation("getInventoryVariants", ("POST",), by_product, self.get, READ, "v1", "get"),
            Operation("getInventoryVariants", ("POST",), one, self.get, READ, "v1", "get", takes=GET),
        ]

    def query(self, call: Call) -> dict[str, Any]:
        question = read_legacy(LANGUAGE, call.part("query"))
        page = LANGUAGE.page(question, (self._row(product) for product in self._candidates(question)))
        told = [stock_payload(row, call.read_moment) for row in page.rows]
        return {"inventoryItems": told, **page_metadata(page, question)}

    def get(self, call: Call) -> dict[str, Any]:
        product = self.product_of(call.params)
        wanted = call.arguments.get("variantIds") or ()
        row = self._row(product)
        if wanted:
            row = StockRow(product, [item for item in row.items if item.variant.variant_id in wanted])
        return {"inventoryItem": stock_payload(row, call.get_moment)}

    def product_of(self, named: Mapping[str, Any]) -> Product:
        """The product that a row or a path names by its own id or by its inventory's; raises WixRefusal (404)."""
        product_id = named.get("productId") or named.get("externalId")
        if product_id is None and named.get("inventoryId"):
            try:
                product_id = inventory_id(str(named["inventoryId"]))
            except ValueError:
                product_id = ""
        product = self._shelf.products.get(str(product_id))
        if product is None:
            name = named.get("inventoryId") or named.get("productId") or ""
            raise application_error(404, "NOT_FOUND", f"Inventory item {name!r} was not found")
        return product

    def _row(self, product: Product) -> StockRow:
        return StockRow(product, self._inventory.by_product.get(product.id, []))

    def _candidates(self, question: Question) -> Iterable[Product]:
        wanted = question.wanted.get("productId")
        if wanted is None:
            return self._shelf.products.values()
        found = (self._shelf.products.get(str(one)) for one in dict.fromkeys(wanted))
        return [product for product in found if product is not None]


def stock_payload(row: StockRow, moment: datetime | None) -> dict[str, Any]:
    """The InventoryItemV2 message; whether quantities are tracked is a matter of the product."""
    tracked = any(item.tracked for item in row.items)
    changed = [item.level.as_of(moment).since for item in row.items]
    return {
        "id": inventory_id(row.product.id),
        "externalId": row.product.id,
        "productId": row.product.id,
        "trackQuantity": tracked,
        "variants": [_variant(item, tracked, moment) for item in row.items],
        "lastUpdated": wix_date(max(changed, default=row.product.updated_at)),
        "numericId": str(row.product.number),
        "preorderInfo": {"enabled": any(item.preorder.enabled for item in row.items)},
    }


def _variant(item: InventoryItem, tracked: bool, moment: datetime | None) -> dict[str, Any]:
    quantity = item.level.as_of(moment).quantity("available")
    told: dict[str, Any] = {
        "variantId": item.variant.variant_id,
        "inStock": quantity > 0 if tracked else item.in_stock,
        "availableForPreorder": item.preorder.enabled,
    }
    if tracked:
        told["quantity"] = quantity
    return told
