"""``/stores-reader/v1/products``: Catalog V1, read only. Money is a plain number there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.inventory.state import Inventory, InventoryItem
from storebridge_sandbox.wix.query import ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.query_v1 import page_metadata, read_legacy
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID
from storebridge_sandbox.wix.shelf.state import Product, Shelf, Variant
from storebridge_sandbox.wix.wire import application_error, money, wix_date

READ = "SCOPE.DC-STORES.READ-PRODUCTS"
MANAGE = "SCOPE.DC-STORES.MANAGE-PRODUCTS"
PRODUCTS = "/stores-reader/v1/products"

LANGUAGE = Language(
    {
        "id": Field(lambda product: product.id),
        "name": Field(lambda product: product.name, "text", TEXT, sortable=True),
        "slug": Field(lambda product: product.slug),
        "numericId": Field(lambda product: str(product.number), "text", ORDERING, sortable=True),
    },
    tie=lambda product: product.number,
    default_limit=100,
    most=100,
)

ItemOf = Callable[[Variant], InventoryItem | None]


class ProductAnswersV1:
    """Answers about products on a V1 site. ``may`` tells whether a permission was granted."""

    def __init__(self, shelf: Shelf, inventory: Inventory, default_location: str, may: Callable[[str], bool]) -> None:
        self._shelf = shelf
        self._inventory = inventory
        self._default_location = default_location
        self._may = may

    def operations(self) -> list[Operation]:
        return [
            Operation("queryProductsV1", ("POST",), f"{PRODUCTS}/query", self.query, READ, "v1", "query"),
            Operation("getProductV1", ("GET",), PRODUCTS + "/{id}", self.get, READ, "v1", "get"),
        ]

    def query(self, call: Call) -> dict[str, Any]:
        """Hidden products come only when asked for, and only for who may manage products."""
        hidden = call.flag("includeHiddenProducts")
        if hidden and not self._may(MANAGE):
            raise application_error(403, "PERMISSION_DENIED", f"Permission denied: {MANAGE} is missing")
        question = read_legacy(LANGUAGE, call.part("query"))
        products = self._shelf.products.values()
        page = LANGUAGE.page(question, (product for product in products if product.visible or hidden))
        variants = call.flag("includeVariants")
        told = [product_payload_v1(product, self._item, variants=variants) for product in page.rows]
        return {"products": told, **page_metadata(page, question)}

    def get(self, call: Call) -> dict[str, Any]:
        product = self._shelf.products.get(call.params["id"])
        if product is None:
            raise application_error(404, "PRODUCT_NOT_FOUND", f"Product {call.params['id']!r} not found")
        return {"product": product_payload_v1(product, self._item, variants=True)}

    def _item(self, variant: Variant) -> InventoryItem | None:
        return self._inventory.at(variant, self._default_location)


def product_payload_v1(product: Product, item_of: ItemOf, *, variants: bool) -> dict[str, Any]:
    """The V1 Product message. Without managed variants, SKU and stock stand on the product."""
    first = product.variants[0]
    managed = first.variant_id != DEFAULT_VARIANT_ID
    told: dict[str, Any] = {
        "id": product.id,
        "name": product.name,
        "slug": product.slug,
        "visible": product.visible,
        "productType": "physical",
        "description": product.html,
        "sku": "" if managed else first.sku,
        "weight": 0.0 if managed else first.weight,
        "priceData": _price(first),
        "stock": _product_stock(product, item_of),
        "manageVariants": managed,
        "productOptions": _options(product),
        "numericId": str(product.number),
        "lastUpdated": wix_date(product.updated_at),
        "createdDate": wix_date(product.created_at),
        "variants": [_variant(variant, item_of) for variant in product.variants] if variants else [],
    }
    if product.brand:
        told["brand"] = product.brand
    return told


def _variant(variant: Variant, item_of: ItemOf) -> dict[str, Any]:
    return {
        "id": variant.variant_id,
        "choices": {choice.option_name: choice.choice_name for choice in variant.choices},
        "variant": {
            "priceData": _price(variant),
            "weight": variant.weight,
            "sku": variant.sku,
            "visible": variant.visible,
        },
        "stock": _variant_stock(item_of(variant)),
    }


def _price(variant: Variant) -> dict[str, Any]:
    amount = money(variant.price, variant.product.currency)
    return {
        "currency": variant.product.currency,
        "price": float(variant.price),
        "discountedPrice": float(variant.price),
        "formatted": {"price": amount["formattedAmount"], "discountedPrice": amount["formattedAmount"]},
    }


def _variant_stock(item: InventoryItem | None) -> dict[str, Any]:
    if item is None:
        return {"trackQuantity": False, "inStock": False}
    if not item.tracked:
        return {"trackQuantity": False, "inStock": item.in_stock}
    return {"trackQuantity": True, "quantity": item.quantity, "inStock": item.quantity > 0}


def _product_stock(product: Product, item_of: ItemOf) -> dict[str, Any]:
    parts = [_variant_stock(item_of(variant)) for variant in product.variants]
    stocked = sum(1 for part in parts if part["inStock"])
    status = "IN_STOCK" if stocked == len(parts) else "PARTIALLY_OUT_OF_STOCK" if stocked else "OUT_OF_STOCK"
    told: dict[str, Any] = {
        "trackInventory": any(part["trackQuantity"] for part in parts),
        "inStock": stocked > 0,
        "inventoryStatus": status,
    }
    if told["trackInventory"]:
        told["quantity"] = sum(part.get("quantity", 0) for part in parts)
    return told


def _options(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "optionType": "color" if option.render == "SWATCH_CHOICES" else "drop_down",
            "name": option.name,
            "choices": [
                {"value": value.colour or value.name, "description": value.name, "inStock": True, "visible": True}
                for value in option.choices
            ],
        }
        for option in product.options
    ]
