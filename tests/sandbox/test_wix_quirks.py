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
            {"inventoryItem": {"id": "nothing", "revision": "1", "quantity": 1}},
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
        got, told = await site.call("GET", "/stores/v3/inventory-items/nothing")

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
