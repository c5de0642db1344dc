"""The pretend Wix site, asked over HTTP: stock, orders, webhooks, refusals, and the V1 face."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from wix_site import HOOK, Site, goods, open_event, variant, with_site

from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct
from storebridge_sandbox.faults import FaultRates, FaultRule, FaultSettings
from storebridge_sandbox.wix.announcements import ITEM
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID, STORES_APP_ID, WixOptions

QUERY = "/stores/v3/inventory-items/query"
UPDATE = "/stores/v3/bulk/inventory-items/update"
SEARCH = "/ecom/v1/orders/search"
HOOKED = WixOptions(webhook_url=HOOK)


async def item_of(site: Site, sku: str) -> dict[str, Any]:
    status, told = await site.call("POST", QUERY, {"query": {"filter": {"product.variantSku": sku}}})
    assert status == 200
    (item,) = told["inventoryItems"]
    return dict(item)


def code_of(told: dict[str, Any]) -> str:
    return str(told["details"]["applicationError"]["code"])


# -- stock ---------------------------------------------------------------------------------------------------


def test_a_sale_lowers_stock_and_says_so_in_signed_webhooks() -> None:
    async def play(site: Site) -> None:
        site.mailbox.bodies.clear()
        assert (await site.buy("MUG", 2))[0] == 201
        item = await item_of(site, "MUG")
        events = {told["eventType"]: told for told in await site.events()}
        changed = events[f"{ITEM}_updated_with_reason"]

        assert (item["quantity"], item["revision"]) == (3, "2")
        assert changed["instanceId"] == site.store.access.instance_id
        assert changed["event"]["actionEvent"]["body"] == {
            "currentEntity": item,
            "reason": "ORDER",
            "appId": STORES_APP_ID,
        }
        assert events["wix.ecom.v1.order_approved"]["event"]["actionEvent"]["body"]["order"]["status"] == "APPROVED"
        assert site.mailbox.headers[0]["content-type"] == "text/plain; charset=utf-8"

    with_site(play, HOOKED)


def test_a_changed_delivery_does_not_verify() -> None:
    async def play(site: Site) -> None:
        await site.events()
        body = site.mailbox.bodies[0]
        forged = body.replace(b".", b".e30", 1)
        with pytest.raises(InvalidSignature):
            open_event(forged, site.store.credentials()["webhook_public_key"])

    with_site(play, HOOKED)


def test_a_refused_delivery_comes_again_after_a_minute_and_after_eleven_with_the_same_event() -> None:
    async def play(site: Site) -> None:
        await site.events()
        site.mailbox.bodies.clear()
        site.mailbox.answers = [500, None]
        await site.ask("PUT", "/_sandbox/webhook_address", {"url": HOOK, "events": [f"{ITEM}_updated"]})
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "delta": 1})
        counts = []
        for seconds in (1, 60, 600):
            await asyncio.sleep(seconds)
            counts.append(len(site.mailbox.bodies))
        events = await site.events()

        assert counts == [1, 2, 3]
        assert len({told["event"]["id"] for told in events}) == 1

    with_site(play, HOOKED)


def test_the_vendor_takes_only_200_for_an_answer_and_comes_again_after_any_other() -> None:
    async def play(site: Site) -> None:
        await site.events()
        site.mailbox.bodies.clear()
        site.mailbox.answers = [204, 302, 200]
        await site.ask("PUT", "/_sandbox/webhook_address", {"url": HOOK, "events": [f"{ITEM}_updated"]})
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(48 * 3600)
        assert len(site.mailbox.bodies) == 3

    with_site(play, HOOKED)


@pytest.mark.parametrize("form", ["object", "list"])
def test_a_negated_filter_is_an_object_or_a_list(form: str) -> None:
    async def play(site: Site) -> None:
        inner = {"product.variantSku": {"$startsWith": "SHIRT"}}
        asked = {"query": {"filter": {"$not": inner if form == "object" else [inner]}}}
        status, told = await site.call("POST", "/stores/v3/inventory-items/query", asked)
        assert status == 200
        skus = {row["product"]["variantSku"] for row in told["inventoryItems"]}
        assert "MUG" in skus
        assert not any(sku.startswith("SHIRT") for sku in skus)

    with_site(play)


def test_an_update_with_an_old_revision_changes_nothing_and_the_other_rows_are_applied() -> None:
    async def play(site: Site) -> None:
        mug, shirt = await item_of(site, "MUG"), await item_of(site, "SHIRT-S")
        rows = [
            {"inventoryItem": {"id": mug["id"], "revision": "9", "quantity": 1}},
            {"inventoryItem": {"id": shirt["id"], "revision": shirt["revision"], "quantity": 8}},
        ]
        status, told = await site.call("POST", UPDATE, {"inventoryItems": rows, "returnEntity": True})
        first, second = told["results"]

        assert status == 200
        assert first["itemMetadata"]["success"] is False
        assert first["itemMetadata"]["error"]["code"] == "INVENTORY_ITEM_REVISION_MISMATCH"
        assert (second["item"]["quantity"], second["item"]["revision"]) == (8, "2")
        assert told["bulkActionMetadata"] == {"totalSuccesses": 1, "totalFailures": 1, "undetailedFailures": 0}
        assert await item_of(site, "MUG") == mug

    with_site(play)


def test_a_patch_with_an_old_revision_is_409() -> None:
    async def play(site: Site) -> None:
        mug = await item_of(site, "MUG")
        path = f"/stores/v3/inventory-items/{mug['id']}"
        body = {"inventoryItem": {"revision": "1", "quantity": 7}}

        assert (await site.call("PATCH", path, body))[0] == 200
        assert (await site.call("PATCH", path, body))[0] == 409
        assert (await site.levels())["MUG"] == 7

    with_site(play)


def test_queries_are_paged_by_cursor_without_gaps() -> None:
    async def play(site: Site) -> None:
        query: dict[str, Any] = {"sort": [{"fieldName": "quantity"}], "cursorPaging": {"limit": 3}}
        pages = []
        while query:
            _, told = await site.call("POST", QUERY, {"query": query})
            pages.append([item["quantity"] for item in told["inventoryItems"]])
            cursor = told["pagingMetadata"]["cursors"].get("next")
            query = {"cursorPaging": {"cursor": cursor}} if cursor else {}

        assert pages == [[0, 3, 5], [9]]

    with_site(play)


def test_a_query_may_lag_but_never_behind_the_callers_own_write() -> None:
    async def play(site: Site) -> None:
        await asyncio.sleep(30)
        access = site.store.access
        proof = {"authorization": access.api_key, "wix-site-id": access.site_id}
        mug = await item_of(site, "MUG")
        row = {"inventoryItem": {"id": mug["id"], "revision": "1", "quantity": 1}}
        written = await site.ask("POST", UPDATE, {"inventoryItems": [row]}, proof)
        mine = {**proof, "x-wix-consistent": written.headers["x-wix-consistent"]}
        question = {"query": {"filter": {"id": mug["id"]}}}
        fresh = await site.ask("POST", QUERY, question, mine)

        assert (await item_of(site, "MUG"))["quantity"] == 5
        assert b'"quantity":1,' in fresh.body or b'"quantity":1}' in fresh.body
        await asyncio.sleep(5)
        assert (await item_of(site, "MUG"))["quantity"] == 1

    with_site(play, WixOptions(quirks=WixQuirks(w15_query_lag_ms=(4000, 4000))))


# -- orders --------------------------------------------------------------------------------------------------


def test_what_is_not_shown_is_not_sold() -> None:
    async def play(site: Site) -> None:
        before = await site.truth()
        for sku, quantity in (("MUG", 6), ("SHIRT-M", 1), ("OLD", 1)):
            assert await site.buy(sku, quantity) == (409, {"error": "out_of_stock", "sku": sku})
        assert {**await site.truth(), "now": ""} == {**before, "now": ""}

    with_site(play)


def test_orders_are_found_by_the_moment_of_their_last_change() -> None:
    async def play(site: Site) -> None:
        first = (await site.buy("MUG", 1))[1]["order_id"]
        second = (await site.buy("MUG", 1))[1]["order_id"]
        await asyncio.sleep(10)
        since = site.clock.now() - timedelta(seconds=1)
        await site.ask("POST", f"/_sandbox/orders/{first}/cancel", {"restock": True})
        search = {
            "filter": {"updatedDate": {"$gte": since.isoformat()}, "status": {"$in": ["APPROVED", "CANCELED"]}},
            "sort": [{"fieldName": "updatedDate", "order": "ASC"}],
        }
        _, late = await site.call("POST", SEARCH, {"search": search})
        _, every = await site.call("POST", SEARCH, {"search": {"sort": search["sort"]}})

        assert [(order["id"], order["status"]) for order in late["orders"]] == [(first, "CANCELED")]
        assert late["orders"][0]["lineItems"][0]["restockQuantity"] == 1
        assert [order["id"] for order in every["orders"]] == [second, first]
        assert (await site.levels())["MUG"] == 4

    with_site(play)


def test_an_unpaid_order_holds_stock_hidden_from_the_search_and_gives_it_back_when_the_payment_fails() -> None:
    async def play(site: Site) -> None:
        order = (await site.buy("MUG", 2, paid=False))[1]["order_id"]
        held = (await site.levels())["MUG"]
        _, found = await site.call("POST", SEARCH, {"search": {}})
        _, one = await site.call("GET", f"/ecom/v1/orders/{order}")
        await site.ask("POST", f"/_sandbox/orders/{order}/fail")

        assert (held, found["orders"], one["order"]["status"]) == (3, [], "INITIALIZED")
        assert (await site.levels())["MUG"] == 5
        assert [move["cause"] for move in (await site.truth())["movements"]] == ["sale", "revert"]

    with_site(play)


def test_every_verb_of_staff_moves_what_it_should() -> None:
    async def play(site: Site) -> None:
        order = (await site.buy("MUG", 3))[1]["name"]
        steps = [
            ("edit", {"lines": [{"sku": "MUG", "quantity": 2}, {"sku": "SHIRT-S", "quantity": 1}]}),
            ("fulfil", {"lines": [{"sku": "MUG", "quantity": 1}], "tracking": {"number": "T1"}}),
            ("return", {"lines": [{"sku": "MUG", "quantity": 1}]}),
            ("refund", {"lines": [{"sku": "SHIRT-S", "quantity": 1, "restock": False}]}),
        ]
        for verb, body in steps:
            answer = await site.ask("POST", f"/_sandbox/orders/{order}/{verb}", body)
            assert answer.status == 200, answer.body
        moves = [(move["sku"], move["delta"], move["cause"]) for move in (await site.truth())["movements"]]

        assert moves == [("MUG", -3, "sale"), ("MUG", 1, "edit"), ("SHIRT-S", -1, "edit"), ("MUG", 1, "return")]
        assert (await site.ask("POST", "/_sandbox/orders/77/pay")).status == 404

    with_site(play, HOOKED)


def test_an_api_client_cancels_with_restock_and_sets_the_trigger() -> None:
    async def play(site: Site) -> None:
        order = (await site.buy("MUG", 2))[1]["order_id"]
        status, told = await site.call("POST", f"/ecom/v1/orders/{order}/cancel", {"restockAllItems": True})
        settings = {"ordersSettings": {"inventoryUpdateTrigger": "ON_ORDER_PAID"}}
        _, changed = await site.call("PATCH", "/ecom/v1/orders-settings", settings)

        assert (status, told["order"]["status"]) == (200, "CANCELED")
        assert changed["ordersSettings"]["inventoryUpdateTrigger"] == "ON_ORDER_PAID"
        await site.buy("MUG", 2, paid=False)
        assert (await site.levels())["MUG"] == 5

    with_site(play)


# -- who may call, and how often -----------------------------------------------------------------------------


def test_an_apps_token_opens_the_door_until_it_is_revoked() -> None:
    async def play(site: Site) -> None:
        held = site.store.credentials()
        grant = {
            "grant_type": "client_credentials",
            "client_id": held["app_id"],
            "client_secret": held["app_secret"],
            "instance_id": held["instance_id"],
        }
        assert (await site.ask("POST", "/oauth2/token", {**grant, "client_secret": "x"})).status == 401
        answer = await site.ask("POST", "/oauth2/token", grant)
        token = {"authorization": answer.body.split(b'"')[3].decode()}

        assert b'"expires_in":14400' in answer.body
        assert (await site.ask("POST", QUERY, {}, token)).status == 200
        assert (await site.ask("POST", QUERY, {}, {"authorization": f"Bearer {token['authorization']}"})).status == 401
        await site.ask("POST", "/_sandbox/tokens/revoke")
        assert (await site.ask("POST", QUERY, {}, token)).status == 401
        assert (await site.ask("POST", QUERY, {})).status == 401

    with_site(play)


def test_calls_beyond_the_limit_are_429_until_the_minute_is_over() -> None:
    async def play(site: Site) -> None:
        statuses = [(await site.call("POST", QUERY, {}))[0] for _ in range(5)]
        await asyncio.sleep(60)

        assert statuses == [200, 200, 200, 429, 429]
        assert (await site.call("POST", QUERY, {}))[0] == 200

    with_site(play, WixOptions(quirks=WixQuirks(w14_calls_per_minute=3)))


def test_a_missing_permission_is_403_and_an_unknown_address_404() -> None:
    async def play(site: Site) -> None:
        status, told = await site.call("POST", UPDATE, {"inventoryItems": []})

        assert (status, code_of(told)) == (403, "PERMISSION_DENIED")
        assert (await site.call("GET", "/stores/v3/nothing"))[0] == 404

    with_site(play, WixOptions(denied_scopes=frozenset({"SCOPE.STORES.INVENTORY_ITEM_WRITE"})))


def test_a_write_that_timed_out_may_land_later() -> None:
    late = FaultRates(timeout_applied=1.0, late_landing_ms=(60_000, 60_000))
    faults = FaultSettings(rules=(FaultRule("bulkUpdateInventoryItems", calls=1, rates=late),))

    async def play(site: Site) -> None:
        mug = await item_of(site, "MUG")
        row = {"inventoryItem": {"id": mug["id"], "revision": "1", "quantity": 1}}
        asked = asyncio.ensure_future(site.ask("POST", UPDATE, {"inventoryItems": [row]}, proof_of(site)))
        await asyncio.sleep(30)
        early = (await site.levels())["MUG"]
        await asyncio.sleep(31)

        assert (early, (await site.levels())["MUG"]) == (5, 1)
        assert (await asked).status == 504

    with_site(play, faults=faults)


def proof_of(site: Site) -> dict[str, str]:
    return {"authorization": site.store.access.api_key, "wix-site-id": site.store.access.site_id}


def test_the_same_seed_gives_the_same_site() -> None:
    seen: list[object] = []

    async def play(site: Site) -> None:
        await site.buy("MUG", 1)
        truth = await site.truth()
        seen.append((truth, site.store.credentials(), await item_of(site, "MUG")))

    with_site(play)
    with_site(play)
    assert seen[0] == seen[1]


# -- Catalog V1 ----------------------------------------------------------------------------------------------


def test_a_v1_site_answers_v1_reads_and_refuses_v3() -> None:
    async def play(site: Site) -> None:
        question = {
            "query": {"sort": '[{"numericId":"asc"}]', "paging": {"limit": 1, "offset": 1}},
            "includeVariants": True,
        }
        _, version = await site.call("GET", "/stores/v3/provision/version")
        status, told = await site.call("POST", "/stores-reader/v1/products/query", question)
        (shirt,) = told["products"]
        refused, why = await site.call("POST", QUERY, {})

        assert version == {"catalogVersion": "V1_CATALOG"}
        assert (status, told["totalResults"]) == (200, 2)
        assert [(one["choices"], one["variant"]["sku"], one["stock"]) for one in shirt["variants"]] == [
            ({"Size": "S"}, "SHIRT-S", {"trackQuantity": True, "quantity": 3, "inStock": True}),
            ({"Size": "M"}, "SHIRT-M", {"trackQuantity": True, "quantity": 0, "inStock": False}),
        ]
        assert (refused, code_of(why)) == (428, "CATALOG_V1_SITE_CALLING_CATALOG_V3_API")

    with_site(play, WixOptions(catalog="v1"))


def test_v1_counts_per_product_and_tells_of_changes_in_the_older_way() -> None:
    async def play(site: Site) -> None:
        await site.buy("MUG", 2)
        mug = site.store.shelf.by_sku["MUG"].product.id
        where = {"query": {"filter": f'{{"productId":"{mug}"}}'}}
        _, told = await site.call("POST", "/stores-reader/v2/inventoryItems/query", where)
        (row,) = told["inventoryItems"]
        events = [told for told in await site.events() if told["eventType"].endswith("InventoryVariantsChanged")]

        assert row["variants"] == [
            {"variantId": DEFAULT_VARIANT_ID, "inStock": True, "availableForPreorder": False, "quantity": 3}
        ]
        assert [told["event"]["variants"] for told in events] == [
            [
                {
                    "id": DEFAULT_VARIANT_ID,
                    "oldValue": {"quantity": 5, "inStock": True},
                    "newValue": {"quantity": 3, "inStock": True},
                }
            ]
        ]
        one = f"/stores-reader/v2/inventoryItems/{row['id']}/getVariants"
        assert (await site.call("POST", one, {}))[1]["inventoryItem"] == row

    with_site(play, WixOptions(catalog="v1", webhook_url=HOOK))


def test_a_v3_site_refuses_v1() -> None:
    async def play(site: Site) -> None:
        status, told = await site.call("POST", "/stores-reader/v1/products/query", {})

        assert (status, code_of(told)) == (428, "CATALOG_V3_SITE_CALLING_CATALOG_V1_API")

    with_site(play)


def test_what_the_vendor_would_refuse_is_listed_not_loaded() -> None:
    async def play(site: Site) -> None:
        again = site.store.load_catalogue(
            Catalogue([CatalogueProduct("m", "Mug", variants=[variant("MUG", ("Default Title",), 1)])])
        )

        assert again.summary() == {
            "products": 0,
            "variants": 0,
            "skipped": [{"line": 0, "reason": "SKU 'MUG' is already in the store"}],
        }

    with_site(play, catalogue=goods())
