"""How Catalog V3 products and variants read in answers and webhooks."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.shelf.state import Choice, Product, Variant
from storebridge_sandbox.wix.wire import money, wix_date

Status = Callable[[Variant], tuple[bool, bool]]
"""(in stock, preorder enabled) of a variant at the default location."""


def product_payload(product: Product, status: Status, fields: frozenset[str], *, variants: bool) -> dict[str, Any]:
    """The V3Product message; ``fields`` are the RequestedFields, ``variants`` only where one is told."""
    prices = [variant.price for variant in product.variants]
    told: dict[str, Any] = {
        "id": product.id,
        "revision": str(product.revision),
        "createdDate": wix_date(product.created_at),
        "updatedDate": wix_date(product.updated_at),
        "name": product.name,
        "slug": product.slug,
        "handle": product.handle,
        "visible": product.visible,
        "visibleInPos": True,
        "productType": "PHYSICAL",
        "physicalProperties": {},
        "options": _options(product),
        "modifiers": [],
        "inventory": _inventory(product, status),
        "actualPriceRange": {
            "minValue": _amount(min(prices), product, fields),
            "maxValue": _amount(max(prices), product, fields),
        },
        "variantSummary": {"variantCount": len(product.variants)},
    }
    if product.brand:
        told["brand"] = {"name": product.brand}
    if "CURRENCY" in fields:
        told["currency"] = product.currency
    if "PLAIN_DESCRIPTION" in fields:
        told["plainDescription"] = product.html
    if variants:
        told["variantsInfo"] = {"variants": [_variant(variant, status, fields) for variant in product.variants]}
    return told


def read_only_variant(variant: Variant, status: Status, fields: frozenset[str]) -> dict[str, Any]:
    """The ReadOnlyVariant message of ``query-variants``; its key is (productData.productId, variantId)."""
    product = variant.product
    data: dict[str, Any] = {
        "productId": product.id,
        "name": product.name,
        "productType": "PHYSICAL",
        "slug": product.slug,
        "visible": product.visible,
        "visibleInPos": True,
        "revision": str(product.revision),
        "handle": product.handle,
    }
    if "CURRENCY" in fields:
        data["currency"] = product.currency
    told = _variant(variant, status, fields)
    choices = told.pop("choices")
    return {
        **told,
        "variantId": variant.variant_id,
        "optionChoices": [
            {**ids, "optionChoiceNames": _names(choice)} for ids, choice in zip(choices, variant.choices, strict=True)
        ],
        "productData": data,
    }


def _variant(variant: Variant, status: Status, fields: frozenset[str]) -> dict[str, Any]:
    in_stock, preorder = status(variant)
    price = {"actualPrice": _amount(variant.price, variant.product, fields)}
    if variant.compare_at_price is not None:
        price["compareAtPrice"] = _amount(variant.compare_at_price, variant.product, fields)
    told: dict[str, Any] = {
        "id": variant.variant_id,
        "visible": variant.visible,
        "sku": variant.sku,
        "choices": [_choice(choice, fields) for choice in variant.choices],
        "price": price,
        "physicalProperties": {"weight": variant.weight},
        "inventoryStatus": {"inStock": in_stock, "preorderEnabled": preorder},
    }
    if variant.barcode:
        told["barcode"] = variant.barcode
    return told


def _choice(choice: Choice, fields: frozenset[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"optionChoiceIds": {"optionId": choice.option_id, "choiceId": choice.choice_id}}
    if "VARIANT_OPTION_CHOICE_NAMES" in fields:
        told["optionChoiceNames"] = _names(choice)
    return told


def _names(choice: Choice) -> dict[str, str]:
    return {
        "optionName": choice.option_name,
        "choiceName": choice.choice_name,
        "renderType": "TEXT_CHOICES",
    }


def _amount(amount: Decimal, product: Product, fields: frozenset[str]) -> dict[str, str]:
    told = money(amount, product.currency)
    return told if "CURRENCY" in fields else {"amount": told["amount"]}


def _options(product: Product) -> list[dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {}
    for variant in product.variants:
        for choice in variant.choices:
            option = options.setdefault(choice.option_id, _option(choice))
            option["choicesSettings"].setdefault(choice.choice_id, _option_choice(choice))
    for option in options.values():
        option["choicesSettings"] = {"choices": list(option["choicesSettings"].values())}
    return list(options.values())


def _option(choice: Choice) -> dict[str, Any]:
    return {
        "id": choice.option_id,
        "name": choice.option_name,
        "optionRenderType": "TEXT_CHOICES",
        "choicesSettings": {},
    }


def _option_choice(choice: Choice) -> dict[str, Any]:
    return {
        "choiceId": choice.choice_id,
        "choiceType": "CHOICE_TEXT",
        "name": choice.choice_name,
        "visible": True,
    }


def _inventory(product: Product, status: Status) -> dict[str, Any]:
    seen = [status(variant) for variant in product.variants]
    stocked = sum(1 for in_stock, _ in seen if in_stock)
    word = "IN_STOCK" if stocked == len(seen) else "PARTIALLY_OUT_OF_STOCK" if stocked else "OUT_OF_STOCK"
    enabled = sum(1 for _, preorder in seen if preorder)
    told = {"availabilityStatus": word}
    told["preorderStatus"] = "ENABLED" if enabled == len(seen) else "PARTIALLY_ENABLED" if enabled else "DISABLED"
    told["preorderAvailability"] = (
        "ALL_VARIANTS" if enabled == len(seen) else "SOME_VARIANTS" if enabled else "NO_VARIANTS"
    )
    return told
