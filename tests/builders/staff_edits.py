"""What staff do to products in their store, and to the configuration: rename, delete, call a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from builders.journeys import Journey
from storebridge.config import BundleConfig
from storebridge.connectors.http import Request
from storebridge_sandbox.wix.identities import staff

LISTED = 600.0
"""Within so many seconds of a delivery about a product, the stores are listed again."""
RENAME = (
    "mutation($p:ID!,$v:[ProductVariantsBulkInput!]!)"
    "{productVariantsBulkUpdate(productId:$p,variants:$v){userErrors{field message}}}"
)


async def rename(journey: Journey, store: str, sku: str, new: str) -> None:
    """Staff type another SKU; a delivery tells of it."""
    if store == "wix":
        shelf = journey.stores.wix.shelf
        item = shelf.by_sku[sku]
        shelf.rename_sku(item, new)
        journey.stores.wix._herald.product_updated(item.product, {"variantsInfo": {}}, staff("ann"))
        return
    variant = journey.stores.shopify.shelves.by_sku[sku]
    change = {"id": _gid("ProductVariant", variant.variant_id), "inventoryItem": {"sku": new}}
    body = {"query": RENAME, "variables": {"p": _gid("Product", variant.product_id), "v": [change]}}
    token = journey.stores.shopify.credentials()["access_token"]
    headers = {"content-type": "application/json", "x-shopify-access-token": token}
    url = "https://shop.sim/admin/api/2026-10/graphql.json"
    async with journey.at_the_admin(store):
        answer = await journey.network.send(Request("POST", url, headers, json.dumps(body).encode(), 20.0))
    assert b'"userErrors":[]' in answer.body, answer.body


def _gid(kind: str, number: Any) -> str:
    return str(number) if str(number).startswith("gid") else f"gid://shopify/{kind}/{number}"


def delete_everywhere_in(journey: Journey, store: str, sku: str = "A") -> None:
    """Staff delete the product; no delivery tells of it."""
    if store == "wix":
        inventory = journey.stores.wix.inventory
        for item in [i for i in inventory.items.values() if i.variant.sellable.sku == sku]:
            del inventory.items[item.id]
            inventory.by_variant.pop(item.variant.variant_id, None)
        (product,) = [p for p in journey.stores.wix.shelf.products.values() if sku in {v.sku for v in p.variants}]
        inventory.by_product.pop(product.id, None)
        journey.stores.wix.shelf.remove(product)
        return
    shelves = journey.stores.shopify.shelves
    shelves.remove(shelves.products[shelves.by_sku[sku].product_id])


def redeclare(journey: Journey, bundles: Sequence[Mapping[str, Any]]) -> None:
    """The configuration names other bundles; it is read when the bridge is started again."""
    workspace = journey.config.workspaces["main"]
    found = msgspec.convert(bundles, list[BundleConfig])
    workspaces = {"main": msgspec.structs.replace(workspace, bundles=found)}
    journey.config = msgspec.structs.replace(journey.config, workspaces=workspaces)
