"""Products, variants and inventory items as webhooks and the REST API carry them."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.products.media import TYPES, media_of, pictures_of
from storebridge_sandbox.shopify.products.state import Medium, Product, Variant


def product_payload(product: Product) -> dict[str, Any]:
    """``products/create`` and ``products/update``."""
    number = number_of(product.id)
    images = [_image(product, one, place) for place, one in enumerate(pictures_of(product), 1)]
    return {
        "id": number,
        "admin_graphql_api_id": product.id,
        "title": product.title,
        "body_html": product.body_html,
        "handle": product.handle,
        "vendor": product.vendor,
        "product_type": product.product_type,
        "status": product.status,
        "tags": ", ".join(product.tags),
        "template_suffix": product.template_suffix,
        "created_at": iso(product.created_at),
        "updated_at": iso(product.updated_at),
        "published_at": iso(product.published_at) if product.published_at else None,
        "published_scope": "web",
        "variants": [variant_payload(variant) for variant in product.variants],
        "options": _options(product, number),
        "images": images,
        "image": images[0] if images else None,
        "media": [_medium(product, one, place) for place, one in enumerate(product.media, 1)],
        "has_variants_that_requires_components": any(variant.requires_components for variant in product.variants),
    }


def _image(product: Product, medium: Medium, place: int) -> dict[str, Any]:
    return {**_shown(product, medium, place, "ProductImage"), "width": None, "height": None, "src": medium.source}


def _medium(product: Product, medium: Medium, place: int) -> dict[str, Any]:
    return {
        **_shown(product, medium, place, TYPES[medium.kind]),
        "status": "READY",
        "media_content_type": medium.kind,
        "preview_image": {"src": medium.source} if medium.kind == "IMAGE" else None,
    }


def _shown(product: Product, medium: Medium, place: int, kind: str) -> dict[str, Any]:
    """What images and media have in common."""
    moment = iso(medium.created_at)
    return {
        "id": number_of(medium.id),
        "product_id": number_of(product.id),
        "position": place,
        "alt": medium.alt,
        "created_at": moment,
        "updated_at": moment,
        "admin_graphql_api_id": gid(kind, number_of(medium.id)),
        "variant_ids": [number_of(one.variant_id) for one in product.variants if one.picture == medium.id],
    }


def _options(product: Product, number: int) -> list[dict[str, Any]]:
    options = []
    for place, name in enumerate(product.option_names or ("Title",)):
        values = dict.fromkeys(v.options[place] for v in product.variants if place < len(v.options))
        known = product.options[place].id if place < len(product.options) else None
        options.append(
            {
                "id": number_of(known) if known else number * 10 + place,
                "product_id": number,
                "name": name,
                "position": place + 1,
                "values": list(values) or ["Default Title"],
            }
        )
    return options


def variant_payload(variant: Variant) -> dict[str, Any]:
    """A variant as it stands in a product, or alone in the REST API."""
    chosen = dict(enumerate(variant.options or ("Default Title",), 1))
    return {
        "id": number_of(variant.variant_id),
        "admin_graphql_api_id": variant.variant_id,
        "product_id": number_of(variant.product_id),
        "inventory_item_id": number_of(variant.item_id),
        "title": " / ".join(variant.options) or "Default Title",
        "sku": variant.sku or None,
        "barcode": variant.barcode or None,
        "price": f"{variant.price:.2f}",
        "compare_at_price": None if variant.compare_at_price is None else f"{variant.compare_at_price:.2f}",
        "position": variant.position,
        "inventory_policy": "continue" if variant.continue_selling else "deny",
        "inventory_management": "shopify" if variant.tracked else None,
        "fulfillment_service": "manual",
        "taxable": variant.taxable,
        "requires_shipping": variant.requires_shipping,
        "grams": variant.grams,
        "weight": variant.weight,
        "weight_unit": {"KILOGRAMS": "kg", "GRAMS": "g", "POUNDS": "lb", "OUNCES": "oz"}[variant.weight_unit],
        "option1": chosen.get(1),
        "option2": chosen.get(2),
        "option3": chosen.get(3),
        "image_id": next((number_of(one.id) for one in media_of(variant) if one.kind == "IMAGE"), None),
        "created_at": iso(variant.created_at),
        "updated_at": iso(variant.updated_at),
    }


def item_payload(variant: Variant) -> dict[str, Any]:
    """``inventory_items/create`` and ``inventory_items/update``."""
    return {
        "id": number_of(variant.item_id),
        "admin_graphql_api_id": variant.item_id,
        "sku": variant.sku or None,
        "tracked": variant.tracked,
        "requires_shipping": variant.requires_shipping,
        "cost": None if variant.cost is None else f"{variant.cost:.2f}",
        "country_code_of_origin": variant.country_of_origin,
        "province_code_of_origin": variant.province_of_origin,
        "harmonized_system_code": variant.harmonized_system_code,
        "country_harmonized_system_codes": [],
        "weight_value": variant.weight,
        "weight_unit": variant.weight_unit.lower(),
        "created_at": iso(variant.created_at),
        "updated_at": iso(variant.updated_at),
    }
