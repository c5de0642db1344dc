"""An order that is packed in the store of its copy: nobody here is told to pick, to send or to hold it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from builders.copying import ask_shopify, both_databases, both_ways, copied, copying, fulfil
from builders.journeys import MAIN, Journey, travel
from storebridge.cli.orders import order_lines
from storebridge.connectors.http import Request
from storebridge.errors import RefusedError
from storebridge.flows.queue import Place
from storebridge.operations.export_orders import export_orders
from storebridge.operations.list_orders import list_orders
from storebridge.operations.print_orders import print_orders
from storebridge.operations.ship_order import Step, hold_order, note_step
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport

TO_PICK = (Place.READY, Place.PARTLY_SHIPPED)
WAITS = "query($id: ID!) { order(id: $id) { fulfillmentOrders(first: 5) { nodes { status } } } }"


async def page(journey: Journey, path: str) -> str:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    answer = await network.send(Request("GET", f"http://localhost{path}", {}, b"", 20.0))
    assert answer.status == 200
    return answer.body.decode()


async def to_pick(journey: Journey) -> tuple[list[str], list[tuple[str, int]], Sequence[str]]:
    """What pick lists name and sum, and what the table names."""
    terms = journey.bridge.workspaces[MAIN].terms
    lists = await print_orders(journey.store, terms, TO_PICK)
    table = (await export_orders(journey.store, terms)).csv.splitlines()[1:]
    named = [one.order.connection for one in lists.lists]
    return named, [(one.sku, one.units) for one in lists.goods], [row.split(",")[2] for row in table]


@both_databases
@both_ways
def test_nobody_here_picks_or_sends_what_is_packed_in_the_other_store(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, sold_in, copied_to)
        await journey.buy(copied_to, 3)
        await journey.pass_time(60.0)
        assert await to_pick(journey) == ([copied_to], [("A", 3)], [copied_to])
        queue = await journey.queue()
        (copy,) = queue[sold_in].copies
        assert copy.order is not None
        packed = f"{copied_to} as {copy.order.name}"
        assert (queue[sold_in].queued.packed_in, queue[copied_to].queued.packed_in) == (packed, "")
        terms = journey.bridge.workspaces[MAIN].terms
        told = order_lines(await list_orders(journey.store, terms))
        assert [f"packed in {packed}" in line for line in told[1:3]] == [False, True]
        assert f"packed in {packed}" in await page(journey, "/orders")
        shown = await page(journey, f"/orders/{queue[sold_in].queued.order_key}")
        assert (f"Packed in {packed}" in shown, "Send a parcel" in shown, ">Hold<" in shown) == (True, False, False)
        shown = await page(journey, f"/orders/{queue[copied_to].queued.order_key}")
        assert ("Packed in" in shown, "Send a parcel" in shown, ">Hold<" in shown) == (False, True, True)
        await fulfil(journey, copied_to, copy_id, 2, "OUT-1")
        await journey.pass_time(120.0)
        assert (await journey.queue())[sold_in].queued.place is Place.SHIPPED

    travel(play, postgres=postgres, **copying(copied_to))


@both_databases
@both_ways
def test_an_order_whose_copy_was_cancelled_is_picked_here_again(sold_in: str, copied_to: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, sold_in, copied_to)
        assert await to_pick(journey) == ([], [], [])
        await journey.sandbox(copied_to, "POST", f"orders/{copy_id}/cancel", {"restock": False})
        await journey.pass_time(120.0)
        assert await to_pick(journey) == ([sold_in], [("A", 2)], [sold_in])
        assert (await journey.queue())[sold_in].queued.packed_in == ""

    travel(play, postgres=postgres, **copying(copied_to))


@both_databases
@both_ways
def test_an_order_that_is_packed_elsewhere_is_not_held_here_and_nothing_is_changed(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, sold_in, copied_to)
        before = (await journey.queue())[sold_in]
        (copy,) = before.copies
        assert copy.order is not None
        terms = journey.bridge.workspaces[MAIN].terms
        named = before.order.name
        words = f"Order {named} is packed in {copied_to} as {copy.order.name}, and would leave there all the same: "
        with pytest.raises(RefusedError) as refused:
            await journey.store.run(hold_order, terms, journey.ids, named, hold=True, actor="ann", why="a call")
        assert str(refused.value) == f"{words}hold it there. Nothing was changed."
        after = (await journey.queue())[sold_in]
        assert (after.queued, after.history) == (before.queued, before.history)
        await journey.pass_time(60.0)
        assert await journey.reasons() == []
        if copied_to == "shopify":
            told: Any = await ask_shopify(journey, WAITS, id=copy.order_id)
            assert msgspec.to_builtins(told["order"]["fulfillmentOrders"]["nodes"]) == [{"status": "OPEN"}]

    travel(play, postgres=postgres, **copying(copied_to))


@both_databases
@both_ways
def test_an_order_of_which_a_copy_may_be_under_way_is_not_held_here(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    write = {"shopify": "orderCreate", "wix": "importOrder"}[copied_to]

    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(copied_to, rules=[{"operation": write, "rates": {"http_5xx": 1.0}}])
        await journey.buy(sold_in, 2)
        await journey.pass_time(20.0)
        before = (await journey.queue())[sold_in]
        assert [(one.kind, one.state) for one in before.writes] == [("create_copy", "unclear")]
        terms, named = journey.bridge.workspaces[MAIN].terms, before.order.name
        with pytest.raises(RefusedError, match=f"Order {named} is being copied to {copied_to}"):
            await journey.store.run(hold_order, terms, journey.ids, named, hold=True, actor="ann")
        assert (await journey.queue())[sold_in].queued == before.queued
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        assert (await journey.queue())[sold_in].queued.place is Place.READY

    travel(play, postgres=postgres, **copying(copied_to))


@both_ways
def test_what_is_packed_elsewhere_is_neither_picked_nor_packed_here(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, sold_in, copied_to)
        terms, key = journey.bridge.workspaces[MAIN].terms, (await journey.queue())[sold_in].queued.order_key
        for step in Step:
            with pytest.raises(RefusedError, match=f"packed in {copied_to} as"):
                await journey.store.run(note_step, terms, key, step, None, actor="ann")
        assert await journey.rows("select count(*) from picks") == [(0,)]

    travel(play, **copying(copied_to))
