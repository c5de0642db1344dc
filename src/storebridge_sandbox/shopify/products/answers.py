"""Products and variants as the Admin API shows them."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of
from storebridge_sandbox.shopify.products.state import InventoryItem, Product, Shelves, Variant


class ProductAnswers:
    """Reads of the catalogue."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "product"): lambda _s, args, _c: self._shelves.products.get(args["id"]),
            ("QueryRoot", "productVariant"): lambda _s, args, _c: self._shelves.variants.get(args["id"]),
            ("QueryRoot", "products"): self._products,
            ("QueryRoot", "productVariants"): self._variants,
            ("Product", "variants"): lambda product, args, _c: page_of(_rows(product.variants), args),
            ("Product", "status"): lambda product, _a, _c: product.status.upper(),
            ("Product", "descriptionHtml"): shows("body_html"),
            ("Product", "productType"): shows("product_type"),
            ("Product", "createdAt"): shows_time("created_at"),
            ("Product", "updatedAt"): shows_time("updated_at"),
            **{("Product", name): shows(name) for name in ("id", "title", "handle", "vendor", "tags")},
            ("ProductVariant", "id"): shows("variant_id"),
            ("ProductVariant", "title"): _variant_title,
            ("ProductVariant", "displayName"): lambda v, _a, _c: f"{v.product.title} - {_variant_title(v, {}, None)}",
            ("ProductVariant", "price"): lambda variant, _a, _c: f"{variant.price:.2f}",
            ("ProductVariant", "sku"): lambda variant, _a, _c: variant.sku or None,
            ("ProductVariant", "barcode"): lambda variant, _a, _c: variant.barcode or None,
            ("ProductVariant", "inventoryPolicy"): _policy,
            ("ProductVariant", "requiresComponents"): lambda _v, _a, _c: False,
            ("ProductVariant", "inventoryItem"): lambda variant, _a, _c: InventoryItem(variant),
            ("ProductVariant", "createdAt"): shows_time("created_at"),
            ("ProductVariant", "updatedAt"): shows_time("updated_at"),
            ("ProductVariant", "product"): shows("product"),
            ("ProductVariant", "position"): shows("position"),
        }

    def find(self, global_id: str) -> Product | Variant | InventoryItem | None:
        """What ``node`` and ``nodes`` find."""
        item = self._shelves.by_item.get(global_id)
        if item is not None:
            return InventoryItem(item)
        return self._shelves.variants.get(global_id) or self._shelves.products.get(global_id)

    def _products(self, _source: Any, args: dict[str, Any], _call: Any) -> Page:
        fields = {"updated_at": lambda p: p.updated_at, "status": lambda p: p.status, "title": lambda p: p.title}
        search = compile_search(args.get("query"), fields)
        found = [product for product in self._shelves.products.values() if search.test(product)]
        rows = [(product.id, number_of(product.id), product) for product in found]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _variants(self, _source: Any, args: dict[str, Any], _call: Any) -> Page:
        fields = {"sku": lambda v: v.sku, "updated_at": lambda v: v.updated_at}
        search = compile_search(args.get("query"), fields)
        return page_of(_rows([v for v in self._shelves.variants.values() if search.test(v)]), args)


def _rows(variants: list[Variant]) -> list[tuple[str, int, Variant]]:
    rows = [(v.variant_id, number_of(v.variant_id), v) for v in variants]
    return sorted(rows, key=lambda row: row[:2])


def _policy(variant: Variant, _args: dict[str, Any], _call: Any) -> str:
    return "CONTINUE" if variant.continue_selling else "DENY"


def _variant_title(variant: Variant, _args: dict[str, Any], _call: Any) -> str:
    return " / ".join(variant.options) or "Default Title"
