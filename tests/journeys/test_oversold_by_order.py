"""What is missing is called off order by order: the units that do not exist are taken off, and the rest stays."""

from __future__ import annotations

import msgspec
import pytest

from builders.journeys import ANN, MAIN, Goods, Journey, travel
from builders.weather import in_every_weather
from builders.wix_collections import ask_wix
from storebridge.connectors.http import Request
from storebridge.errors import RefusedError
from storebridge.flows.queue import Place
from storebridge.operations.list_orders import list_orders
from storebridge.operations.settle_case import Choice
from storebridge.operations.show_order import OrderView, show_order
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.store_client import CartLine
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.settings import WixOptions

TWO = Goods("A", {"shopify": 2, "wix": 2})
FOUR = Goods("A", {"shopify": 4, "wix": 4})
PLENTY = Goods("B", {"shopify": 9, "wix": 9})
OFFLINE = WixOptions(unpaid="OFFLINE")
"""A buyer who pays later: the order stands, and nothing of it is paid."""
VOIDS = "select units from ledger where kind = 'void'"
both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
both_stores = pytest.mark.parametrize("loser", ["shopify", "wix"])


def other(store: str) -> str:
    return "wix" if store == "shopify" else "shopify"


async def sell_too_much(
    journey: Journey, loser: str, *carts: list[CartLine], first: int = 2, paid: bool = True
) -> None:
    """The other store sells so many A, and within the lag this one sells these carts, one after the other."""
    await journey.begin()
    for store in ("shopify", "wix"):
        await journey.faults(store, webhook_delay_ms=[9000, 9000])
    await journey.buy(other(loser), first)
    for cart in carts:
        await journey.wait(1.0)
        await journey.client(loser).checkout(cart, ANN, paid=paid)
    for store in ("shopify", "wix"):
        await journey.faults(store)
    await journey.pass_time(60.0)


TWO_AND_ONE_BESIDE = [CartLine("A", 2), CartLine("B", 1)]


async def orders_of(journey: Journey, store: str) -> list[OrderView]:
    """Every order of a store, the oldest first."""
    terms = journey.bridge.workspaces[MAIN].terms
    page = await list_orders(journey.store, terms, places=tuple(Place))
    views = [await show_order(journey.store, terms, order.order_key) for order in reversed(page.items)]
    return [view for view in views if view.order.connection == store]


def money(view: OrderView) -> tuple[str, str]:
    """Paid and given back."""
    totals = view.order.totals
    return f"{totals.paid.shop.amount:.2f}", f"{totals.refunded.shop.amount:.2f}"


def still_to_send(view: OrderView) -> dict[str, int]:
    return {line.sku or line.title: line.to_ship for line in view.order.lines if line.to_ship}


@in_every_weather
@both_databases
@both_stores
def test_only_the_missing_units_are_taken_off_and_paid_back_and_the_rest_of_the_order_is_sent(
    loser: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        done = await journey.settle("oversold", Choice.CANCEL)
        (before,) = await orders_of(journey, loser)
        assert done.told == (f"{before.order.name} of {loser}: 2 units taken off, 39.80 EUR paid back; the rest stays",)
        await journey.pass_time(600.0)
        (view,) = await orders_of(journey, loser)
        assert (view.queued.place, still_to_send(view)) == (Place.READY, {"B": 1})
        assert money(view) == ("59.70", "39.80")
        assert [(write.kind, write.state) for write in view.writes] == [("take_off", "confirmed")]
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 0
        assert await journey.goods_left("B") == 8
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await journey.levels("B") == {"shopify": 8, "wix": 8}
        assert [one.queued.place for one in await orders_of(journey, other(loser))] == [Place.READY]
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres)


@in_every_weather
@both_stores
def test_an_order_that_keeps_nothing_else_is_called_off_whole(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, [CartLine("A", 2)])
        done = await journey.settle("oversold", Choice.CANCEL)
        (view,) = await orders_of(journey, loser)
        assert done.told == (f"{view.order.name} of {loser}: the order is called off and paid back",)
        await journey.pass_time(600.0)
        (view,) = await orders_of(journey, loser)
        assert (view.queued.place, money(view)) == (Place.CANCELLED, ("39.80", "39.80"))
        assert await journey.rows(VOIDS) == [(2,)]

    travel(play, TWO, PLENTY)


@in_every_weather
@both_stores
def test_a_person_who_asks_for_it_calls_the_whole_order_off_and_what_exists_comes_back(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        await journey.settle("oversold", Choice.CANCEL, whole=True)
        await journey.pass_time(600.0)
        (view,) = await orders_of(journey, loser)
        assert (view.queued.place, money(view)) == (Place.CANCELLED, ("59.70", "59.70"))
        assert (await journey.goods_left(), await journey.goods_left("B")) == (0, 9)
        assert await journey.levels("B") == {"shopify": 9, "wix": 9}
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY)


@in_every_weather
@both_databases
@both_stores
def test_of_two_losing_orders_one_waits_for_goods_and_the_other_loses_its_missing_unit(
    loser: str, postgres: bool
) -> None:
    """Four exist; the other store sold three, this one two and then two with a B: one and two are missing."""
    carts = [CartLine("A", 2)], [CartLine("A", 2), CartLine("B", 1)]

    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, *carts, first=3)
        early, late = await orders_of(journey, loser)
        (case,) = await journey.cases("oversold")
        assert case.payload is not None
        assert case.payload["orders"] == [f"{late.order.name} of {loser} (2)", f"{early.order.name} of {loser} (1)"]
        await journey.settle("oversold", Choice.WAIT, early.queued.order_key)
        await journey.settle("oversold", Choice.CANCEL, late.order.name)
        await journey.pass_time(600.0)
        early, late = await orders_of(journey, loser)
        assert (early.queued.place, still_to_send(early)) == (Place.OVERSOLD, {"A": 2})
        assert (late.queued.place, still_to_send(late)) == (Place.READY, {"B": 1})
        assert (money(early), money(late)) == (("39.80", "0.00"), ("59.70", "39.80"))
        assert await journey.goods_left() == -1
        assert await journey.reasons() == ["oversold"]
        assert await journey.rows("select units, choice from losers") == [(1, "wait")]
        await journey.receive(1)
        await journey.pass_time(600.0)
        assert [one.queued.place for one in await orders_of(journey, loser)] == [Place.READY, Place.READY]
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.reasons() == []

    travel(play, FOUR, PLENTY, postgres=postgres)


# Calm: what becomes of one call is the story.
@both_stores
@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_units_whose_taking_off_had_no_answer_are_paid_back_and_voided_once(fate: str, loser: str) -> None:
    operation = {"shopify": "refundCreate", "wix": "refundPayments"}[loser]

    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        await journey.faults(loser, rules=[{"operation": operation, "calls": 1, "rates": {fate: 1.0}}])
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        (view,) = await orders_of(journey, loser)
        assert (len(view.order.refunds), money(view)) == (1, ("59.70", "39.80"))
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 0

    travel(play, TWO, PLENTY)


@in_every_weather
@both_stores
def test_a_process_that_dies_while_units_are_taken_off_pays_them_back_once(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        await journey.faults(loser, latency_ms=[2000, 2000])
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(1.0)
        await journey.kill()
        await journey.faults(loser)
        await journey.start()
        await journey.pass_time(900.0)
        (view,) = await orders_of(journey, loser)
        assert (len(view.order.refunds), money(view)) == (1, ("59.70", "39.80"))
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 0

    travel(play, TWO, PLENTY)


@both_stores
def test_a_second_answer_to_the_same_case_takes_nothing_off_twice(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        await journey.faults(loser, partitioned=True)
        await journey.settle("oversold", Choice.CANCEL)
        (view,) = await orders_of(journey, loser)
        again = await journey.settle("oversold", Choice.CANCEL)
        assert again.told == (f"{view.order.name} of {loser}: the units are being taken off already",)
        await journey.faults(loser)
        await journey.pass_time(900.0)
        (view,) = await orders_of(journey, loser)
        assert (len(view.order.refunds), money(view)) == (1, ("59.70", "39.80"))
        assert await journey.rows(VOIDS) == [(2,)]

    travel(play, TWO, PLENTY)


@both_stores
def test_goods_that_come_in_before_the_call_goes_out_keep_the_units_in_the_order(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        await journey.faults(loser, partitioned=True)
        await journey.settle("oversold", Choice.CANCEL)
        await journey.wait(60.0)
        await journey.receive(2)
        await journey.wait(300.0)
        await journey.faults(loser)
        await journey.pass_time(600.0)
        (view,) = await orders_of(journey, loser)
        assert (view.queued.place, still_to_send(view), money(view)[1]) == (Place.READY, {"A": 2, "B": 1}, "0.00")
        assert await journey.rows(VOIDS) == []
        assert await journey.rows("select count(*) from voids") == [(0,)]
        assert await journey.goods_left() == 0

    travel(play, TWO, PLENTY)


@both_stores
def test_an_order_that_its_buyer_cancels_meanwhile_is_voided_once_and_nothing_is_left_to_take_off(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        (view,) = await orders_of(journey, loser)
        await journey.faults(loser, partitioned=True)
        await journey.settle("oversold", Choice.CANCEL)
        await journey.sandbox(loser, "POST", f"orders/{view.order.order_id}/cancel", {"restock": False})
        await journey.wait(30.0)
        await journey.faults(loser)
        await journey.pass_time(1200.0)
        (view,) = await orders_of(journey, loser)
        assert view.queued.place is Place.CANCELLED
        assert await journey.rows("select sum(units) from ledger where kind = 'void'") == [(2,)]
        assert await journey.goods_left() == 0
        assert "order_write_refused" not in await journey.reasons()
        assert await journey.rows("select count(*) from voids where state = 'ordered'") == [(0,)]

    travel(play, TWO, PLENTY)


@both_stores
def test_units_that_staff_took_off_first_are_refused_and_a_person_is_told_and_the_void_counts_once(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, TWO_AND_ONE_BESIDE)
        (view,) = await orders_of(journey, loser)
        await journey.faults(loser, partitioned=True)
        await journey.settle("oversold", Choice.CANCEL)
        lines = {"lines": [{"sku": "A", "quantity": 2, "restock": False}]}
        await journey.sandbox(loser, "POST", f"orders/{view.order.order_id}/refund", lines)
        await journey.wait(30.0)
        await journey.faults(loser)
        await journey.pass_time(1200.0)
        (view,) = await orders_of(journey, loser)
        assert (len(view.order.refunds), still_to_send(view)) == (1, {"B": 1})
        assert await journey.rows("select sum(units) from ledger where kind = 'void'") == [(2,)]
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY)


@in_every_weather
@both_databases
@both_stores
@pytest.mark.parametrize("sold", [2, 3])
def test_of_an_unpaid_order_the_missing_units_are_taken_off_and_nothing_is_paid_back(
    loser: str, sold: int, postgres: bool
) -> None:
    """Wix has no refund without money: there an edit takes them out, the line whole where nothing of it is left."""

    async def play(journey: Journey) -> None:
        await sell_too_much(journey, loser, [CartLine("A", sold), CartLine("B", 1)], paid=False)
        done = await journey.settle("oversold", Choice.CANCEL)
        assert done.told[0].endswith("2 units taken off, nothing was paid for them; the rest stays")
        await journey.pass_time(900.0)
        (view,) = await orders_of(journey, loser)
        kept = {"A": sold - 2} if sold > 2 else {}
        assert (still_to_send(view), money(view)) == ({**kept, "B": 1}, ("0.00", "0.00"))
        assert f"{view.order.totals.total.shop.amount:.2f}" == f"{19.90 * (1 + sold - 2):.2f}"
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 0
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await journey.reasons() == []

    travel(play, Goods("A", {"shopify": sold, "wix": sold}), PLENTY, postgres=postgres, wix=OFFLINE)


# Calm: what becomes of one call is the story.
@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
@pytest.mark.parametrize("operation", ["createDraftOrder", "updateLineItems", "commitDraftOrder"])
def test_an_edit_whose_answer_is_lost_takes_the_units_off_once(operation: str, fate: str) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "wix", TWO_AND_ONE_BESIDE, paid=False)
        await journey.faults("wix", rules=[{"operation": operation, "calls": 1, "rates": {fate: 1.0}}])
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        (view,) = await orders_of(journey, "wix")
        assert (still_to_send(view), len(view.order.refunds)) == ({"B": 1}, 1)
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, wix=OFFLINE)


def test_an_order_that_staff_are_editing_is_left_to_them_and_a_person_is_told() -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "wix", TWO_AND_ONE_BESIDE, paid=False)
        (view,) = await orders_of(journey, "wix")
        draft = await ask_wix(journey, "POST", "/ecom/v1/draft-orders", {"sourceOrderId": view.order.order_id})
        begun = draft["calculatedDraftOrder"]["draftOrder"]
        b = next(line.line_id for line in view.order.lines if line.sku == "B")
        path = f"/ecom/v1/draft-orders/{begun['id']}"
        await ask_wix(journey, "POST", f"{path}/line-items", {"lineItemChanges": [{"lineItemId": b, "newQuantity": 2}]})
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(300.0)
        (view,) = await orders_of(journey, "wix")
        assert still_to_send(view) == {"A": 2, "B": 1}
        (case,) = await journey.cases("order_write_refused")
        assert case.payload is not None
        assert case.payload["code"] == "ORDER_IS_ALREADY_EDITED"
        await ask_wix(journey, "POST", f"{path}/commit", {})
        await journey.settle("order_write_refused", Choice.RETRY)
        await journey.pass_time(600.0)
        (view,) = await orders_of(journey, "wix")
        assert still_to_send(view) == {"B": 2}
        assert await journey.rows(VOIDS) == [(2,)]

    travel(play, TWO, PLENTY, wix=OFFLINE)


def test_while_its_payment_is_under_way_an_order_is_called_off_whole_or_not_at_all() -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "wix", TWO_AND_ONE_BESIDE, paid=False)
        before = await journey.books()
        with pytest.raises(RefusedError, match=r"The payment of .* is under way"):
            await journey.settle("oversold", Choice.CANCEL)
        assert await journey.books() == before
        assert await journey.rows("select choice from losers") == [("",)]
        assert await journey.rows("select count(*) from voids") == [(0,)]
        await journey.settle("oversold", Choice.CANCEL, whole=True)
        await journey.pass_time(600.0)
        (view,) = await orders_of(journey, "wix")
        assert view.queued.place is Place.CANCELLED
        assert await journey.goods_left() == 0

    travel(play, TWO, PLENTY)


def test_an_order_that_does_not_lose_cannot_be_chosen_and_nothing_is_changed() -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "wix", TWO_AND_ONE_BESIDE)
        (keeps,), (loses,) = await orders_of(journey, "shopify"), await orders_of(journey, "wix")
        for choice in (Choice.CANCEL, Choice.WAIT, Choice.SUBSTITUTE, Choice.SPLIT):
            with pytest.raises(RefusedError, match=f"those are {loses.order.name} of wix"):
                await journey.settle("oversold", choice, loses.queued.order_key, keeps.order.name)
        with pytest.raises(RefusedError, match="not for done"):
            await journey.settle("oversold", Choice.DONE, loses.queued.order_key)
        with pytest.raises(RefusedError, match="by cancel, not by wait"):
            await journey.settle("oversold", Choice.WAIT, whole=True)
        assert await journey.rows("select choice from losers") == [("",)]
        assert await journey.rows("select count(*) from order_writes") == [(0,)]

    travel(play, TWO, PLENTY)


TWO_GROUPS = [
    {"name": "main", "locations": {"shopify": ["Main warehouse"], "wix": ["*"]}},
    {"name": "outlet", "locations": {"shopify": ["Outlet"], "wix": ["Back room"]}},
]


@both_databases
def test_goods_of_another_group_go_to_the_order_that_a_person_chose_for_them(postgres: bool) -> None:
    """One is in the outlet. The last of the losing orders would lose first; it is the one that gets it."""
    carts = [CartLine("A", 1)], [CartLine("A", 1)]

    async def play(journey: Journey) -> None:
        for store, outlet in (("shopify", 1), ("wix", 1)):
            levels = (await journey.client(store).truth())["levels"]
            for level in levels:
                place = {"sku": "A", "location_id": level["location_id"]}
                await journey.sandbox(store, "POST", "adjust", {**place, "set": level["available"] or outlet})
        await journey.begin()
        await journey.faults("shopify", partitioned=True)
        await journey.buy("shopify", 2)
        for cart in carts:
            await journey.wait(1.0)
            await journey.client("wix").checkout(cart, ANN, paid=True)
        await journey.faults("shopify")
        await journey.pass_time(200.0)
        early, late = await orders_of(journey, "wix")
        assert [early.queued.place, late.queued.place] == [Place.OVERSOLD, Place.OVERSOLD]
        done = await journey.settle("oversold", Choice.SPLIT, late.queued.order_key)
        assert (done.told, done.closed) == ((f"{late.order.name} of wix: is sent from outlet",), False)
        await journey.pass_time(300.0)
        early, late = await orders_of(journey, "wix")
        assert [early.queued.place, late.queued.place] == [Place.OVERSOLD, Place.READY]
        assert await journey.rows("select units, choice from losers order by units") == [(0, "split"), (1, "")]
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(600.0)
        early, late = await orders_of(journey, "wix")
        assert [early.queued.place, late.queued.place] == [Place.CANCELLED, Place.READY]
        assert await journey.rows(VOIDS) == [(1,)]
        assert "oversold" not in await journey.reasons()

    travel(play, TWO, groups=TWO_GROUPS, postgres=postgres, wix=WixOptions(more_locations=("Back room",)))


@both_databases
def test_of_a_bundle_that_misses_a_component_the_bundle_is_taken_off_and_the_other_component_comes_back(
    postgres: bool,
) -> None:
    """A gift is two mugs and a tea. Both mugs are gone; the gift goes off its order, the tea back on sale."""
    goods = Goods("A", {"shopify": 2, "wix": 2}), Goods("B", {"shopify": 9, "wix": 9}), Goods("GIFT", {"wix": 1})

    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "wix", [CartLine("GIFT", 1), CartLine("B", 1)])
        done = await journey.settle("oversold", Choice.CANCEL)
        assert [line.partition(": ")[2] for line in done.told] == [
            "1 unit taken off, 19.90 EUR paid back; the rest stays"
        ]
        await journey.pass_time(900.0)
        (view,) = await orders_of(journey, "wix")
        assert (view.queued.place, still_to_send(view)) == (Place.READY, {"B": 1})
        assert await journey.rows(
            "select pool_id, kind, units from ledger where substr(cause, 1, 5) = 'void:' order by 1"
        ) == [
            ("A@main", "void", 2),
            ("B@main", "receive", 1),
        ]
        assert await journey.levels("B") == {"shopify": 8, "wix": 8}

    travel(play, *goods, postgres=postgres, bundles=[{"sku": "GIFT", "components": {"A": 2, "B": 1}}])


def test_a_script_and_a_person_at_the_console_decide_about_single_orders() -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "wix", [CartLine("A", 1)], [CartLine("A", 1), CartLine("B", 2)])
        early, late = await orders_of(journey, "wix")
        (case,) = await journey.cases("oversold")
        shown = msgspec.json.decode(await ask(journey, f"/api/v1/{MAIN}/exceptions/{case.case_id}"))
        assert sorted((one["name"], one["units"], one["beside"], one["takes_whole"]) for one in shown["losers"]) == [
            (early.order.name, 1, {}, True),
            (late.order.name, 1, {"B": 2}, False),
        ]
        page = (await ask(journey, f"/exceptions/{case.case_id}")).decode()
        assert f"{late.order.name}</a> of Wix: 1 missing; also in it: 2 × B" in page
        body = msgspec.json.encode({"choice": "wait", "orders": [early.order.name]})
        answer = await ask(journey, f"/api/v1/{MAIN}/exceptions/{case.case_id}/resolve", body, "application/json")
        assert msgspec.json.decode(answer)["told"] == [f"{early.order.name} of wix: waits for goods"]
        nobody = await ask(journey, f"/exceptions/{case.case_id}", b"choice=cancel&losers=yes", FORM)
        assert "Tick at least one order" in nobody.decode()
        ticked = f"choice=cancel&losers=yes&order%3A{late.queued.order_key}=yes".encode()
        await ask(journey, f"/exceptions/{case.case_id}", ticked, FORM)
        await journey.pass_time(600.0)
        early, late = await orders_of(journey, "wix")
        assert (early.queued.place, still_to_send(late)) == (Place.OVERSOLD, {"B": 2})

    travel(play, TWO, PLENTY)


FORM = "application/x-www-form-urlencoded"


async def ask(journey: Journey, path: str, body: bytes = b"", kind: str = "") -> bytes:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    headers = {"content-type": kind, "origin": "http://localhost"} if kind else {"accept": "text/html"}
    sent = await network.send(Request("POST" if kind else "GET", f"http://localhost{path}", headers, body, 20.0))
    return sent.body


def test_where_shopify_wants_a_payment_with_each_refund_an_unpaid_order_stays_whole_and_a_person_is_told() -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "shopify", TWO_AND_ONE_BESIDE, paid=False)
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(300.0)
        (view,) = await orders_of(journey, "shopify")
        assert (still_to_send(view), len(view.order.refunds)) == ({"A": 2, "B": 1}, 0)
        assert await journey.reasons() == ["order_write_refused", "oversold"]
        await journey.settle("oversold", Choice.CANCEL, whole=True)
        await journey.pass_time(600.0)
        (view,) = await orders_of(journey, "shopify")
        assert view.queued.place is Place.CANCELLED
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, shopify=ShopifyOptions(refunds_without_money=False))
