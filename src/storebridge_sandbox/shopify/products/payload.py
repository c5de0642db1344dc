"""Products as webhooks tell them: the older REST form."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.products.state import Product, Variant
from storebridge_sandbox.shopify.wire import amount_text, moment_text


def product_payload(product: Product) -> dict[str, Any]:
    """The body of ``products/create`` and ``products/update``."""
    return {
        "admin_graphql_api_id": product.id,
        "id": number_of(product.id),
        "title": product.title,
        "handle": product.handle,
        "body_html": product.body_html,
        "vendor": product.vendor,
        "product_type": product.product_type,
        "status": product.status.lower(),
        "tags": ", ".join(product.tags),
        "created_at": moment_text(product.created_at),
        "updated_at": moment_text(product.updated_at),
        "options": [
            {"name": name, "position": place, "values": _values(product, place - 1)}
            for place, name in enumerate(product.option_names, start=1)
        ],
        "images": [{"src": address} for address in product.images],
        "variants": [_variant_payload(variant) for variant in product.variants],
    }


def _values(product: Product, place: int) -> list[str]:
    return list(dict.fromkeys(one.options[place] for one in product.variants if place < len(one.options)))


def _variant_payload(variant: Variant) -> dict[str, Any]:
    compare = variant.compare_at_price
    return {
        "admin_graphql_api_id": variant.variant_id,
        "id": number_of(variant.variant_id),
        "product_id": number_of(variant.product_id),
        "inventory_item_id": number_of(variant.item_id),
        "title": variant.title,
        "sku": variant.sku,
        "barcode": variant.barcode or None,
        "price": amount_text(variant.price),
        "compare_at_price": None if compare is None else amount_text(compare),
        "position": variant.position,
        "inventory_policy": "continue" if variant.continue_selling else "deny",
        "inventory_management": "shopify" if variant.tracked else None,
        "grams": variant.grams,
        "created_at": moment_text(variant.created_at),
        "updated_at": moment_text(variant.updated_at),
    }
