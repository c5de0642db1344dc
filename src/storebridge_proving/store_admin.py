"""Somebody who works in a store's admin: deeds for which the control calls have no verb, done through the store's own
API as any other app would. Calls fail as they do for everybody; what failed is simply not done.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from storebridge.connectors.http import Request, Transport
from storebridge_proving.store_client import CartLine, StoreClient, StoreRefused

PATIENCE_SECONDS = 30.0
WAY = {"firstName": "Ada", "lastName": "Moreau"}


class Admin(Protocol):
    """One store's admin. Raises StoreRefused, and what the transport raises.

    ``changes_notes``: whether staff can change the note of a placed order (not in Wix: there it is the buyer's).
    """

    changes_notes: bool

    async def change_address(self, order_id: str, street: str, city: str) -> None: ...

    async def change_note(self, order_id: str, note: str) -> None: ...

    async def tag(self, order_id: str, tags: list[str]) -> None:
        """All tags that the order is to have, those that it has among them."""
        ...

    async def retrack(self, order_id: str, parcel_id: str, number: str, /) -> None:
        """A parcel gets a tracking number, or another one."""
        ...

    async def call_back(self, order_id: str, parcel_id: str, /) -> None:
        """A parcel did not leave after all."""
        ...

    async def take_back(self, order_id: str, line: CartLine) -> None:
        """Units that were sent come back; their money goes back, and they are on sale again where asked."""
        ...


def admin_of(client: StoreClient, transport: Transport) -> Admin:
    """The admin of a pretend store, by the vendor's kind."""
    return ShopifyAdmin(client, transport) if client.name == "shopify" else WixAdmin(client, transport)


class ShopifyAdmin:
    """Through the Admin GraphQL API."""

    changes_notes = True

    def __init__(self, client: StoreClient, transport: Transport) -> None:
        self._client = client
        self._transport = transport

    async def change_address(self, order_id: str, street: str, city: str) -> None:
        place = {**WAY, "address1": street, "city": city, "zip": "10115", "countryCode": "DE"}
        await self._update(id=order_id, shippingAddress=place)

    async def change_note(self, order_id: str, note: str) -> None:
        await self._update(id=order_id, note=note)

    async def tag(self, order_id: str, tags: list[str]) -> None:
        await self._update(id=order_id, tags=tags)

    async def _update(self, **given: Any) -> None:
        await self._ask(
            "mutation($given: OrderInput!) { orderUpdate(input: $given) { userErrors { message } } }", given=given
        )

    async def retrack(self, _order_id: str, parcel_id: str, number: str) -> None:
        await self._ask(
            "mutation($id: ID!, $given: FulfillmentTrackingInput!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id, "
            "trackingInfoInput: $given) { userErrors { message } } }",
            id=parcel_id,
            given={"company": "UPS", "number": number},
        )

    async def call_back(self, _order_id: str, parcel_id: str) -> None:
        await self._ask(
            "mutation($id: ID!) { fulfillmentCancel(id: $id) { userErrors { message } } }",
            id=parcel_id,
        )

    async def take_back(self, order_id: str, line: CartLine) -> None:
        """A return with its disposition, and a refund without restock: the units are on sale again once."""
        sent = await self._sent(order_id, line)
        wanted = [{"fulfillmentLineItemId": sent, "quantity": line.quantity, "returnReason": "UNWANTED"}]
        told = await self._ask(
            "mutation($given: ReturnInput!) { returnCreate(returnInput: $given) { return { reverseFulfillmentOrders("
            "first: 1) { nodes { lineItems(first: 1) { nodes { id } } } } } userErrors { message } } }",
            given={"orderId": order_id, "returnLineItems": wanted},
        )
        (back,) = told["returnCreate"]["return"]["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]
        disposal = {
            "reverseFulfillmentOrderLineItemId": back["id"],
            "quantity": line.quantity,
            "dispositionType": "RESTOCKED" if line.restock else "NOT_RESTOCKED",
        }
        if line.restock:
            disposal["locationId"] = await self._location()
        await self._ask(
            "mutation($given: [ReverseFulfillmentOrderDisposeInput!]!) { reverseFulfillmentOrderDispose("
            "dispositionInputs: $given) { userErrors { message } } }",
            given=[disposal],
        )
        await self._client.refund(order_id, [CartLine(line.sku, line.quantity, restock=False)])

    async def _sent(self, order_id: str, line: CartLine) -> str:
        """A line of a parcel with so many units of a SKU. Raises StoreRefused: there is none."""
        told = await self._ask(
            "query($id: ID!) { order(id: $id) { fulfillments { status fulfillmentLineItems(first: 20) { nodes { id "
            "quantity lineItem { sku } } } } } }",
            id=order_id,
        )
        for parcel in told["order"]["fulfillments"]:
            for one in parcel["fulfillmentLineItems"]["nodes"]:
                fits = one["lineItem"]["sku"] == line.sku and one["quantity"] >= line.quantity
                if fits and parcel["status"] == "SUCCESS":
                    return str(one["id"])
        raise StoreRefused(422, "no parcel holds so many")

    async def _location(self) -> str:
        told = await self._ask("query { locations(first: 1) { nodes { id } } }")
        return str(told["locations"]["nodes"][0]["id"])

    async def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        known = await self._client.credentials()
        headers = {"x-shopify-access-token": known["access_token"], "content-type": "application/json"}
        body = msgspec.json.encode({"query": query, "variables": variables})
        url = f"{self._client.base}/admin/api/2026-10/graphql.json"
        answer = await self._transport.send(Request("POST", url, headers, body, PATIENCE_SECONDS))
        told: dict[str, Any] = msgspec.json.decode(answer.body) if answer.status == 200 else {}
        data = told.get("data") or {}
        wrong = [error["message"] for one in data.values() for error in (one or {}).get("userErrors", ())]
        if told.get("errors") or wrong or not data:
            raise StoreRefused(answer.status, str(wrong or told.get("errors") or answer.body[:200]))
        return data


class WixAdmin:
    """Through the eCommerce REST API."""

    changes_notes = False

    def __init__(self, client: StoreClient, transport: Transport) -> None:
        self._client = client
        self._transport = transport

    async def change_address(self, order_id: str, street: str, city: str) -> None:
        address = {"addressLine": street, "city": city, "postalCode": "10115", "country": "DE"}
        destination = {"address": address, "contactDetails": WAY}
        told = {"order": {"shippingInfo": {"logistics": {"shippingDestination": destination}}}}
        await self._ask("PATCH", f"orders/{order_id}", told)

    async def change_note(self, order_id: str, note: str) -> None:
        raise StoreRefused(422, f"the note {note!r} of order {order_id} is its buyer's")

    async def tag(self, order_id: str, tags: list[str]) -> None:
        await self._ask(
            "POST", "bulk/orders/update-tags", {"orderIds": [order_id], "assignTags": {"tags": {"tagIds": tags}}}
        )

    async def retrack(self, order_id: str, parcel_id: str, number: str) -> None:
        tracking = {"trackingNumber": number, "shippingProvider": "ups"}
        told = {"fulfillment": {"id": parcel_id, "trackingInfo": tracking}}
        await self._ask("PATCH", f"fulfillments/{parcel_id}/orders/{order_id}", told)

    async def call_back(self, order_id: str, parcel_id: str) -> None:
        await self._ask("DELETE", f"fulfillments/{parcel_id}/orders/{order_id}")

    async def take_back(self, order_id: str, line: CartLine) -> None:
        """Wix keeps no returns: a refund says what is on sale again."""
        await self._client.refund(order_id, [line])

    async def _ask(self, method: str, path: str, told: object = None) -> None:
        known = await self._client.credentials()
        headers = {"authorization": known["api_key"], "wix-site-id": known["site_id"]}
        headers["content-type"] = "application/json"
        body = b"" if told is None else msgspec.json.encode(told)
        url = f"{self._client.base}/ecom/v1/{path}"
        answer = await self._transport.send(Request(method, url, headers, body, PATIENCE_SECONDS))
        if answer.status >= 300:
            raise StoreRefused(answer.status, str(answer.body[:200]))
