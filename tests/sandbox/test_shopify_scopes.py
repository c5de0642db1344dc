"""An app that was granted less than it calls for: what the pretend Shopify shop denies it, and how it says so."""

from __future__ import annotations

import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.quirks import ShopifyOptions

API = "/admin/api/2026-10"


def granted(*scopes: str) -> ShopifyOptions:
    return ShopifyOptions(granted_scopes=scopes)


def test_a_list_of_orders_is_denied_to_an_app_that_may_only_see_products() -> None:
    async def play(shop: Shop) -> None:
        told = await shop.told("query Both { orders(first: 1) { nodes { id } } }")
        (error,) = told["errors"]
        assert error["extensions"]["code"] == "ACCESS_DENIED"
        assert error["message"] == "Access denied for orders field. Required access: `read_orders` access scope."
        assert error["path"] == ["orders"]
        assert told["data"] == {"orders": None}
        fine = await shop.told("query Goods { products(first: 1) { nodes { title } } }")
        assert fine["data"]["products"]["nodes"] == [{"title": "Mug"}]

    with_shop(play, granted("read_products"))


def test_who_may_read_may_not_write_and_who_may_write_may_read() -> None:
    change = 'mutation Make { productCreate(product: {title: "Lamp"}) { product { title } } }'

    async def reader(shop: Shop) -> None:
        told = await shop.told(change)
        assert told["data"] == {"productCreate": None}
        assert told["errors"][0]["extensions"]["requiredAccess"] == "`write_products` access scope."
        assert len(shop.store.shelves.products) == 2

    async def writer(shop: Shop) -> None:
        assert "errors" not in await shop.told(change)
        assert "errors" not in await shop.told("query Goods { products(first: 1) { nodes { title } } }")

    with_shop(reader, granted("read_products"))
    with_shop(writer, granted("write_products"))


def test_one_of_several_scopes_is_enough_for_fulfilment_orders() -> None:
    query = "query Work { fulfillmentOrders(first: 1) { nodes { id } } }"

    async def denied(shop: Shop) -> None:
        assert (await shop.told(query))["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"

    async def let_in(shop: Shop) -> None:
        assert "errors" not in await shop.told(query)

    with_shop(denied, granted("read_orders"))
    with_shop(let_in, granted("write_third_party_fulfillment_orders"))


def test_the_installation_and_the_token_tell_what_was_granted() -> None:
    async def play(shop: Shop) -> None:
        told = await shop.told("query Mine { currentAppInstallation { accessScopes { handle } } }")
        assert told["data"]["currentAppInstallation"]["accessScopes"] == [{"handle": "read_products"}]
        assert (await shop.grant(grant_type="client_credentials"))[1]["scope"] == "read_products"

    with_shop(play, granted("read_products"))


@pytest.mark.parametrize(("path", "status"), [("products.json", 200), ("orders.json", 403), ("shop.json", 200)])
def test_rest_denies_alike(path: str, status: int) -> None:
    async def play(shop: Shop) -> None:
        proof = {"x-shopify-access-token": shop.store.credentials()["access_token"]}
        answer = await shop.ask("GET", f"{API}/{path}", None, proof)
        assert answer.status == status
        assert (b"merchant approval for read_orders scope" in answer.body) == (status == 403)

    with_shop(play, granted("read_products"))


def test_without_that_option_nothing_is_denied() -> None:
    async def play(shop: Shop) -> None:
        assert "errors" not in await shop.told("query Both { orders(first: 1) { nodes { id } } }")

    with_shop(play)
