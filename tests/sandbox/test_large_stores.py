"""A page of a large store costs what the page costs: ten times the goods and orders, and hardly a call more."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest
from shopify_shop import Shop, with_shop
from wix_site import Site, with_site

from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant
from storebridge_sandbox.orders import Wish
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.settings import WixOptions

SMALL, LARGE = 40, 400
MORE = 1.2
"""Looking a place up in ten times the rows takes a few steps more."""
NODES = "{ nodes { id } pageInfo { hasNextPage endCursor } }"
SHOPIFY = {
    "variants": f"productVariants(first: 10) {NODES}",
    "variants from the middle backwards": f"productVariants(first: 10, reverse: true) {NODES}",
    "variants by SKU": f"productVariants(first: 10, sortKey: SKU) {NODES}",
    "a variant by SKU": f'productVariants(first: 10, query: "sku:G-7") {NODES}',
    "products by change": f"products(first: 10, sortKey: UPDATED_AT, reverse: true) {NODES}",
    "a product by a variant's SKU": f'products(first: 10, query: "sku:G-7") {NODES}',
    "inventory items": f"inventoryItems(first: 10) {NODES}",
    "an item by SKU": f'inventoryItems(first: 10, query: "sku:G-7") {NODES}',
    "orders": f"orders(first: 10) {NODES}",
    "open orders": f'orders(first: 10, query: "status:open") {NODES}',
    "the latest orders": f"orders(first: 10, sortKey: UPDATED_AT, reverse: true) {NODES}",
    "an order by name": f'orders(first: 10, query: "name:#1007") {NODES}',
    "an order by id": f'orders(first: 10, query: "id:ID") {NODES}',
    "an order by its source identifier": f'orders(first: 10, query: "source_identifier:none") {NODES}',
    "orders since a moment": f'orders(first: 10, sortKey: UPDATED_AT, query: "updated_at:>=SINCE") {NODES}',
    "new orders since a moment": f'orders(first: 10, query: "updated_at:>=SINCE") {NODES}',
}
ITEMS, VARIANTS = "/stores/v3/inventory-items/query", "/stores/v3/products/query-variants"
ORDERS = "/ecom/v1/orders/search"
NEWEST = [{"fieldName": "updatedDate", "order": "DESC"}]
SINCE = {"updatedDate": {"$gte": "SINCE"}}
WIX: dict[str, tuple[str, str, dict[str, Any]]] = {
    "inventory items": (ITEMS, "query", {}),
    "inventory items by SKU": (ITEMS, "query", {"filter": {"product.variantSku": "G-7"}}),
    "products": ("/stores/v3/products/query", "query", {}),
    "variants": (VARIANTS, "query", {}),
    "variants by SKU": (VARIANTS, "query", {"filter": {"sku": "G-7"}}),
    "orders": (ORDERS, "search", {}),
    "paid orders": (ORDERS, "search", {"filter": {"paymentStatus": "PAID"}}),
    "the latest orders": (ORDERS, "search", {"sort": NEWEST}),
    "orders since a moment": (ORDERS, "search", {"sort": NEWEST, "filter": SINCE}),
    "new orders since a moment": (ORDERS, "search", {"filter": SINCE}),
    "an order by its external id": (ORDERS, "search", {"filter": {"channelInfo.externalOrderId": "none"}}),
}


def goods(count: int) -> Catalogue:
    options, price = ("Default Title",), Decimal("12.50")
    made = [CatalogueVariant(f"G-{number}", options, price, quantity=9, wix_quantity=9) for number in range(count)]
    return Catalogue([CatalogueProduct(one.sku.lower(), f"Thing {one.sku}", variants=[one]) for one in made])


async def calls_of(ask: Callable[[], Awaitable[object]]) -> int:
    """How many functions of the sandbox one request calls, once what it needs is sorted."""
    await ask()
    counted = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call" and "storebridge_sandbox" in frame.f_code.co_filename

    sys.setprofile(count)
    try:
        await ask()
    finally:
        sys.setprofile(None)
    return counted


def shopify_calls(count: int) -> dict[str, int]:
    """Calls by list, in a shop with so many products and orders; the last 5 orders are of another day."""
    found: dict[str, int] = {}

    async def play(shop: Shop) -> None:
        shop.store.load_catalogue(goods(count))
        since = await trade(shop, count)
        first = next(iter(shop.store.orders.orders)).rpartition("/")[2]
        for name, text in SHOPIFY.items():
            query = text.replace("SINCE", since).replace("ID", first)

            async def ask(query: str = query) -> None:
                told = await shop.told(f"{{ {query} }}")
                (connection,) = told["data"].values()
                assert connection["nodes"] or "none" in query

            found[name] = await calls_of(ask)

    with_shop(play, ShopifyOptions(bucket_size=0))
    return found


def wix_calls(count: int) -> dict[str, int]:
    found: dict[str, int] = {}

    async def play(site: Site) -> None:
        site.store.load_catalogue(goods(count))
        since = await trade(site, count)
        for name, (path, part, asked) in WIX.items():
            filter_ = asked.get("filter") or {}
            if "updatedDate" in filter_:
                filter_ = {"updatedDate": {"$gte": since}}
            query = {**asked, "filter": filter_, "cursorPaging": {"limit": 10}}

            async def ask(path: str = path, part: str = part, query: object = query) -> None:
                status, told = await site.call("POST", path, {part: query})
                assert status == 200
                (rows,) = (value for value in told.values() if isinstance(value, list))
                assert rows or "none" in str(query)

            found[name] = await calls_of(ask)

    with_site(play, WixOptions(webhook_url=None))
    return found


async def trade(place: Shop | Site, count: int) -> str:
    """Orders of one unit each; tells the moment before the last five."""
    since = ""
    for number in range(count):
        if number == count - 5:
            await place.clock.sleep(86400)
            since = place.clock.now().isoformat().replace("+00:00", "Z")
        place.store.checkout([Wish(f"G-{number}", 1)], {"email": f"a{number}@example.org"}, paid=True)
    await place.clock.sleep(60)
    return since


@pytest.fixture(scope="module")
def shopify() -> tuple[dict[str, int], dict[str, int]]:
    return shopify_calls(SMALL), shopify_calls(LARGE)


@pytest.fixture(scope="module")
def wix() -> tuple[dict[str, int], dict[str, int]]:
    return wix_calls(SMALL), wix_calls(LARGE)


@pytest.mark.parametrize("name", SHOPIFY)
def test_a_shopify_list_of_a_shop_ten_times_as_large_costs_the_same(
    shopify: tuple[dict[str, int], dict[str, int]], name: str
) -> None:
    small, large = shopify[0][name], shopify[1][name]
    assert large < small * MORE, f"{small} calls became {large}"


@pytest.mark.parametrize("name", WIX)
def test_a_wix_list_of_a_site_ten_times_as_large_costs_the_same(
    wix: tuple[dict[str, int], dict[str, int]], name: str
) -> None:
    small, large = wix[0][name], wix[1][name]
    assert large < small * MORE, f"{small} calls became {large}"
