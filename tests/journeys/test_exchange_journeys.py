"""Goods that are exchanged after they left, and edits after payment: what is sent instead stands in the queue, the copy
follows or a case says with figures what it does not, and money that is still to move is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from builders.copying import both_databases, copied, copying, fulfil
from builders.journeys import ANN, URLS, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.connectors.http import Request
from storebridge.flows.changes import balance_of
from storebridge.flows.queue import Place
from storebridge.model.sales import Order, PaymentState
from storebridge_proving.store_client import CartLine
from storebridge_sandbox.shopify.quirks import ShopifyOptions

SENT = (
    "query($id: ID!) { order(id: $id) { fulfillments(first: 5) { fulfillmentLineItems(first: 5) { nodes { id } } } } }"
)
OPEN_RETURN = """mutation($input: ReturnInput!) { returnCreate(returnInput: $input) { userErrors { message }
  return { id returnLineItems(first: 5) { nodes { id } } exchangeLineItems(first: 5) { nodes { id } } } } }"""
PROCESS = """mutation($input: ReturnProcessInput!) { returnProcess(input: $input) { userErrors { message } } }"""
SKUS = (Goods("A"), Goods("B"))


async def asked(journey: Journey, query: str, **variables: Any) -> Any:
    """Staff at work in the Shopify store's API."""
    known = await journey.client("shopify").credentials()
    headers = {"x-shopify-access-token": known["access_token"], "content-type": "application/json"}
    body = msgspec.json.encode({"query": query, "variables": variables})
    request = Request("POST", f"{URLS['shopify']}/admin/api/2026-10/graphql.json", headers, body, 20.0)
    async with journey.at_the_admin("shopify"):
        answer = msgspec.json.decode((await journey.network.send(request)).body)
    assert "errors" not in answer, answer
    (told,) = answer["data"].values()
    assert not told.get("userErrors"), told
    return told


async def exchange(journey: Journey, order_id: str, sku: str, *, price: str | None = None) -> None:
    """One unit that left comes back, and one of another SKU is to be sent instead."""
    variant = journey.stores.shopify.shelves.by_sku[sku]
    if price is not None:
        variant.price = Decimal(price)
    parcel = (await asked(journey, SENT, id=order_id))["fulfillments"][0]
    sent = parcel["fulfillmentLineItems"]["nodes"][0]["id"]
    back = {"fulfillmentLineItemId": sent, "quantity": 1, "returnReason": "SIZE_TOO_SMALL"}
    instead = {"variantId": variant.variant_id, "quantity": 1}
    told = {"orderId": order_id, "returnLineItems": [back], "exchangeLineItems": [instead]}
    made = (await asked(journey, OPEN_RETURN, input=told))["return"]
    await journey.pass_time(30.0)
    units = {
        name: [{"id": made[name]["nodes"][0]["id"], "quantity": 1}] for name in ("returnLineItems", "exchangeLineItems")
    }
    await asked(journey, PROCESS, input={"returnId": made["id"], **units})
    await journey.pass_time(120.0)


async def shipped(journey: Journey, units: int = 2) -> str:
    """An order of A that left already."""
    await journey.begin()
    order_id = await journey.buy("shopify", units)
    await journey.pass_time(60.0)
    await fulfil(journey, "shopify", order_id, units, "OUT-1")
    await journey.pass_time(60.0)
    return order_id


async def order_of(journey: Journey, store: str = "shopify") -> Order:
    return (await journey.queue())[store].order


async def history(journey: Journey, store: str = "shopify") -> dict[str, dict[str, Any]]:
    """The newest entry of each kind."""
    return {entry.kind: entry.detail for entry in reversed((await journey.queue())[store].history)}


@in_every_weather
@both_databases
@pytest.mark.parametrize("noted", [True, False], ids=["a refund without money", "no refund"])
@pytest.mark.parametrize(
    ("price", "balance"),
    [("24.90", "the buyer owes 5 EUR"), ("19.90", ""), ("14.90", "5 EUR are to be paid back")],
    ids=["dearer", "even", "cheaper"],
)
def test_what_is_sent_instead_stands_in_the_queue_and_money_that_is_to_move_is_told(
    price: str, balance: str, noted: bool, postgres: bool
) -> None:
    if not noted:
        balance = f"the buyer owes {price} EUR"

    async def play(journey: Journey) -> None:
        order_id = await shipped(journey)
        assert (await journey.queue())["shopify"].queued.place is Place.SHIPPED
        await exchange(journey, order_id, "B", price=price)
        view = (await journey.queue())["shopify"]
        assert view.queued.place is Place.PARTLY_SHIPPED
        assert {line.sku: line.to_ship for line in view.queued.lines if line.to_ship} == {"B": 1}
        assert balance_of(view.order) == balance
        told = await history(journey)
        assert told["exchanged"] == {"back": "1 x A", "instead": "1 x B"}
        assert told["line_added"] == {"sku": "B", "title": "Thing B", "units": 1}
        assert (told["balance"]["told"] if balance else "") == balance
        assert await journey.levels("B") == {"shopify": 9, "wix": 9}, "it is taken from the pool once"
        await journey.ship("shopify", "OUT-2")
        await journey.pass_time(60.0)
        assert (await journey.queue())["shopify"].queued.place is Place.SHIPPED
        assert sorted(await journey.parcels("shopify")) == [("OUT-1", 2), ("OUT-2", 1)]
        await journey.pass_time(900.0)
        assert await journey.levels("B") == {"shopify": 9, "wix": 9}
        assert await journey.levels("A") == {"shopify": 8, "wix": 8}, "what came back was not restocked"
        assert await journey.reasons() == []

    travel(play, *SKUS, postgres=postgres, shopify=ShopifyOptions(exchange_notes_refund=noted))


@in_every_weather
@both_databases
def test_a_wix_copy_that_was_sent_cannot_follow_an_exchange_and_a_case_says_what_is_missing(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "shopify", "wix")
        await fulfil(journey, "wix", copy_id, 2, "OUT-1")
        await journey.pass_time(120.0)
        assert (await journey.queue())["shopify"].queued.place is Place.SHIPPED
        await exchange(journey, order_id, "B", price="24.90")
        await journey.pass_time(300.0)
        (case,) = [one for one in await journey.cases() if one.reason == "copy_differs"]
        assert case.payload is not None
        assert case.payload["lines"] == "1 unit of the original's lines, otherwise there"
        assert balance_of(await order_of(journey)) == "the buyer owes 5 EUR"
        assert (await journey.queue())["shopify"].queued.place is Place.PARTLY_SHIPPED
        assert await journey.levels("B") == {"shopify": 9, "wix": 9}

    travel(play, *SKUS, postgres=postgres, **copying("wix"))


async def redraft(journey: Journey, order_id: str, *lines: tuple[str, int]) -> None:
    """Staff of the Wix store edit a paid order."""
    told = [{"sku": sku, "quantity": units} for sku, units in lines]
    await journey.sandbox("wix", "POST", f"orders/{order_id}/edit", {"lines": told})
    await journey.pass_time(180.0)


@in_every_weather
@both_databases
@pytest.mark.parametrize(
    ("lines", "balance"),
    [((("B", 1),), "the buyer owes 19.90 EUR"), ((("A", 1),), "19.90 EUR are to be paid back")],
    ids=["more", "less"],
)
def test_a_wix_order_that_is_edited_after_payment_is_followed_and_its_balance_told(
    lines: tuple[tuple[str, int], ...], balance: str, postgres: bool
) -> None:
    wanted = {"A": 2} | dict(lines)

    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify")
        await redraft(journey, order_id, *lines)
        view = (await journey.queue())["wix"]
        (copy,) = view.copies
        assert copy.order is not None
        assert {line.sku: line.current for line in view.order.lines if line.current} == wanted
        assert {line.sku: line.current for line in copy.order.lines if line.current} == wanted
        assert balance_of(view.order) == balance
        assert (await history(journey, "wix"))["balance"] == {"told": balance}
        assert copy.order.totals.total == view.order.totals.total
        assert {case.reason for case in await journey.cases()} <= {"copy_differs"}

    travel(play, *SKUS, postgres=postgres, **copying("shopify"))


@in_every_weather
@pytest.mark.parametrize("store", ["shopify", "wix"])
def test_what_a_buyer_still_owes_of_an_edited_order_is_told_until_the_edit_is_undone(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.client(store).checkout([CartLine("A", 2)], ANN, paid=True)
        await journey.pass_time(60.0)
        assert balance_of(await order_of(journey, store)) == ""
        await journey.sandbox(store, "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "B", "quantity": 1}]})
        await journey.pass_time(120.0)
        order = await order_of(journey, store)
        assert balance_of(order) == "the buyer owes 19.90 EUR"
        assert order.payment_state is PaymentState.PARTLY_PAID
        await journey.sandbox(store, "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "B", "quantity": 0}]})
        await journey.pass_time(120.0)
        assert balance_of(await order_of(journey, store)) == ""
        assert (await history(journey, store))["balance"] == {"told": "nothing is owed"}

    travel(play, *SKUS)
