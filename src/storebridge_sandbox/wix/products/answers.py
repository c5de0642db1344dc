"""``/stores/v3/products`` and its read-only variants, and the catalogue's version."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.inventory.shape import ItemRow, availability
from storebridge_sandbox.wix.inventory.state import Inventory
from storebridge_sandbox.wix.products.shape import product_payload, read_only_variant
from storebridge_sandbox.wix.query import LISTS, ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.settings import CatalogVersion
from storebridge_sandbox.wix.shelf.state import Shelf, Variant
from storebridge_sandbox.wix.wire import application_error, millis, validation_error

READ = "SCOPE.STORES.PRODUCT_READ"
READ_ADMIN = "SCOPE.STORES.PRODUCT_READ_ADMIN"

PRODUCTS = Language(
    {
        "id": Field(lambda product: product.id),
        "handle": Field(lambda product: product.handle, "text", TEXT),
        "slug": Field(lambda product: product.slug),
        "visible": Field(lambda product: product.visible, "flag"),
        "createdDate": Field(lambda product: millis(product.created_at), "moment", ORDERING),
        "updatedDate": Field(lambda product: millis(product.updated_at), "moment", ORDERING),
        "options.id": Field(
            lambda product: {choice.option_id for variant in product.variants for choice in variant.choices},
            "list",
            LISTS,
        ),
    },
    tie=lambda product: product.number,
    default_limit=100,
    most=100,
)

VARIANTS = Language(
    {
        "id": Field(lambda variant: variant.variant_id),
        "variantId": Field(lambda variant: variant.variant_id),
        "productData.productId": Field(lambda variant: variant.product.id),
        "sku": Field(lambda variant: variant.sku, "text", TEXT, sortable=True),
        "barcode": Field(lambda variant: variant.barcode or None, "text", TEXT),
        "visible": Field(lambda variant: variant.visible, "flag"),
        "productData.visible": Field(lambda variant: variant.product.visible, "flag"),
        "productData.name": Field(lambda variant: variant.product.name, "text", TEXT, sortable=True),
    },
    tie=lambda variant: variant.number,
    default_limit=100,
    most=1000,
)


class ProductAnswers:
    """Answers about Catalog V3. Hidden products need a permission of their own."""

    def __init__(
        self,
        shelf: Shelf,
        inventory: Inventory,
        catalog: CatalogVersion,
        default_location: str,
        *,
        sees_hidden: bool,
    ) -> None:
        self._shelf = shelf
        self._inventory = inventory
        self._catalog = catalog
        self._default_location = default_location
        self._sees_hidden = sees_hidden

    def operations(self) -> list[Operation]:
        base = "/stores/v3/products"
        both = ("POST", "GET")
        return [
            Operation("getCatalogVersion", ("GET",), "/stores/v3/provision/version", self.version),
            Operation("queryProducts", both, f"{base}/query", self.query, READ, "v3", "query"),
            Operation("queryVariants", both, f"{base}/query-variants", self.variants, READ, "v3", "query"),
            Operation("getProduct", ("GET",), base + "/{productId}", self.get, READ, "v3", "get"),
        ]

    def version(self, _call: Call) -> dict[str, Any]:
        return {"catalogVersion": "V3_CATALOG" if self._catalog == "v3" else "V1_CATALOG"}

    def query(self, call: Call) -> dict[str, Any]:
        """Products without their variants."""
        page = PRODUCTS.page(
            PRODUCTS.read(call.part("query")),
            (product for product in self._shelf.products.values() if product.visible or self._sees_hidden),
        )
        fields = _fields(call)
        return {
            "products": [product_payload(product, self.status, fields, variants=False) for product in page.rows],
            "pagingMetadata": page.metadata(),
        }

    def get(self, call: Call) -> dict[str, Any]:
        product = self._shelf.products.get(call.params["productId"])
        if product is None or not (product.visible or self._sees_hidden):
            raise application_error(404, "PRODUCT_NOT_FOUND", f"Product {call.params['productId']!r} not found")
        return {"product": product_payload(product, self.status, _fields(call), variants=True)}

    def variants(self, call: Call) -> dict[str, Any]:
        page = VARIANTS.page(
            VARIANTS.read(call.part("query")),
            (variant for variant in self._shelf.variants() if variant.product.visible or self._sees_hidden),
        )
        fields = _fields(call)
        return {
            "variants": [read_only_variant(variant, self.status, fields) for variant in page.rows],
            "pagingMetadata": page.metadata(),
        }

    def status(self, variant: Variant) -> tuple[bool, bool]:
        """(in stock, preorder enabled) at the default location, which is all that products reflect."""
        item = self._inventory.at(variant, self._default_location)
        if item is None:
            return False, False
        return availability(ItemRow(item, item.level.now)) == "IN_STOCK", item.preorder.enabled


def _fields(call: Call) -> frozenset[str]:
    fields = call.arguments.get("fields") or []
    if isinstance(fields, str):
        fields = [fields]
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        raise validation_error("fields", "must be a list of field names", "FORMAT")
    return frozenset(fields)
