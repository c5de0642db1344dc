"""Staff take the units that do not exist off an order, and leave the rest of it standing: those units are void, and no
other order loses for them."""

from __future__ import annotations

import pytest

from builders.copying import ask_shopify
from builders.journeys import ANN, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.flows.queue import Place
from storebridge.operations.settle_case import Choice
from storebridge_proving.store_client import CartLine

TWO, PLENTY = Goods("A", {"shopify": 2, "wix": 2}), Goods("B", {"shopify": 9, "wix": 9})
VOIDS = "select units from ledger where kind = 'void'"
both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
both_stores = pytest.mark.parametrize("loser", ["shopify", "wix"])
BEGIN = """mutation($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id lineItems(first: 5) {
    nodes { id sku } } } userErrors { message } } }"""
SET = """mutation($id: ID!, $line: ID!, $units: Int!, $restock: Boolean!) { orderEditSetQuantity(id: $id,
    lineItemId: $line, quantity: $units, restock: $restock) { userErrors { message } } }"""
COMMIT = "mutation($id: ID!) { orderEditCommit(id: $id, notifyCustomer: false) { userErrors { message } } }"


def other(store: str) -> str:
    return "wix" if store == "shopify" else "shopify"


async def sell_too_much(journey: Journey, loser: str) -> str:
    """Both stores sell the same two A within the lag, the one that loses with a B as well; returns that order."""
    await journey.begin()
    for store in ("shopify", "wix"):
        await journey.faults(store, webhook_delay_ms=[5000, 5000])
    await journey.buy(other(loser), 2)
    await journey.wait(1.0)
    lines = [CartLine("A", 2), CartLine("B", 1)]
    order_id = await journey.client(loser).checkout(lines, ANN, paid=True)
    for store in ("shopify", "wix"):
        await journey.faults(store)
    await journey.pass_time(60.0)
    assert await journey.goods_left() == -2
    return order_id


async def refund(journey: Journey, store: str, order_id: str, units: int, *, restock: bool = False) -> None:
    lines = [{"sku": "A", "quantity": units, "restock": restock}]
    await journey.sandbox(store, "POST", f"orders/{order_id}/refund", {"lines": lines})


async def edit_out(journey: Journey, order_id: str, left: int, *, restock: bool) -> None:
    """Staff leave so many A in a Shopify order."""
    begun = (await ask_shopify(journey, BEGIN, id=order_id))["orderEditBegin"]["calculatedOrder"]
    (line,) = [node["id"] for node in begun["lineItems"]["nodes"] if node["sku"] == "A"]
    await ask_shopify(journey, SET, id=begun["id"], line=line, units=left, restock=restock)
    await ask_shopify(journey, COMMIT, id=begun["id"])


async def places(journey: Journey) -> dict[str, Place]:
    return {store: view.queued.place for store, view in (await journey.queue()).items()}


@in_every_weather
@both_databases
@both_stores
def test_units_that_do_not_exist_and_are_refunded_without_restock_are_voided_once(loser: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        await refund(journey, loser, order_id, 2)
        await journey.pass_time(1200.0)
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 0
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await places(journey) == {loser: Place.READY, other(loser): Place.READY}
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres)


@both_stores
def test_nobody_else_loses_for_units_that_were_refunded_while_that_is_being_judged(loser: str) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        await refund(journey, loser, order_id, 2)
        for _ in range(40):
            await journey.pass_time(5.0)
            assert (await places(journey))[other(loser)] is Place.READY

    travel(play, TWO, PLENTY)


@in_every_weather
@both_databases
@both_stores
def test_of_two_missing_units_one_is_refunded_and_then_the_order_is_called_off(loser: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        await refund(journey, loser, order_id, 1)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == -1
        assert await places(journey) == {loser: Place.OVERSOLD, other(loser): Place.READY}
        await journey.sandbox(loser, "POST", f"orders/{order_id}/cancel", {"restock": False})
        await journey.pass_time(300.0)
        assert await journey.rows(VOIDS) == [(1,), (1,)]
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres)


@both_stores
def test_a_refund_right_before_the_cancellation_counts_once(loser: str) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        await refund(journey, loser, order_id, 1)
        await journey.pass_time(20.0)
        await journey.sandbox(loser, "POST", f"orders/{order_id}/cancel", {"restock": False})
        await journey.pass_time(600.0)
        assert await journey.rows("select sum(units) from ledger where kind = 'void'") == [(2,)]
        assert await journey.goods_left() == 0

    travel(play, TWO, PLENTY)


@in_every_weather
@both_stores
def test_the_case_can_call_off_what_is_left_after_a_refund_of_one_unit(loser: str) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        await refund(journey, loser, order_id, 1)
        await journey.pass_time(300.0)
        await journey.settle("oversold", Choice.CANCEL, whole=True)
        await journey.pass_time(600.0)
        assert await places(journey) == {loser: Place.CANCELLED, other(loser): Place.READY}
        assert await journey.goods_left() == 0
        assert await journey.goods_left("B") == 9
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY)


@in_every_weather
@both_databases
@both_stores
def test_units_that_are_restocked_or_were_sent_before_are_no_voids(loser: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        parcel = {"lines": [{"sku": "A", "quantity": 1}], "tracking": {"company": "UPS", "number": "9", "url": ""}}
        await journey.sandbox(loser, "POST", f"orders/{order_id}/fulfil", parcel)
        await journey.pass_time(120.0)
        await refund(journey, loser, order_id, 1)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == -2
        await refund(journey, loser, order_id, 1, restock=True)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == -1
        assert await journey.rows(VOIDS) == []

    travel(play, TWO, PLENTY, postgres=postgres)


@in_every_weather
@both_stores
def test_units_refunded_without_restock_while_nothing_is_short_are_gone(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy(loser, 2)
        await journey.pass_time(60.0)
        await refund(journey, loser, order_id, 2)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 8
        assert await journey.rows("select state, credited from voids") == [("decided", 0)]

    travel(play)


@both_stores
def test_a_refund_is_voided_once_though_its_order_is_told_again_and_the_process_dies(loser: str) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        await refund(journey, loser, order_id, 2)
        await journey.pass_time(2.0)
        await journey.kill()
        await journey.start()
        await journey.pass_time(600.0)
        await journey.sandbox(loser, "POST", f"orders/{order_id}/fulfil", {"lines": [{"sku": "B", "quantity": 1}]})
        await journey.pass_time(600.0)
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 0

    travel(play, TWO, PLENTY)


@in_every_weather
@both_databases
@pytest.mark.parametrize(("restock", "voided"), [(False, [(2,)]), (True, [])])
def test_units_that_an_edit_takes_out_are_voided_where_they_did_not_come_back(
    restock: bool, voided: list[tuple[int]], postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, "shopify")
        await journey.settle("oversold", Choice.SUBSTITUTE)
        await edit_out(journey, order_id, 0, restock=restock)
        await journey.pass_time(1200.0)
        assert await journey.rows(VOIDS) == voided
        assert await journey.goods_left() == 0
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await places(journey) == {"shopify": Place.READY, "wix": Place.READY}
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres)


@in_every_weather
@both_databases
def test_before_an_order_is_called_off_the_case_says_what_else_goes_with_it(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await sell_too_much(journey, "wix")
        name = (await journey.queue())["wix"].order.name
        (case,) = await journey.cases("oversold")
        assert case.payload == {
            "units short": 2,
            "orders": [f"{name} of wix (2)"],
            "also in them": [f"{name}: 1 × B"],
        }

    travel(play, TWO, PLENTY, postgres=postgres)


@both_databases
@both_stores
def test_goods_that_come_back_right_after_a_refund_do_not_hide_that_its_units_were_missing(
    loser: str, postgres: bool
) -> None:
    """The poll tells of the other order's cancellation before that order has been read."""

    async def play(journey: Journey) -> None:
        order_id = await sell_too_much(journey, loser)
        kept = (await journey.queue())[other(loser)].order.order_id
        await journey.faults(other(loser), webhook_loss=1.0)
        await journey.faults(loser, webhook_delay_ms=[5000, 5000])
        await refund(journey, loser, order_id, 2)
        await journey.pass_time(2.0)
        await journey.sandbox(other(loser), "POST", f"orders/{kept}/cancel", {"restock": True})
        await journey.pass_time(1200.0)
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == 2
        assert await journey.levels() == {"shopify": 2, "wix": 2}
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres)
