"""Products, stock states, bulk files and filtered webhooks of the pretend Shopify shop, as a sync uses them."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec
from shopify_shop import BASE, HOOK, Shop, with_shop

from storebridge.connectors.http import Request
from storebridge_sandbox.shopify.quirks import ShopifyOptions

SET_PRODUCT = """mutation Put($input: ProductSetInput!, $by: ProductSetIdentifiers) {
  productSet(input: $input, identifier: $by) {
    product { id handle variants(first: 10) { nodes { title sku inventoryQuantity inventoryItem { id } } } }
    userErrors { field message code } } }"""
ADJUST = """mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { name delta } } userErrors { field message code } } }"""
QUANTITIES = """query Level($id: ID!, $place: ID!) { inventoryItem(id: $id) { inventoryLevel(locationId: $place) {
  quantities(names: ["available", "damaged", "reserved", "incoming", "on_hand"]) { name quantity } } } }"""
STAGE = """mutation Stage($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
  stagedTargets { url parameters { name value } } userErrors { message } } }"""
RUN_MUTATION = """mutation Run($mutation: String!, $path: String!) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path) {
    bulkOperation { id status } userErrors { field message code } } }"""
RUN_QUERY = """mutation Run($query: String!) { bulkOperationRunQuery(query: $query) {
  bulkOperation { id status } userErrors { field message code } } }"""
BULK = "query Bulk($id: ID!) { bulkOperation(id: $id) { status objectCount rootObjectCount url } }"


def jacket(**changes: object) -> dict[str, Any]:
    variants = [{"optionValues": [{"optionName": "Size", "name": size}], "sku": f"JACKET-{size}"} for size in "SM"]
    options = [{"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}]
    return {"title": "Rain jacket", "productOptions": options, "variants": variants, **changes}


async def put(shop: Shop, given: dict[str, Any], by: dict[str, Any] | None = None) -> dict[str, Any]:
    told = await shop.told(SET_PRODUCT, input=given, by=by)
    return dict(told["data"]["productSet"])


def test_a_product_is_set_whole_and_variants_left_out_are_gone() -> None:
    async def play(shop: Shop) -> None:
        place = shop.place(0)
        given = jacket()
        given["variants"][0]["inventoryItem"] = {"tracked": True}
        given["variants"][0]["inventoryQuantities"] = [{"locationId": place, "name": "available", "quantity": 4}]
        made = await put(shop, given)
        variants = [(row["sku"], row["inventoryQuantity"]) for row in made["product"]["variants"]["nodes"]]
        assert made["product"]["handle"] == "rain-jacket"
        assert variants == [("JACKET-S", 4), ("JACKET-M", 0)]

        again = await put(shop, jacket(variants=given["variants"][1:], handle="rain-jacket"), {"handle": "rain-jacket"})
        assert again["product"]["id"] == made["product"]["id"]
        assert [row["title"] for row in again["product"]["variants"]["nodes"]] == ["M"]
        assert "JACKET-S" not in {row["sku"] for row in (await shop.truth())["levels"]}

    with_shop(play)


def test_a_refused_product_changes_nothing() -> None:
    async def play(shop: Shop) -> None:
        refused = await put(shop, jacket(title="x" * 256))
        assert refused["product"] is None
        assert refused["userErrors"][0]["message"] == "is too long (maximum is 255 characters)"
        assert len(shop.store.shelves.products) == 2

    with_shop(play)


def test_every_state_of_stock_adds_up_to_what_is_on_hand_except_what_is_coming() -> None:
    async def play(shop: Shop) -> None:
        item, place = shop.item("MUG"), shop.place(0)
        for number, (name, delta) in enumerate((("damaged", 2), ("reserved", 1), ("incoming", 7))):
            row = {"inventoryItemId": item, "locationId": place, "delta": delta, "changeFromQuantity": 0}
            row["ledgerDocumentUri"] = "test://ledger"
            given = {"name": name, "reason": "correction", "changes": [row]}
            told = await shop.told(ADJUST, input=given, key=f"k{number}")
            assert told["data"]["inventoryAdjustQuantities"]["userErrors"] == []
        told = await shop.told(QUANTITIES, id=item, place=place)
        shown = told["data"]["inventoryItem"]["inventoryLevel"]["quantities"]
        assert {row["name"]: row["quantity"] for row in shown} == {
            "available": 5,
            "damaged": 2,
            "reserved": 1,
            "incoming": 7,
            "on_hand": 8,
        }
        assert (await shop.levels())["MUG"] == 5

    with_shop(play)


def test_a_bulk_mutation_reads_an_upload_and_leaves_a_line_for_each_of_its_lines() -> None:
    async def play(shop: Shop) -> None:
        wanted = {"filename": "in.jsonl", "mimeType": "text/jsonl", "resource": "BULK_MUTATION_VARIABLES"}
        told = await shop.told(STAGE, input=[{**wanted, "httpMethod": "PUT"}])
        target = told["data"]["stagedUploadsCreate"]["stagedTargets"][0]["url"]
        path = urlsplit(target).path
        lines = b'{"product": {"title": "Scarf"}}\n{"product": {"title": ""}}\n'
        answer = await shop.transport.send(Request("PUT", BASE + path, {}, lines, 20.0))
        assert answer.status == 200

        mutation = "mutation M($product: ProductCreateInput!) { productCreate(product: $product) {"
        mutation += " product { title } userErrors { message } } }"
        told = await shop.told(RUN_MUTATION, mutation=mutation, path=path.removeprefix("/staged-uploads/"))
        started = told["data"]["bulkOperationRunMutation"]["bulkOperation"]
        assert started["status"] == "CREATED"
        await asyncio.sleep(10)
        done = (await shop.told(BULK, id=started["id"]))["data"]["bulkOperation"]
        assert (done["status"], done["objectCount"]) == ("COMPLETED", "2")
        result = await shop.ask("GET", urlsplit(done["url"]).path)
        rows = [msgspec.json.decode(line) for line in result.body.splitlines()]
        assert [row["__lineNumber"] for row in rows] == [0, 1]
        assert rows[0]["data"]["productCreate"]["product"] == {"title": "Scarf"}
        assert rows[1]["data"]["productCreate"]["userErrors"] == [{"message": "Title can't be blank"}]

    with_shop(play)


def test_a_bulk_query_gives_children_lines_of_their_own_and_tells_when_it_is_done() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("bulk_operations/finish")
        query = "{ products { edges { node { id title variants { edges { node { sku } } } } } } }"
        started = (await shop.told(RUN_QUERY, query=query))["data"]["bulkOperationRunQuery"]["bulkOperation"]
        await asyncio.sleep(10)
        done = (await shop.told(BULK, id=started["id"]))["data"]["bulkOperation"]
        await asyncio.sleep(1)
        result = await shop.ask("GET", urlsplit(done["url"]).path)
        rows = [msgspec.json.decode(line) for line in result.body.splitlines()]
        shirt = next(row["id"] for row in rows if row.get("title") == "Shirt")
        children = [row["sku"] for row in rows if row.get("__parentId") == shirt]
        assert (done["objectCount"], done["rootObjectCount"]) == ("5", "2")
        assert children == ["SHIRT-S", "SHIRT-M"]
        assert [letter["status"] for letter in shop.letters("bulk_operations/finish")] == ["completed"]

    with_shop(play)


def test_a_sixth_bulk_query_waits_its_turn() -> None:
    async def play(shop: Shop) -> None:
        query = "{ products { edges { node { id } } } }"
        told = [(await shop.told(RUN_QUERY, query=query))["data"]["bulkOperationRunQuery"] for _ in range(6)]
        assert [one["userErrors"] for one in told[:5]] == [[]] * 5
        assert told[5]["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"
        assert told[5]["bulkOperation"] is None

    with_shop(play, ShopifyOptions(bulk_seconds=60))


def test_a_subscription_hears_what_its_filter_lets_through_and_its_fields_only() -> None:
    async def play(shop: Shop) -> None:
        made = shop.store.subscriptions.create("products/create", HOOK)
        made.filter, made.include_fields = "vendor:Larkfield", ["id", "title", "variants.sku"]
        await put(shop, jacket(vendor="Somebody"))
        await put(shop, jacket(vendor="Larkfield", title="Umbrella"))
        await asyncio.sleep(1)
        letters = shop.letters("products/create")
        assert [letter["title"] for letter in letters] == ["Umbrella"]
        assert sorted(letters[0]) == ["id", "title", "variants"]
        assert letters[0]["variants"] == [{"sku": "JACKET-S"}, {"sku": "JACKET-M"}]

    with_shop(play)


def test_an_older_version_knows_what_was_removed_since_and_falls_forward_when_too_old() -> None:
    query = """mutation Old($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) {
      userErrors { code } } }"""

    async def play(shop: Shop) -> None:
        row = {"inventoryItemId": shop.item("MUG"), "locationId": shop.place(0), "quantity": 3, "compareQuantity": 5}
        given = {"name": "available", "reason": "correction", "quantities": [row]}
        proof = {"x-shopify-access-token": shop.store.credentials()["access_token"]}
        body = {"query": query, "variables": {"input": given}}
        answers = {}
        for version in ("2024-01", "2026-10", "2027-01"):
            answers[version] = await shop.ask("POST", f"/admin/api/{version}/graphql.json", body, proof)
        old, new = (msgspec.json.decode(answers[version].body) for version in ("2024-01", "2026-10"))
        assert answers["2024-01"].headers["x-shopify-api-version"] == "2026-01"
        assert old["data"]["inventorySetQuantities"]["userErrors"] == []
        assert new["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
        assert answers["2027-01"].status == 404
        assert (await shop.levels())["MUG"] == 3

    with_shop(play)
