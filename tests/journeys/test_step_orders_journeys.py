"""After a pile of pick lists was fetched, one word says so, and the next pile holds the next orders."""

from __future__ import annotations

import msgspec
import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.connectors.http import Request
from storebridge.errors import NotFoundError
from storebridge.operations import print_orders
from storebridge.operations.ship_order import Step, hold_order
from storebridge.operations.step_orders import step_orders
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport

MUG = Goods("A", {"shopify": 9, "wix": 9})


async def ask(
    journey: Journey, path: str, body: bytes | None = None, kind: str = "application/json"
) -> tuple[int, str]:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    headers = {} if body is None else {"content-type": kind}
    method = "GET" if body is None else "POST"
    answer = await network.send(Request(method, f"http://localhost{path}", headers, body or b"", 20.0))
    return answer.status, answer.body.decode()


async def listed(journey: Journey, query: str = "") -> tuple[list[str], list[tuple[str, int]]]:
    """Orders of the pick list, and the goods to fetch."""
    told = msgspec.json.decode((await ask(journey, f"/api/v1/{MAIN}/pick-lists{query}"))[1])
    return [one["order"]["name"] for one in told["lists"]], [(one["sku"], one["units"]) for one in told["goods"]]


async def sell(journey: Journey) -> None:
    """An order in each store."""
    await journey.begin()
    await journey.buy("shopify")
    await journey.pass_time(60.0)
    await journey.buy("wix", 2)
    await journey.pass_time(60.0)


def test_what_was_fetched_is_not_printed_again() -> None:
    async def play(journey: Journey) -> None:
        await sell(journey)
        terms = journey.bridge.workspaces[MAIN].terms
        assert await listed(journey) == (["#1001", "10001"], [("A", 3)])
        done = await step_orders(journey.store, terms, None, Step.PICKED, actor="ann")
        assert (done.orders, done.units, done.refused) == (2, 3, [])
        assert await listed(journey) == ([], [])
        assert await listed(journey, "?picked=true") == (["#1001", "10001"], [])
        await journey.buy("wix")
        await journey.pass_time(60.0)
        assert await listed(journey) == (["10002"], [("A", 1)])

    travel(play, MUG)


def test_orders_that_are_picked_make_room_on_the_list_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(print_orders, "MOST_PRINTED", 1)

    async def play(journey: Journey) -> None:
        await sell(journey)
        terms = journey.bridge.workspaces[MAIN].terms
        assert await listed(journey) == (["#1001"], [("A", 1)])
        await step_orders(journey.store, terms, None, Step.PICKED, actor="ann")
        assert await listed(journey) == (["10001"], [("A", 2)])

    travel(play, MUG)


def test_of_several_orders_those_that_can_be_are_picked_and_the_others_named() -> None:
    async def play(journey: Journey) -> None:
        await sell(journey)
        terms = journey.bridge.workspaces[MAIN].terms
        await journey.store.run(hold_order, terms, journey.ids, "10001", hold=True, actor="ann")
        body = {"orders": ["#1001", "10001", "#77", "#1001"], "step": "packed"}
        status, told = await ask(journey, f"/api/v1/{MAIN}/picks/several", msgspec.json.encode(body))
        found = msgspec.json.decode(told)
        assert (status, found["orders"], found["units"]) == (200, 1, 1)
        assert [row["order"] for row in found["refused"]] == ["10001", "#77"]
        (line,) = (await journey.queue())["shopify"].queued.lines
        assert (line.picked, line.packed) == (1, 1)
        (line,) = (await journey.queue())["wix"].queued.lines
        assert (line.picked, line.packed) == (0, 0)

    travel(play, MUG)


def test_with_a_location_only_what_waits_there_is_picked() -> None:
    async def play(journey: Journey) -> None:
        await sell(journey)
        terms = journey.bridge.workspaces[MAIN].terms
        with pytest.raises(NotFoundError, match="Moon"):
            await step_orders(journey.store, terms, ["#1001"], Step.PICKED, actor="ann", location="Moon")
        done = await step_orders(
            journey.store, terms, ["#1001", "10001"], Step.PICKED, actor="ann", location="Online store"
        )
        assert (done.orders, done.units, [one.order for one in done.refused]) == (1, 2, ["#1001"])
        assert await listed(journey) == (["#1001"], [("A", 1)])

    travel(play, MUG)


def test_the_button_below_the_printed_lists_picks_exactly_the_orders_that_it_shows() -> None:
    async def play(journey: Journey) -> None:
        await sell(journey)
        page = (await ask(journey, "/orders/print"))[1]
        named = page.split('name="orders" value="')[1].split('"')[0]
        await journey.buy("shopify", 3)
        await journey.pass_time(60.0)
        form = f"orders={named.strip().replace(' ', '+')}".encode()
        status, page = await ask(journey, "/orders/print", form, "application/x-www-form-urlencoded")
        assert (status, "3 units of 2 orders noted as picked." in page) == (200, True)
        assert await listed(journey) == (["#1002"], [("A", 3)])

    travel(play, MUG)
