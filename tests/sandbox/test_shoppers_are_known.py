"""Who buys in a pretend store is a customer of it, found again by e-mail; a shopper without an address stays nobody."""

from __future__ import annotations

import asyncio
import sys
from types import FrameType
from typing import Any

from shopify_shop import Shop, with_shop
from wix_site import Site, with_site

ADA = {"email": "Ada@example.com", "first_name": "Ada", "last_name": "Abel"}
ORDERS = (
    "{ orders(first: 9) { nodes { sourceName customer { id email firstName lastName numberOfOrders"
    " amountSpent { amount } } billingAddress { firstName lastName } } }"
    " customers(first: 9) { nodes { id email orders(first: 9) { nodes { name } } } } }"
)


async def buy(shop: Shop, customer: dict[str, str], sku: str = "MUG") -> None:
    status, answer = await shop.play("checkout", {"lines": [{"sku": sku, "quantity": 1}], "customer": customer})
    assert status == 201, answer


async def seen(shop: Shop) -> dict[str, Any]:
    await asyncio.sleep(5)
    return dict((await shop.told(ORDERS))["data"])


def test_a_checkout_makes_the_customer_and_tells_of_it() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("customers/create", "orders/create")
        await buy(shop, ADA)
        found = await seen(shop)
        (person,) = found["customers"]["nodes"]
        assert (person["email"], person["orders"]["nodes"]) == ("Ada@example.com", [{"name": "#1001"}])
        assert found["orders"]["nodes"] == [
            {
                "sourceName": "web",
                "customer": {
                    "id": person["id"],
                    "email": "Ada@example.com",
                    "firstName": "Ada",
                    "lastName": "Abel",
                    "numberOfOrders": "1",
                    "amountSpent": {"amount": "12.50"},
                },
                "billingAddress": {"firstName": "Ada", "lastName": "Abel"},
            }
        ]
        (told,) = shop.letters("customers/create")
        assert (told["admin_graphql_api_id"], told["email"]) == (person["id"], "Ada@example.com")
        (order,) = shop.letters("orders/create")
        assert (order["customer"]["id"], order["source_name"]) == (told["id"], "web")

    with_shop(play)


def test_who_buys_again_is_the_same_customer_whoever_made_them() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("customers/create")
        made = await shop.told(
            'mutation { customerCreate(input: {email: "ada@example.com"}) { customer { id } } }',
        )
        await buy(shop, ADA)
        await buy(shop, {"email": "ADA@example.com ", "first_name": "Adele"})
        found = await seen(shop)
        customers = [one["customer"] for one in found["orders"]["nodes"]]
        assert [(one["id"], one["firstName"], one["numberOfOrders"]) for one in customers] == [
            (made["data"]["customerCreate"]["customer"]["id"], "Ada", "2")
        ] * 2
        assert len(found["customers"]["nodes"]) == len(shop.letters("customers/create")) == 1

    with_shop(play)


def test_a_customer_whose_address_changed_is_found_under_the_new_one_only() -> None:
    async def play(shop: Shop) -> None:
        await buy(shop, ADA)
        (person,) = (await seen(shop))["customers"]["nodes"]
        change = 'mutation($id: ID!) { customerUpdate(input: {id: $id, email: "new@example.com"}) { customer { id } } }'
        await shop.told(change, id=person["id"])
        await buy(shop, {"email": "new@example.com"})
        await buy(shop, ADA)
        found = await seen(shop)
        first, second, third = [one["customer"]["id"] for one in found["orders"]["nodes"]]
        assert first == second == person["id"] != third

    with_shop(play)


def test_a_shopper_without_an_address_is_nobody() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("customers/create")
        await shop.buy("MUG", 1)
        found = await seen(shop)
        assert [one["customer"] for one in found["orders"]["nodes"]] == [None]
        assert found["customers"]["nodes"] == shop.letters("customers/create") == []

    with_shop(play)


def test_the_shoppers_stand_in_the_rest_api_too() -> None:
    async def play(shop: Shop) -> None:
        await buy(shop, ADA)
        await asyncio.sleep(5)
        proof = {"x-shopify-access-token": shop.store.credentials()["access_token"]}
        answer = await shop.ask("GET", "/admin/api/2026-10/customers.json", None, proof)
        assert b'"email":"Ada@example.com"' in answer.body.replace(b": ", b":")
        assert b'"orders_count":1' in answer.body.replace(b": ", b":")

    with_shop(play)


def test_knowing_a_shopper_costs_no_walk_over_the_customers() -> None:
    async def play(shop: Shop) -> None:
        small = await calls_of_a_checkout(shop)
        for number in range(400):
            shop.store.office.buyers.at_checkout({"email": f"s{number}@example.com"})
        assert await calls_of_a_checkout(shop) <= small * 1.1

    with_shop(play)


def test_on_wix_the_buyer_is_a_contact_found_again_by_address() -> None:
    async def play(site: Site) -> None:
        for one in (ADA, {"email": "ada@EXAMPLE.com"}, {}):
            status, _ = await site.buy("MUG", 1, customer=one)
            assert status == 201
        await asyncio.sleep(5)
        _, told = await site.call("POST", "/ecom/v1/orders/search", {"search": {}})
        buyers = [one["buyerInfo"] for one in sorted(told["orders"], key=lambda one: int(one["number"]))]
        _, people = await site.call("POST", "/contacts/v4/contacts/query", {"query": {}})
        (contact,) = people["contacts"]
        assert contact["info"]["name"] == {"first": "Ada", "last": "Abel"}
        assert [one.get("contactId") for one in buyers] == [contact["id"], contact["id"], None]

    with_site(play)


async def calls_of_a_checkout(shop: Shop) -> int:
    counted = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call" and "storebridge_sandbox" in frame.f_code.co_filename

    await buy(shop, ADA)
    sys.setprofile(count)
    try:
        await buy(shop, ADA)
    finally:
        sys.setprofile(None)
    return counted
