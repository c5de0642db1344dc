"""A warehouse works from the queue: what it has to send, and what is wrong with an order, on one page."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from builders.copying import ask_shopify
from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.connectors.http import Request
from storebridge.operations.import_parcels import import_parcels
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport

MUG = Goods("A", {"shopify": 9, "wix": 9})
LAST = Goods("A", {"shopify": 2, "wix": 2})


async def got(journey: Journey, path: str) -> tuple[int, str]:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    answer = await network.send(Request("GET", f"http://localhost{path}", {}, b"", 20.0))
    return answer.status, answer.body.decode()


async def listed(journey: Journey, query: str) -> list[str]:
    """Names of the stores whose orders the API lists."""
    status, body = await got(journey, f"/api/v1/{MAIN}/orders?{query}")
    assert status == 200
    found: dict[str, Any] = msgspec.json.decode(body)
    return [order["connection"] for order in found["items"]]


def test_each_warehouse_finds_the_orders_that_it_has_to_send() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify")
        await journey.wait(5.0)
        await journey.buy("wix", 2)
        await journey.pass_time(60.0)
        assert await listed(journey, "") == ["wix", "shopify"]
        assert await listed(journey, "sort=oldest") == ["shopify", "wix"]
        assert await listed(journey, "location=Main%20warehouse") == ["shopify"]
        assert await listed(journey, "location=Outlet") == []
        assert await listed(journey, "location=Online%20store") == ["wix"]
        assert await listed(journey, "location=main") == ["wix", "shopify"]
        status, body = await got(journey, f"/api/v1/{MAIN}/orders?location=Moon")
        assert (status, "Known: Main warehouse, Online store, Outlet, main." in body) == (404, True)

    travel(play, MUG)


def test_the_page_of_a_warehouse_prints_and_lists_what_waits_there() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify")
        await journey.buy("wix", 2)
        await journey.pass_time(60.0)
        for path in ("/orders", "/orders/print"):
            status, page = await got(journey, f"{path}?location=Online+store")
            assert status == 200
            assert ("10001" in page, "#1001" in page.replace('placeholder="#1001"', "")) == (True, False)
        told = msgspec.json.decode((await got(journey, f"/api/v1/{MAIN}/pick-lists"))[1])
        assert [(one["sku"], one["units"], one["orders"]) for one in told["goods"]] == [("A", 3, 2)]
        table = (await got(journey, "/orders/export.csv?location=Online+store"))[1].splitlines()
        assert [row.split(",")[0] for row in table[1:]] == ["10001"]
        assert table[1].endswith(",Online store,shipping")

    travel(play, MUG)


def test_the_page_of_an_oversold_order_leads_to_the_case_that_decides_about_it() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for store in ("shopify", "wix"):
            await journey.faults(store, webhook_delay_ms=[5000, 5000])
        await journey.buy("shopify", 2)
        await journey.wait(1.0)
        await journey.buy("wix", 2)
        for store in ("shopify", "wix"):
            await journey.faults(store)
        await journey.pass_time(60.0)
        (case,) = await journey.cases("oversold")
        pages = {name: (await got(journey, f"/orders/{name}"))[1] for name in ("10001", "%231001")}
        link = f'href="/exceptions/{case.case_id}"'
        assert {name: link in page for name, page in pages.items()} == {"10001": True, "%231001": False}
        assert ">oversold<" in (await got(journey, "/stock"))[1]
        await journey.receive(2)
        await journey.pass_time(60.0)
        assert link not in (await got(journey, "/orders/10001"))[1]
        assert ">oversold<" not in (await got(journey, "/stock"))[1]

    travel(play, LAST)


@pytest.mark.parametrize("store", ["shopify", "wix"])
def test_a_number_that_a_later_file_brings_or_corrects_is_told_to_the_store(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 2)
        await journey.pass_time(60.0)
        name, terms = (await journey.queue())[store].order.name, journey.bridge.workspaces[MAIN].terms
        found = []
        for number in ("", "JD0001", "JD0002", "JD0002"):
            text = f"order,sku,units,carrier,tracking_number,parcel\n{name},A,2,DHL,{number},P1\n"
            told = await import_parcels(journey.store, terms, journey.ids, text, actor="3pl")
            journey.bridge.wake(MAIN, told.wake)
            await journey.pass_time(120.0)
            found.append((told.noted, told.changed, told.repeated, await journey.parcels(store)))
        assert found == [
            (1, 0, 0, [("", 2)]),
            (0, 1, 0, [("JD0001", 2)]),
            (0, 1, 0, [("JD0002", 2)]),
            (0, 0, 1, [("JD0002", 2)]),
        ]

    travel(play, MUG)


WAITING = (
    "query($id: ID!) { order(id: $id) { "
    "fulfillmentOrders(first: 5) { nodes { id lineItems(first: 1) { nodes { id } } } } } }"
)
HOLD = (
    "mutation($id: ID!, $lines: [FulfillmentOrderLineItemInput!]) { fulfillmentOrderHold(id: $id, "
    "fulfillmentHold: {reason: AWAITING_PAYMENT, fulfillmentOrderLineItems: $lines}) { userErrors { message } } }"
)


def test_of_an_order_that_its_store_holds_in_part_the_rest_is_picked_and_sent() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy("shopify", 3)
        await journey.pass_time(60.0)
        (waiting,) = (await ask_shopify(journey, WAITING, id=order_id))["order"]["fulfillmentOrders"]["nodes"]
        lines = [{"id": waiting["lineItems"]["nodes"][0]["id"], "quantity": 2}]
        await ask_shopify(journey, HOLD, id=waiting["id"], lines=lines)
        await journey.pass_time(300.0)
        queued = (await journey.queue())["shopify"].queued
        assert (queued.place.value, queued.units_to_ship) == ("ready", 1)
        assert queued.store_holds == ("2 on hold: awaiting payment",)
        told = msgspec.json.decode((await got(journey, f"/api/v1/{MAIN}/pick-lists"))[1])
        assert [(one["sku"], one["units"]) for one in told["goods"]] == [("A", 1)]
        assert "2 on hold: awaiting payment" in (await got(journey, "/orders/%231001"))[1]
        assert (await journey.ship("shopify")).units == 1
        await journey.pass_time(120.0)
        assert (await journey.parcels("shopify"), await journey.reasons()) == ([("123", 1)], [])
        assert (await journey.queue())["shopify"].queued.place.value == "on_hold"

    travel(play, MUG)
