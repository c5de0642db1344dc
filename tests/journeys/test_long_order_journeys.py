"""An order with more to send, or more returns, than one page of a store's answer: nothing of it is overlooked."""

from __future__ import annotations

import pytest

from builders.copying import ask_shopify, both_databases, fulfil
from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.errors import NotFoundError
from storebridge.flows.queue import Place
from storebridge.operations.undo_changes import Batch, undo_changes
from storebridge_proving.store_admin import admin_of
from storebridge_proving.store_client import CartLine

WAITING = """query($id: ID!) { order(id: $id) { fulfillmentOrders(first: 50) { nodes { id
  lineItems(first: 1) { nodes { id remainingQuantity } } } } } }"""
SPLIT = """mutation($given: [FulfillmentOrderSplitInput!]!) { fulfillmentOrderSplit(fulfillmentOrderSplits: $given) {
  userErrors { message } } }"""
LONG = Goods("A", {"shopify": 20, "wix": 20})


async def split(journey: Journey, order_id: str, parts: int) -> None:
    """Staff divide what is to be sent into so many fulfilment orders."""
    for _ in range(parts - 1):
        waiting = (await ask_shopify(journey, WAITING, id=order_id))["order"]["fulfillmentOrders"]["nodes"]
        largest = max((one["lineItems"]["nodes"][0] | {"of": one["id"]} for one in waiting), key=_units)
        part = {"id": largest["id"], "quantity": 1}
        given = [{"fulfillmentOrderId": largest["of"], "fulfillmentOrderLineItems": [part]}]
        assert (await ask_shopify(journey, SPLIT, given=given))["fulfillmentOrderSplit"]["userErrors"] == []


def _units(line: dict[str, object]) -> int:
    return int(str(line["remainingQuantity"]))


@both_databases
def test_an_order_that_staff_split_twelvefold_is_sent_whole(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy("shopify", 12)
        await journey.pass_time(60.0)
        await split(journey, order_id, 12)
        await journey.pass_time(300.0)
        assert [len(shipment.lines) for shipment in (await journey.queue())["shopify"].order.shipments] == [1] * 12
        assert (await journey.ship("shopify")).units == 12
        await journey.pass_time(120.0)
        assert await journey.parcels("shopify") == [("123", 12)]
        assert (await journey.queue())["shopify"].queued.place is Place.SHIPPED
        assert await journey.reasons() == []

    travel(play, LONG, orders={"keep": True}, postgres=postgres)


@both_databases
def test_seven_returns_of_an_order_are_returns_and_none_is_an_edit_that_can_be_taken_back(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy("shopify", 8)
        await journey.pass_time(60.0)
        await fulfil(journey, "shopify", order_id, 8, "OUT-1")
        await journey.pass_time(60.0)
        for _ in range(7):
            await admin_of(journey.shopify, journey.network).take_back(order_id, CartLine("A", 1, restock=True))
            await journey.pass_time(60.0)
        await journey.pass_time(600.0)
        (line,) = (await journey.queue())["shopify"].order.lines
        assert (line.ordered, line.restocked) == (8, 7)
        assert await journey.rows("select count(*) from ledger where kind = 'manual'") == [(0,)]
        terms = journey.bridge.workspaces[MAIN].terms
        with pytest.raises(NotFoundError, match="No edit by staff"):
            await journey.store.run(undo_changes, terms, journey.ids, Batch(minutes=600), apply=True, actor="ann")
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 19, "wix": 19}
        assert await journey.goods_left() == 19

    travel(play, LONG, orders={"keep": True}, postgres=postgres)
