"""How Catalog V3 products and variants read in answers and webhooks."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.products.media import linked_told, media_told
from storebridge_sandbox.wix.shelf.state import Choice, Option, OptionValue, Product, Variant
from storebridge_sandbox.wix.wire import money, wix_date

ALWAYS_TOLD = (
    "seoData",
    "taxGroupId",
    "ribbon",
    "additionalRibbons",
    "mainCategoryId",
    "purchaseEligibility",
    "extendedFields",
    "tags",
    "subscriptionDetails",
)
Status = Callable[[Variant], tuple[bool, bool]]
"""(in stock, preorder enabled) of a variant at the default location."""


def product_payload(product: Product, status: Status, fields: frozenset[str], *, variants: bool) -> dict[str, Any]:
    """The V3Product message; ``fields`` are the RequestedFields, ``variants`` only where one is told."""
    told: dict[str, Any] = {
        "id": product.id,
        "revision": str(product.revision),
        "createdDate": wix_date(product.created_at),
        "updatedDate": wix_date(product.updated_at),
        "name": product.name,
        "slug": product.slug,
        "handle": product.handle,
        "visible": product.visible,
        "visibleInPos": product.visible_in_pos,
        "productType": product.kind,
        "options": [_option(option, product, status, fields) for option in product.options],
        "modifiers": product.details.get("modifiers") or [],
        "inventory": _inventory(product, status),
        "actualPriceRange": _range([variant.price for variant in product.variants], product, fields),
        "variantSummary": {"variantCount": len(product.variants)},
    }
    before = [variant.compare_at_price for variant in product.variants if variant.compare_at_price is not None]
    if before:
        told["compareAtPriceRange"] = _range(before, product, fields)
    if product.brand:
        told["brand"] = {"name": product.brand}
    for name in ALWAYS_TOLD:
        if product.details.get(name):
            told[name] = product.details[name]
    told.update(_requested(product, fields))
    if variants:
        told["variantsInfo"] = {"variants": [_variant(variant, status, fields) for variant in product.variants]}
    return told


def _requested(product: Product, fields: frozenset[str]) -> dict[str, Any]:
    """What is told only to whoever asks for it."""
    told: dict[str, Any] = {}
    details = product.details
    if "CURRENCY" in fields:
        told["currency"] = product.currency
    if "PLAIN_DESCRIPTION" in fields:
        told["plainDescription"] = product.html
    if "DESCRIPTION" in fields:
        told["description"] = details.get("description") or _rich(product.html)
    if "URL" in fields:
        path = f"/product-page/{product.slug}"
        told["url"] = {"relativePath": path, "url": f"https://www.example.com{path}"}
    media = media_told(details, fields)
    if media is not None:
        told["media"] = media
    sections = details.get("infoSections") or []
    if "INFO_SECTION" in fields and sections:
        told["infoSections"] = [{"id": row["id"], **_some(row, "uniqueName")} for row in sections]
    if "BREADCRUMBS_INFO" in fields:
        told["breadcrumbsInfo"] = {"breadcrumbs": []}
    if "MERCHANT_DATA" in fields:
        costs = [variant.cost for variant in product.variants if variant.cost is not None]
        if costs:
            told["costRange"] = _range(costs, product, fields)
    if product.kind == "PHYSICAL":
        weights = [variant.weight for variant in product.variants]
        physical = {**(details.get("physicalProperties") or {})}
        physical["shippingWeightRange"] = {"minValue": min(weights), "maxValue": max(weights)}
        if "WEIGHT_MEASUREMENT_UNIT_INFO" in fields:
            physical["weightMeasurementUnitInfo"] = {"weightMeasurementUnit": "KG"}
        told["physicalProperties"] = physical
    return told


def _some(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if row.get(name) is not None}


def _rich(html: str) -> dict[str, Any]:
    """A description as rich content: one paragraph of text per block, without its tags."""
    blocks = [re.sub(r"<[^>]*>", "", block).strip() for block in re.split(r"</(?:p|li|h\d|div)>|<br ?/?>", html)]
    return {
        "nodes": [
            {"type": "PARAGRAPH", "nodes": [{"type": "TEXT", "textData": {"text": block}}]} for block in blocks if block
        ]
    }


def _range(amounts: list[Decimal], product: Product, fields: frozenset[str]) -> dict[str, Any]:
    return {"minValue": _amount(min(amounts), product, fields), "maxValue": _amount(max(amounts), product, fields)}


def read_only_variant(variant: Variant, status: Status, fields: frozenset[str]) -> dict[str, Any]:
    """The ReadOnlyVariant message of ``query-variants``; its key is (productData.productId, variantId)."""
    product = variant.product
    data: dict[str, Any] = {
        "productId": product.id,
        "name": product.name,
        "productType": product.kind,
        "slug": product.slug,
        "visible": product.visible,
        "visibleInPos": product.visible_in_pos,
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
        "choices": [_choice(choice, fields) for choice in variant.choices],
        "price": price,
        "inventoryStatus": {"inStock": in_stock, "preorderEnabled": preorder},
        **variant.details,
    }
    for name, text in (("sku", variant.sku), ("barcode", variant.barcode)):
        if text:
            told[name] = text
    if variant.product.kind == "PHYSICAL":
        told["physicalProperties"] = {"weight": variant.weight}
    if "MERCHANT_DATA" in fields and variant.cost is not None:
        told["revenueDetails"] = _revenue(variant, variant.cost, fields)
    return told


def _revenue(variant: Variant, cost: Decimal, fields: frozenset[str]) -> dict[str, Any]:
    profit = variant.price - cost
    return {
        "cost": _amount(cost, variant.product, fields),
        "profit": _amount(profit, variant.product, fields),
        "profitMargin": round(float(profit / variant.price), 4) if variant.price else 0.0,
    }


def _choice(choice: Choice, fields: frozenset[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"optionChoiceIds": {"optionId": choice.option_id, "choiceId": choice.choice_id}}
    if "VARIANT_OPTION_CHOICE_NAMES" in fields:
        told["optionChoiceNames"] = _names(choice)
    return told


def _names(choice: Choice) -> dict[str, str]:
    return {
        "optionName": choice.option_name,
        "choiceName": choice.choice_name,
        "renderType": choice.render,
    }


def _amount(amount: Decimal, product: Product, fields: frozenset[str]) -> dict[str, str]:
    told = money(amount, product.currency)
    return told if "CURRENCY" in fields else {"amount": told["amount"]}


def _option(option: Option, product: Product, status: Status, fields: frozenset[str]) -> dict[str, Any]:
    return {
        "id": option.id,
        "name": option.name,
        "optionRenderType": option.render,
        "key": option.name[:50],
        "choicesSettings": {
            "choices": [
                {**_option_value(value, product, status), **linked_told(value.linked, fields)}
                for value in option.choices
            ]
        },
    }


def _option_value(value: OptionValue, product: Product, status: Status) -> dict[str, Any]:
    """In stock and visible when one variant with this choice is."""
    held = [one for one in product.variants if any(choice.choice_id == value.id for choice in one.choices)]
    told: dict[str, Any] = {
        "choiceId": value.id,
        "choiceType": value.kind,
        "name": value.name,
        "key": value.name[:50],
        "inStock": any(status(variant)[0] for variant in held),
        "visible": any(variant.visible for variant in held),
    }
    if value.colour:
        told["colorCode"] = value.colour
    return told


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
