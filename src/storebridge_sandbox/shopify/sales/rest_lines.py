"""Lines of orders in REST shape: webhooks carry them in orders, refunds and fulfilments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.money import Bag, money_text
from storebridge_sandbox.shopify.sales.state import Pairs, ShopLine, ShopOrder, TaxLine


def money_set(order: ShopOrder, bag: Bag) -> dict[str, Any]:
    """``..._set``."""
    return {
        "shop_money": {"amount": money_text(bag.shop), "currency_code": order.currency},
        "presentment_money": {"amount": money_text(bag.presentment), "currency_code": order.presentment_currency},
    }


def property_list(pairs: Pairs) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def tax_list(order: ShopOrder, taxes: Iterable[TaxLine]) -> list[dict[str, Any]]:
    return [
        {
            "title": tax.title,
            "rate": float(tax.rate),
            "price": money_text(tax.price.shop),
            "price_set": money_set(order, tax.price),
            "channel_liable": tax.channel_liable,
        }
        for tax in taxes
    ]


def line_payload(line: ShopLine) -> dict[str, Any]:
    """One entry of ``line_items``."""
    order = line.order
    assert order is not None
    custom = line.is_custom
    return {
        "id": number_of(line.id),
        "admin_graphql_api_id": line.id,
        "variant_id": None if custom else number_of(line.variant.variant_id),
        "product_id": number_of(line.product_id) if line.product_id else None,
        "product_exists": not custom,
        "title": line.title,
        "name": f"{line.title} - {line.variant_title}" if line.variant_title else line.title,
        "variant_title": line.variant_title,
        "sku": line.sku,
        "vendor": line.vendor,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": max(0, line.unfulfilled),
        "fulfillment_status": _status(line),
        "fulfillment_service": "manual",
        "price": money_text(line.unit.shop),
        "price_set": money_set(order, line.unit),
        "total_discount": money_text(line.discount.shop),
        "total_discount_set": money_set(order, line.discount),
        "discount_allocations": [
            {
                "amount": money_text(one.amount.shop),
                "amount_set": money_set(order, one.amount),
                "discount_application_index": _index(order, one.discount),
            }
            for one in line.allocations
        ],
        "tax_lines": tax_list(order, line.tax_lines),
        "taxable": line.taxable,
        "gift_card": line.gift_card,
        "grams": getattr(line.variant, "grams", 0),
        "requires_shipping": line.requires_shipping,
        "properties": property_list(line.attributes),
        "variant_inventory_management": "shopify" if line.variant.tracked else None,
        "attributed_staffs": [],
        "duties": [],
    }


def _status(line: ShopLine) -> str | None:
    if not line.fulfilled:
        return None
    return "partial" if line.unfulfilled > 0 else "fulfilled"


def _index(order: ShopOrder, discount: Any) -> int:
    return next((n for n, one in enumerate(order.discounts) if one is discount), 0)
