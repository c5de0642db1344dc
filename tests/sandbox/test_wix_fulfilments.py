"""Parcels of Wix orders by the API. Every call is held against the declared messages as well (``with_site``)."""

from __future__ import annotations

from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

BASE = "/ecom/v1/fulfillments"
NOBODY = "6c3a1e8e-52a3-4d0c-9c1b-0d6e3f0b8f11"


async def bought(site: Site, quantity: int = 3) -> tuple[str, str]:
    """Order and line."""
    _, told = await site.buy("MUG", quantity)
    _, order = await site.call("GET", f"/ecom/v1/orders/{told['order_id']}")
    return told["order_id"], order["order"]["lineItems"][0]["id"]


async def send(site: Site, order: str, **fulfilment: Any) -> tuple[int, Any]:
    return await site.call("POST", f"{BASE}/orders/{order}/create-fulfillment", {"fulfillment": fulfilment})


async def status_of(site: Site, order: str) -> str:
    _, told = await site.call("GET", f"/ecom/v1/orders/{order}")
    return str(told["order"]["fulfillmentStatus"])


def test_parcels_count_units_and_the_order_follows_without_moving_stock() -> None:
    async def play(site: Site) -> None:
        order, line = await bought(site)
        statuses = [await status_of(site, order)]
        for fulfilment in ({"lineItems": [{"id": line, "quantity": 2}]}, {"lineItems": [{"id": line}]}):
            status, told = await send(site, order, **fulfilment)
            assert status == 200
            statuses.append(await status_of(site, order))
        parcels = told["orderWithFulfillments"]["fulfillments"]

        assert statuses == ["NOT_FULFILLED", "PARTIALLY_FULFILLED", "FULFILLED"]
        assert [parcel["lineItems"][0]["quantity"] for parcel in parcels] == [2, 1]
        assert told["fulfillmentId"] == parcels[1]["id"]
        assert (await site.levels())["MUG"] == 2
        assert [move["cause"] for move in (await site.truth())["movements"]] == ["sale"]

    with_site(play)


@pytest.mark.parametrize(
    ("fulfilment", "field"),
    [
        ({"quantity": 4}, "lineItems[0].quantity"),
        ({"quantity": 0}, "lineItems[0].quantity"),
        ({"id": NOBODY}, "lineItems[0].id"),
    ],
)
def test_more_than_is_open_is_refused_and_no_parcel_is_made(fulfilment: dict[str, Any], field: str) -> None:
    async def play(site: Site) -> None:
        order, line = await bought(site)
        status, told = await send(site, order, lineItems=[{"id": line, **fulfilment}])
        _, kept = await site.call("GET", f"{BASE}/orders/{order}")

        assert (status, told["details"]["validationError"]["fieldViolations"][0]["field"]) == (
            400,
            f"fulfillment.{field}",
        )
        assert kept["orderWithFulfillments"] == {"orderId": order, "fulfillments": []}

    with_site(play)


def test_a_known_carrier_gets_its_link_and_another_keeps_what_was_given() -> None:
    async def play(site: Site) -> None:
        order, line = await bought(site)
        one = [{"id": line, "quantity": 1}]
        await send(site, order, lineItems=one, trackingInfo={"trackingNumber": "1Z 9", "shippingProvider": "ups"})
        own = {"trackingNumber": "7", "shippingProvider": "Pigeon", "trackingLink": "https://pigeon.test/7"}
        _, told = await send(site, order, lineItems=one, trackingInfo=own)
        first, second = told["orderWithFulfillments"]["fulfillments"]

        assert first["trackingInfo"]["trackingLink"] == "https://www.ups.com/track?tracknum=1Z%209"
        assert second["trackingInfo"] == own

    with_site(play)


@pytest.mark.parametrize(
    ("reach", "in_order", "elsewhere"), [("order", 409, 200), ("site", 409, 409), ("nothing", 200, 200)]
)
def test_w29_where_a_tracking_number_may_stand_twice(reach: Any, in_order: int, elsewhere: int) -> None:
    async def play(site: Site) -> None:
        order, line = await bought(site)
        other, other_line = await bought(site, 1)
        parcel = {"trackingInfo": {"trackingNumber": "T-1", "shippingProvider": "dhl"}}
        one = {"lineItems": [{"id": line, "quantity": 1}], **parcel}
        assert (await send(site, order, **one))[0] == 200
        again = await send(site, order, **one)
        there = await send(site, other, lineItems=[{"id": other_line}], **parcel)

        assert (again[0], there[0]) == (in_order, elsewhere)
        if in_order == 409:
            assert again[1]["details"]["applicationError"]["code"] == "TRACKING_NUMBER_ALREADY_EXISTS"

    with_site(play, WixOptions(quirks=WixQuirks(w29_tracking_numbers_unique_in=reach)))


def test_a_parcel_changes_its_tracking_and_keeps_its_goods_and_a_deleted_one_opens_them_again() -> None:
    async def play(site: Site) -> None:
        order, line = await bought(site)
        _, made = await send(site, order, status="Pending", trackingInfo={"trackingNumber": "T-1"})
        path = f"{BASE}/{made['fulfillmentId']}/orders/{order}"
        change = {
            "status": "Fulfilled",
            "lineItems": [{"id": line, "quantity": 1}],
            "customInfo": {"fieldsData": {"a": "b"}},
        }
        _, changed = await site.call("PATCH", path, {"fulfillment": change})
        (parcel,) = changed["orderWithFulfillments"]["fulfillments"]
        _, gone = await site.call("DELETE", path)

        assert (parcel["status"], parcel["customInfo"]) == ("Fulfilled", {"fieldsData": {"a": "b"}})
        assert (parcel["lineItems"], "trackingInfo" in parcel) == ([{"id": line, "quantity": 3}], False)
        assert gone["orderWithFulfillments"]["fulfillments"] == []
        assert await status_of(site, order) == "NOT_FULFILLED"
        assert (await site.truth())["orders"][0]["lines"][0]["fulfilled"] == 0
        assert (await site.call("DELETE", path))[0] == 404

    with_site(play)


def test_a_status_outside_the_five_words_and_two_kinds_of_information_are_refused() -> None:
    async def play(site: Site) -> None:
        order, _ = await bought(site)

        assert (await send(site, order, status="pending"))[0] == 400
        assert (await send(site, order, trackingInfo={}, customInfo={}))[0] == 400
        assert await status_of(site, order) == "NOT_FULFILLED"

    with_site(play)


def test_in_bulk_one_wrong_order_does_not_hold_the_others_back() -> None:
    async def play(site: Site) -> None:
        order, line = await bought(site)
        rows = [
            {"orderId": NOBODY, "fulfillments": [{}]},
            {"orderId": order, "fulfillments": [{"lineItems": [{"id": line, "quantity": 2}]}, {}]},
        ]
        path = f"{BASE}/orders/bulk/create-fulfillments"
        status, told = await site.call("POST", path, {"ordersWithFulfillments": rows})
        _, several = await site.call("POST", f"{BASE}/list-by-ids", {"orderIds": [order, NOBODY]})

        assert (status, told["bulkActionMetadata"]["totalSuccesses"]) == (200, 1)
        assert told["results"][0]["itemMetadata"]["error"]["code"] == "ORDER_NOT_FOUND"
        assert several["ordersWithFulfillments"] == [told["results"][1]["ordersWithFulfillments"]]
        assert await status_of(site, order) == "FULFILLED"

    with_site(play)


def test_every_change_of_parcels_tells_all_of_them_and_the_last_one_that_the_order_is_fulfilled() -> None:
    async def play(site: Site) -> None:
        order, line = await bought(site, 2)
        site.mailbox.bodies.clear()
        await send(site, order, lineItems=[{"id": line, "quantity": 1}])
        _, made = await send(site, order)
        await site.call("DELETE", f"{BASE}/{made['fulfillmentId']}/orders/{order}")
        events = await site.events()
        parcels = [told for told in events if told["eventType"] == "wix.ecom.v1.fulfillments_updated"]
        counts = [len(told["event"]["updatedEvent"]["currentEntity"]["fulfillments"]) for told in parcels]

        assert sorted(counts) == [1, 1, 2]
        assert {told["event"]["entityId"] for told in parcels} == {order}
        assert [told["eventType"] for told in events].count("wix.ecom.v1.order_fulfilled") == 1

    with_site(play, WixOptions(webhook_url=HOOK))
