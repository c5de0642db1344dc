"""What staff do with the collections of the pretend Wix site (V3: categories) in its dashboard, over its API."""

from __future__ import annotations

from typing import Any

import msgspec

from builders.journeys import URLS, Journey
from storebridge.connectors.http import Request
from storebridge_sandbox.wix.settings import STORES_APP_ID

TREE = {"treeReference": {"appNamespace": "@wix/stores"}}
CATEGORIES = "/categories/v1/categories"
COLLECTIONS = "/stores/v1/collections"


async def make_wix_collection(journey: Journey, name: str, *skus: str, below: str | None = None) -> str:
    """A collection of these products; returns its id."""
    if _is_v1(journey):
        made = (await ask_wix(journey, "POST", COLLECTIONS, {"collection": {"name": name}}))["collection"]
    else:
        parent = {} if below is None else {"parentCategory": {"id": below}}
        made = (await ask_wix(journey, "POST", CATEGORIES, {"category": {"name": name, **parent}, **TREE}))["category"]
    await put_into_wix(journey, made["id"], *skus)
    return str(made["id"])


async def put_into_wix(journey: Journey, collection: str, *skus: str) -> None:
    if skus:
        await _move(journey, collection, skus, "add-items", "productIds")


async def take_out_of_wix(journey: Journey, collection: str, *skus: str) -> None:
    await _move(journey, collection, skus, "remove-items", "productIds/delete")


async def delete_wix_collection(journey: Journey, collection: str) -> None:
    if _is_v1(journey):
        await ask_wix(journey, "DELETE", f"{COLLECTIONS}/{collection}")
    else:
        await ask_wix(journey, "DELETE", f"{CATEGORIES}/{collection}", TREE)


async def ask_wix(journey: Journey, method: str, path: str, body: object = None) -> dict[str, Any]:
    """A call as the site's owner."""
    access = journey.stores.wix.access
    proof = {"authorization": access.api_key, "wix-site-id": access.site_id}
    raw = b"" if body is None else msgspec.json.encode(body)
    answer = await journey.network.send(Request(method, URLS["wix"] + path, proof, raw, 20.0))
    assert answer.status == 200, answer.body
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


async def _move(journey: Journey, collection: str, skus: tuple[str, ...], verb: str, verb_v1: str) -> None:
    products = [journey.stores.wix.shelf.by_sku[sku].product.id for sku in skus]
    if _is_v1(journey):
        await ask_wix(journey, "POST", f"{COLLECTIONS}/{collection}/{verb_v1}", {"productIds": products})
        return
    items = [{"catalogItemId": product, "appId": STORES_APP_ID} for product in products]
    path = f"/categories/v1/bulk/categories/{collection}/{verb}"
    told = await ask_wix(journey, "POST", path, {"items": items, **TREE})
    assert told["bulkActionMetadata"]["totalFailures"] == 0, told


def _is_v1(journey: Journey) -> bool:
    return journey.stores.wix.generation.now == "v1"
