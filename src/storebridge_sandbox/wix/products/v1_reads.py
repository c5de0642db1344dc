"""``/stores-reader/v1``: reading Catalog V1. Filters and sorts are JSON inside strings, except where the vendor's
packages ask at an address of their own (``query-platformized``) or for variants of the whole store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.inventory.state import Inventory, InventoryItem
from storebridge_sandbox.wix.products.v1_shape import (
    choices_of,
    options_payload,
    price_payload,
    product_payload_v1,
    store_variant_id,
    store_variant_payload,
    variant_payload,
    variant_stock,
)
from storebridge_sandbox.wix.query import ORDERING, TEXT, Field, Language, Page, Question
from storebridge_sandbox.wix.query_v1 import page_metadata, read_legacy
from storebridge_sandbox.wix.shelf.categories import Categories
from storebridge_sandbox.wix.shelf.state import Product, Shelf, Variant
from storebridge_sandbox.wix.wire import WixRefusal, application_error, millis

READ = "SCOPE.DC-STORES.READ-PRODUCTS"
MANAGE = "SCOPE.DC-STORES.MANAGE-PRODUCTS"
READER = "/stores-reader/v1"
PACKAGE = "stores_products"

Told = dict[str, Any]

LANGUAGE = Language(
    {
        "id": Field(lambda product: product.id),
        "name": Field(lambda product: product.name, "text", TEXT, sortable=True),
        "slug": Field(lambda product: product.slug, "text", TEXT, sortable=True),
        "visible": Field(lambda product: product.visible, "flag"),
        "productType": Field(lambda _product: "physical"),
        "sku": Field(lambda product: product.variants[0].sku or None, "text", TEXT, sortable=True),
        "price": Field(lambda product: float(product.variants[0].price), "number", ORDERING, sortable=True),
        "priceData.price": Field(lambda product: float(product.variants[0].price), "number", ORDERING, sortable=True),
        "brand": Field(lambda product: product.brand or None, "text", TEXT),
        "numericId": Field(lambda product: str(product.number), "text", ORDERING, sortable=True),
        "lastUpdated": Field(lambda product: millis(product.updated_at), "moment", ORDERING, sortable=True),
        "createdDate": Field(lambda product: millis(product.created_at), "moment", ORDERING, sortable=True),
    },
    tie=lambda product: product.number,
    default_limit=100,
    most=100,
)
STORE_VARIANTS = Language(
    {
        "id": Field(store_variant_id),
        "variantId": Field(lambda variant: variant.variant_id),
        "productId": Field(lambda variant: variant.product.id),
        "sku": Field(lambda variant: variant.sku or None, "text", TEXT, sortable=True),
        "productName": Field(lambda variant: variant.product.name, "text", TEXT, sortable=True),
        "managedVariant": Field(lambda variant: variant.product.manages_variants, "flag"),
    },
    tie=lambda variant: variant.number,
    default_limit=100,
    most=100,
)


class ProductReadsV1:
    """Answers about products on a V1 site. ``may`` tells whether a permission was granted."""

    def __init__(
        self,
        shelf: Shelf,
        inventory: Inventory,
        default_location: str,
        categories: Categories,
        may: Callable[[str], bool],
    ) -> None:
        self._shelf = shelf
        self._inventory = inventory
        self._default_location = default_location
        self._categories = categories
        self._may = may

    def operations(self) -> list[Operation]:
        products, one = f"{READER}/products", READER + "/products/{id}"

        def read(
            name: str, method: str, path: str, handler: Handler, message: str, lag: Lag = "query", *, also_get: str = ""
        ) -> Operation:
            methods = (method, also_get) if also_get else (method,)
            return Operation(name, methods, path, handler, READ, "v1", lag, takes=f"{PACKAGE}:{message}Request")

        return [
            read("queryProductsV1", "POST", f"{products}/query", self.query, "QueryProducts"),
            read(
                "queryProductsPlatformized",
                "GET",
                f"{products}/query-platformized",
                self.query_platformized,
                "QueryProductsPlatformized",
                also_get="POST",
            ),
            read("queryStoreVariants", "POST", f"{READER}/variants/query", self.store_variants, "QueryStoreVariants"),
            read("getStoreVariant", "GET", READER + "/variants/{id}", self.store_variant, "GetStoreVariant", "get"),
            read("queryProductVariants", "POST", f"{one}/variants/query", self.variants, "QueryProductVariants"),
            read(
                "getProductOptionsAvailability",
                "POST",
                f"{one}/productOptionsAvailability",
                self.availability,
                "ProductOptionsAvailability",
            ),
            read("getProductV1", "GET", one, self.get, "GetProduct", "get", also_get="POST"),
        ]

    def query(self, call: Call) -> Told:
        """Hidden products come only when asked for, and only for who may manage products."""
        hidden = call.flag("includeHiddenProducts")
        if hidden and not self._may(MANAGE):
            raise application_error(403, "PERMISSION_DENIED", f"Permission denied: {MANAGE} is missing")
        question = read_legacy(LANGUAGE, call.part("query"))
        page = self._page(question, call, hidden=hidden)
        told = [self._told(product, call, variants=call.flag("includeVariants")) for product in page.rows]
        return {"products": told, **page_metadata(page, question)}

    def query_platformized(self, call: Call) -> Told:
        """The query of the vendor's packages: the newer language, by offset or by cursor."""
        question = LANGUAGE.read(call.part("query"))
        page = self._page(question, call, hidden=self._may(MANAGE))
        return {
            "products": [self._told(product, call, variants=True) for product in page.rows],
            "metadata": _metadata(page, question, call.part("query")),
        }

    def get(self, call: Call) -> Told:
        return {"product": self._told(self.find(call.params["id"]), call, variants=True)}

    def variants(self, call: Call) -> Told:
        """Variants of one product, by choices or by ids."""
        product = self.find(call.params["id"])
        paging = call.part("paging")
        offset, limit = paging.get("offset") or 0, paging.get("limit") or 100
        found = chosen(product, call.arguments.get("choices"), call.arguments.get("variantIds"))
        return {
            "variants": [variant_payload(one, self.item) for one in found[offset : offset + limit]],
            "metadata": {"items": limit, "offset": offset},
            "totalResults": len(found),
        }

    def store_variants(self, call: Call) -> Told:
        question = STORE_VARIANTS.read(call.part("query"))
        page = STORE_VARIANTS.page(question, self._seen_variants(call))
        return {
            "variants": [self._store_variant(variant) for variant in page.rows],
            "metadata": _metadata(page, question, call.part("query")),
        }

    def store_variant(self, call: Call) -> Told:
        """Both spellings of the id are understood."""
        wanted = call.params["id"]
        for variant in self._shelf.variants():
            if wanted in (store_variant_id(variant), f"{variant.product.id}-{variant.variant_id}"):
                return {"variant": self._store_variant(variant)}
        raise application_error(404, "VARIANT_NOT_FOUND", f"Variant {wanted!r} not found")

    def availability(self, call: Call) -> Told:
        """What can still be chosen, and the variant when everything is."""
        product = self.find(call.params["id"])
        found = chosen(product, call.part("options"), None)
        told: Told = {"productOptions": options_payload(product, self.item), "availableForPurchase": False}
        if len(found) == 1:
            stock = variant_stock(self.item(found[0]))
            told["availableForPurchase"] = bool(stock["inStock"] and found[0].visible)
            told["selectedVariant"] = {
                "price": price_payload(found[0]),
                "weight": found[0].weight,
                "sku": found[0].sku,
                "visible": found[0].visible,
                "inStock": stock["inStock"],
            }
        return told

    def find(self, product_id: str) -> Product:
        """Raises WixRefusal (404)."""
        product = self._shelf.products.get(product_id)
        if product is None:
            raise missing_v1(product_id)
        return product

    def item(self, variant: Variant) -> InventoryItem | None:
        return self._inventory.at(variant, self._default_location)

    def _told(self, product: Product, call: Call, *, variants: bool) -> Told:
        costs = call.flag("includeMerchantSpecificData") and self._may(MANAGE)
        return self.told(product, variants=variants, costs=costs)

    def told(self, product: Product, *, variants: bool = True, costs: bool = True) -> Told:
        collections = self._categories.ids_v1(product.id)
        return product_payload_v1(product, self.item, variants=variants, costs=costs, collections=collections)

    def _store_variant(self, variant: Variant) -> Told:
        return store_variant_payload(variant, self.item, self._categories.ids_v1(variant.product.id))

    def _page(self, question: Question, call: Call, *, hidden: bool) -> Page:
        return LANGUAGE.page(question, (one for one in self._seen(call) if one.visible or hidden))

    def _seen(self, call: Call) -> Iterator[Product]:
        moment = call.read_moment
        return (one for one in self._shelf.products.values() if moment is None or one.created_at <= moment)

    def _seen_variants(self, call: Call) -> Iterator[Variant]:
        return (variant for product in self._seen(call) for variant in product.variants)


def chosen(product: Product, choices: Any, variant_ids: Any) -> list[Variant]:
    """The product's variants that have all the choices, or one of the ids; all of them without either."""
    if variant_ids:
        return [one for one in product.variants if one.variant_id in variant_ids]
    wanted = choices if isinstance(choices, dict) else {}
    return [one for one in product.variants if wanted.items() <= choices_of(one).items()]


def missing_v1(product_id: str) -> WixRefusal:
    return application_error(404, "PRODUCT_NOT_FOUND", f"Product {product_id!r} not found")


def _metadata(page: Page, question: Question, query: Told) -> Told:
    """Offset and total, or cursors: whichever way of paging was asked for."""
    told: Told = {"count": len(page.rows)}
    if query.get("paging"):
        return {**told, "offset": question.offset, "total": page.total}
    return {
        **told,
        "cursors": {name: cursor for name, cursor in (("next", page.next), ("prev", page.prev)) if cursor},
    }
