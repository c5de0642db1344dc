"""The pretend Shopify shop, asked over HTTP: sales, orders, deliveries and what the truth shows."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from shopify_shop import HOOK, Shop, with_shop

from storebridge_sandbox.shopify.quirks import ShopifyOptions

ORDERS = (
    "query listing($query: String, $after: String) { orders(first: 1, after: $after, query: $query,"
    " sortKey: UPDATED_AT) { nodes { id name } pageInfo { hasNextPage endCursor } } }"
)
NO_WAIT = ShopifyOptions(search_lag_seconds=(0.0, 0.0))


# -- sales and their webhooks --------------------------------------------------------------------------------


def test_a_sale_lowers_stock_and_says_so_in_signed_webhooks() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update", "orders/create", "orders/updated", "refunds/create")
        status, sold = await shop.buy("MUG", 2)
        await asyncio.sleep(1)
        secret = shop.store.credentials()["webhook_secret"].encode()
        for headers, body in zip(shop.mailbox.headers, shop.mailbox.bodies, strict=True):
            signature = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
            assert headers["x-shopify-hmac-sha256"] == signature
            assert headers["x-shopify-shop-domain"] == shop.store.shop.domain
        (level,) = shop.letters("inventory_levels/update")
        (order,) = shop.letters("orders/create")

        assert (status, (await shop.levels())["MUG"]) == (201, 3)
        assert (level["available"], level["inventory_item_id"]) == (3, int(shop.item("MUG").rpartition("/")[2]))
        assert (order["admin_graphql_api_id"], order["name"]) == (sold["order_id"], sold["name"])
        assert [(line["sku"], line["quantity"]) for line in order["line_items"]] == [("MUG", 2)]
        assert (len(shop.letters("orders/updated")), shop.letters("refunds/create")) == (1, [])

    with_shop(play)


def test_the_topics_of_one_sale_share_an_event_and_each_delivery_has_its_own_id() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("orders/create", "orders/updated")
        await shop.buy("MUG", 1)
        await asyncio.sleep(1)

        assert len({headers["x-shopify-event-id"] for headers in shop.mailbox.headers}) == 1
        assert len({headers["x-shopify-webhook-id"] for headers in shop.mailbox.headers}) == 2

    with_shop(play)


def test_what_is_not_there_is_not_sold_and_nothing_changes() -> None:
    async def play(shop: Shop) -> None:
        before = await shop.truth()
        lines = [{"sku": "SHIRT-S", "quantity": 1}, {"sku": "MUG", "quantity": 6}]

        assert await shop.play("checkout", {"lines": lines}) == (409, {"error": "out_of_stock", "sku": "MUG"})
        assert await shop.buy("SHIRT-M", 1) == (409, {"error": "out_of_stock", "sku": "SHIRT-M"})
        assert {**await shop.truth(), "now": ""} == {**before, "now": ""}

    with_shop(play)


def test_a_cancel_with_restock_gives_back_and_one_without_does_not() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("orders/cancelled", "refunds/create")
        first = (await shop.buy("MUG", 2))[1]["order_id"]
        second = (await shop.buy("MUG", 1))[1]["order_id"]
        await shop.play(f"orders/{first}/cancel", {"restock": True})
        await shop.play(f"orders/{second}/cancel", {"restock": False})
        await asyncio.sleep(1)
        truth = await shop.truth()
        back = {letter["order_id"]: letter["refund_line_items"][0] for letter in shop.letters("refunds/create")}

        assert [(move["delta"], move["cause"]) for move in truth["movements"]] == [
            (-2, "sale"),
            (-1, "sale"),
            (2, "cancel"),
        ]
        assert [order["lines"][0]["restocked"] for order in truth["orders"]] == [2, 0]
        assert len(shop.letters("orders/cancelled")) == 2
        assert [back[int(order.rpartition("/")[2])]["restock_type"] for order in (first, second)] == [
            "cancel",
            "no_restock",
        ]

    with_shop(play)


# -- what the truth shows ------------------------------------------------------------------------------------


def test_the_truth_has_the_promised_form() -> None:
    async def play(shop: Shop) -> None:
        order = (await shop.buy("MUG", 3))[1]["order_id"]
        tracking = {"company": "Post", "number": "T1", "url": "https://post.test/T1"}
        await shop.play(f"orders/{order}/fulfil", {"lines": [{"sku": "MUG", "quantity": 1}], "tracking": tracking})
        lines = [{"sku": "MUG", "quantity": 1, "restock": True}]
        await shop.play(f"orders/{order}/refund", {"lines": lines, "amount": "12.50"})
        await shop.play("adjust", {"sku": "SHIRT-M", "set": 4})
        truth = await shop.truth()
        (told,) = truth["orders"]

        assert {"now", "levels", "orders", "movements"} <= set(truth)
        assert set(truth["levels"][0]) == {"sku", "variant_id", "location_id", "available"}
        assert (told["id"], told["origin"], told["currency"], told["total"]) == (order, None, "EUR", "37.50")
        assert told["cancelled_at"] is None
        assert [parcel["tracking"] for parcel in told["fulfilments"]] == [tracking]
        assert [parcel["lines"] for parcel in told["fulfilments"]] == [[{"sku": "MUG", "quantity": 1}]]
        assert [(back["amount"], back["lines"]) for back in told["refunds"]] == [("12.50", lines)]
        assert [(move["sku"], move["delta"], move["cause"], move["location_id"]) for move in truth["movements"]] == [
            ("MUG", -3, "sale", shop.place(0)),
            ("MUG", 1, "refund", shop.place(0)),
            ("SHIRT-M", 4, "manual", shop.place(0)),
        ]
        assert truth["movements"][0]["ref"] == order

    with_shop(play)


@pytest.mark.parametrize(
    "body",
    [
        {"sku": "MUG", "delta": 1.5},
        {"sku": "MUG", "set": 0.5},
        {"sku": "MUG", "delta": 1, "set": 1},
        {"sku": "MUG"},
        {"sku": "MUG", "delta": 1, "unknown": 1},
    ],
)
def test_an_edit_in_fractions_or_of_two_minds_is_refused(body: dict[str, object]) -> None:
    async def play(shop: Shop) -> None:
        status, _ = await shop.play("adjust", body)
        assert (status in (400, 422), (await shop.truth())["movements"]) == (True, [])

    with_shop(play)


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "2"])
def test_a_cart_holds_whole_units(quantity: object) -> None:
    async def play(shop: Shop) -> None:
        status, _ = await shop.play("checkout", {"lines": [{"sku": "MUG", "quantity": quantity}]})
        assert (status, (await shop.truth())["orders"]) == (400, [])

    with_shop(play)


def test_the_truth_since_a_movement_leaves_out_what_was_settled_before() -> None:
    async def play(shop: Shop) -> None:
        first = (await shop.buy("MUG", 1))[1]["order_id"]
        await shop.buy("MUG", 1)
        seen = (await shop.truth())["next_movement"]
        last = (await shop.buy("SHIRT-S", 1))[1]["order_id"]
        late = msgspec.json.decode((await shop.ask("GET", f"/_sandbox/truth?since_movement={seen}")).body)
        orders = [order["id"] for order in late["orders"]]

        assert ([move["sku"] for move in late["movements"]], late["next_movement"]) == (["SHIRT-S"], 3)
        assert (first in orders, orders[-1]) == (False, last)
        assert {level["sku"] for level in late["levels"]} == {"SHIRT-S"}

    with_shop(play)


# -- orders --------------------------------------------------------------------------------------------------


async def listed(shop: Shop, search: str | None) -> list[str]:
    """The ids of every page."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = (await shop.told(ORDERS, query=search, after=after))["data"]["orders"]
        found += [order["id"] for order in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def test_orders_are_found_by_the_moment_of_their_last_change() -> None:
    async def play(shop: Shop) -> None:
        first = (await shop.buy("MUG", 1))[1]["order_id"]
        await asyncio.sleep(10)
        second = (await shop.buy("MUG", 1))[1]["order_id"]
        await asyncio.sleep(10)
        since = (shop.clock.now() - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        await shop.play(f"orders/{first}/cancel", {"restock": True})

        assert await listed(shop, None) == [second, first]
        assert await listed(shop, f"updated_at:>='{since}'") == [first]

    with_shop(play, NO_WAIT)


def test_searches_lag_behind_while_an_order_by_its_id_does_not() -> None:
    async def play(shop: Shop) -> None:
        order = (await shop.buy("MUG", 1))[1]["order_id"]
        by_id = await shop.told("query one($id: ID!) { order(id: $id) { name } }", id=order)

        assert by_id["data"]["order"] == {"name": "#1001"}
        assert await listed(shop, None) == []
        await asyncio.sleep(3)
        assert await listed(shop, None) == []
        await asyncio.sleep(2)
        assert await listed(shop, None) == [order]

    with_shop(play, ShopifyOptions(search_lag_seconds=(4.0, 4.0)))


# -- subscriptions -------------------------------------------------------------------------------------------


def test_a_refused_delivery_comes_again_with_the_same_id_and_body() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update")
        shop.mailbox.answers = [500, None]
        await shop.play("adjust", {"sku": "MUG", "delta": 1})
        counts = []
        for seconds in (1, 60, 120):
            await asyncio.sleep(seconds)
            counts.append(len(shop.mailbox.bodies))

        assert counts == [1, 2, 3]
        assert len({headers["x-shopify-webhook-id"] for headers in shop.mailbox.headers}) == 1
        assert len(set(shop.mailbox.bodies)) == 1
        assert len(shop.store.subscriptions.all) == 1

    with_shop(play)


@pytest.mark.parametrize(
    ("faults", "arrived", "struck"),
    [
        ({}, 40, {}),
        ({"webhook_loss": 1.0}, 0, {"webhook_loss": 40}),
        ({"webhook_duplicate": 1.0}, 80, {"webhook_duplicate": 40}),
        ({"webhook_delay_ms": [500, 500]}, 40, {"webhook_delay": 40}),
    ],
)
def test_a_store_counts_what_became_of_its_deliveries(
    faults: dict[str, Any], arrived: int, struck: dict[str, int]
) -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update")
        await shop.ask("PUT", "/_sandbox/faults", faults)
        for _ in range(40):
            await shop.play("adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(60)
        assert len(shop.mailbox.bodies) == arrived
        assert await counted(shop) == struck

    with_shop(play)


def test_a_delivery_counts_as_reordered_when_a_later_one_really_came_first() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update")
        await shop.ask("PUT", "/_sandbox/faults", {"webhook_reorder": 1.0})
        await shop.play("adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(60)
        alone = await counted(shop)
        for _ in range(40):
            await shop.play("adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(60)
        told = [letter["available"] for letter in shop.letters("inventory_levels/update")]
        overtaken = sum(level < max(told[:number], default=0) for number, level in enumerate(told))
        assert alone == {"webhook_delay": 1}
        assert await counted(shop) == {"webhook_delay": 41, "webhook_reorder": overtaken}
        assert overtaken > 20

    with_shop(play)


async def counted(shop: Shop) -> dict[str, int]:
    told = msgspec.json.decode((await shop.ask("GET", "/_sandbox/webhooks/struck")).body, type=dict[str, int])
    return {kind: times for kind, times in told.items() if times}


def test_a_subscription_goes_when_every_attempt_failed() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update", "orders/create")
        shop.mailbox.answers = [500] * 9
        await shop.play("adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(86_400)
        left = [one.topic for one in shop.store.subscriptions.all.values()]
        await shop.play("adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(60)
        log = msgspec.json.decode((await shop.ask("GET", "/_sandbox/webhooks?since=0")).body)["webhooks"]

        assert left == ["orders/create"]
        assert [(attempt["n"], attempt["url"], attempt["status"]) for attempt in log] == [
            (number, HOOK, 500) for number in range(1, 10)
        ]

    with_shop(play)


def test_a_subscription_stays_when_another_delivery_was_accepted_meanwhile() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update")
        shop.mailbox.answers = [500, 200, *[500] * 8]
        await shop.play("adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(1)
        await shop.play("adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(86_400)

        assert len(shop.mailbox.bodies) == 10
        assert len(shop.store.subscriptions.all) == 1

    with_shop(play)


def test_the_same_seed_gives_the_same_shop() -> None:
    seen: list[object] = []

    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)
        seen.append((await shop.truth(), shop.store.credentials(), await shop.grant(grant_type="client_credentials")))

    with_shop(play)
    with_shop(play)
    assert seen[0] == seen[1]
