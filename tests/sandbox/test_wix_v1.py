"""A site that still has Catalog V1: products, variants and stock are written, and it moves to V3 while open."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID, WixOptions

PRODUCTS = "/stores/v1/products"
READER = "/stores-reader/v1/products"
STOCK = "/stores/v2/inventoryItems"
NOTHING = "00000000-0000-4000-8000-000000000000"
V1 = WixOptions(catalog="v1")


def quirky(**quirks: Any) -> WixOptions:
    return WixOptions(catalog="v1", quirks=WixQuirks(**quirks))


def id_of(site: Site, sku: str) -> str:
    return site.store.shelf.by_sku[sku].product.id


def code_of(told: dict[str, Any]) -> str:
    return str(told["details"]["applicationError"]["code"])


def sized(**more: Any) -> dict[str, Any]:
    choices = [{"value": size, "description": size} for size in ("S", "M")]
    return {
        "name": "Cap",
        "productType": "physical",
        "priceData": {"price": 20},
        "productOptions": [{"name": "Size", "choices": choices}],
        **more,
    }


async def create(site: Site, product: dict[str, Any]) -> dict[str, Any]:
    status, told = await site.call("POST", PRODUCTS, {"product": product})
    assert status == 200, told
    return dict(told["product"])


def test_managed_variants_are_every_combination_and_are_told_apart_by_their_choices() -> None:
    async def play(site: Site) -> None:
        made = await create(site, sized(manageVariants=True))
        rows = [{"choices": {"Size": "S"}, "sku": "CAP-S", "price": 18.5}]
        _, changed = await site.call("PATCH", f"{PRODUCTS}/{made['id']}/variants", {"variants": rows})
        _, found = await site.call("POST", f"{READER}/{made['id']}/variants/query", {"choices": {"Size": "S"}})
        nobody = await site.call(
            "PATCH", f"{PRODUCTS}/{made['id']}/variants", {"variants": [{"choices": {"Size": "L"}}]}
        )
        _, store = await site.call("POST", "/stores-reader/v1/variants/query", {"query": {"filter": {"sku": "CAP-S"}}})
        await site.call("POST", f"{PRODUCTS}/{made['id']}/variants/resetToDefault", {})
        _, reset = await site.call("GET", f"{READER}/{made['id']}")

        assert [row["choices"] for row in made["variants"]] == [{"Size": "S"}, {"Size": "M"}]
        assert made["stock"] == {"trackInventory": False, "inStock": True, "inventoryStatus": "IN_STOCK"}
        assert [row["variant"]["priceData"]["price"] for row in changed["variants"]] == [18.5, 20.0]
        assert [row["variant"]["sku"] for row in found["variants"]] == ["CAP-S"]
        assert (nobody[0], code_of(nobody[1])) == (404, "VARIANT_NOT_FOUND")
        variant = made["variants"][0]["id"]
        assert [row["id"] for row in store["variants"]] == [f"{made['id']}.{variant}"]
        assert [row["variant"]["sku"] for row in reset["product"]["variants"]] == ["", ""]
        assert {row["variant"]["priceData"]["price"] for row in reset["product"]["variants"]} == {20.0}

    with_site(play, V1)


def test_unmanaged_options_are_sold_as_one_with_a_discount() -> None:
    async def play(site: Site) -> None:
        made = await create(site, sized(sku="CAP", discount={"type": "PERCENT", "value": 25}))
        refused = await site.call("PATCH", f"{PRODUCTS}/{made['id']}/variants", {"variants": []})
        await site.buy("CAP", 2)
        order = (await site.truth())["orders"][0]

        assert [row["id"] for row in made["variants"]] == [DEFAULT_VARIANT_ID]
        assert (made["sku"], made["priceData"]["discountedPrice"], len(made["productOptions"])) == ("CAP", 15.0, 1)
        assert refused[0] == 400
        assert order["total"] == "30.00"

    with_site(play, V1)


def test_a_product_is_changed_and_deleted_and_told_of_in_the_older_way() -> None:
    async def play(site: Site) -> None:
        path = f"{PRODUCTS}/{id_of(site, 'MUG')}"
        _, changed = await site.call("PATCH", path, {"product": {"name": "Cup", "ribbon": "Sale", "visible": False}})
        bought = await site.buy("MUG", 1)
        await site.call("POST", f"{path}/remove-ribbon", {})
        await site.call("DELETE", path)
        gone, _ = await site.call("GET", f"{READER}/{changed['product']['id']}")
        events = [event for event in await site.events() if ".catalog.api.v1." in event["eventType"]][-3:]

        assert (changed["product"]["name"], changed["product"]["ribbon"], bought[0], gone) == ("Cup", "Sale", 409, 404)
        assert [event["eventType"].rpartition(".")[2] for event in events] == [
            "ProductChanged",
            "ProductChanged",
            "ProductDeleted",
        ]
        assert events[0]["event"] == {
            "productId": changed["product"]["id"],
            "changedFields": ["name", "ribbon", "visible"],
        }

    with_site(play, WixOptions(catalog="v1", webhook_url=HOOK))


def test_a_page_by_numeric_id_goes_on_where_offsets_end() -> None:
    async def play(site: Site) -> None:
        seen: list[str] = []
        last = "0"
        while True:
            filter_ = msgspec.json.encode({"numericId": {"$gt": last}}).decode()
            query = {"filter": filter_, "sort": '[{"numericId": "asc"}]', "paging": {"limit": 1}}
            _, told = await site.call("POST", f"{READER}/query", {"query": query, "includeHiddenProducts": True})
            if not told["products"]:
                break
            seen.append(told["products"][0]["name"])
            last = told["products"][0]["numericId"]
        _, page = await site.call("GET", f"{READER}/query-platformized?query.paging.limit=2&query.paging.offset=1")

        assert seen == ["Mug", "Shirt", "Old"]
        assert [product["name"] for product in page["products"]] == ["Shirt", "Old"]
        assert page["metadata"] == {"count": 2, "offset": 1, "total": 3}

    with_site(play, V1)


def test_leaving_out_track_quantity_turns_tracking_off_for_the_whole_product() -> None:
    async def play(site: Site) -> None:
        product = id_of(site, "SHIRT-S")
        shirt = site.store.shelf.by_sku["SHIRT-S"].variant_id
        row = {"variantId": shirt, "quantity": 7}
        path = f"{STOCK}/product/{product}"
        tracked = await site.call("PATCH", path, {"inventoryItem": {"trackQuantity": True, "variants": [row]}})
        set_to = await site.levels()
        await site.call("PATCH", path, {"inventoryItem": {"variants": [row]}})
        events = [
            event["event"] for event in await site.events() if event["eventType"].endswith("InventoryItemChanged")
        ]

        assert tracked == (200, {})
        assert (set_to["SHIRT-S"], set_to["SHIRT-M"]) == (7, 0)
        assert "SHIRT-S" not in await site.levels()
        assert "SHIRT-M" not in await site.levels()
        assert [(event["trackInventory"], event["fieldMask"]) for event in events] == [(False, ["trackInventory"])]

    with_site(play, WixOptions(catalog="v1", webhook_url=HOOK))


def test_a_row_that_is_nowhere_keeps_a_delta_call_from_being_applied() -> None:
    async def play(site: Site) -> None:
        rows = [
            {"productId": id_of(site, "MUG"), "variantId": DEFAULT_VARIANT_ID, "decrementBy": 1},
            {"productId": NOTHING, "decrementBy": 1},
        ]
        status, told = await site.call("POST", f"{STOCK}/decrement", {"decrementData": rows})

        assert (status, code_of(told)) == (404, "NOT_FOUND")
        assert (await site.levels())["MUG"] == 5

    with_site(play, V1)


@pytest.mark.parametrize(("clamps", "levels"), [(False, [-3, -2]), (True, [0, 1])])
def test_w32_whether_v1_deltas_go_below_zero(clamps: bool, levels: list[int]) -> None:
    async def play(site: Site) -> None:
        _, read = await site.call(
            "POST",
            "/stores-reader/v2/inventoryItems/query",
            {"query": {"filter": f'{{"productId": "{id_of(site, "MUG")}"}}'}},
        )
        named = {"inventoryId": read["inventoryItems"][0]["id"], "variantId": DEFAULT_VARIANT_ID}
        seen = []
        for verb, units in (("decrement", 8), ("increment", 1)):
            row = {**named, f"{verb}By": units}
            status, told = await site.call("POST", f"{STOCK}/{verb}", {f"{verb}Data": [row]})
            assert (status, told) == (200, {})
            seen.append((await site.levels())["MUG"])

        assert seen == levels

    with_site(play, quirky(w32_v1_clamps_at_zero=clamps))


@pytest.mark.parametrize(("sets", "level"), [(False, None), (True, 2)])
def test_w32_whether_a_v1_delta_starts_tracking(sets: bool, level: int | None) -> None:
    async def play(site: Site) -> None:
        made = await create(site, sized(sku="CAP"))
        row = {"productId": made["id"], "incrementBy": 2}
        await site.call("POST", f"{STOCK}/increment", {"incrementData": [row]})

        assert (await site.levels()).get("CAP") == level

    with_site(play, quirky(w32_v1_delta_sets_tracking=sets))


def test_a_v1_site_becomes_a_v3_site_with_the_same_ids_levels_and_orders() -> None:
    async def play(site: Site) -> None:
        made = await create(site, sized(sku="CAP"))
        mug = id_of(site, "MUG")
        await site.buy("MUG", 1)
        before, _ = await site.call("GET", f"/stores/v3/products/{mug}")
        answer = await site.ask("POST", "/_sandbox/catalog/migrate")
        _, version = await site.call("GET", "/stores/v3/provision/version")
        _, product = await site.call("GET", f"/stores/v3/products/{mug}")
        _, cap = await site.call("GET", f"/stores/v3/products/{made['id']}")
        after, refused = await site.call("GET", f"{READER}/{mug}")
        _, items = await site.call(
            "POST", "/stores/v3/inventory-items/query", {"query": {"filter": {"product.variantSku": "MUG"}}}
        )
        await site.buy("MUG", 1)
        events = {event["eventType"] for event in await site.events()}

        assert (before, answer.status, version["catalogVersion"]) == (428, 200, "V3_CATALOG")
        assert product["product"]["variantsInfo"]["variants"][0]["id"] == DEFAULT_VARIANT_ID
        assert (cap["product"]["options"], cap["product"]["modifiers"][0]["name"]) == ([], "Size")
        assert (after, code_of(refused)) == (428, "CATALOG_V3_SITE_CALLING_CATALOG_V1_API")
        assert items["inventoryItems"][0]["quantity"] == 4
        assert "com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged" in events
        assert "wix.stores.catalog.v3.inventory_item_updated" in events

    with_site(play, WixOptions(catalog="v1", webhook_url=HOOK))


@pytest.mark.parametrize(("most", "taken"), [(99_999, False), (1_000_000, True), (5, False)])
def test_a_counter_takes_so_many_units_and_a_call_for_more_changes_nothing(most: int, taken: bool) -> None:
    async def play(site: Site) -> None:
        before = (await site.levels())["MUG"]
        row = {"productId": id_of(site, "MUG"), "variantId": DEFAULT_VARIANT_ID, "incrementBy": 1}
        many = {**row, "incrementBy": min(most, 99_999)}
        status, _ = await site.call("POST", f"{STOCK}/increment", {"incrementData": [row, many]})
        expected = before + 1 + many["incrementBy"] if taken else before
        assert (status, (await site.levels())["MUG"]) == (200 if taken else 400, expected)

    with_site(play, quirky(w40_v1_most_units=most))
