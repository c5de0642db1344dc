"""The pretend Shopify shop, asked over HTTP: stock, keys, orders, webhooks, costs, tokens."""

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

from storebridge_sandbox.faults import FaultRates, FaultRule, FaultSettings
from storebridge_sandbox.shopify.quirks import ShopifyOptions

SET = (
    "mutation setting($input: InventorySetQuantitiesInput!, $key: String!) {"
    " inventorySetQuantities(input: $input) @idempotent(key: $key) {"
    " inventoryAdjustmentGroup { reason referenceDocumentUri changes { delta quantityAfterChange item { sku } } }"
    " userErrors { field message code } } }"
)
ADJUST = (
    "mutation adjusting($input: InventoryAdjustQuantitiesInput!, $key: String!) {"
    " inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {"
    " inventoryAdjustmentGroup { changes { delta } } userErrors { field message code } } }"
)
ACTIVATE = (
    "mutation activating($item: ID!, $location: ID!, $available: Int, $key: String!) {"
    " inventoryActivate(inventoryItemId: $item, locationId: $location, available: $available)"
    ' @idempotent(key: $key) { inventoryLevel { quantities(names: ["available"]) { name quantity } }'
    " userErrors { field message } } }"
)
ORDERS = (
    "query listing($query: String, $after: String) { orders(first: 1, after: $after, query: $query,"
    " sortKey: UPDATED_AT) { nodes { id name } pageInfo { hasNextPage endCursor } } }"
)
LOCATIONS = "query places($n: Int!) { locations(first: $n) { nodes { id name } } }"
NO_WAIT = ShopifyOptions(search_lag_seconds=(0.0, 0.0))


def row(shop: Shop, sku: str, quantity: int, change_from: int | None, **more: object) -> dict[str, object]:
    place = {"inventoryItemId": shop.item(sku), "locationId": shop.place(0)}
    return {**place, "quantity": quantity, "changeFromQuantity": change_from, **more}


def setting(*rows: dict[str, object]) -> dict[str, object]:
    return {"name": "available", "reason": "correction", "referenceDocumentUri": "test://1", "quantities": list(rows)}


async def put(shop: Shop, key: str, *rows: dict[str, object]) -> dict[str, Any]:
    """The payload of one setting of levels."""
    told = await shop.told(SET, input=setting(*rows), key=key)
    return dict(told["data"]["inventorySetQuantities"])


def codes(payload: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(".".join(error["field"]), error["code"]) for error in payload["userErrors"]]


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


# -- writes --------------------------------------------------------------------------------------------------


def test_a_level_is_set_when_the_compare_value_holds() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update")
        payload = await put(shop, "k1", row(shop, "MUG", 2, 5), row(shop, "SHIRT-M", 9, 0))
        await asyncio.sleep(1)
        moves = (await shop.truth())["movements"]

        assert payload == {
            "inventoryAdjustmentGroup": {
                "reason": "correction",
                "referenceDocumentUri": "test://1",
                "changes": [
                    {"delta": -3, "quantityAfterChange": 2, "item": {"sku": "MUG"}},
                    {"delta": 9, "quantityAfterChange": 9, "item": {"sku": "SHIRT-M"}},
                ],
            },
            "userErrors": [],
        }
        assert [(move["delta"], move["cause"], move["actor"]) for move in moves] == [
            (-3, "api", "api"),
            (9, "api", "api"),
        ]
        assert sorted(letter["available"] for letter in shop.letters("inventory_levels/update")) == [2, 9]

    with_shop(play)


def test_one_stale_row_refuses_the_whole_call_and_changes_nothing() -> None:
    async def play(shop: Shop) -> None:
        before = await shop.truth()
        payload = await put(shop, "k1", row(shop, "SHIRT-S", 1, 3), row(shop, "MUG", 2, 4))

        assert payload["inventoryAdjustmentGroup"] is None
        assert codes(payload) == [("input.quantities.1.changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE")]
        assert {**await shop.truth(), "now": ""} == {**before, "now": ""}

    with_shop(play)


def test_where_rows_stand_alone_the_good_one_is_carried_out() -> None:
    async def play(shop: Shop) -> None:
        payload = await put(shop, "k1", row(shop, "SHIRT-S", 1, 3), row(shop, "MUG", 2, 4))

        assert len(payload["inventoryAdjustmentGroup"]["changes"]) == 1
        assert codes(payload) == [("input.quantities.1.changeFromQuantity", None)]
        assert await shop.levels() == {"MUG": 5, "SHIRT-S": 1, "SHIRT-M": 0}

    with_shop(play, ShopifyOptions(batch_is_atomic=False, stale_code=None))


def test_a_key_is_carried_out_once() -> None:
    async def play(shop: Shop) -> None:
        first = await put(shop, "k1", row(shop, "MUG", 2, 5))
        await shop.buy("MUG", 1)
        again = await put(shop, "k1", row(shop, "MUG", 2, 5))

        assert (first["userErrors"], again["userErrors"]) == ([], [])
        assert (await shop.levels())["MUG"] == 1
        assert [move["cause"] for move in (await shop.truth())["movements"]] == ["api", "sale"]

    with_shop(play)


def test_a_key_with_other_parameters_is_refused() -> None:
    async def play(shop: Shop) -> None:
        await put(shop, "k1", row(shop, "MUG", 2, 5))
        other = await put(shop, "k1", row(shop, "MUG", 3, 2))

        assert [error["code"] for error in other["userErrors"]] == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
        assert (await shop.levels())["MUG"] == 2

    with_shop(play)


def test_a_refused_call_burns_its_key() -> None:
    async def play(shop: Shop) -> None:
        await put(shop, "k1", row(shop, "MUG", 2, 4))
        await shop.play("adjust", {"sku": "MUG", "set": 4})
        again = await put(shop, "k1", row(shop, "MUG", 2, 4))

        assert [error["code"] for error in again["userErrors"]] == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]
        assert (await shop.levels())["MUG"] == 4

    with_shop(play)


def test_trouble_with_a_key_may_come_at_the_top_level() -> None:
    async def play(shop: Shop) -> None:
        await put(shop, "k1", row(shop, "MUG", 2, 5))
        told = await shop.told(SET, input=setting(row(shop, "MUG", 3, 2)), key="k1")

        assert told["data"] == {"inventorySetQuantities": None}
        assert told["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        assert (await shop.levels())["MUG"] == 2

    with_shop(play, ShopifyOptions(key_trouble="top_level"))


@pytest.mark.parametrize(("replay", "after"), [("current", 1), ("stored", 2)])
def test_a_repeated_key_tells_the_present_or_what_it_told_before(replay: str, after: int) -> None:
    async def play(shop: Shop) -> None:
        await put(shop, "k1", row(shop, "MUG", 2, 5))
        await shop.buy("MUG", 1)
        again = await put(shop, "k1", row(shop, "MUG", 2, 5))

        assert again["inventoryAdjustmentGroup"]["changes"] == [
            {"delta": -3, "quantityAfterChange": after, "item": {"sku": "MUG"}}
        ]

    with_shop(play, msgspec.convert({"replay_answer": replay}, ShopifyOptions))


@pytest.mark.parametrize(
    ("where", "errors", "shown"),
    [
        ("connects", [], [5, 4]),
        ("refused", [("input.quantities.0.locationId", "INVALID_LOCATION")], [5]),
        ("adds_to_on_hand", [], [5]),
    ],
)
def test_a_level_that_does_not_exist_is_set_as_the_switch_says(
    where: str, errors: list[tuple[str, str]], shown: list[int]
) -> None:
    async def play(shop: Shop) -> None:
        payload = await put(shop, "k1", {**row(shop, "MUG", 4, 0), "locationId": shop.place(1)})
        levels = (await shop.truth())["levels"]

        assert codes(payload) == errors
        assert [level["available"] for level in levels if level["sku"] == "MUG"] == shown

    options = {"set_where_unconnected": where, "connects_second_location": False}
    with_shop(play, msgspec.convert(options, ShopifyOptions))


def test_a_forgotten_key_is_a_new_call() -> None:
    async def play(shop: Shop) -> None:
        await put(shop, "k1", row(shop, "MUG", 2, 5))
        await shop.play("adjust", {"sku": "MUG", "set": 5})
        await asyncio.sleep(86_401)
        await put(shop, "k1", row(shop, "MUG", 2, 5))

        assert (await shop.levels())["MUG"] == 2

    with_shop(play)


def test_without_the_directive_nothing_is_written() -> None:
    async def play(shop: Shop) -> None:
        bare = SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
        told = await shop.told(bare, input=setting(row(shop, "MUG", 2, 5)))
        empty = await shop.told(SET, input=setting(row(shop, "MUG", 2, 5)), key=" ")

        for answer in (told, empty):
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]
            assert answer["data"] == {"inventorySetQuantities": None}
        assert (await shop.levels())["MUG"] == 5

    with_shop(play)


def test_the_compare_value_must_be_said_and_null_opts_out() -> None:
    async def play(shop: Shop) -> None:
        silent = row(shop, "MUG", 2, None)
        del silent["changeFromQuantity"]
        told = await shop.told(SET, input=setting(silent), key="k1")
        assert told["errors"][0]["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
        assert (await shop.levels())["MUG"] == 5

        assert (await put(shop, "k2", row(shop, "MUG", 2, None)))["userErrors"] == []
        assert (await shop.levels())["MUG"] == 2

    with_shop(play)


def test_a_level_is_whole_units() -> None:
    async def play(shop: Shop) -> None:
        told = await shop.told(SET, input=setting({**row(shop, "MUG", 2, 5), "quantity": 1.5}), key="k1")

        assert told["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
        assert (await shop.levels())["MUG"] == 5

    with_shop(play)


def test_unknown_items_and_places_and_absurd_quantities_are_refused_by_row() -> None:
    async def play(shop: Shop) -> None:
        payload = await put(
            shop,
            "k1",
            row(shop, "MUG", 2, 5, inventoryItemId="gid://shopify/InventoryItem/1"),
            row(shop, "MUG", 2, 5, locationId="gid://shopify/Location/1"),
            row(shop, "MUG", 1_000_000_001, 5),
        )
        assert codes(payload) == [
            ("input.quantities.0.inventoryItemId", "INVALID_INVENTORY_ITEM"),
            ("input.quantities.1.locationId", "INVALID_LOCATION"),
            ("input.quantities.2.quantity", "INVALID_QUANTITY_TOO_HIGH"),
        ]

    with_shop(play)


def test_an_adjustment_moves_by_its_delta_whatever_was_sold_meanwhile() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)
        change = {
            "inventoryItemId": shop.item("MUG"),
            "locationId": shop.place(0),
            "delta": -3,
            "changeFromQuantity": None,
        }
        given = {"name": "available", "reason": "correction", "changes": [change]}
        told = [await shop.told(ADJUST, input=given, key="k1") for _ in range(2)]
        stale = await shop.told(ADJUST, input={**given, "changes": [{**change, "changeFromQuantity": 5}]}, key="k2")

        assert [one["data"]["inventoryAdjustQuantities"]["userErrors"] for one in told] == [[], []]
        assert codes(stale["data"]["inventoryAdjustQuantities"]) == [
            ("input.changes.0.changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE")
        ]
        assert (await shop.levels())["MUG"] == 1

    with_shop(play)


def test_an_activation_stocks_an_item_at_a_place_once() -> None:
    async def play(shop: Shop) -> None:
        where = {"item": shop.item("MUG"), "location": shop.place(1)}
        first = await shop.told(ACTIVATE, **where, available=7, key="k1")
        again = await shop.told(ACTIVATE, **where, available=7, key="k1")
        other = await shop.told(ACTIVATE, **where, available=2, key="k2")
        nothing = await shop.told(ACTIVATE, item="gid://shopify/InventoryItem/1", location=shop.place(1), key="k3")

        shown = {"quantities": [{"name": "available", "quantity": 7}]}
        for told in (first, again):
            assert told["data"]["inventoryActivate"] == {"inventoryLevel": shown, "userErrors": []}
        assert other["data"]["inventoryActivate"]["userErrors"] == [
            {
                "field": ["available"],
                "message": "Not allowed to set available quantity when the item is already active at the location.",
            }
        ]
        assert nothing["data"]["inventoryActivate"]["userErrors"][0]["field"] == ["inventoryItemId"]
        levels = (await shop.truth())["levels"]
        assert [(one["sku"], one["available"]) for one in levels if one["location_id"] == shop.place(1)] == [("MUG", 7)]

    with_shop(play, ShopifyOptions(connects_second_location=False))


def test_a_write_that_timed_out_may_land_later() -> None:
    late = FaultRates(timeout_applied=1.0, late_landing_ms=(60_000, 60_000))
    faults = FaultSettings(rules=(FaultRule("setting", calls=1, rates=late),))

    async def play(shop: Shop) -> None:
        asked = asyncio.ensure_future(
            shop.answer_to(SET, {"input": setting(row(shop, "MUG", 2, 5)), "key": "k1"}),
        )
        await asyncio.sleep(30)
        early = (await shop.levels())["MUG"]
        await asyncio.sleep(31)

        assert (early, (await shop.levels())["MUG"]) == (5, 2)
        assert (await asked).status == 504

    with_shop(play, faults=faults)


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


# -- costs ---------------------------------------------------------------------------------------------------


def test_a_call_beyond_the_bucket_is_throttled_with_status_200() -> None:
    async def play(shop: Shop) -> None:
        fits = await shop.told(LOCATIONS, n=2)
        spent = await shop.told(LOCATIONS, n=250)
        await asyncio.sleep(1)
        later = await shop.told(LOCATIONS, n=2)

        assert fits["extensions"]["cost"] == {
            "requestedQueryCost": 3,
            "actualQueryCost": 3,
            "throttleStatus": {"maximumAvailable": 10.0, "currentlyAvailable": 7, "restoreRate": 1.0},
        }
        assert "data" not in spent
        assert spent["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert spent["extensions"]["cost"]["requestedQueryCost"] == 13
        assert spent["extensions"]["cost"]["actualQueryCost"] is None
        assert later["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 5

    with_shop(play, ShopifyOptions(bucket_size=10.0, restore_rate=1.0))


def test_throttled_may_come_with_status_429() -> None:
    async def play(shop: Shop) -> None:
        assert (await shop.answer_to(LOCATIONS, {"n": 250})).status == 429

    with_shop(play, ShopifyOptions(bucket_size=1.0, throttled_status=429))


def test_a_single_question_has_a_highest_cost() -> None:
    async def play(shop: Shop) -> None:
        dear = (
            "query dear { products(first: 250) { nodes { variants(first: 250) { nodes { inventoryItem {"
            " inventoryLevels(first: 250) { nodes { location { id } } } } } } } } }"
        )
        told = await shop.told(dear)

        assert told["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
        assert told["errors"][0]["extensions"]["maxCost"] == 1000

    with_shop(play)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("query wrong { shop { colour } }", "Field 'colour' doesn't exist on type 'Shop'"),
        ("query wrong {", "syntax error, Expected Name, found <EOF>."),
    ],
)
def test_a_question_that_does_not_fit_the_schema_is_refused(query: str, message: str) -> None:
    async def play(shop: Shop) -> None:
        assert [error["message"] for error in (await shop.told(query))["errors"]] == [message]

    with_shop(play)


# -- tokens --------------------------------------------------------------------------------------------------


async def status_with(shop: Shop, token: str) -> int:
    return (await shop.answer_to(LOCATIONS, {"n": 1}, token)).status


def test_a_token_is_granted_and_ends() -> None:
    async def play(shop: Shop) -> None:
        status, told = await shop.grant(grant_type="client_credentials")
        token = told["access_token"]

        assert (status, told["expires_in"], "write_inventory" in told["scope"].split(",")) == (200, 86_399, True)
        assert await status_with(shop, token) == 200
        await asyncio.sleep(86_400)
        assert await status_with(shop, token) == 401

    with_shop(play)


def test_a_refresh_token_works_once() -> None:
    async def play(shop: Shop) -> None:
        first = shop.store.credentials()["refresh_token"]
        status, told = await shop.grant(grant_type="refresh_token", refresh_token=first)
        again = await shop.grant(grant_type="refresh_token", refresh_token=first)
        successor, _ = await shop.grant(grant_type="refresh_token", refresh_token=told["refresh_token"])

        assert (status, told["expires_in"], successor) == (200, 3600, 200)
        assert told["refresh_token"] != first
        assert (again[0], again[1]["error"]) == (400, "invalid_grant")
        assert await status_with(shop, told["access_token"]) == 200

    with_shop(play)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "x", "grant_type": "client_credentials"}, "application_cannot_be_found"),
        ({"client_secret": "x", "grant_type": "client_credentials"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_is_not_given_to_everybody(form: dict[str, str], error: str) -> None:
    async def play(shop: Shop) -> None:
        status, told = await shop.grant(**form)
        assert (status, told["error"]) == (400, error)

    with_shop(play)


def test_revoked_tokens_are_401() -> None:
    async def play(shop: Shop) -> None:
        held = shop.store.credentials()
        granted = (await shop.grant(grant_type="client_credentials"))[1]["access_token"]
        assert await shop.play("tokens/revoke") == (200, {})

        assert [await status_with(shop, token) for token in (held["access_token"], granted, "nonsense")] == [401] * 3
        assert (await shop.grant(grant_type="refresh_token", refresh_token=held["refresh_token"]))[0] == 400
        fresh = (await shop.grant(grant_type="client_credentials"))[1]["access_token"]
        assert await status_with(shop, fresh) == 200

    with_shop(play)


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
