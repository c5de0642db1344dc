"""Orders that no carrier takes: the buyer collects them, or the merchant brings them; told in each store's own way."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest

from builders.journeys import ANN, MAIN, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.connectors.http import Request
from storebridge.errors import RefusedError
from storebridge.flows.queue import Place
from storebridge.model.sales import Delivery
from storebridge.operations.export_orders import export_orders
from storebridge.operations.hand_over import handed_over, ready_for_pickup
from storebridge.operations.list_orders import list_orders
from storebridge.operations.print_orders import print_orders
from storebridge.operations.ship_order import OrderMoved, hold_order
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.store_client import CartLine
from storebridge_sandbox.shopify.quirks import ShopifyOptions

MUG = Goods("A", {"shopify": 9, "wix": 9})
both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
both_stores = pytest.mark.parametrize("store", ["shopify", "wix"])
PREPARED = "fulfillmentOrderLineItemsPreparedForPickup"


async def buy(journey: Journey, store: str, *deliveries: str) -> None:
    await journey.begin()
    for delivery in deliveries:
        await journey.client(store).checkout([CartLine("A", 2)], ANN, paid=True, delivery=delivery)
        await journey.wait(2.0)
    await journey.pass_time(60.0)


async def names(journey: Journey, *deliveries: Delivery) -> list[str]:
    terms = journey.bridge.workspaces[MAIN].terms
    page = await list_orders(journey.store, terms, deliveries=deliveries)
    return [f"{one.name} {'+'.join(one.delivery)}" for one in reversed(page.items)]


async def say(journey: Journey, verb: Any, store: str, **facts: Any) -> OrderMoved:
    """A person says something of that store's newest order."""
    terms, key = journey.bridge.workspaces[MAIN].terms, (await journey.queue())[store].queued.order_key
    moved: OrderMoved = await journey.store.run(verb, terms, journey.ids, key, actor="ann", **facts)
    journey.bridge.wake(MAIN, moved.wake)
    return moved


async def prepared(journey: Journey) -> int:
    return sum(one["operation"] == PREPARED for one in await journey.shopify.requests())


@in_every_weather
@both_databases
@both_stores
def test_the_queue_tells_what_is_sent_from_what_is_collected_and_what_is_brought(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await buy(journey, store, "shipping", "pickup", "local")
        first, second, third = await names(journey)
        assert [one.split()[1] for one in (first, second, third)] == ["shipping", "pickup", "local"]
        assert await names(journey, Delivery.PICKUP) == [second]
        assert await names(journey, Delivery.SHIPPING, Delivery.LOCAL) == [first, third]
        terms, ready = journey.bridge.workspaces[MAIN].terms, (Place.READY,)
        table = await export_orders(journey.store, terms, deliveries=(Delivery.LOCAL,))
        rows = csv.DictReader(io.StringIO(table.csv))
        assert [f"{row['order']} {row['delivery']}" for row in rows] == [third]
        lists = (await print_orders(journey.store, terms, ready, deliveries=(Delivery.PICKUP,))).lists
        assert [one.queued.name for one in lists] == [second.split()[0]]

    travel(play, MUG, postgres=postgres)


@in_every_weather
@both_databases
def test_shopify_is_told_once_that_an_order_can_be_collected_and_then_that_it_was(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await buy(journey, "shopify", "pickup")
        assert (await say(journey, ready_for_pickup, "shopify")).repeated is False
        await journey.pass_time(60.0)
        assert (await say(journey, ready_for_pickup, "shopify")).repeated is True
        await journey.pass_time(60.0)
        view = (await journey.queue())["shopify"]
        assert (view.queued.ready_by, view.queued.place) == ("ann", Place.READY)
        assert [(one.kind, one.state) for one in view.writes] == [("prepare_for_pickup", "confirmed")]
        await say(journey, handed_over, "shopify", lines=None)
        await journey.pass_time(120.0)
        view = (await journey.queue())["shopify"]
        assert (view.queued.ready_by, view.queued.place) == ("", Place.SHIPPED)
        assert await journey.parcels("shopify") == [("", 2)]
        assert await journey.reasons() == []

    travel(play, MUG, postgres=postgres)


@in_every_weather
@both_databases
@pytest.mark.parametrize("delivery", ["pickup", "local"])
@both_stores
def test_what_was_handed_over_is_a_parcel_without_tracking_in_its_store(
    store: str, delivery: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await buy(journey, store, delivery)
        (line,) = (await journey.queue())[store].order.lines
        await say(journey, handed_over, store, lines={line.line_id: 1})
        await journey.pass_time(120.0)
        assert (await journey.queue())[store].queued.place is Place.PARTLY_SHIPPED
        await say(journey, handed_over, store, lines=None)
        await journey.pass_time(120.0)
        assert (await journey.queue())[store].queued.place is Place.SHIPPED
        assert await journey.parcels(store) == [("", 1), ("", 1)]
        assert await journey.reasons() == []

    travel(play, MUG, postgres=postgres)


def test_that_a_wix_order_can_be_collected_is_noted_here_and_no_call_is_made() -> None:
    async def play(journey: Journey) -> None:
        await buy(journey, "wix", "pickup")
        moved = await say(journey, ready_for_pickup, "wix")
        await journey.pass_time(60.0)
        view = (await journey.queue())["wix"]
        assert (moved.units, view.queued.ready_by, view.writes) == (2, "ann", [])
        assert [entry.kind for entry in view.history if entry.actor == "ann"] == ["ready_for_pickup"]

    travel(play, MUG)


@both_stores
def test_what_is_not_so_is_refused_and_changes_nothing(store: str) -> None:
    async def play(journey: Journey) -> None:
        await buy(journey, store, "local", "shipping")
        with pytest.raises(RefusedError, match="not collected by its buyer"):
            await say(journey, ready_for_pickup, store)
        with pytest.raises(RefusedError, match="neither collected nor brought"):
            await say(journey, handed_over, store, lines=None)
        await journey.client(store).checkout([CartLine("A", 1)], ANN, paid=True, delivery="pickup")
        await journey.pass_time(60.0)
        await say(journey, hold_order, store, hold=True)
        with pytest.raises(RefusedError, match="held by ann"):
            await say(journey, ready_for_pickup, store)
        assert (await journey.queue())[store].queued.ready_by == ""
        assert await journey.rows("select count(*) from order_writes") == [(0,)]
        assert await journey.rows("select count(*) from parcels") == [(0,)]

    travel(play, MUG)


# Calm: what becomes of one call is the story.
@pytest.mark.parametrize("shows", [True, False])
@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_a_lost_answer_ends_with_a_buyer_who_was_told(fate: str, shows: bool) -> None:
    """Where Shopify shows nothing (S44), the same call again is answered with nothing being left to prepare."""

    async def play(journey: Journey) -> None:
        await buy(journey, "shopify", "pickup")
        await journey.faults("shopify", rules=[{"operation": PREPARED, "calls": 1, "rates": {fate: 1.0}}])
        await say(journey, ready_for_pickup, "shopify")
        await journey.pass_time(900.0)
        assert [(one.kind, one.state) for one in (await journey.queue())["shopify"].writes] == [
            ("prepare_for_pickup", "confirmed")
        ]
        assert await prepared(journey) == (1 if shows and fate == "timeout_applied" else 2)
        assert await journey.reasons() == []

    travel(play, MUG, shopify=ShopifyOptions(prepared_is_in_progress=shows))


def test_a_script_and_the_console_say_it_too() -> None:
    async def play(journey: Journey) -> None:
        await buy(journey, "shopify", "pickup")
        key = (await journey.queue())["shopify"].queued.order_key
        page = (await ask(journey, "/orders?delivery=pickup")).decode()
        assert "collected" in page
        assert "Nothing is to be shipped" not in page
        assert "No order here is like that." in (await ask(journey, "/orders?delivery=local")).decode()
        assert "All can be collected" in (await ask(journey, f"/orders/{key}")).decode()
        told = await ask(
            journey, f"/api/v1/{MAIN}/pickups/ready", msgspec.json.encode({"order": key}), "application/json"
        )
        assert msgspec.json.decode(told)["units"] == 2
        (line,) = (await journey.queue())["shopify"].order.lines
        form = f"what=handed_over&units%3A{line.line_id}=2".encode()
        await ask(journey, f"/orders/{key}", form, "application/x-www-form-urlencoded")
        await journey.pass_time(120.0)
        assert await journey.parcels("shopify") == [("", 2)]
        listed = msgspec.json.decode(await ask(journey, f"/api/v1/{MAIN}/orders?delivery=pickup&place=shipped"))
        assert [one["delivery"] for one in listed["items"]] == [["pickup"]]

    travel(play, MUG)


async def ask(journey: Journey, path: str, body: bytes = b"", kind: str = "") -> bytes:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    headers = {"content-type": kind, "origin": "http://localhost"} if kind else {"accept": "text/html"}
    sent = await network.send(Request("POST" if kind else "GET", f"http://localhost{path}", headers, body, 20.0))
    return sent.body
