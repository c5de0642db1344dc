"""The small REST surface of the pretend Shopify shop: what it lists, how it pages, its bucket, and writes of levels."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from shopify_shop import Shop, with_shop

from storebridge.connectors.http import Response
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions

API = "/admin/api/2026-10"


async def call(shop: Shop, method: str, path: str, body: object = None, token: str | None = None) -> Response:
    proof = {"x-shopify-access-token": token or shop.store.credentials()["access_token"]}
    return await shop.ask(method, path if path.startswith("/admin") else f"{API}/{path}", body, proof)


async def told(shop: Shop, path: str) -> Any:
    answer = await call(shop, "GET", path)
    assert answer.status == 200, answer.body
    return msgspec.json.decode(answer.body)


def place(shop: Shop, sku: str = "MUG") -> dict[str, int]:
    return {"inventory_item_id": number_of(shop.item(sku)), "location_id": number_of(shop.place(0))}


def test_it_lists_counts_and_shows_goods_places_customers_and_orders() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 2)
        products = (await told(shop, "products.json"))["products"]
        assert [one["title"] for one in products] == ["Mug", "Shirt"]
        assert [one["sku"] for one in products[1]["variants"]] == ["SHIRT-S", "SHIRT-M"]
        assert await told(shop, "variants/count.json") == {"count": 3}
        one = (await told(shop, f"products/{products[0]['id']}.json?fields=id,title"))["product"]
        assert one == {"id": products[0]["id"], "title": "Mug"}
        assert len((await told(shop, f"products/{products[1]['id']}/variants.json"))["variants"]) == 2
        assert [one["name"] for one in (await told(shop, "locations.json"))["locations"]] == [
            "Main warehouse",
            "Outlet",
        ]
        order = (await told(shop, "orders.json"))["orders"][0]
        assert (order["name"], order["line_items"][0]["quantity"]) == ("#1001", 2)
        assert (await told(shop, "shop.json"))["shop"]["currency"] == "EUR"
        scopes = (await told(shop, "/admin/oauth/access_scopes.json"))["access_scopes"]
        assert {"handle": "write_inventory"} in scopes

    with_shop(play)


def test_orders_are_listed_while_they_are_open_unless_asked_otherwise_and_the_newest_comes_first() -> None:
    async def play(shop: Shop) -> None:
        for _ in range(3):
            await shop.buy("MUG", 1)
        first = next(iter(shop.store.orders.orders.values()))
        await shop.play(f"orders/{number_of(first.id)}/cancel")
        assert [one["name"] for one in (await told(shop, "orders.json"))["orders"]] == ["#1003", "#1002"]
        assert await told(shop, "orders/count.json?status=any") == {"count": 3}
        assert [one["name"] for one in (await told(shop, "orders.json?status=cancelled"))["orders"]] == ["#1001"]
        later = await told(shop, f"orders.json?status=any&since_id={number_of(first.id)}")
        assert [one["name"] for one in later["orders"]] == ["#1002", "#1003"]

    with_shop(play)


def test_the_link_header_leads_through_all_pages_and_back_with_the_filters_of_the_first() -> None:
    async def play(shop: Shop) -> None:
        seen: list[str] = []
        path: str | None = "variants.json?limit=1&fields=id,sku"
        while path is not None:
            answer = await call(shop, "GET", path)
            seen += [one["sku"] for one in msgspec.json.decode(answer.body)["variants"]]
            found = re.search(r'<https?://[^/]+([^>]+)>; rel="next"', answer.headers.get("link", ""))
            path = found[1] if found else None
        assert seen == ["MUG", "SHIRT-S", "SHIRT-M"]
        assert 'rel="previous"' in answer.headers["link"]
        cursor = re.search(r"page_info=([^>&]+)", answer.headers["link"])
        assert cursor is not None
        mixed = await call(shop, "GET", f"variants.json?page_info={cursor[1]}&since_id=1")
        assert mixed.status == 400

    with_shop(play)


def test_a_level_is_set_adjusted_connected_and_disconnected_and_the_truth_knows_it() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update")
        adjusted = await call(shop, "POST", "inventory_levels/adjust.json", {**place(shop), "available_adjustment": -2})
        assert msgspec.json.decode(adjusted.body)["inventory_level"]["available"] == 3
        await call(shop, "POST", "inventory_levels/set.json", {**place(shop), "available": 9})
        assert (await shop.levels())["MUG"] == 9
        listed = await told(shop, f"inventory_levels.json?inventory_item_ids={place(shop)['inventory_item_id']}")
        assert sorted(one["available"] for one in listed["inventory_levels"]) == [0, 9]
        outlet = {**place(shop), "location_id": number_of(shop.place(1))}
        query = f"inventory_item_id={outlet['inventory_item_id']}&location_id={outlet['location_id']}"
        assert (await call(shop, "DELETE", f"inventory_levels.json?{query}")).status == 204
        assert (await call(shop, "DELETE", f"inventory_levels.json?{query}")).status == 404
        assert (await call(shop, "POST", "inventory_levels/connect.json", outlet)).status == 201

    with_shop(play)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "products/1.json", None, 404),
        ("GET", "gift_cards.json", None, 404),
        ("GET", "products.json?limit=x", None, 400),
        ("GET", "products.json?limit=251", None, 400),
        ("GET", "products.json?since_id=x", None, 400),
        ("GET", "orders.json?created_at_min=soon", None, 400),
        ("GET", "products.json?page_info=x", None, 400),
        ("GET", "inventory_levels.json", None, 422),
        ("POST", "inventory_levels/set.json", {"location_id": 1}, 400),
        ("POST", "inventory_levels/set.json", {"location_id": 1, "inventory_item_id": 1, "available": 1}, 404),
        ("PUT", "products/1.json", {}, 404),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(method: str, path: str, body: object, status: int) -> None:
    async def play(shop: Shop) -> None:
        before = await shop.truth()
        answer = await call(shop, method, path, body)
        assert (answer.status, "errors" in msgspec.json.decode(answer.body)) == (status, True)
        assert await shop.truth() == before

    with_shop(play)


def test_a_stranger_is_turned_away() -> None:
    async def play(shop: Shop) -> None:
        assert (await call(shop, "GET", "shop.json", token="shpat_wrong")).status == 401

    with_shop(play)


@pytest.mark.parametrize(("rate", "size"), [(100.0, 40), (200.0, 80), (1000.0, 400)])
def test_the_bucket_says_how_full_it_is_and_runs_over_and_drains(rate: float, size: int) -> None:
    async def play(shop: Shop) -> None:
        first = await call(shop, "GET", "shop.json")
        assert first.headers["x-shopify-shop-api-call-limit"] == f"1/{size}"
        for _ in range(size - 1):
            assert (await call(shop, "GET", "shop.json")).status == 200
        over = await call(shop, "GET", "shop.json")
        assert (over.status, over.headers["retry-after"]) == (429, "2.0")
        assert "uninterrupted service." in over.body.decode()
        await shop.clock.sleep(2.0)
        assert (await call(shop, "GET", "shop.json")).status == 200

    with_shop(play, ShopifyOptions(restore_rate=rate, bucket_size=20 * rate))
