"""Stock written through the pretend Shopify shop's API: compare-and-set, keys, adjustments, activations."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.faults import FaultRates, FaultRule, FaultSettings
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions

SET = (
    "mutation setting($input: InventorySetQuantitiesInput!, $key: String!) {"
    " inventorySetQuantities(input: $input) @idempotent(key: $key) {"
    " inventoryAdjustmentGroup { reason referenceDocumentUri"
    " changes { name delta quantityAfterChange item { sku } } }"
    " userErrors { field message code } } }"
)
ADJUST = (
    "mutation adjusting($input: InventoryAdjustQuantitiesInput!, $key: String!) {"
    " inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {"
    " inventoryAdjustmentGroup { changes { delta } } userErrors { field message code } } }"
)
MOVE = (
    "mutation moving($input: InventoryMoveQuantitiesInput!, $key: String!) {"
    " inventoryMoveQuantities(input: $input) @idempotent(key: $key) {"
    " inventoryAdjustmentGroup { changes { delta } } userErrors { field message code } } }"
)
ACTIVATE = (
    "mutation activating($item: ID!, $location: ID!, $available: Int, $key: String!) {"
    " inventoryActivate(inventoryItemId: $item, locationId: $location, available: $available)"
    ' @idempotent(key: $key) { inventoryLevel { quantities(names: ["available"]) { name quantity } }'
    " userErrors { field message } } }"
)


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


def test_the_stock_of_a_bundle_is_nobodys_to_write_and_its_sale_moves_the_components() -> None:
    async def play(shop: Shop) -> None:
        item = shop.item("SHIRT-M")
        shop.store.make_bundle("SHIRT-M", {"MUG": 2})
        before = (await shop.truth())["movements"]
        place = {"inventoryItemId": item, "locationId": shop.place(0)}
        payload = await put(shop, "k1", {**place, "quantity": 9, "changeFromQuantity": None})
        assert codes(payload) == [("input.quantities.0.inventoryItemId", "NON_MUTABLE_INVENTORY_ITEM")]
        assert (await shop.truth())["movements"] == before

        status, _ = await shop.play("checkout", {"lines": [{"sku": "SHIRT-M", "quantity": 1}], "customer": {}})
        assert status == 201
        truth = await shop.truth()
        assert [(line["sku"], line["quantity"]) for line in truth["orders"][-1]["lines"]] == [("MUG", 2)]
        assert [(move["sku"], move["delta"]) for move in truth["movements"][len(before) :]] == [("MUG", -2)]

    with_shop(play)


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
                    {"name": "available", "delta": -3, "quantityAfterChange": None, "item": {"sku": "MUG"}},
                    {"name": "on_hand", "delta": -3, "quantityAfterChange": None, "item": {"sku": "MUG"}},
                    {"name": "available", "delta": 9, "quantityAfterChange": None, "item": {"sku": "SHIRT-M"}},
                    {"name": "on_hand", "delta": 9, "quantityAfterChange": None, "item": {"sku": "SHIRT-M"}},
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

        assert len(payload["inventoryAdjustmentGroup"]["changes"]) == 2
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

        assert again["inventoryAdjustmentGroup"]["changes"][0] == {
            "name": "available",
            "delta": -3,
            "quantityAfterChange": after,
            "item": {"sku": "MUG"},
        }

    with_shop(play, msgspec.convert({"replay_answer": replay, "tells_quantity_after": True}, ShopifyOptions))


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


def test_webhooks_tell_of_items_made_and_deleted_and_of_levels_connected_and_disconnected() -> None:
    async def play(shop: Shop) -> None:
        topics = ("inventory_items/create", "inventory_items/delete")
        shop.subscribe(*topics, "inventory_levels/connect", "inventory_levels/disconnect")
        made = await shop.told(
            "mutation Make($product: ProductCreateInput!) { productCreate(product: $product) {"
            " product { id variants(first: 1) { nodes { inventoryItem { id } } } } } }",
            product={"title": "Jug"},
        )
        product = made["data"]["productCreate"]["product"]
        item = product["variants"]["nodes"][0]["inventoryItem"]["id"]
        await shop.told(ACTIVATE, item=item, location=shop.place(1), available=4, key="jug")
        level = await shop.told(
            "query Level($item: ID!, $place: ID!) { inventoryItem(id: $item) { inventoryLevel(locationId: $place)"
            " { id } } }",
            item=item,
            place=shop.place(1),
        )
        await shop.told(
            "mutation Off($id: ID!) { inventoryDeactivate(inventoryLevelId: $id) { userErrors { message } } }",
            id=level["data"]["inventoryItem"]["inventoryLevel"]["id"],
        )
        await shop.told(
            "mutation Gone($id: ID!) { productDelete(input: {id: $id}) { userErrors { message } } }", id=product["id"]
        )
        await asyncio.sleep(5)

        number = number_of(item)
        places = [number_of(shop.place(0)), number_of(shop.place(1))]
        assert [one["id"] for one in shop.letters("inventory_items/create")] == [number]
        assert [one["location_id"] for one in shop.letters("inventory_levels/connect")] == places
        assert shop.letters("inventory_levels/disconnect") == [
            {"inventory_item_id": number, "location_id": places[1]},
        ]
        assert shop.letters("inventory_items/delete") == [{"id": number}]

    with_shop(play)


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({}, [("input.ignoreCompareQuantity", "COMPARE_QUANTITY_REQUIRED")]),
        ({"compareQuantity": 4}, [("input.quantities.0.compareQuantity", "COMPARE_QUANTITY_STALE")]),
        ({"compareQuantity": 5}, []),
        ({"changeFromQuantity": None}, []),
    ],
)
def test_until_2026_04_a_set_compares_or_says_that_it_does_not(more: dict[str, Any], refused: list[Any]) -> None:
    async def play(shop: Shop) -> None:
        place = {"inventoryItemId": shop.item("MUG"), "locationId": shop.place(0), "quantity": 2}
        told = await shop.told_by("2026-01", SET, input=setting({**place, **more}), key="k1")
        assert codes(told["data"]["inventorySetQuantities"]) == refused
        assert (await shop.levels())["MUG"] == (5 if refused else 2)

        waived = {**setting({**place, "quantity": 1}), "ignoreCompareQuantity": True}
        told = await shop.told_by("2026-01", SET, input=waived, key="k2")
        assert codes(told["data"]["inventorySetQuantities"]) == []
        assert (await shop.levels())["MUG"] == 1

    with_shop(play)


def test_documents_of_a_write_are_uris() -> None:
    async def play(shop: Shop) -> None:
        given = {**setting(row(shop, "MUG", 2, 5)), "referenceDocumentUri": "a note"}
        told = (await shop.told(SET, input=given, key="k1"))["data"]["inventorySetQuantities"]
        assert codes(told) == [("input.referenceDocumentUri", "INVALID_REFERENCE_DOCUMENT")]

        change = {"inventoryItemId": shop.item("MUG"), "locationId": shop.place(0), "delta": 1}
        change |= {"changeFromQuantity": None, "ledgerDocumentUri": "a note"}
        damaged = {"name": "damaged", "reason": "damaged", "changes": [change]}
        told = (await shop.told(ADJUST, input=damaged, key="k2"))["data"]["inventoryAdjustQuantities"]
        assert codes(told) == [("input.changes.0.ledgerDocumentUri", "INVALID_LEDGER_DOCUMENT")]
        assert (await shop.levels())["MUG"] == 5

    with_shop(play)


def test_units_move_between_states_of_one_place_only() -> None:
    async def play(shop: Shop) -> None:
        ends = {"changeFromQuantity": None, "locationId": shop.place(0)}
        change = {
            "inventoryItemId": shop.item("MUG"),
            "quantity": 1,
            "from": {**ends, "name": "available"},
            "to": {**ends, "name": "damaged", "ledgerDocumentUri": "test://1", "locationId": shop.place(1)},
        }
        given = {"reason": "damaged", "referenceDocumentUri": "test://1", "changes": [change]}
        told = (await shop.told(MOVE, input=given, key="k1"))["data"]["inventoryMoveQuantities"]
        assert codes(told) == [("input.changes.0", "DIFFERENT_LOCATIONS")]
        change["to"] = {**ends, "name": "damaged", "ledgerDocumentUri": "test://1"}
        assert codes((await shop.told(MOVE, input=given, key="k2"))["data"]["inventoryMoveQuantities"]) == []
        assert (await shop.levels())["MUG"] == 4

    with_shop(play)


def test_a_code_that_the_schema_does_not_list_is_never_told() -> None:
    async def play(shop: Shop) -> None:
        told = await shop.told(SET, input=setting(row(shop, "MUG", 2, 4)), key="k1")
        assert [one["extensions"]["code"] for one in told["errors"]] == ["INTERNAL_SERVER_ERROR"]
        assert (await shop.levels())["MUG"] == 5

    with_shop(play, ShopifyOptions(stale_code="A_CODE_OF_NOBODY"))
