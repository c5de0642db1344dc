"""``/stores/v3/products-with-inventory`` and the bulk calls on products: each row with its own result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix import bulk
from storebridge_sandbox.wix.calls import Call, Handler, Operation
from storebridge_sandbox.wix.inventory.items import InventoryAnswers, api_change, apply_update, check_values, written
from storebridge_sandbox.wix.inventory.state import Change, Inventory, InventoryItem
from storebridge_sandbox.wix.products.answers import (
    PRODUCT_PACKAGE,
    WRITE,
    ProductAnswers,
    ProductWrites,
    modified_of,
)
from storebridge_sandbox.wix.products.drafts import Draft, Drafting, VariantDraft
from storebridge_sandbox.wix.products.workshop import Workshop
from storebridge_sandbox.wix.shelf.state import Product
from storebridge_sandbox.wix.wire import WixRefusal, application_error, broken_rule, validation_error

STOCKED = "/stores/v3/products-with-inventory"
BULK = "/stores/v3/bulk/products"
BULK_STOCKED = "/stores/v3/bulk/products-with-inventory"
MOST = 100

Told = dict[str, Any]
Row = dict[str, Any]


class StockedProductAnswers:
    """Products together with the stock of their variants at the default location, one or many."""

    def __init__(
        self,
        reads: ProductAnswers,
        writes: ProductWrites,
        drafting: Drafting,
        workshop: Workshop,
        inventory: Inventory,
        items: InventoryAnswers,
        default_location: str,
    ) -> None:
        self._reads = reads
        self._writes = writes
        self._drafting = drafting
        self._workshop = workshop
        self._inventory = inventory
        self._items = items
        self._default_location = default_location

    def operations(self) -> list[Operation]:
        def write(name: str, method: str, path: str, handler: Handler, message: str) -> Operation:
            takes = f"{PRODUCT_PACKAGE}:{message}Request"
            return Operation(name, (method,), path, handler, WRITE, "v3", takes=takes)

        one = STOCKED + "/{productId}"
        return [
            write("createProductWithInventory", "POST", STOCKED, self.create, "CreateProductWithInventory"),
            write("updateProductWithInventory", "PATCH", one, self.update, "UpdateProductWithInventory"),
            write("bulkCreateProducts", "POST", f"{BULK}/create", self.create_many, "BulkCreateProducts"),
            write("bulkUpdateProducts", "POST", f"{BULK}/update", self.update_many, "BulkUpdateProducts"),
            write("bulkDeleteProducts", "POST", f"{BULK}/delete", self.delete_many, "V3BulkDeleteProducts"),
            write(
                "bulkCreateProductsWithInventory",
                "POST",
                f"{BULK_STOCKED}/create",
                self.create_many_stocked,
                "BulkCreateProductsWithInventory",
            ),
            write(
                "bulkUpdateProductsWithInventory",
                "POST",
                f"{BULK_STOCKED}/update",
                self.update_many_stocked,
                "BulkUpdateProductsWithInventory",
            ),
        ]

    def create(self, call: Call) -> Told:
        fields = self._reads.fields(call)
        results: list[Row] = []
        product = self._created(call.part("product"), call, results)
        return {"product": self._reads.told(product, fields), "inventoryResults": _stock_told(results)}

    def update(self, call: Call) -> Told:
        fields = self._reads.fields(call)
        results: list[Row] = []
        product = self._updated(call.params["productId"], call.part("product"), call, results)
        return {"product": self._reads.told(product, fields), "inventoryResults": _stock_told(results)}

    def create_many(self, call: Call) -> Told:
        return self._each(call, lambda row: self._created(row, call, None), _plain(call))

    def update_many(self, call: Call) -> Told:
        return self._each(call, lambda row: self._updated(str(row.get("id")), row, call, None), _masked(call))

    def create_many_stocked(self, call: Call) -> Told:
        results: list[Row] = []
        told = self._each(call, lambda row: self._created(row, call, results), _plain(call))
        return {"productResults": told, "inventoryResults": _stock_told(results)}

    def update_many_stocked(self, call: Call) -> Told:
        results: list[Row] = []
        told = self._each(call, lambda row: self._updated(str(row.get("id")), row, call, results), _masked(call))
        return {"productResults": told, "inventoryResults": _stock_told(results)}

    def delete_many(self, call: Call) -> Told:
        ids = call.arguments["productIds"]
        _check_no_repeats(ids, "productIds")
        change = api_change(call)

        def apply(product_id: str) -> Row:
            self._workshop.delete(self._writes.find(product_id), change)
            call.wrote = True
            return {"id": product_id}

        return bulk.carry_out(ids, apply, str)

    def _each(self, call: Call, work: Callable[[Row], Product], rows: list[Row]) -> Told:
        fields, wants_entity = self._reads.fields(call), call.flag("returnEntity")

        def apply(row: Row) -> Row:
            product = work(row)
            return {"id": product.id, "item": self._reads.told(product, fields)} if wants_entity else {"id": product.id}

        return bulk.carry_out(rows, apply, lambda row: str(row.get("id") or ""))

    def _created(self, asked: Row, call: Call, results: list[Row] | None) -> Product:
        draft = self._drafting.for_creation(asked)
        if results is not None:
            _check_quantities(draft)
        product = self._workshop.create(draft, call.actor)
        call.wrote = True
        self._stock(draft, call, results)
        return product

    def _updated(self, product_id: str, asked: Row, call: Call, results: list[Row] | None) -> Product:
        product = self._writes.guarded(product_id, asked)
        draft = self._drafting.for_update(asked, product)
        self._workshop.update(product, draft, modified_of(asked), api_change(call))
        call.wrote = True
        self._stock(draft, call, results)
        return product

    # -- stock ---------------------------------------------------------------------------------------------

    def _stock(self, draft: Draft, call: Call, results: list[Row] | None) -> None:
        """One result per variant that came with stock; a refused one leaves the product and the others."""
        if results is None:
            return
        change, wants_entity = api_change(call), call.flag("returnEntity")
        for variant in draft.variants or []:
            if variant.inventory is None:
                continue
            number = len(results)
            try:
                item = self._stocked(variant, variant.inventory, change)
            except WixRefusal as refusal:
                results.append(bulk.failed(number, str(variant.inventory.get("id") or ""), refusal))
            else:
                more = {"item": written(call, item)} if wants_entity else {}
                results.append(bulk.succeeded(number, item.id, **more))

    def _stocked(self, draft: VariantDraft, asked: Row, change: Change) -> InventoryItem:
        """With an id an existing item is set, guarded by its revision; without one a new item is made."""
        variant = draft.existing
        if variant is None:
            raise application_error(404, "NOT_FOUND", "The variant was not found")
        if not asked.get("id"):
            keys = {
                "variantId": variant.variant_id,
                "productId": variant.product.id,
                "locationId": self._default_location,
            }
            return self._items.opened({**asked, **keys}, "inventoryItem", change)
        item = self._inventory.items.get(asked["id"])
        if item is None or item.variant is not variant:
            raise application_error(404, "NOT_FOUND", f"The variant has no inventory item {asked['id']!r}")
        check_values(asked, "inventoryItem")
        self._items.check(item, asked)
        apply_update(self._inventory, item, asked, change)
        return item


def _plain(call: Call) -> list[Row]:
    return call.rows("products", MOST)


def _masked(call: Call) -> list[Row]:
    rows = [row.get("product") for row in call.rows("products", MOST)]
    found = [row for row in rows if isinstance(row, dict)]
    if len(found) < len(rows):
        raise validation_error("products.product", "must not be empty", "REQUIRED_FIELD")
    _check_no_repeats([str(row.get("id")) for row in found], "products")
    return found


def _check_no_repeats(ids: list[str], name: str) -> None:
    if len(set(ids)) < len(ids):
        raise broken_rule(name, "DUPLICATE_PRODUCT_IDS_REQUEST", "name a product twice")


def _check_quantities(draft: Draft) -> None:
    for variant in draft.variants or []:
        if ((variant.inventory or {}).get("quantity") or 0) < 0:
            raise broken_rule(
                "product.variantsInfo.variants.inventoryItem.quantity",
                "REQUESTED_QUANTITY_MUST_BE_NON_NEGATIVE",
                "must not be negative",
            )


def _stock_told(results: list[Row]) -> Told:
    return {"results": results, "bulkActionMetadata": bulk.summary(results)}
