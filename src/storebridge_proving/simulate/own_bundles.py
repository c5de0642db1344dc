"""A merchant makes a variant up of others in the pretend Shopify shop, over its API as any app would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from storebridge.connectors.http import Request, Transport
from storebridge_proving.store_client import StoreClient, StoreRefused

LIST = """query($after: String) { productVariants(first: 250, after: $after) {
  nodes { id sku } pageInfo { hasNextPage endCursor } } }"""
RELATE = """mutation($input: [ProductVariantRelationshipUpdateInput!]!) {
  productVariantRelationshipBulkUpdate(input: $input) { userErrors { field message code } } }"""
API_VERSION = "2026-10"


async def make_up_bundles(store: StoreClient, transport: Transport, recipes: Mapping[str, Mapping[str, int]]) -> None:
    """Each SKU is made up of its recipe's from now on. Raises StoreRefused in the store's words."""
    token = (await store.credentials())["access_token"]
    ids: dict[str, str] = {}
    after: str | None = None
    while True:
        page = (await _ask(store, transport, token, LIST, {"after": after}))["productVariants"]
        ids |= {node["sku"]: node["id"] for node in page["nodes"] if node["sku"]}
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    rows = [
        {
            "parentProductVariantId": ids[sku],
            "productVariantRelationshipsToCreate": [
                {"id": ids[part], "quantity": units} for part, units in recipe.items()
            ],
        }
        for sku, recipe in recipes.items()
    ]
    answer = await _ask(store, transport, token, RELATE, {"input": rows})
    errors = answer["productVariantRelationshipBulkUpdate"]["userErrors"]
    if errors:
        raise StoreRefused(409, str(errors))


async def _ask(
    store: StoreClient, transport: Transport, token: str, query: str, variables: Mapping[str, Any]
) -> dict[str, Any]:
    body = msgspec.json.encode({"query": query, "variables": variables})
    headers = {"content-type": "application/json", "x-shopify-access-token": token}
    url = f"{store.base}/admin/api/{API_VERSION}/graphql.json"
    answer = await transport.send(Request("POST", url, headers, body, 20.0))
    told = msgspec.json.decode(answer.body, type=dict[str, Any])
    if answer.status != 200 or told.get("errors"):
        raise StoreRefused(answer.status, str(told.get("errors")))
    return dict(told["data"])
