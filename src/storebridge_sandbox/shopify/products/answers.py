"""``products``, ``productVariants`` and the fields of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.call import ShopCall, attribute, constant, payload_readers, read_keys
from storebridge_sandbox.shopify.engine import Resolver
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.listing import Listing, fact
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.products.state import InventoryItem, Product, Shelves, Variant
from storebridge_sandbox.shopify.search_index import SearchIndex
from storebridge_sandbox.shopify.wire import amount_text, moment_text, user_error
from storebridge_sandbox.stock import Stock

Payload = dict[str, Any]
Resolvers = dict[tuple[str, str], Resolver]
PRODUCT_SEARCH = ("id", "title", "handle", "status", "vendor", "product_type", "tag", "created_at", "updated_at")
VARIANT_SEARCH = ("id", "sku", "barcode", "title", "product_id", "product_status", "updated_at")


class ProductAnswers:
    """Answers about what is sold; ``removed`` is told of a deleted product."""

    def __init__(
        self,
        shelves: Shelves,
        stock: Stock,
        products: SearchIndex,
        variants: SearchIndex,
        selling_locations: Callable[[str], list[str]],
        removed: Callable[[Product], None],
    ) -> None:
        self._shelves = shelves
        self._stock = stock
        self._selling_locations = selling_locations
        self._removed = removed
        self._products = Listing(products, {name: fact(name) for name in PRODUCT_SEARCH}, fact("title"))
        self._variants = Listing(variants, {name: fact(name) for name in VARIANT_SEARCH}, fact("title"))

    def resolvers(self) -> Resolvers:
        return {**self._roots(), **self._of_product(), **self._of_variant()}

    def _roots(self) -> Resolvers:
        return {
            ("QueryRoot", "products"): self._products.page,
            ("QueryRoot", "productsCount"): self._products.count,
            ("QueryRoot", "productVariants"): self._variants.page,
            ("QueryRoot", "productVariantsCount"): self._variants.count,
            ("QueryRoot", "product"): lambda _source, args, _call: self._shelves.products.get(args["id"]),
            ("QueryRoot", "productVariant"): lambda _source, args, _call: self._shelves.variants.get(args["id"]),
            ("Mutation", "productDelete"): self.delete,
            **read_keys("ProductDeletePayload", "deletedProductId userErrors"),
            **payload_readers("UserError"),
        }

    def delete(self, _source: Any, args: dict[str, Any], _call: ShopCall) -> Payload:
        product = self._shelves.products.get(args["input"]["id"])
        if product is None:
            return {"deletedProductId": None, "userErrors": [user_error(("id",), "Product does not exist")]}
        self._removed(product)
        return {"deletedProductId": product.id, "userErrors": []}

    def _of_product(self) -> Resolvers:
        kind = "Product"
        fields: Resolvers = {
            (kind, "id"): attribute("id"),
            (kind, "legacyResourceId"): lambda one, *_: str(number_of(one.id)),
            (kind, "descriptionHtml"): attribute("body_html"),
            (kind, "bodyHtml"): attribute("body_html"),
            (kind, "productType"): attribute("product_type"),
            (kind, "tags"): lambda one, *_: list(one.tags),
            (kind, "isGiftCard"): constant(False),
            (kind, "hasOnlyDefaultVariant"): _only_default,
            (kind, "createdAt"): lambda one, *_: moment_text(one.created_at),
            (kind, "updatedAt"): lambda one, *_: moment_text(one.updated_at),
            (kind, "tracksInventory"): lambda one, *_: any(each.tracked for each in one.variants),
            (kind, "totalInventory"): lambda one, *_: sum(self._total(each) for each in one.variants),
            (kind, "variantsCount"): lambda one, *_: len(one.variants),
            (kind, "totalVariants"): lambda one, *_: len(one.variants),
            (kind, "variants"): _variants_of,
            (kind, "options"): _options_of,
            **read_keys("ProductOption", "id name position values"),
        }
        plain = ("handle", "title", "vendor", "status")
        return {**fields, **{(kind, name): attribute(name) for name in plain}}

    def _of_variant(self) -> Resolvers:
        kind = "ProductVariant"
        fields: Resolvers = {
            (kind, "id"): attribute("variant_id"),
            (kind, "legacyResourceId"): lambda one, *_: str(number_of(one.variant_id)),
            (kind, "barcode"): lambda one, *_: one.barcode or None,
            (kind, "price"): lambda one, *_: amount_text(one.price),
            (kind, "compareAtPrice"): _compare_at_price,
            (kind, "displayName"): lambda one, *_: f"{one.product.title} - {one.title}",
            (kind, "inventoryItem"): lambda one, *_: InventoryItem(one),
            (kind, "inventoryPolicy"): lambda one, *_: "CONTINUE" if one.continue_selling else "DENY",
            (kind, "inventoryQuantity"): lambda one, *_: self._total(one),
            (kind, "sellableOnlineQuantity"): lambda one, *_: self._sellable(one),
            (kind, "availableForSale"): self._available_for_sale,
            (kind, "requiresComponents"): constant(False),
            (kind, "taxable"): constant(True),
            (kind, "selectedOptions"): _selected_options,
            (kind, "createdAt"): lambda one, *_: moment_text(one.created_at),
            (kind, "updatedAt"): lambda one, *_: moment_text(one.updated_at),
            **read_keys("SelectedOption", "name value"),
        }
        plain = ("sku", "title", "position", "product")
        return {**fields, **{(kind, name): attribute(name) for name in plain}}

    def _total(self, variant: Variant) -> int:
        return sum(level.available for level in self._stock.levels_of(variant.item_id) if level.active)

    def _sellable(self, variant: Variant) -> int:
        places = self._selling_locations(variant.item_id)
        levels = self._stock.levels_of(variant.item_id)
        return sum(level.available for level in levels if level.active and level.location_id in places)

    def _available_for_sale(self, variant: Variant, _args: dict[str, Any], _call: ShopCall) -> bool:
        unlimited = not variant.tracked or variant.continue_selling
        return variant.for_sale and (unlimited or self._sellable(variant) > 0)


def product_facts(product: Product) -> dict[str, Any]:
    """What searches over products see."""
    return {
        "id": number_of(product.id),
        "title": product.title,
        "handle": product.handle,
        "status": product.status,
        "vendor": product.vendor,
        "product_type": product.product_type,
        "tag": product.tags,
        "created_at": product.created_at.replace(microsecond=0),
        "updated_at": product.updated_at.replace(microsecond=0),
    }


def variant_facts(variant: Variant) -> dict[str, Any]:
    """What searches over variants see."""
    return {
        "id": number_of(variant.variant_id),
        "sku": variant.sku,
        "barcode": variant.barcode,
        "title": variant.title,
        "product_id": number_of(variant.product_id),
        "product_status": variant.product.status,
        "updated_at": variant.updated_at.replace(microsecond=0),
    }


def _only_default(product: Product, _args: dict[str, Any], _call: ShopCall) -> bool:
    return [one.title for one in product.variants] == ["Default Title"]


def _variants_of(product: Product, args: dict[str, Any], _call: ShopCall) -> Page:
    return page_of([(f"{one.position:010d}", number_of(one.variant_id), one) for one in product.variants], args)


def _options_of(product: Product, _args: dict[str, Any], _call: ShopCall) -> list[Payload]:
    return [
        {
            "id": f"gid://shopify/ProductOption/{number_of(product.id)}{place}",
            "name": name,
            "position": place,
            "values": list(dict.fromkeys(one.options[place - 1] for one in product.variants)),
        }
        for place, name in enumerate(product.option_names, start=1)
    ]


def _compare_at_price(variant: Variant, _args: dict[str, Any], _call: ShopCall) -> str | None:
    return None if variant.compare_at_price is None else amount_text(variant.compare_at_price)


def _selected_options(variant: Variant, _args: dict[str, Any], _call: ShopCall) -> list[Payload]:
    pairs = zip(variant.product.option_names, variant.options, strict=False)
    return [{"name": name, "value": value} for name, value in pairs]
