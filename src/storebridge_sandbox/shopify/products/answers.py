"""Products and variants as the Admin API shows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify import candidates
from storebridge_sandbox.shopify.call import Call, Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.paging import Page, Row, Search, compile_search, page_of
from storebridge_sandbox.shopify.products.state import InventoryItem, Option, OptionValue, Product, Shelves, Variant
from storebridge_sandbox.shopify.sales.bundled import parts_of
from storebridge_sandbox.stock import Stock

PRODUCT_SORT: dict[str, Callable[[Product], str]] = {
    "TITLE": lambda product: product.title.lower(),
    "VENDOR": lambda product: product.vendor.lower(),
    "PRODUCT_TYPE": lambda product: product.product_type.lower(),
    "CREATED_AT": lambda product: product.created_at.isoformat(),
    "UPDATED_AT": lambda product: product.updated_at.isoformat(),
}
VARIANT_SORT: dict[str, Callable[[Variant], str]] = {
    "TITLE": lambda variant: title_of(variant).lower(),
    "SKU": lambda variant: variant.sku.lower(),
    "POSITION": lambda variant: f"{variant.position:06d}",
    "CREATED_AT": lambda variant: variant.created_at.isoformat(),
    "UPDATED_AT": lambda variant: variant.updated_at.isoformat(),
}
PRODUCT_FIELDS: dict[str, Callable[[Any], Any]] = {
    "id": lambda product: number_of(product.id),
    "title": lambda product: product.title,
    "handle": lambda product: product.handle,
    "vendor": lambda product: product.vendor,
    "product_type": lambda product: product.product_type,
    "status": lambda product: product.status,
    "tag": lambda product: product.tags,
    "sku": lambda product: [variant.sku for variant in product.variants],
    "barcode": lambda product: [variant.barcode for variant in product.variants],
    "variant_title": lambda product: [title_of(variant) for variant in product.variants],
    "created_at": lambda product: product.created_at,
    "updated_at": lambda product: product.updated_at,
    "published_at": lambda product: product.published_at,
}
VARIANT_FIELDS: dict[str, Callable[[Any], Any]] = {
    "id": lambda variant: number_of(variant.variant_id),
    "product_id": lambda variant: number_of(variant.product_id),
    "sku": lambda variant: variant.sku,
    "barcode": lambda variant: variant.barcode,
    "title": lambda variant: title_of(variant),
    "vendor": lambda variant: variant.product.vendor,
    "product_type": lambda variant: variant.product.product_type,
    "product_status": lambda variant: variant.product.status,
    "tag": lambda variant: variant.product.tags,
    "updated_at": lambda variant: variant.updated_at,
}


class ProductAnswers:
    """Reads of the catalogue."""

    def __init__(
        self, shelves: Shelves, stock: Stock, currency: str, counted_at: Callable[[datetime], datetime]
    ) -> None:
        """``counted_at`` gives the moment as of which ``totalInventory`` counts."""
        self._counted_at = counted_at
        self._shelves = shelves
        self._stock = stock
        self._currency = currency

    def resolvers(self) -> Resolvers:
        return {**self._roots(), **self._products_fields(), **self._variant_fields(), **_option_fields()}

    def _roots(self) -> Resolvers:
        shelves = self._shelves
        return {
            ("QueryRoot", "product"): lambda _s, args, _c: shelves.products.get(args["id"]),
            ("QueryRoot", "productByHandle"): lambda _s, args, _c: shelves.by_handle(args["handle"]),
            ("QueryRoot", "productVariant"): lambda _s, args, _c: shelves.variants.get(args["id"]),
            ("QueryRoot", "products"): self._products,
            ("QueryRoot", "productVariants"): self._variants,
            ("QueryRoot", "productsCount"): self._products_count,
            ("QueryRoot", "productVariantsCount"): self._variants_count,
            ("QueryRoot", "productTags"): _words(lambda: (tag for p in shelves.products.values() for tag in p.tags)),
            ("QueryRoot", "productTypes"): _words(lambda: (p.product_type for p in shelves.products.values())),
            ("QueryRoot", "productVendors"): _words(lambda: (p.vendor for p in shelves.products.values())),
        }

    def _products_fields(self) -> Resolvers:
        plain = ("id", "title", "handle", "vendor", "tags")
        return {
            **{("Product", name): shows(name) for name in plain},
            ("Product", "legacyResourceId"): lambda product, _a, _c: str(number_of(product.id)),
            ("Product", "defaultCursor"): lambda product, _a, _c: str(number_of(product.id)),
            ("Product", "variants"): lambda product, args, _c: page_of(_variant_rows(product.variants, args), args),
            ("Product", "variantsCount"): lambda product, _a, _c: len(product.variants),
            ("Product", "totalVariants"): lambda product, _a, _c: len(product.variants),
            ("Product", "status"): lambda product, _a, _c: product.status.upper(),
            ("Product", "description"): _plain_text,
            ("Product", "descriptionHtml"): shows("body_html"),
            ("Product", "bodyHtml"): shows("body_html"),
            ("Product", "productType"): shows("product_type"),
            ("Product", "templateSuffix"): shows("template_suffix"),
            ("Product", "isGiftCard"): shows("is_gift_card"),
            ("Product", "requiresSellingPlan"): shows("requires_selling_plan"),
            ("Product", "createdAt"): shows_time("created_at"),
            ("Product", "updatedAt"): shows_time("updated_at"),
            ("Product", "publishedAt"): shows_time("published_at"),
            ("Product", "seo"): lambda p, _a, _c: {
                "title": p.seo.get("title"),
                "description": p.seo.get("description"),
            },
            ("Product", "options"): lambda product, args, _c: options_of(product)[: args.get("first")],
            ("Product", "hasOnlyDefaultVariant"): lambda product, _a, _c: has_only_default(product),
            ("Product", "hasOutOfStockVariants"): lambda product, _a, _c: any(map(self._is_out, product.variants)),
            ("Product", "hasVariantsThatRequiresComponents"): lambda product, _a, _c: any(
                variant.requires_components for variant in product.variants
            ),
            ("Product", "tracksInventory"): lambda product, _a, _c: any(v.tracked for v in product.variants),
            ("Product", "totalInventory"): self._total,
            ("Product", "priceRangeV2"): self._price_range,
        }

    def _variant_fields(self) -> Resolvers:
        return {
            ("ProductVariant", "id"): shows("variant_id"),
            ("ProductVariant", "legacyResourceId"): lambda variant, _a, _c: str(number_of(variant.variant_id)),
            ("ProductVariant", "defaultCursor"): lambda variant, _a, _c: str(number_of(variant.variant_id)),
            ("ProductVariant", "title"): lambda variant, _a, _c: title_of(variant),
            ("ProductVariant", "displayName"): lambda v, _a, _c: f"{v.product.title} - {title_of(v)}",
            ("ProductVariant", "price"): lambda variant, _a, _c: f"{variant.price:.2f}",
            ("ProductVariant", "compareAtPrice"): _compare_at,
            ("ProductVariant", "sku"): lambda variant, _a, _c: variant.sku or None,
            ("ProductVariant", "barcode"): lambda variant, _a, _c: variant.barcode or None,
            ("ProductVariant", "taxable"): shows("taxable"),
            ("ProductVariant", "taxCode"): shows("tax_code"),
            ("ProductVariant", "inventoryPolicy"): lambda v, _a, _c: "CONTINUE" if v.continue_selling else "DENY",
            ("ProductVariant", "inventoryQuantity"): lambda variant, _a, _c: self.quantity(variant),
            ("ProductVariant", "sellableOnlineQuantity"): lambda variant, _a, _c: self.quantity(variant),
            ("ProductVariant", "availableForSale"): lambda variant, _a, _c: not self._is_out(variant),
            ("ProductVariant", "requiresComponents"): shows("requires_components"),
            ("ProductVariant", "productVariantComponents"): self._components,
            ("ProductVariantComponent", "id"): lambda part, _a, _c: part["id"],
            ("ProductVariantComponent", "quantity"): lambda part, _a, _c: part["quantity"],
            ("ProductVariantComponent", "productVariant"): lambda part, _a, _c: part["variant"],
            ("ProductVariant", "showUnitPrice"): shows("show_unit_price"),
            ("ProductVariant", "unitPriceMeasurement"): _measured,
            ("ProductVariant", "selectedOptions"): _selected,
            ("ProductVariant", "inventoryItem"): lambda variant, _a, _c: InventoryItem(variant),
            ("ProductVariant", "createdAt"): shows_time("created_at"),
            ("ProductVariant", "updatedAt"): shows_time("updated_at"),
            ("ProductVariant", "product"): shows("product"),
            ("ProductVariant", "position"): shows("position"),
        }

    def find(self, global_id: str) -> Product | Variant | InventoryItem | Option | None:
        """What ``node`` and ``nodes`` find."""
        item = self._shelves.by_item.get(global_id)
        if item is not None:
            return InventoryItem(item)
        return self._shelves.variants.get(global_id) or self._shelves.products.get(global_id)

    def _components(self, variant: Variant, args: dict[str, Any], _call: Call) -> Any:
        rows = [
            (
                part,
                number_of(part),
                {"id": f"{part}-in-{number_of(variant.variant_id)}", "variant": found, "quantity": units},
            )
            for part, units in sorted(variant.components.items())
            if (found := self._shelves.variants.get(part)) is not None
        ]
        return page_of(rows, args)

    def quantity(self, variant: Variant) -> int:
        """Units for sale, at all active levels together; of a bundle, what its scarcest component allows."""
        if variant.components:
            parts = parts_of(variant, self._shelves.variants)
            return min((self.quantity(part) // units for part, units in parts), default=0)
        return sum(level.available for level in self._stock.levels_of(variant.item_id) if level.active)

    def _total(self, product: Product, _args: dict[str, Any], call: Call) -> int:
        """Behind by a moment, as recorded."""
        moment = self._counted_at(call.now)
        return sum(self._units_at(variant, moment) for variant in product.variants if variant.tracked)

    def _units_at(self, variant: Variant, moment: datetime) -> int:
        if variant.components:
            parts = parts_of(variant, self._shelves.variants)
            return min((self._units_at(part, moment) // units for part, units in parts), default=0)
        levels = (level for level in self._stock.levels_of(variant.item_id) if level.active)
        return sum(level.as_of(moment).quantity("available") for level in levels)

    def _is_out(self, variant: Variant) -> bool:
        if variant.components and not parts_of(variant, self._shelves.variants):
            return True
        return variant.tracked and not variant.continue_selling and self.quantity(variant) <= 0

    def _price_range(self, product: Product, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
        prices = [variant.price for variant in product.variants] or [Decimal(0)]
        shown = [{"amount": f"{price:.1f}", "currencyCode": self._currency} for price in (min(prices), max(prices))]
        return {"minVariantPrice": shown[0], "maxVariantPrice": shown[1]}

    def _products(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        search = self._read_products(args, call)
        found = self._product_candidates(search)
        sort_key = args.get("sortKey") or "ID"
        rows: Sequence[Row] | None = None
        if found is None and sort_key in PRODUCT_KEPT:
            rows = self._shelves.rows.products[PRODUCT_KEPT[sort_key]].rows()
        else:
            key = PRODUCT_SORT.get(sort_key, _own_id)
            chosen = self._shelves.products.values() if found is None else found
            rows = sorted(((key(one), number_of(one.id), one) for one in chosen), key=lambda row: row[:2])
        return page_of(rows, args, None if search.is_open else search.test)

    def _products_count(self, _source: Any, args: dict[str, Any], call: Call) -> int:
        search = self._read_products(args, call)
        found = self._product_candidates(search)
        chosen = self._shelves.products.values() if found is None else found
        return min(_count(search, chosen), args.get("limit") or 10_000)

    def _read_products(self, args: dict[str, Any], call: Call) -> Search:
        return compile_search(args.get("query"), PRODUCT_FIELDS, lambda product: product.title, call=call)

    def _product_candidates(self, search: Search) -> list[Product] | None:
        kept = self._shelves.rows
        variants: list[Variant] | None = candidates.of_value(
            search, {"sku": kept.variants["sku"]}, candidates.lower_case
        )
        if variants is not None:
            return list({variant.product.id: variant.product for variant in variants}.values())
        moments = {name: kept.products[name] for name in ("updated_at", "created_at")}
        return candidates.fewest_since(search, moments) if search.terms else None

    def _variants(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        search = self._read_variants(args, call)
        found = variant_candidates(self._shelves, search)
        kept = VARIANT_KEPT.get(args.get("sortKey") or "ID")
        rows: Sequence[Row]
        if found is None and kept is not None:
            rows = self._shelves.rows.variants[kept].rows()
        else:
            chosen = self._shelves.variants.values() if found is None else found
            rows = _variant_rows(chosen, {"sortKey": args.get("sortKey") or "ID"})
        return page_of(rows, args, None if search.is_open else search.test)

    def _variants_count(self, _source: Any, args: dict[str, Any], call: Call) -> int:
        search = self._read_variants(args, call)
        found = variant_candidates(self._shelves, search)
        return min(_count(search, self._shelves.variants.values() if found is None else found), 10_000)

    def _read_variants(self, args: dict[str, Any], call: Call) -> Search:
        return compile_search(args.get("query"), VARIANT_FIELDS, title_of, call=call)


PRODUCT_KEPT = {"ID": "ID", "UPDATED_AT": "updated_at", "CREATED_AT": "created_at"}
VARIANT_KEPT = {"ID": "ID", "SKU": "sku"}
"""Sort keys whose order is kept, with its name among the shelf's rows."""


def variant_candidates(shelves: Shelves, search: Search) -> list[Variant] | None:
    """The variants that a search need look at; None: all of them."""
    kept = shelves.rows.variants
    found = candidates.of_value(search, {"sku": kept["sku"]}, candidates.lower_case)
    if found is not None or not search.terms:
        return found
    return candidates.fewest_since(search, {"updated_at": kept["updated_at"]})


def _count(search: Search, things: Collection[Any]) -> int:
    return len(things) if search.is_open else sum(map(search.test, things))


def _variant_rows(variants: Iterable[Variant], args: dict[str, Any]) -> list[tuple[str, int, Variant]]:
    key = VARIANT_SORT.get(args.get("sortKey") or "POSITION", _own_variant_id)
    rows = [(key(variant), number_of(variant.variant_id), variant) for variant in variants]
    return sorted(rows, key=lambda row: row[:2])


def _words(held: Callable[[], Iterable[str]]) -> Any:
    """All different words of a kind, in alphabetical order, as a connection of strings."""

    def resolve(_source: Any, args: dict[str, Any], _call: Call) -> Page:
        words = sorted({word for word in held() if word}, key=str.lower)
        return page_of([(word, place, word) for place, word in enumerate(words)], args)

    return resolve


def _own_id(product: Product) -> str:
    return product.id


def _own_variant_id(variant: Variant) -> str:
    return variant.variant_id


def title_of(variant: Variant) -> str:
    return " / ".join(variant.options) or "Default Title"


def has_only_default(product: Product) -> bool:
    return len(product.variants) == 1 and (product.variants[0].options or ("Default Title",)) == ("Default Title",)


def options_of(product: Product) -> list[Option]:
    """The options; those of goods that came in a file are read from their variants."""
    if product.options:
        return product.options
    number = number_of(product.id)
    made = []
    for place, name in enumerate(product.option_names or ("Title",)):
        names = dict.fromkeys(v.options[place] for v in product.variants if place < len(v.options)) or ["Default Title"]
        values = [
            OptionValue(f"gid://shopify/ProductOptionValue/{number}{place}{n:03d}", one) for n, one in enumerate(names)
        ]
        made.append(Option(f"gid://shopify/ProductOption/{number}{place}", name, values))
    product.options = made
    for option in made:
        option.product = product
    return made


def _option_fields() -> Resolvers:
    return {
        ("ProductOption", "id"): shows("id"),
        ("ProductOption", "name"): shows("name"),
        ("ProductOption", "position"): lambda option, _a, _c: options_of(option.product).index(option) + 1,
        ("ProductOption", "values"): lambda option, _a, _c: [v.name for v in option.values if _is_used(option, v)],
        ("ProductOption", "optionValues"): lambda option, _a, _c: [_shown(option, value) for value in option.values],
    }


def _shown(option: Option, value: OptionValue) -> dict[str, Any]:
    return {"id": value.id, "name": value.name, "hasVariants": _is_used(option, value), "swatch": None}


def _is_used(option: Option, value: OptionValue) -> bool:
    assert option.product is not None
    place = options_of(option.product).index(option)
    return any(
        (variant.options or ("Default Title",))[place : place + 1] == (value.name,)
        for variant in option.product.variants
    )


def _selected(variant: Variant, _args: dict[str, Any], _call: Call) -> list[dict[str, Any]]:
    chosen = variant.options or ("Default Title",)
    pairs = zip(options_of(variant.product), chosen, strict=False)
    return [{"name": option.name, "value": value, "optionValue": _chosen(option, value)} for option, value in pairs]


def _chosen(option: Option, name: str) -> dict[str, Any] | None:
    return next((_shown(option, value) for value in option.values if value.name == name), None)


def _measured(variant: Variant, _args: dict[str, Any], _call: Call) -> dict[str, Any] | None:
    told = variant.unit_price_measurement
    return None if told is None else {"quantityValue": 0.0, "referenceValue": 0, **told}


def _compare_at(variant: Variant, _args: dict[str, Any], _call: Call) -> str | None:
    return None if variant.compare_at_price is None else f"{variant.compare_at_price:.2f}"


def _plain_text(product: Product, args: dict[str, Any], _call: Call) -> str:
    text = re.sub(r"<[^>]*>", "", product.body_html)
    length = args.get("truncateAt")
    return text if length is None or len(text) <= length else text[: max(0, length - 3)] + "..."
