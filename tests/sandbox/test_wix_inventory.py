"""Inventory items of a V3 site: every call, every rule, and what shoppers and events see of it."""

from __future__ import annotations

from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.messages import FORMATS, declarations
from storebridge_sandbox.wix.settings import WixOptions

ITEMS = "/stores/v3/inventory-items"
BULK = "/stores/v3/bulk/inventory-items"
NOTHING = "00000000-0000-4000-8000-000000000000"
TWO_PLACES = WixOptions(more_locations=("Depot",))


async def item_of(site: Site, sku: str) -> dict[str, Any]:
    _, told = await site.call("POST", f"{ITEMS}/query", {"query": {"filter": {"product.variantSku": sku}}})
    return dict(told["inventoryItems"][0])


def code_of(told: dict[str, Any]) -> str:
    return str(told["details"]["applicationError"]["code"])


def rules_of(told: dict[str, Any]) -> list[tuple[str, str]]:
    violations = told["details"]["validationError"]["fieldViolations"]
    return [(violation["field"], violation.get("ruleName", violation["violatedRule"])) for violation in violations]


def codes_of(told: dict[str, Any]) -> list[str | None]:
    return [result["itemMetadata"].get("error", {}).get("code") for result in told["results"]]


async def new_row(site: Site, sku: str, **more: Any) -> dict[str, Any]:
    """The item of a SKU is deleted, so that one can be created with what is returned."""
    item = await item_of(site, sku)
    await site.call("DELETE", f"{ITEMS}/{item['id']}")
    return {"variantId": item["variantId"], "productId": item["productId"], **more}


def test_an_item_is_deleted_and_created_again_and_its_units_are_movements() -> None:
    async def play(site: Site) -> None:
        row = await new_row(site, "MUG", quantity=8)
        gone = await site.levels()
        status, made = await site.call("POST", ITEMS, {"inventoryItem": row})
        again, refused = await site.call("POST", ITEMS, {"inventoryItem": row})

        assert "MUG" not in gone
        assert (status, made["inventoryItem"]["quantity"], made["inventoryItem"]["revision"]) == (200, 8, "1")
        assert (again, code_of(refused)) == (409, "ITEM_ALREADY_EXISTS")
        assert (await site.levels())["MUG"] == 8
        moved = [(move["sku"], move["delta"], move["cause"]) for move in (await site.truth())["movements"]]
        assert moved == [("MUG", -5, "api"), ("MUG", 8, "api")]

    with_site(play)


@pytest.mark.parametrize(
    ("more", "broken"),
    [
        ({"quantity": -1}, ("inventoryItem.quantity", "REQUESTED_QUANTITY_MUST_BE_NON_NEGATIVE")),
        ({"quantity": 100_000}, ("inventoryItem.quantity", "MAX")),
        ({}, ("inventoryItem", "REQUIRED_ONE_OF_FIELD")),
        ({"quantity": 1, "inStock": True}, ("inventoryItem.quantity", "ONE_OF_ALIGNMENT")),
        ({"quantity": 1, "locationId": "depot"}, ("inventoryItem.locationId", "FORMAT")),
        (
            {"inStock": True, "preorderInfo": {"enabled": True, "limit": 5}},
            ("inventoryItem.preorderInfo.limit", "PREORDER_LIMIT_NOT_SUPPORTED_FOR_UNTRACKED_INVENTORY"),
        ),
    ],
)
def test_an_item_that_may_not_be_so_is_refused_by_rule_and_nothing_is_made(
    more: dict[str, Any], broken: tuple[str, str]
) -> None:
    async def play(site: Site) -> None:
        row = await new_row(site, "MUG", **more)
        status, told = await site.call("POST", ITEMS, {"inventoryItem": row})

        assert (status, rules_of(told)) == (400, [broken])
        assert "MUG" not in await site.levels()

    with_site(play)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    async def play(site: Site) -> None:
        rows = [{"decrementBy": 0}, {"inventoryItemId": "x", "decrementBy": 100_000}]
        status, told = await site.call("POST", f"{BULK}/decrement", {"decrementData": rows, "reason": "WHIM"})

        assert status == 400
        assert rules_of(told) == [
            ("decrementData[0].decrementBy", "MIN"),
            ("decrementData[1].inventoryItemId", "FORMAT"),
            ("decrementData[1].decrementBy", "MAX"),
            ("reason", "INVALID_ENUM_VALUE"),
        ]

    with_site(play)


def test_a_level_below_zero_may_only_rise() -> None:
    async def play(site: Site) -> None:
        item = await item_of(site, "MUG")
        row = {"inventoryItemId": item["id"], "decrementBy": 8}
        await site.call("POST", f"{BULK}/decrement", {"decrementData": [row], "restrictInventory": False})
        answers = []
        for quantity in (-4, -2, 0):
            body = {"inventoryItem": {"revision": (await item_of(site, "MUG"))["revision"], "quantity": quantity}}
            answers.append((await site.call("PATCH", f"{ITEMS}/{item['id']}", body))[0])

        assert answers == [428, 200, 200]
        assert (await site.levels())["MUG"] == 0

    with_site(play)


def test_an_upsert_creates_and_sets_and_refuses_an_old_revision() -> None:
    async def play(site: Site) -> None:
        mug = await new_row(site, "MUG", quantity=2)
        small, medium = await item_of(site, "SHIRT-S"), await item_of(site, "SHIRT-M")
        rows = [
            {"inventoryItem": mug},
            {"inventoryItem": {"variantId": small["variantId"], "quantity": 7}},
            {"inventoryItem": {"variantId": medium["variantId"], "quantity": 7, "revision": "9"}},
            {"inventoryItem": {"variantId": NOTHING, "productId": NOTHING, "quantity": 7}},
        ]
        _, told = await site.call("POST", f"{BULK}/upsert", {"inventoryItems": rows, "returnEntity": True})
        twice = await site.call("POST", f"{BULK}/upsert", {"inventoryItems": [rows[1], rows[1]]})

        assert codes_of(told) == [None, None, "INVENTORY_ITEM_REVISION_MISMATCH", "NOT_FOUND"]
        assert told["bulkActionMetadata"] == {"totalSuccesses": 2, "totalFailures": 2, "undetailedFailures": 0}
        assert await site.levels() == {"MUG": 2, "SHIRT-S": 7, "SHIRT-M": 0, "OLD": 9}
        assert (twice[0], rules_of(twice[1])[0][1]) == (400, "DUPLICATE_BULK_UPSERT_KEY")

    with_site(play)


def test_items_are_created_and_deleted_in_bulk() -> None:
    async def play(site: Site) -> None:
        ids = [(await item_of(site, sku))["id"] for sku in ("MUG", "SHIRT-S")]
        rows = [await new_row(site, sku, quantity=3) for sku in ("OLD", "SHIRT-M")]
        _, gone = await site.call("POST", f"{BULK}/delete", {"inventoryItemIds": [*ids, NOTHING]})
        _, made = await site.call("POST", f"{BULK}/create", {"inventoryItems": [*rows, rows[0]]})

        assert codes_of(gone) == [None, None, "NOT_FOUND"]
        assert codes_of(made) == [None, None, "ITEM_ALREADY_EXISTS"]
        assert await site.levels() == {"OLD": 3, "SHIRT-M": 3}

    with_site(play)


def test_a_preorder_counts_up_and_leaves_the_level_alone_until_its_limit_is_too_low() -> None:
    async def play(site: Site) -> None:
        item = await item_of(site, "SHIRT-M")
        path, preorder = f"{ITEMS}/{item['id']}", {"enabled": True, "message": "Soon", "limit": 10}
        await site.call("PATCH", path, {"inventoryItem": {"revision": "1", "preorderInfo": preorder}})
        row = {"inventoryItemId": item["id"], "decrementBy": 3, "preorderRequest": True}
        await site.call("POST", f"{BULK}/decrement", {"decrementData": [row], "restrictInventory": True})
        told = await item_of(site, "SHIRT-M")
        lower = {"revision": told["revision"], "preorderInfo": {"limit": 2}}
        status, refused = await site.call("PATCH", path, {"inventoryItem": lower})

        assert (told["quantity"], told["availabilityStatus"]) == (0, "PREORDER")
        assert told["preorderInfo"] == {**preorder, "counter": 3, "quantity": 7}
        assert (status, code_of(refused)) == (428, "PRE_ORDER_VALIDATION")

    with_site(play)


def test_search_finds_words_counts_them_and_sums_up() -> None:
    async def play(site: Site) -> None:
        facets = [
            {"name": "states", "type": "VALUE", "fieldPath": "availabilityStatus"},
            {"name": "most", "type": "SCALAR", "fieldPath": "quantity", "scalar": {"type": "MAX"}},
            {
                "name": "bands",
                "type": "RANGE",
                "fieldPath": "quantity",
                "range": {"buckets": [{"to": 1}, {"from": 1}]},
            },
        ]
        asked = {"search": {"expression": "shirt"}, "sort": [{"fieldName": "quantity", "order": "DESC"}]}
        _, told = await site.call("POST", f"{ITEMS}/search", {"search": {**asked, "aggregations": facets}})
        _, counted = await site.call("POST", f"{ITEMS}/count", {"search": {"expression": "mug shirt"}})
        _, both = await site.call("POST", f"{ITEMS}/count", {"search": {"expression": "mug shirt", "mode": "AND"}})

        assert [item["product"]["variantSku"] for item in told["inventoryItems"]] == ["SHIRT-S", "SHIRT-M"]
        states, most, bands = told["aggregationData"]["results"]
        assert states["values"]["results"] == [
            {"value": "IN_STOCK", "count": 1},
            {"value": "OUT_OF_STOCK", "count": 1},
        ]
        assert most["scalar"] == {"type": "MAX", "value": 3}
        assert bands["ranges"]["results"] == [{"to": 1, "count": 1}, {"from": 1, "count": 1}]
        assert (counted["count"], both["count"]) == (3, 0)

    with_site(play)


def test_a_cursor_leads_back_as_well() -> None:
    async def play(site: Site) -> None:
        first = {"sort": [{"fieldName": "product.variantSku"}], "cursorPaging": {"limit": 2}}
        seen, query = [], first
        for direction in ("next", "prev", "next"):
            _, told = await site.call("POST", f"{ITEMS}/query", {"query": query})
            seen.append([item["product"]["variantSku"] for item in told["inventoryItems"]])
            cursors = told["pagingMetadata"]["cursors"]
            query = {"cursorPaging": {"limit": 2, "cursor": cursors[direction]}}

        assert seen == [["MUG", "OLD"], ["SHIRT-M", "SHIRT-S"], ["MUG", "OLD"]]

    with_site(play)


def test_calls_by_filter_are_jobs_which_tell_what_each_item_said() -> None:
    async def play(site: Site) -> None:
        asked = {"filter": {"product.variantSku": {"$startsWith": "SHIRT"}}, "adjustment": {"decrementBy": 2}}
        _, told = await site.call("POST", f"{BULK}/adjust-by-filter", asked)
        access = site.store.access
        proof = {"authorization": access.api_key, "wix-site-id": access.site_id}
        answer = await site.ask("GET", f"/async-jobs/v1/async-jobs/{told['jobId']}", None, proof)
        items = await site.ask("GET", f"/async-jobs/v1/async-jobs/{told['jobId']}/items", None, proof)
        await site.call("POST", f"{BULK}/delete-by-filter", {"filter": {"quantity": {"$gt": 5}}})

        assert answer.status == 200
        assert b'"itemsSucceeded":1,"itemsFailed":1' in answer.body
        assert b"INSUFFICIENT_INVENTORY" in items.body
        assert await site.levels() == {"MUG": 5, "SHIRT-S": 1, "SHIRT-M": 0}

    with_site(play)


def test_a_filter_of_variants_fills_a_second_location_which_the_shop_does_not_sell_from() -> None:
    async def play(site: Site) -> None:
        depot = site.store.locations.all[1].id
        _, held = await site.call("POST", f"{ITEMS}/query", {"query": {"filter": {"locationId": depot}}})
        ids = [item["id"] for item in held["inventoryItems"]]
        await site.call("POST", f"{BULK}/delete", {"inventoryItemIds": ids})
        asked = {"filter": {"sku": {"$in": ["MUG", "SHIRT-M"]}}, "locationId": depot}
        await site.call("POST", f"{BULK}/create-by-variant-filter", {**asked, "inventoryCreationData": {"quantity": 4}})
        _, told = await site.call("POST", f"{ITEMS}/query", {"query": {"filter": {"locationId": depot}}})

        assert {item["product"]["variantSku"]: item["quantity"] for item in told["inventoryItems"]} == {
            "MUG": 4,
            "SHIRT-M": 4,
        }
        assert (await site.buy("SHIRT-M", 1))[0] == 409

    with_site(play, TWO_PLACES)


def test_an_apps_own_fields_are_kept_through_sales_and_edits() -> None:
    async def play(site: Site) -> None:
        item = await item_of(site, "MUG")
        stamp = {"namespaces": {"@app/stamps": {"write": "w-1"}}}
        asked = {"revision": "1", "quantity": 7, "extendedFields": stamp}
        flat = {**asked, "extendedFields": {"namespaces": {"a": 1}}}
        wrong = await site.call("PATCH", f"{ITEMS}/{item['id']}", {"inventoryItem": flat})
        await site.call("PATCH", f"{ITEMS}/{item['id']}", {"inventoryItem": asked})
        await site.buy("MUG", 1)
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "delta": 1})
        told = await item_of(site, "MUG")

        assert wrong[0] == 400
        assert (told["extendedFields"], told["quantity"], told["revision"]) == (stamp, 7, "4")

    with_site(play)


def test_items_come_and_go_in_events() -> None:
    async def play(site: Site) -> None:
        row = await new_row(site, "MUG", inStock=True)
        await site.call("POST", ITEMS, {"inventoryItem": row})
        told = [(event["event"]["slug"], event["event"]["entityId"]) for event in await site.events()]
        entity = (await site.events())[-1]["event"]["createdEvent"]["entity"]

        assert [slug for slug, _ in told][-2:] == ["deleted", "created"]
        assert (entity["trackQuantity"], entity["inStock"]) == (False, True)

    with_site(play, WixOptions(webhook_url=HOOK))


def test_every_format_of_the_declarations_is_known() -> None:
    formats = {
        field["format"]
        for package in declarations().values()
        for message in package.values()
        if isinstance(message, dict)
        for name, field in message.items()
        if name and "format" in field
    }

    assert formats - set(FORMATS) <= {"GUID", "DECIMAL_VALUE"}
