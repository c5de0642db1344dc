"""Every switch for a behaviour of Wix that nobody has verified, in both settings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.announcements import ITEM
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import STORES_APP_ID, WixOptions

QUERY = "/stores/v3/inventory-items/query"
BULK = "/stores/v3/bulk/inventory-items"
NOTHING = "00000000-0000-4000-8000-000000000000"


def options(**quirks: Any) -> WixOptions:
    return WixOptions(quirks=WixQuirks(**quirks))


async def item_of(site: Site, sku: str) -> dict[str, Any]:
    _, told = await site.call("POST", QUERY, {"query": {"filter": {"product.variantSku": sku}}})
    return dict(told["inventoryItems"][0])


@pytest.mark.parametrize(("status", "code"), [(409, "MISMATCH"), (428, "OLD_REVISION")])
def test_w1_how_a_lost_race_is_told(status: int, code: str) -> None:
    async def play(site: Site) -> None:
        path = f"/stores/v3/inventory-items/{(await item_of(site, 'MUG'))['id']}"
        got, told = await site.call("PATCH", path, {"inventoryItem": {"revision": "7", "quantity": 1}})

        assert (got, told["details"]["applicationError"]["code"]) == (status, code)

    with_site(play, options(w1_stale_status=status, w1_stale_code=code))


@pytest.mark.parametrize(("raises", "revision"), [(True, "2"), (False, "1")])
def test_w2_whether_a_sale_raises_the_revision(raises: bool, revision: str) -> None:
    async def play(site: Site) -> None:
        await site.buy("MUG", 1)
        item = await item_of(site, "MUG")

        assert (item["quantity"], item["revision"]) == (4, revision)

    with_site(play, options(w2_every_change_raises_revision=raises))


@pytest.mark.parametrize(("clamps", "level"), [(False, -3), (True, 0)])
def test_w6_whether_a_decrement_stops_at_zero(clamps: bool, level: int) -> None:
    async def play(site: Site) -> None:
        row = {"inventoryItemId": (await item_of(site, "MUG"))["id"], "decrementBy": 8}
        body = {"decrementData": [row], "restrictInventory": True}
        _, refused = await site.call("POST", f"{BULK}/decrement", body)
        untouched = (await site.levels())["MUG"]
        await site.call("POST", f"{BULK}/decrement", {**body, "restrictInventory": False})

        assert refused["results"][0]["itemMetadata"]["error"]["code"] == "INSUFFICIENT_INVENTORY"
        assert (untouched, (await site.levels())["MUG"]) == (5, level)

    with_site(play, options(w6_unrestricted_decrement_clamps=clamps))


@pytest.mark.parametrize(("whole", "applied"), [(False, 1), (True, 0)])
def test_w7_whether_one_failing_row_holds_the_others_back(whole: bool, applied: int) -> None:
    async def play(site: Site) -> None:
        rows = [
            {"inventoryItem": {"id": (await item_of(site, "MUG"))["id"], "revision": "1", "quantity": 1}},
            {"inventoryItem": {"id": NOTHING, "revision": "1", "quantity": 1}},
        ]
        status, told = await site.call("POST", f"{BULK}/update", {"inventoryItems": rows})

        assert (status, told["bulkActionMetadata"]["totalSuccesses"]) == (200, applied)
        assert (await site.levels())["MUG"] == (1 if applied else 5)

    with_site(play, options(w7_bulk_is_all_or_nothing=whole))


@pytest.mark.parametrize(("restocks", "level"), [(True, 5), (False, 3)])
def test_w11_whether_a_failed_payment_gives_back(restocks: bool, level: int) -> None:
    async def play(site: Site) -> None:
        order = (await site.buy("MUG", 2, paid=False))[1]["order_id"]
        await site.ask("POST", f"/_sandbox/orders/{order}/fail")

        assert (await site.levels())["MUG"] == level

    with_site(play, options(w11_failed_payment_restocks=restocks))


@pytest.mark.parametrize(("patience", "told"), [(None, None), (30, "30")])
def test_w14_whether_a_429_says_how_long(patience: int | None, told: str | None) -> None:
    async def play(site: Site) -> None:
        proof = {"authorization": site.store.access.api_key, "wix-site-id": site.store.access.site_id}
        answers = [await site.ask("POST", QUERY, {}, proof) for _ in range(2)]

        assert [answer.status for answer in answers] == [200, 429]
        assert answers[1].headers.get("retry-after") == told

    with_site(play, options(w14_calls_per_minute=1, w14_retry_after_seconds=patience))


@pytest.mark.parametrize(("lags", "level"), [(False, 4), (True, 5)])
def test_w15_whether_a_read_by_id_lags_like_a_query(lags: bool, level: int) -> None:
    async def play(site: Site) -> None:
        item = await item_of(site, "MUG")
        await asyncio.sleep(10)
        await site.buy("MUG", 1)
        _, told = await site.call("GET", f"/stores/v3/inventory-items/{item['id']}")

        assert told["inventoryItem"]["quantity"] == level
        assert (await item_of(site, "MUG"))["quantity"] == 5

    with_site(play, options(w15_query_lag_ms=(3000, 3000), w15_get_lags=lags))


@pytest.mark.parametrize("sent", [True, False])
def test_w15_whether_a_write_hands_out_a_consistency_token(sent: bool) -> None:
    async def play(site: Site) -> None:
        proof = {"authorization": site.store.access.api_key, "wix-site-id": site.store.access.site_id}
        row = {"inventoryItem": {"id": (await item_of(site, "MUG"))["id"], "revision": "1", "quantity": 1}}
        written = await site.ask("POST", f"{BULK}/update", {"inventoryItems": [row]}, proof)
        read = await site.ask("POST", QUERY, {}, proof)

        assert ("x-wix-consistent" in written.headers, "x-wix-consistent" in read.headers) == (sent, False)

    with_site(play, options(w15_consistent_header=sent))


@pytest.mark.parametrize("seconds", [14_400, 300])
def test_w17_how_long_a_token_lives(seconds: int) -> None:
    async def play(site: Site) -> None:
        held = site.store.credentials()
        grant = {
            "grant_type": "client_credentials",
            "client_id": held["app_id"],
            "client_secret": held["app_secret"],
            "instance_id": held["instance_id"],
        }
        _, told = await site.call("POST", "/oauth2/token", grant)
        statuses = []
        for wait in (seconds - 1, 1):
            await asyncio.sleep(wait)
            answer = await site.ask("POST", QUERY, {}, {"authorization": told["access_token"]})
            statuses.append(answer.status)

        assert (told["expires_in"], statuses) == (seconds, [200, 401])

    with_site(play, options(w17_token_seconds=seconds))


@pytest.mark.parametrize("status", [428, 404])
def test_w18_how_the_wrong_catalogue_is_told(status: int) -> None:
    async def play(site: Site) -> None:
        assert (await site.call("POST", "/stores-reader/v1/products/query", {}))[0] == status

    with_site(play, options(w18_wrong_catalog_status=status))


@pytest.mark.parametrize("status", [404, 200])
def test_w19_how_an_unknown_item_is_told(status: int) -> None:
    async def play(site: Site) -> None:
        got, told = await site.call("GET", "/stores/v3/inventory-items/00000000-0000-4000-8000-000000000000")

        assert (got, told == {}) == (status, status == 200)

    with_site(play, options(w19_missing_status=status))


@pytest.mark.parametrize("early", [True, False])
def test_w21_whether_an_order_is_announced_before_it_is_approved(early: bool) -> None:
    async def play(site: Site) -> None:
        await site.ask("PUT", "/_sandbox/webhook_address", {"url": HOOK, "events": ["wix.ecom.v1.order_created"]})
        order = (await site.buy("MUG", 1, paid=False))[1]["order_id"]
        before = len(await site.events())
        await site.ask("POST", f"/_sandbox/orders/{order}/pay")

        assert (before, len(await site.events())) == (int(early), 1)

    with_site(play, options(w21_created_while_initialized=early))


@pytest.mark.parametrize("named", [True, False])
def test_w22_whether_a_change_names_the_app_behind_it(named: bool) -> None:
    async def play(site: Site) -> None:
        event = f"{ITEM}_updated_with_reason"
        await site.ask("PUT", "/_sandbox/webhook_address", {"url": HOOK, "events": [event]})
        await site.buy("MUG", 1)
        (told,) = await site.events()

        assert told["event"]["actionEvent"]["body"].get("appId") == (STORES_APP_ID if named else None)

    with_site(play, options(w22_names_the_app=named))


@pytest.mark.parametrize(("patience", "status"), [(0, 409), (5_000, 200)])
def test_w3_whether_a_revision_is_a_fence(patience: int, status: int) -> None:
    async def play(site: Site) -> None:
        path = f"/stores/v3/inventory-items/{(await item_of(site, 'MUG'))['id']}"
        body = {"inventoryItem": {"revision": "1", "quantity": 7}}
        first, _ = await site.call("PATCH", path, body)
        second, _ = await site.call("PATCH", path, body)

        assert (first, second) == (200, status)

    with_site(play, options(w3_stale_accepted_within_ms=patience))


@pytest.mark.parametrize(("honoured", "level"), [(False, 1), (True, 3)])
def test_w5_whether_a_repeated_key_changes_nothing(honoured: bool, level: int) -> None:
    async def play(site: Site) -> None:
        access = site.store.access
        proof = {"authorization": access.api_key, "wix-site-id": access.site_id, "idempotency-key": "k-1"}
        row = {"inventoryItemId": (await item_of(site, "MUG"))["id"], "decrementBy": 2}
        answers = [
            await site.ask("POST", f"{BULK}/decrement", {"decrementData": [row], "restrictInventory": True}, proof)
            for _ in range(2)
        ]

        assert [answer.status for answer in answers] == [200, 200]
        assert (await site.levels())["MUG"] == level

    with_site(play, options(w5_idempotency_key_header=honoured))


@pytest.mark.parametrize(("lag", "status"), [(0, 409), (3_000, 201)])
def test_w13_whether_the_shop_sells_what_it_no_longer_has(lag: int, status: int) -> None:
    async def play(site: Site) -> None:
        await asyncio.sleep(10)
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "set": 0})

        assert (await site.buy("MUG", 1))[0] == status
        await asyncio.sleep(10)
        assert (await site.buy("MUG", 1))[0] == 409

    with_site(play, options(w13_storefront_lag_ms=lag))


@pytest.mark.parametrize(("touch", "found"), [(True, ["MUG", "SHIRT-S"]), (False, ["SHIRT-S"])])
def test_w16_whether_a_poll_by_date_sees_sales(touch: bool, found: list[str]) -> None:
    async def play(site: Site) -> None:
        await asyncio.sleep(10)
        since = site.clock.now().isoformat()
        await site.buy("MUG", 1)
        await site.ask("POST", "/_sandbox/adjust", {"sku": "SHIRT-S", "delta": 1})
        _, told = await site.call("POST", QUERY, {"query": {"filter": {"updatedDate": {"$gte": since}}}})

        assert [item["product"]["variantSku"] for item in told["inventoryItems"]] == found

    with_site(play, options(w16_sales_touch_updated_date=touch))


@pytest.mark.parametrize("same", [True, False])
def test_w23_whether_a_retry_is_the_same_event(same: bool) -> None:
    async def play(site: Site) -> None:
        site.mailbox.answers = [500]
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(61)
        ids = [(event["event"]["id"], event["event"]["entityEventSequence"]) for event in await site.events()]

        assert len(ids) == 2
        assert (ids[0] == ids[1]) is same

    site = WixOptions(
        webhook_url=HOOK, webhook_events=(f"{ITEM}_updated",), quirks=WixQuirks(w23_retries_keep_the_event_id=same)
    )
    with_site(play, site)


@pytest.mark.parametrize(("deaf", "deliveries"), [(False, 14), (True, 13)])
def test_w24_whether_the_last_retry_ends_all_webhooks(deaf: bool, deliveries: int) -> None:
    async def play(site: Site) -> None:
        site.mailbox.answers = [500] * 13
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(49 * 3600)
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "delta": 1})
        await asyncio.sleep(1)

        assert len(site.mailbox.bodies) == deliveries

    site = WixOptions(
        webhook_url=HOOK, webhook_events=(f"{ITEM}_updated",), quirks=WixQuirks(w24_deaf_after_last_retry=deaf)
    )
    with_site(play, site)


@pytest.mark.parametrize(("wait", "told_level", "told_revision"), [(0, 9, "2"), (1500, 8, "3")])
@pytest.mark.parametrize("many", [True, False], ids=["bulk", "single"])
def test_w38_whether_the_answer_to_a_write_shows_what_others_did_since(
    wait: int, told_level: int, told_revision: str, many: bool
) -> None:
    async def play(site: Site) -> None:
        item = await item_of(site, "MUG")
        row = {"id": item["id"], "revision": item["revision"], "quantity": 9}
        if many:
            body = {"inventoryItems": [{"inventoryItem": row}], "returnEntity": True}
            writing = site.call("POST", f"{BULK}/update", body)
        else:
            writing = site.call("PATCH", f"/stores/v3/inventory-items/{item['id']}", {"inventoryItem": row})
        task = asyncio.ensure_future(writing)
        await asyncio.sleep(0.5)
        assert task.done() == (wait == 0)
        await site.buy("MUG", 1)
        _, told = await task

        shown = told["results"][0]["item"] if many else told["inventoryItem"]
        assert (shown["quantity"], shown["revision"]) == (told_level, told_revision)
        assert (await site.levels())["MUG"] == 8

    with_site(play, options(w38_answers_after_ms=wait))
