"""Journeys of orders that are copied: what sells them, and what the stores' own records say of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from builders.journeys import URLS, Journey
from storebridge.connectors.http import Request

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
both_ways = pytest.mark.parametrize(("sold_in", "copied_to"), [("wix", "shopify"), ("shopify", "wix")])


def copying(target: str) -> dict[str, Any]:
    return {"orders": {"copy_to": target}}


async def stamps(journey: Journey, store: str) -> list[str]:
    """The origins of all orders of a store that have one, from its own records."""
    orders = (await journey.sandbox(store, "GET", "truth"))["orders"]
    return [str(order["origin"]) for order in orders if order.get("origin")]


async def sell(journey: Journey, store: str, units: int = 2, sku: str = "A") -> str:
    await journey.begin()
    return await journey.buy(store, units, sku)


def stamp(sold_in: str, order_id: str) -> str:
    return f"storebridge:main:{sold_in}:{order_id}"


async def copied(journey: Journey, sold_in: str, copied_to: str, units: int = 2) -> tuple[str, str]:
    """(the original's id, the copy's id) of an order that was sold and copied."""
    order_id = await sell(journey, sold_in, units)
    await journey.pass_time(60.0)
    (copy,) = (await journey.queue())[sold_in].copies
    assert copy.order_id is not None
    return order_id, copy.order_id


async def fulfil(journey: Journey, store: str, order_id: str, units: int, number: str) -> None:
    tracking = {"company": "UPS", "number": number, "url": ""}
    parcel = {"lines": [{"sku": "A", "quantity": units}], "tracking": tracking}
    await journey.sandbox(store, "POST", f"orders/{order_id}/fulfil", parcel)


async def parcels_of(journey: Journey, store: str, order_id: str) -> list[tuple[str, int]]:
    """(tracking number, units) of an order's parcels, from the store's own records."""
    (order,) = [one for one in (await journey.sandbox(store, "GET", "truth"))["orders"] if one["id"] == order_id]
    return sorted(
        (parcel["tracking"].get("number") or "", sum(line["quantity"] for line in parcel["lines"]))
        for parcel in order["fulfilments"]
    )


async def change_order(journey: Journey, store: str, order_id: str, **changes: str) -> None:
    """Staff change an order through the store's own API: ``note``, ``tag``, ``email``, or ``street`` and ``city``
    (in Wix also ``country``)."""
    client = journey.client(store)
    known = await client.credentials()
    place = {name: changes[name] for name in ("street", "city") if name in changes}
    if store == "shopify":
        told: dict[str, Any] = {"id": order_id}
        told |= {"note": changes["note"]} if "note" in changes else {}
        told |= {"tags": [changes["tag"]]} if "tag" in changes else {}
        told |= {"email": changes["email"]} if "email" in changes else {}
        if place:
            names = {"firstName": "Ann", "lastName": "Lee", "zip": "10115", "countryCode": "DE"}
            told["shippingAddress"] = {"address1": place["street"], "city": place["city"], **names}
        query = "mutation($input: OrderInput!) { orderUpdate(input: $input) { userErrors { message } } }"
        headers = {"x-shopify-access-token": known["access_token"], "content-type": "application/json"}
        path, verb, body = "/admin/api/2026-10/graphql.json", "POST", {"query": query, "variables": {"input": told}}
    else:
        order: dict[str, Any] = {"buyerInfo": {"email": changes["email"]}} if "email" in changes else {}
        if place:
            contact = {"firstName": "Ann", "lastName": "Lee"}
            address = {"addressLine": place["street"], "city": place["city"], "postalCode": "10115"}
            address["country"] = changes.get("country", "DE")
            destination = {"address": address, "contactDetails": contact}
            order["shippingInfo"] = {"logistics": {"shippingDestination": destination}}
        headers = {
            "authorization": known["api_key"],
            "wix-site-id": known["site_id"],
            "content-type": "application/json",
        }
        body = {"order": order}
        path, verb = f"/ecom/v1/orders/{order_id}", "PATCH"
    request = Request(verb, f"{URLS[store]}{path}", headers, msgspec.json.encode(body), 20.0)
    async with journey.at_the_admin(store):
        answer = await journey.network.send(request)
    assert answer.status == 200, answer.body
    assert b'"message"' not in answer.body, answer.body


async def ask_shopify(journey: Journey, query: str, **variables: Any) -> dict[str, Any]:
    """Staff or another app at work in Shopify's admin."""
    known = await journey.shopify.credentials()
    headers = {"x-shopify-access-token": known["access_token"], "content-type": "application/json"}
    body = msgspec.json.encode({"query": query, "variables": variables})
    path = f"{URLS['shopify']}/admin/api/2026-10/graphql.json"
    async with journey.at_the_admin("shopify"):
        answer = await journey.network.send(Request("POST", path, headers, body, 20.0))
    told: dict[str, Any] = msgspec.json.decode(answer.body)
    assert "errors" not in told, told
    return dict(told["data"])
