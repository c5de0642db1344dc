"""Orders of the past are read on request: newest first, beside the live work, resumed after a death, never copied
unless asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from builders.backfills import DAY, ask, known, past, play_past, state
from builders.copying import both_databases, both_ways, copying, stamp, stamps
from builders.journeys import MAIN, Goods, Journey, travel
from builders.weather import in_every_weather
from fakes.odd_answers import OddAnswers, walk
from storebridge.connectors.http import Request, Response, Transport
from storebridge.connectors.shopify.probe import COPY_SCOPES, ORDER_SCOPES, STOCK_SCOPES
from storebridge.errors import NotFoundError, RefusedError
from storebridge.flows.queue import Place
from storebridge.model.ids import ConnectionName
from storebridge.operations.backfill_orders import (
    cancel_backfill,
)
from storebridge.operations.list_orders import list_orders
from storebridge.operations.ship_order import hold_order
from storebridge.reconcile.backfill import SHARE
from storebridge.store import retention
from storebridge_sandbox.shopify.quirks import ShopifyOptions

MANY = Goods("A", {"shopify": 900, "wix": 900})
WIX_CALLS = ("searchOrders", "listTransactionsForMultipleOrders", "listFulfillmentsForMultipleOrders")
both_stores = pytest.mark.parametrize("store", ["shopify", "wix"])


async def books_of(journey: Journey) -> dict[str, Any]:
    """The books of goods; in foul weather there are cases of calls that failed."""
    return {name: kept for name, kept in (await journey.books()).items() if name != "cases"}


@in_every_weather
@both_databases
@both_stores
def test_old_orders_are_read_newest_first_and_nothing_of_the_pool_moves(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        old = await past(journey, store, 3)
        await journey.sandbox(store, "POST", f"orders/{old[0]}/cancel", {"restock": False})
        await journey.sandbox(store, "POST", f"orders/{old[1]}/cancel", {"restock": True})
        await journey.pass_time(5 * DAY)
        await journey.begin(settle=600.0)
        assert await known(journey) == {}
        books, levels = await books_of(journey), await journey.levels()
        await ask(journey, 30)
        await journey.pass_time(600.0)
        assert await known(journey) == {store: 3}
        one = (await state(journey))[store]
        assert (one.state, one.percent, one.listed, one.read) == ("done", 100, 3, 3)
        assert await books_of(journey) == books
        assert await journey.levels() == levels
        await journey.pass_time(1200.0)
        assert await books_of(journey) == books, "no poll books an edit by staff because of them"
        assert await journey.reasons() == []
        page = await list_orders(journey.store, journey.bridge.workspaces[MAIN].terms, places=tuple(Place))
        assert [order.order_id for order in page.items] == old[::-1]

    play_past(play, postgres=postgres)


# Calm: its calls are counted.
@both_databases
@both_stores
def test_a_process_that_dies_goes_on_where_it_was(store: str, postgres: bool) -> None:
    pages = {"shopify": 20, "wix": 100}

    async def play(journey: Journey) -> None:
        old = await past(journey, store, pages[store] * 2 + 5, days=3.0)
        await journey.begin()
        before = len(await journey.client(store).requests())
        await ask(journey, 60, connection=store)
        while (await state(journey))[store].listed == 0:
            await journey.pass_time(0.02)
        one = (await state(journey))[store]
        assert (one.state, one.listed) == ("running", pages[store])
        assert 0 < one.percent < 100
        await journey.kill()
        await journey.pass_time(900.0)
        read = {str(order_id) for (order_id,) in await journey.rows("select order_id from sales")}
        assert read == set(old[-pages[store] :]), "the newest"
        await journey.start()
        await journey.pass_time(900.0)
        one = (await state(journey))[store]
        assert (one.state, one.listed, one.read) == ("done", pages[store] * 2 + 5, pages[store] * 2 + 5)
        assert await known(journey) == {store: pages[store] * 2 + 5}
        calls = [call["operation"] for call in (await journey.client(store).requests())[before:]]
        if store == "shopify":
            assert calls.count("ordersPlaced") == 3, "no page is listed twice"

    play_past(play, MANY, postgres=postgres)


@in_every_weather
@both_ways
def test_orders_of_the_past_are_not_copied(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await past(journey, sold_in, 2)
        await journey.begin()
        await ask(journey, 30)
        await journey.pass_time(900.0)
        assert await known(journey) == {sold_in: 2}
        assert await stamps(journey, copied_to) == []
        assert await journey.rows("select count(*) from copies") == [(0,)]
        assert await journey.reasons() == []

    play_past(play, **copying(copied_to))


@in_every_weather
@both_databases
@both_ways
def test_orders_of_the_past_are_copied_once_when_asked(sold_in: str, copied_to: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        open_one = (await past(journey, sold_in, 1))[0]
        gone = await journey.buy(sold_in)
        await journey.sandbox(sold_in, "POST", f"orders/{gone}/fulfil", {"lines": [{"sku": "A", "quantity": 1}]})
        await journey.pass_time(5 * DAY)
        await journey.begin()
        await ask(journey, 30)
        await journey.pass_time(900.0)
        assert await stamps(journey, copied_to) == []
        levels = await journey.levels()
        for _ in range(2):
            await ask(journey, 30, copy=True)
            await journey.pass_time(900.0)
            assert await stamps(journey, copied_to) == [stamp(sold_in, open_one)], "what was sent is not packed again"
        assert (await state(journey))[sold_in].read == 0, "they were known already"
        assert await journey.levels() == levels
        assert await journey.reasons() == []

    play_past(play, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_ways
def test_an_asked_copy_follows_the_rules_of_live_ones(sold_in: str, copied_to: str) -> None:
    """One that is held here is copied when it is let go, and its cancellation follows."""

    async def play(journey: Journey) -> None:
        await past(journey, sold_in, 1)
        await journey.begin()
        await ask(journey, 30)
        await journey.pass_time(900.0)
        terms = journey.bridge.workspaces[MAIN].terms
        key = (await journey.queue())[sold_in].queued.order_key
        await journey.store.run(hold_order, terms, journey.ids, key, hold=True, actor="ann")
        await ask(journey, 30, copy=True)
        await journey.pass_time(900.0)
        assert await stamps(journey, copied_to) == []
        moved = await journey.store.run(hold_order, terms, journey.ids, key, hold=False, actor="ann")
        journey.bridge.wake(MAIN, moved.wake)
        await journey.pass_time(300.0)
        (order_id,) = [str(row[0]) for row in await journey.rows("select order_id from sales")]
        assert await stamps(journey, copied_to) == [stamp(sold_in, order_id)]
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(600.0)
        (copy,) = (await journey.queue())[sold_in].copies
        assert copy.order is not None
        assert copy.order.cancelled_at is not None

    play_past(play, **copying(copied_to))


# Calm: how long a sale takes is measured.
@both_stores
def test_a_live_sale_is_not_delayed(store: str) -> None:
    other = {"shopify": "wix", "wix": "shopify"}[store]

    async def propagation(journey: Journey) -> float:
        begun, shown = journey.clock.monotonic(), (await journey.levels())[other]
        await journey.buy(store)
        while (await journey.levels())[other] == shown:
            await journey.pass_time(0.05)
        return journey.clock.monotonic() - begun

    async def play(journey: Journey) -> None:
        await past(journey, store, 210, days=3.0)
        for name in ("shopify", "wix"):
            await journey.faults(name, latency_ms=[200, 400])
        await journey.begin(settle=300.0)
        alone = [await propagation(journey) for _ in range(10)]
        await journey.pass_time(120.0)
        await ask(journey, 60, connection=store)
        beside = []
        while (await state(journey))[store].state != "done":
            beside.append(await propagation(journey))
            await journey.pass_time(0.5)
        assert (await state(journey))[store].read >= 210
        assert len(beside) >= 5
        assert max(beside) <= max(alone) + 0.5, (alone, beside)

    play_past(play, MANY)


# Calm: what its calls cost is measured.
@both_stores
def test_a_backfill_takes_its_share_of_the_budget_and_no_more(store: str) -> None:
    async def play(journey: Journey) -> None:
        await past(journey, store, 320, days=3.0)
        await journey.begin(settle=300.0)
        first = len(await journey.client(store).requests())
        started = journey.clock.monotonic()
        await ask(journey, 60, connection=store)
        while (await state(journey))[store].state != "done":
            await journey.pass_time(0.05)
        seconds = journey.clock.monotonic() - started
        costs = spent(store, (await journey.client(store).requests())[first:])
        steps = {"shopify": 16, "wix": 4}[store]
        assert sum(costs) <= SHARE * seconds + 1.5 * sum(costs) / steps, "all but the last step were waited for"
        assert sum(costs) >= 0.8 * SHARE * seconds, "and it does not dawdle"

    play_past(play, MANY)


def spent(store: str, calls: list[dict[str, Any]]) -> list[float]:
    """What listings and reads of the past cost, in seconds of the store's budget; from its own records."""
    if store == "wix":
        return [60 / 200 for call in calls if call["operation"] in WIX_CALLS]
    return [call["cost"] / 100 for call in calls if call["operation"] in ("ordersPlaced", "salesById")]


@in_every_weather
def test_a_shop_that_shows_sixty_days_is_told_of_before_its_older_orders_are_missed() -> None:
    options = ShopifyOptions(granted_scopes=(*STOCK_SCOPES, *ORDER_SCOPES, *COPY_SCOPES), pays_with="manual")

    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 1, days=70.0)
        await past(journey, "shopify", 1, days=1.0)
        await journey.begin()
        await ask(journey, 90)
        await journey.pass_time(900.0)
        assert await known(journey) == {"shopify": 1}
        one = (await state(journey))["shopify"]
        assert one.state == "done"
        assert one.asked_at - one.since == timedelta(days=60)
        assert one.note.startswith(
            "shopify shows orders of the last 60 days only: for older ones the app needs the scope read_all_orders, "
            "which Shopify grants on request. Ask for it, then start the backfill again. shopify does not show its "
            "payment provider's books"
        )
        assert (await state(journey))["wix"].note == ""

    travel(play, shopify=options)


# Calm: the moment in the middle of a backfill is the story.
def test_a_backfill_is_cancelled_and_another_may_begin() -> None:
    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 45, days=3.0)
        await journey.begin()
        await ask(journey, 60)
        while (await state(journey))["shopify"].listed == 0:
            await journey.pass_time(0.02)
        with pytest.raises(RefusedError, match="A backfill of shopify is not ended yet"):
            await ask(journey, 10, connection="shopify")
        terms = journey.bridge.workspaces[MAIN].terms
        await journey.store.run(cancel_backfill, terms, actor="ann")
        await journey.pass_time(900.0)
        assert (await state(journey))["shopify"].state == "cancelled"
        assert await known(journey) == {"shopify": 20}
        with pytest.raises(NotFoundError, match="No backfill is under way"):
            await journey.store.run(cancel_backfill, terms, actor="ann")
        await ask(journey, 60)
        await journey.pass_time(900.0)
        assert await known(journey) == {"shopify": 45}
        assert (await state(journey))["shopify"].read == 25

    play_past(play, MANY)


@pytest.mark.parametrize(
    ("days", "copy", "connection", "words"),
    [
        (0, False, None, "0 days of orders cannot be read: give 1 to 3650"),
        (5, True, None, "There is nowhere to copy to"),
        (5, False, "amazon", "'amazon' is not one of the stores"),
    ],
)
def test_a_wrong_request_changes_nothing(days: int, copy: bool, connection: str | None, words: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        with pytest.raises((RefusedError, NotFoundError), match=words):
            await ask(journey, days, copy=copy, connection=connection)
        assert await journey.rows("select count(*) from backfills") == [(0,)]
        assert await journey.rows("select count(*) from looks where kind = 'backfill'") == [(0,)]

    play_past(play)


@in_every_weather
@both_stores
def test_a_store_in_trouble_is_waited_for(store: str) -> None:
    async def play(journey: Journey) -> None:
        await past(journey, store, 1)
        await journey.begin()
        await journey.faults(store, http_5xx=1.0)
        await ask(journey, 30)
        await journey.wait(120.0)
        assert (await state(journey))[store].state == "waiting"
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert (await state(journey))[store].state == "done"
        assert await known(journey) == {store: 1}

    play_past(play)


class Refusing:
    """Between us and the stores: some requests are answered otherwise."""

    def __init__(self, transport: Transport, answer: Callable[[Request], Response | None]) -> None:
        self._transport = transport
        self._answer = answer

    async def send(self, request: Request) -> Response:
        return self._answer(request) or await self._transport.send(request)

    async def close(self) -> None:
        await self._transport.close()


def graphql_error(code: str) -> Response:
    body = {"errors": [{"message": "No.", "extensions": {"code": code}}]}
    return Response(200, {"content-type": "application/json"}, msgspec.json.encode(body))


def lists_old_orders(request: Request) -> bool:
    return b"query ordersPlaced" in request.body or b'"createdDate"' in request.body


def later_page(request: Request) -> bool:
    if b"query ordersPlaced" in request.body:
        return b'"after":null' not in request.body
    return "orders/search" in request.url and b'"cursor"' in request.body


@in_every_weather
@both_stores
def test_a_page_whose_token_the_store_has_forgotten_is_found_again_by_its_time(store: str) -> None:
    refused: list[str] = []

    def answer(request: Request) -> Response | None:
        if refused or not later_page(request) or not asked:
            return None
        refused.append(request.url)
        wix = {"message": "INVALID_CURSOR", "details": {"applicationError": {"code": "INVALID_CURSOR"}}}
        return graphql_error("INVALID_VARIABLE") if store == "shopify" else Response(400, {}, msgspec.json.encode(wix))

    asked: list[int] = []
    orders = {"shopify": 45, "wix": 210}[store]

    async def play(journey: Journey) -> None:
        journey.wrap_transport = lambda transport: Refusing(transport, answer)
        await past(journey, store, orders, days=3.0)
        await journey.begin()
        asked.append(1)
        await ask(journey, 60, connection=store)
        await journey.pass_time(900.0)
        assert len(refused) == 1
        assert await known(journey) == {store: orders}
        one = (await state(journey))[store]
        assert (one.state, one.read) == ("done", orders)

    play_past(play, MANY)


@in_every_weather
@both_stores
def test_a_store_that_refuses_stops_its_backfill_and_says_why_and_the_other_goes_on(store: str) -> None:
    other = {"shopify": "wix", "wix": "shopify"}[store]

    def answer(request: Request) -> Response | None:
        if not lists_old_orders(request) or ("shop.sim" in request.url) != (store == "shopify"):
            return None
        return graphql_error("UNDEFINED") if store == "shopify" else Response(400, {}, b'{"message": "No."}')

    async def play(journey: Journey) -> None:
        journey.wrap_transport = lambda transport: Refusing(transport, answer)
        await past(journey, store, 1)
        await past(journey, other, 1)
        await journey.begin()
        books = await journey.books()
        await ask(journey, 60)
        await journey.pass_time(900.0)
        told = await state(journey)
        assert told[store].state == "stopped"
        assert "No." in told[store].note
        assert (told[other].state, await known(journey)) == ("done", {other: 1})
        assert (await journey.books())["goods"] == books["goods"]
        await journey.buy(store)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}, "live work goes on"

    play_past(play)


@in_every_weather
@both_stores
def test_a_scope_that_is_missing_is_waited_for(store: str) -> None:
    granted: list[int] = []

    def answer(request: Request) -> Response | None:
        if granted or not lists_old_orders(request) or ("shop.sim" in request.url) != (store == "shopify"):
            return None
        return graphql_error("ACCESS_DENIED") if store == "shopify" else Response(403, {}, b'{"message": "No."}')

    async def play(journey: Journey) -> None:
        journey.wrap_transport = lambda transport: Refusing(transport, answer)
        await past(journey, store, 1)
        await journey.begin()
        await ask(journey, 60, connection=store)
        await journey.pass_time(300.0)
        assert (await state(journey))[store].state == "waiting"
        granted.append(1)
        await journey.pass_time(1800.0)
        assert (await state(journey))[store].state == "done"
        assert await known(journey) == {store: 1}

    play_past(play)


@in_every_weather
def test_no_page_is_asked_for_while_half_of_the_budget_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 1)
        await journey.begin()
        budget = journey.bridge.workspaces[MAIN].connectors[ConnectionName("shopify")].budget
        with monkeypatch.context() as busy:
            busy.setattr(budget, "ratio", lambda: 0.49)
            await ask(journey, 30)
            await journey.pass_time(600.0)
            assert (await state(journey))["shopify"].state == "waiting"
            assert await known(journey) == {}
        await journey.pass_time(60.0)
        assert (await state(journey))["shopify"].state == "done"

    play_past(play)


def _without_sense(order_id: str) -> Callable[[Request, Any], Any]:
    """The store says of one order's payment what no version of its API knows."""

    def edit(node: dict[str, Any]) -> None:
        if node.get("id") == order_id and "lineItems" in node:
            node.update({"displayFinancialStatus": "TELEPATHY", "paymentStatus": "TELEPATHY"})

    return lambda _request, answer: walk(answer, edit)


READS_WHOLE = {"shopify": "salesById", "wix": "searchOrders"}


@both_stores
def test_orders_beside_one_that_cannot_be_understood_come_in_although_most_calls_fail(store: str) -> None:
    async def play(journey: Journey) -> None:
        answers = OddAnswers(journey.network)
        journey.wrap_transport = lambda _transport: answers
        old = await past(journey, store, 8)
        await journey.begin()
        answers.change = _without_sense(old[5])
        await journey.faults(store, rules=[{"operation": READS_WHOLE[store], "rates": {"http_5xx": 0.6}}])
        await ask(journey, 30)
        await journey.pass_time(1800.0)
        assert await known(journey) == {store: 7}
        assert (await state(journey))[store].state == "done"

    play_past(play)


@in_every_weather
@both_stores
def test_one_old_order_that_cannot_be_understood_does_not_stop_the_others(store: str) -> None:
    async def play(journey: Journey) -> None:
        answers = OddAnswers(journey.network)
        journey.wrap_transport = lambda _transport: answers
        old = await past(journey, store, 5)
        await journey.begin()
        answers.change = _without_sense(old[2])
        await ask(journey, 30)
        await journey.pass_time(900.0)
        assert await known(journey) == {store: 4}
        assert (await state(journey))[store].state == "done"
        assert set(await journey.reasons()) <= {"schema_drift"}

    play_past(play)


@in_every_weather
def test_buyers_whose_time_is_over_are_forgotten_within_minutes_of_the_janitors_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a stop the time of many is over at once; a round an hour would keep some for days more."""
    monkeypatch.setattr(retention, "DOCUMENTS_AT_ONCE", 1)

    async def play(journey: Journey) -> None:
        for order_id in await past(journey, "shopify", 4, 6.8):
            await journey.sandbox("shopify", "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.begin()
        await ask(journey, 30)
        await journey.pass_time(600.0)
        named = "select count(*) from sales where document like '%Lee%'"
        assert await journey.rows(named) == [(4,)]
        await journey.kill()
        await journey.clock.sleep(2 * DAY)
        await journey.start()
        await journey.pass_time(600.0)
        assert await journey.rows(named) == [(0,)]
        told = await journey.rows("select record from audit where kind = 'retention_ended'")
        assert sum(json.loads(record).get("buyers", 0) for (record,) in told) == 4

    play_past(play, buyer_retention_days=7)


@in_every_weather
def test_orders_whose_buyers_time_is_over_come_in_without_their_buyers() -> None:
    async def play(journey: Journey) -> None:
        for order_id in await past(journey, "shopify", 4):
            await journey.sandbox("shopify", "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.begin()
        await ask(journey, 30)
        await journey.pass_time(600.0)
        assert await journey.rows("select count(*) from sales") == [(4,)]
        assert await journey.rows("select count(*) from sales where document like '%Lee%'") == [(0,)]

    play_past(play, buyer_retention_days=7)
