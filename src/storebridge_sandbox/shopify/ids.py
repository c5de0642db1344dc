"""Shopify's global ids: ``gid://shopify/Product/8000000001``."""

from __future__ import annotations

import re
from collections import Counter

PREFIX = "gid://shopify/"
FORM = re.compile(r"gid://shopify/([A-Za-z]+)/([^/?\s]+)(\?[^\s]*)?\Z")

FIRST = {
    "Product": 8_800_000_001,
    "ProductVariant": 44_000_000_001,
    "InventoryItem": 46_000_000_001,
    "Collection": 480_000_001,
    "Location": 71_000_000_001,
    "Order": 5_600_000_001,
    "LineItem": 14_000_000_001,
    "Fulfillment": 4_900_000_001,
    "Refund": 920_000_001,
    "RefundLineItem": 610_000_001,
    "Return": 8_100_001,
    "FulfillmentOrder": 7_300_000_001,
    "FulfillmentOrderLineItem": 15_000_000_001,
    "FulfillmentHold": 640_001,
    "FulfillmentLineItem": 12_400_000_001,
    "FulfillmentEvent": 27_000_001,
    "OrderTransaction": 6_900_000_001,
    "ShippingLine": 4_500_000_001,
    "ReturnLineItem": 9_300_001,
    "ReverseFulfillmentOrder": 5_200_001,
    "ReverseFulfillmentOrderLineItem": 8_700_001,
    "ReverseDelivery": 3_400_001,
    "ReverseDeliveryLineItem": 3_900_001,
    "CalculatedOrder": 21_000_001,
    "WebhookSubscription": 1_300_000_001,
    "InventoryAdjustmentGroup": 54_000_001,
}


def gid(kind: str, number: int | str) -> str:
    return f"{PREFIX}{kind}/{number}"


def kind_of(global_id: str) -> str | None:
    """The type named in a global id, None when it is no global id."""
    found = FORM.match(global_id)
    return found[1] if found else None


def number_of(global_id: str) -> int:
    """The number at the end of a global id; raises ValueError when there is none."""
    return int(global_id.partition("?")[0].rpartition("/")[2])


def number_in(global_id: str) -> int:
    """The same for an id that a caller made up: 0, which nothing has, where there is no number."""
    text = global_id.partition("?")[0].rpartition("/")[2]
    return int(text) if text.isascii() and text.isdecimal() else 0


def level_gid(location_id: str, item_id: str) -> str:
    """The id of an inventory level: the location's number and the item as a parameter."""
    number = number_of(location_id) + 32_768
    return f"{PREFIX}InventoryLevel/{number}?inventory_item_id={number_of(item_id)}"


def level_parts(global_id: str) -> tuple[str, str] | None:
    """Location id and item id of a level's id, None when it does not have that form."""
    found = re.fullmatch(r"gid://shopify/InventoryLevel/(\d+)\?inventory_item_id=(\d+)", global_id)
    if found is None:
        return None
    return gid("Location", int(found[1]) - 32_768), gid("InventoryItem", found[2])


class Numbers:
    """Running numbers for each kind of thing."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()

    def new(self, kind: str) -> str:
        number = FIRST.get(kind, 1) + self.used[kind]
        self.used[kind] += 1
        return gid(kind, number)
