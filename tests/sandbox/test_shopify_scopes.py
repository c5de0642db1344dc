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
        assert told["data"] is None
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


def test_an_order_is_edited_only_with_a_scope_of_its_own() -> None:
    begin = 'mutation { orderEditBegin(id: "gid://shopify/Order/1") { userErrors { message } } }'

    async def denied(shop: Shop) -> None:
        (error,) = (await shop.told(begin))["errors"]
        assert error["extensions"]["requiredAccess"] == "`write_order_edits` access scope."

    async def let_in(shop: Shop) -> None:
        assert "errors" not in await shop.told(begin)

    with_shop(denied, granted("write_orders"))
    with_shop(let_in, granted("write_order_edits"))


@pytest.mark.parametrize(
    ("scopes", "shown"), [(("read_orders",), 1), (("read_orders", "read_all_orders"), 2)], ids=["sixty days", "all"]
)
def test_without_read_all_orders_only_the_last_sixty_days_are_shown(scopes: tuple[str, ...], shown: int) -> None:
    query = "query Both { orders(first: 9) { nodes { id } } ordersCount { count } }"

    async def play(shop: Shop) -> None:
        _, first = await shop.buy("MUG", 1)
        await shop.clock.sleep(60 * 86_400 + 1)
        await shop.buy("MUG", 1)
        await shop.clock.sleep(10)
        told = (await shop.told(query))["data"]
        assert len(told["orders"]["nodes"]) == told["ordersCount"]["count"] == shown
        one = await shop.told("query One($id: ID!) { order(id: $id) { id } }", id=first["order_id"])
        assert (one["data"]["order"] is not None) == (shown == 2)

    with_shop(play, granted(*scopes))
