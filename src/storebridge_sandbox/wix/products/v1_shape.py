"""How Catalog V1 products and variants read. Money is a plain number there."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.inventory.state import InventoryItem
from storebridge_sandbox.wix.inventory.v1 import inventory_id
from storebridge_sandbox.wix.shelf.state import Product, Variant
from storebridge_sandbox.wix.wire import money, wix_date

ItemOf = Callable[[Variant], InventoryItem | None]


def product_payload_v1(
    product: Product, item_of: ItemOf, *, variants: bool, collections: list[str], costs: bool = False
) -> dict[str, Any]:
    """The V1 Product message. Without managed variants, SKU and stock stand on the product."""
    first, managed = product.variants[0], product.manages_variants
    weights = [variant.weight for variant in product.variants]
    prices = [float(variant.price) for variant in product.variants]
    told: dict[str, Any] = {
        "id": product.id,
        "name": product.name,
        "slug": product.slug,
        "visible": product.visible,
        "productType": "physical",
        "description": product.html,
        "sku": "" if managed else first.sku,
        "weight": 0.0 if managed else first.weight,
        "weightRange": {"minValue": min(weights), "maxValue": max(weights)},
        "priceData": price_payload(first),
        "priceRange": {"minValue": min(prices), "maxValue": max(prices)},
        "discount": {"type": product.discount[0], "value": float(product.discount[1])},
        "stock": product_stock(product, item_of),
        "inventoryItemId": inventory_id(product.id),
        "manageVariants": managed,
        "productOptions": options_payload(product, item_of),
        "productPageUrl": {"base": "https://www.example.com/", "path": f"/product-page/{product.slug}"},
        "numericId": str(product.number),
        "collectionIds": collections,
        "lastUpdated": wix_date(product.updated_at),
        "createdDate": wix_date(product.created_at),
        "variants": [variant_payload(variant, item_of) for variant in product.variants] if variants else [],
    }
    if product.brand:
        told["brand"] = product.brand
    if product.details.get("ribbon"):
        told["ribbon"] = product.details["ribbon"]["name"]
    if costs and first.cost is not None:
        told["costAndProfitData"] = _cost(first, first.cost)
    return told


def variant_payload(variant: Variant, item_of: ItemOf) -> dict[str, Any]:
    """The V1 Variant message."""
    return {
        "id": variant.variant_id,
        "choices": choices_of(variant),
        "variant": {
            "priceData": price_payload(variant),
            "weight": variant.weight,
            "sku": variant.sku,
            "visible": variant.visible,
        },
        "stock": variant_stock(item_of(variant)),
    }


def store_variant_payload(variant: Variant, item_of: ItemOf, collections: list[str]) -> dict[str, Any]:
    """The StoreVariant message; its id is made of both ids."""
    told: dict[str, Any] = {
        "id": store_variant_id(variant),
        "variantId": variant.variant_id,
        "productId": variant.product.id,
        "productName": variant.product.name,
        "managedVariant": variant.product.manages_variants,
        "sku": variant.sku,
        "stock": variant_stock(item_of(variant)),
        "choices": choices_of(variant),
        "collectionIds": collections,
    }
    if variant.name:
        told["variantName"] = variant.name[:80]
    return told


def store_variant_id(variant: Variant) -> str:
    """The vendor's page writes a hyphen in words and a point in its pattern; the point can be told apart."""
    return f"{variant.product.id}.{variant.variant_id}"


def choices_of(variant: Variant) -> dict[str, str]:
    return {choice.option_name: choice.choice_name for choice in variant.choices}


def price_payload(variant: Variant) -> dict[str, Any]:
    """Price and what is left of it after the product's discount."""
    currency = variant.product.currency
    reduced = variant.selling_price
    return {
        "currency": currency,
        "price": float(variant.price),
        "discountedPrice": float(reduced),
        "formatted": {
            "price": money(variant.price, currency)["formattedAmount"],
            "discountedPrice": money(reduced, currency)["formattedAmount"],
        },
    }


def _cost(variant: Variant, cost: Decimal) -> dict[str, Any]:
    profit = variant.selling_price - cost
    currency = variant.product.currency
    margin = round(float(profit / variant.selling_price), 4) if variant.selling_price else 0.0
    return {
        "itemCost": float(cost),
        "formattedItemCost": money(cost, currency)["formattedAmount"],
        "profit": float(profit),
        "formattedProfit": money(profit, currency)["formattedAmount"],
        "profitMargin": margin,
    }


def variant_stock(item: InventoryItem | None) -> dict[str, Any]:
    if item is None:
        return {"trackQuantity": False, "inStock": False}
    if not item.tracked:
        return {"trackQuantity": False, "inStock": item.in_stock}
    return {"trackQuantity": True, "quantity": item.quantity, "inStock": item.quantity > 0}


def product_stock(product: Product, item_of: ItemOf) -> dict[str, Any]:
    parts = [variant_stock(item_of(variant)) for variant in product.variants]
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


def options_payload(product: Product, item_of: ItemOf) -> list[dict[str, Any]]:
    """Options with their choices; a choice is in stock and visible when one variant with it is."""
    return [
        {
            "optionType": "color" if option.render == "SWATCH_CHOICES" else "drop_down",
            "name": option.name,
            "choices": [
                {
                    "value": value.colour or value.name,
                    "description": value.name,
                    **_shown(value.id, product, item_of),
                }
                for value in option.choices
            ],
        }
        for option in product.options
    ]


def _shown(choice_id: str, product: Product, item_of: ItemOf) -> dict[str, bool]:
    if not product.manages_variants:
        return {"inStock": bool(product_stock(product, item_of)["inStock"]), "visible": True}
    held = [one for one in product.variants if any(choice.choice_id == choice_id for choice in one.choices)]
    return {
        "inStock": any(variant_stock(item_of(one))["inStock"] for one in held),
        "visible": any(one.visible for one in held),
    }
