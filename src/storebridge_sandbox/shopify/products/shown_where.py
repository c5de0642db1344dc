"""Where products are published, their price ranges, and what this shop's products never have."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers
from storebridge_sandbox.shopify.products.media import media_fields
from storebridge_sandbox.shopify.products.state import Product, Variant

Owner = Product | Variant


def shown_where(domain: str, currency: str) -> Resolvers:
    """Fields of products and variants; the shop has one channel, its online store, which shows what is active."""
    resolvers: Resolvers = {
        ("Product", "priceRange"): _range(currency, "VariantPrice", lambda one: one.price, always=True),
        ("Product", "compareAtPriceRange"): _range(currency, "VariantCompareAtPrice", lambda one: one.compare_at_price),
        ("Product", "onlineStorePreviewUrl"): lambda one, _a, _c: f"https://{domain}/products/{one.handle}",
        ("Product", "onlineStoreUrl"): lambda one, _a, _c: (
            f"https://{domain}/products/{one.handle}" if _is_shown(one) else None
        ),
        ("Product", "publishedInContext"): lambda one, _a, _c: _is_shown(one),
        ("Product", "descriptionPlainSummary"): lambda one, _a, _c: one.body_html[:255],
        **media_fields(),
    }
    for kind in ("Product", "ProductVariant"):
        for name in ("publishedOnCurrentPublication", "publishedOnCurrentChannel", "publishedOnChannel"):
            resolvers[(kind, name)] = lambda one, _a, _c: _is_shown(one)
        resolvers[(kind, "publishedOnPublication")] = lambda one, _a, _c: _is_shown(one)
        for name in ("publicationCount", "resourcePublicationsCount", "availablePublicationsCount"):
            resolvers[(kind, name)] = lambda one, _a, _c: int(_is_shown(one))
        for name in ("sellingPlanGroupCount", "sellingPlanGroupsCount"):
            resolvers[(kind, name)] = lambda _o, _a, _c: 0
    return resolvers


def _is_shown(one: Owner) -> bool:
    product = one.product if isinstance(one, Variant) else one
    return product.status == "active"


def _range(
    currency: str, name: str, price: Callable[[Variant], Decimal | None], *, always: bool = False
) -> Callable[[Product, dict[str, Any], Call], dict[str, Any] | None]:
    """Least and most of what variants cost; none where no variant has such a price."""

    def resolve(product: Product, _args: dict[str, Any], _call: Call) -> dict[str, Any] | None:
        held = [one for one in map(price, product.variants) if one is not None] or ([Decimal(0)] if always else [])
        if not held:
            return None
        least, most = ({"amount": f"{one:.1f}", "currencyCode": currency} for one in (min(held), max(held)))
        return {f"min{name}": least, f"max{name}": most}

    return resolve
