"""What staff do with collections in the pretend Shopify shop's admin, over its API."""

from __future__ import annotations

from typing import Any

import msgspec

from builders.journeys import URLS, Journey
from storebridge.connectors.http import Request

MAKE = "mutation($c:CollectionCreateInput){collectionCreate(collection:$c){collection{id} userErrors{message}}}"
ADD = "mutation($id:ID!,$p:[ID!]!){collectionAddProducts(id:$id,productIds:$p){userErrors{message}}}"
REMOVE = "mutation($id:ID!,$p:[ID!]!){collectionRemoveProducts(id:$id,productIds:$p){userErrors{message}}}"
DELETE = "mutation($i:CollectionDeleteInput!){collectionDelete(input:$i){userErrors{message}}}"


async def make_collection(journey: Journey, title: str, *skus: str) -> str:
    """A collection of these products; returns its id."""
    made = await _ask(journey, MAKE, "collectionCreate", c={"title": title})
    await put_into(journey, made["collection"]["id"], *skus)
    return str(made["collection"]["id"])


async def put_into(journey: Journey, collection: str, *skus: str) -> None:
    if skus:
        await _ask(journey, ADD, "collectionAddProducts", id=collection, p=_products(journey, skus))


async def take_out(journey: Journey, collection: str, *skus: str) -> None:
    await _ask(journey, REMOVE, "collectionRemoveProducts", id=collection, p=_products(journey, skus))


async def delete_collection(journey: Journey, collection: str) -> None:
    await _ask(journey, DELETE, "collectionDelete", i={"id": collection})


def _products(journey: Journey, skus: tuple[str, ...]) -> list[str]:
    return [journey.stores.shopify.shelves.by_sku[sku].product.id for sku in skus]


async def _ask(journey: Journey, query: str, name: str, **variables: Any) -> dict[str, Any]:
    proof = {"x-shopify-access-token": journey.stores.shopify.credentials()["access_token"]}
    body = msgspec.json.encode({"query": query, "variables": variables})
    request = Request("POST", f"{URLS['shopify']}/admin/api/2026-10/graphql.json", proof, body, 20.0)
    answer = msgspec.json.decode((await journey.network.send(request)).body)
    found: dict[str, Any] = answer["data"][name]
    assert found["userErrors"] == [], answer
    return found
