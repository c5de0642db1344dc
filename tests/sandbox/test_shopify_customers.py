"""Customers of the pretend Shopify shop: written, found, told about, and made one."""

from __future__ import annotations

import asyncio
from typing import Any

from shopify_shop import Shop, with_shop

CREATE = """mutation Create($input: CustomerInput!) { customerCreate(input: $input) {
  customer { id email displayName tags defaultAddress { city } } userErrors { field message } } }"""
SET = """mutation Put($input: CustomerSetInput!, $by: CustomerSetIdentifiers) {
  customerSet(input: $input, identifier: $by) { customer { id firstName } userErrors { field message code } } }"""
MERGE = """mutation Merge($one: ID!, $two: ID!) { customerMerge(customerOneId: $one, customerTwoId: $two) {
  resultingCustomerId job { id done } userErrors { field message code } } }"""
READ = "query Read($id: ID!) { customer(id: $id) { email note tags addressesV2(first: 5) { nodes { city } } } }"


async def create(shop: Shop, **given: Any) -> dict[str, Any]:
    told = await shop.told(CREATE, input=given)
    return dict(told["data"]["customerCreate"])


def test_a_customer_is_made_once_for_an_address_of_theirs() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("customers/create")
        made = await create(
            shop, email="ada@example.com", firstName="Ada", tags=["vip, b2b"], addresses=[{"city": "Kiel"}]
        )
        again = await create(shop, email="ADA@example.com")
        await asyncio.sleep(1)
        customer = made["customer"]
        assert (customer["displayName"], customer["tags"]) == ("Ada", ["b2b", "vip"])
        assert customer["defaultAddress"] == {"city": "Kiel"}
        assert again == {
            "customer": None,
            "userErrors": [{"field": ["email"], "message": "Email has already been taken"}],
        }
        assert [letter["email"] for letter in shop.letters("customers/create")] == ["ada@example.com"]

    with_shop(play)


def test_a_set_finds_by_its_identifier_and_makes_who_is_not_there() -> None:
    async def play(shop: Shop) -> None:
        by = {"email": "bo@example.com"}
        first = (await shop.told(SET, input={"email": "bo@example.com", "firstName": "Bo"}, by=by))["data"][
            "customerSet"
        ]
        second = (await shop.told(SET, input={"email": "bo@example.com", "firstName": "Boris"}, by=by))["data"][
            "customerSet"
        ]
        astray = (await shop.told(SET, input={"email": "co@example.com"}, by=by))["data"]["customerSet"]
        assert second["customer"] == {"id": first["customer"]["id"], "firstName": "Boris"}
        assert astray["userErrors"][0]["code"] == "INPUT_MISMATCH"
        assert len(shop.store.office.buyers.known) == 1

    with_shop(play)


def test_two_customers_become_one_and_their_orders_follow() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("customers/merge")
        one = await create(shop, email="one@example.com", note="calls often", tags=["a"], addresses=[{"city": "Bonn"}])
        two = await create(shop, email="two@example.com", tags=["b"], addresses=[{"city": "Trier"}])
        ids = {"one": one["customer"]["id"], "two": two["customer"]["id"]}
        merged = (await shop.told(MERGE, **ids))["data"]["customerMerge"]
        await asyncio.sleep(1)
        kept = (await shop.told(READ, id=ids["two"]))["data"]["customer"]
        gone = (await shop.told(READ, id=ids["one"]))["data"]["customer"]
        assert (merged["resultingCustomerId"], merged["job"]["done"]) == (ids["two"], False)
        assert gone is None
        assert (kept["email"], kept["note"], kept["tags"]) == ("two@example.com", "calls often", ["a", "b"])
        assert {one["city"] for one in kept["addressesV2"]["nodes"]} == {"Bonn", "Trier"}
        letters = shop.letters("customers/merge")
        assert [letter["admin_graphql_api_customer_deleted_id"] for letter in letters] == [ids["one"]]

    with_shop(play)


def test_nobody_is_merged_with_themselves() -> None:
    async def play(shop: Shop) -> None:
        only = (await create(shop, email="ada@example.com"))["customer"]["id"]
        refused = (await shop.told(MERGE, one=only, two=only))["data"]["customerMerge"]
        assert refused["userErrors"] == [
            {"field": None, "message": "Customers IDs should not match", "code": "INVALID_CUSTOMER_ID"}
        ]
        assert only in shop.store.office.buyers.known

    with_shop(play)
