"""A copy follows its original: refunds, payments, edits, addresses, notes; once, to the cent, and no stock moves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from builders.copying import both_databases, both_ways, copied, copying, fulfil
from builders.journeys import Journey, travel
from builders.weather import in_every_weather
from storebridge.model.sales import Order
from storebridge_sandbox.shopify.quirks import ShopifyOptions

FATES = ["timeout_applied", "timeout_not_applied", "http_5xx", "http_5xx_applied", "cut_answer", "connection_reset"]
REFUNDS = {"shopify": "refundCreate", "wix": "refundPayments"}


async def refund(
    journey: Journey, store: str, order_id: str, units: int, amount: str, *, restock: bool = False
) -> None:
    """Staff of the store that sold the goods give money back, and perhaps goods on the shelf."""
    lines = [{"sku": "A", "quantity": units, "restock": restock}] if units else []
    await journey.sandbox(store, "POST", f"orders/{order_id}/refund", {"lines": lines, "amount": amount})


async def refunds_of(journey: Journey, store: str, order_id: str) -> list[tuple[str, int]]:
    """(amount, units) of an order's refunds, from the store's own records."""
    (order,) = [one for one in (await journey.sandbox(store, "GET", "truth"))["orders"] if one["id"] == order_id]
    return [(one["amount"], sum(line["quantity"] for line in one["lines"])) for one in order["refunds"]]


async def both(journey: Journey, sold_in: str) -> tuple[Order, Order]:
    """The original and its copy, as last read."""
    view = (await journey.queue())[sold_in]
    (copy,) = view.copies
    assert copy.order is not None
    return view.order, copy.order


async def settled(journey: Journey, sold_in: str) -> None:
    """Nothing is on its way, nothing waits for a person."""
    assert {write.state for write in (await journey.queue())[sold_in].writes} == {"confirmed"}
    assert await journey.reasons() == []
    assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]


@in_every_weather
@both_databases
@both_ways
@pytest.mark.parametrize("restock", [False, True], ids=["kept", "restocked"])
def test_a_partial_refund_is_noted_in_the_copy_and_only_the_originals_units_go_back(
    sold_in: str, copied_to: str, restock: bool, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 3)
        await refund(journey, sold_in, order_id, 1, "19.90", restock=restock)
        await journey.pass_time(120.0)
        assert await refunds_of(journey, copied_to, copy_id) == [("19.90", 1)]
        original, copy = await both(journey, sold_in)
        assert copy.totals.refunded == original.totals.refunded
        assert copy.totals.paid == original.totals.paid
        assert copy.units_to_ship == original.units_to_ship == 2
        left = 8 if restock else 7
        assert await journey.levels() == {"shopify": left, "wix": left}
        await settled(journey, sold_in)

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_ways
def test_several_refunds_shipping_and_goodwill_among_them_come_to_the_same(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 3)
        await refund(journey, sold_in, order_id, 1, "19.90")
        await refund(journey, sold_in, order_id, 0, "3.33")
        await refund(journey, sold_in, order_id, 1, "25.00")
        await journey.pass_time(200.0)
        assert sorted(await refunds_of(journey, copied_to, copy_id)) == [("19.90", 1), ("25.00", 1), ("3.33", 0)]
        original, copy = await both(journey, sold_in)
        assert copy.totals.refunded.shop.amount == original.totals.refunded.shop.amount == Decimal("48.23")
        await settled(journey, sold_in)

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_refund_of_everything_leaves_nothing_to_ship_on_either_side(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 2)
        original, _ = await both(journey, sold_in)
        whole = original.totals.paid.shop.amount
        await refund(journey, sold_in, order_id, 2, f"{whole:.2f}", restock=True)
        await journey.pass_time(120.0)
        assert await refunds_of(journey, copied_to, copy_id) == [(f"{whole:.2f}", 2)]
        original, copy = await both(journey, sold_in)
        assert (original.units_to_ship, copy.units_to_ship) == (0, 0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        await settled(journey, sold_in)

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_refund_after_shipping_is_followed_too(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 2)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.pass_time(60.0)
        await refund(journey, sold_in, order_id, 2, "39.80", restock=True)
        await journey.pass_time(120.0)
        assert await refunds_of(journey, copied_to, copy_id) == [("39.80", 2)]
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        await settled(journey, sold_in)

    travel(play, **copying(copied_to))


# Calm: what becomes of one call is the story.
@both_ways
@pytest.mark.parametrize("fate", FATES)
def test_a_refund_of_a_copy_whose_answer_was_lost_is_noted_once(fate: str, sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 2)
        await journey.faults(copied_to, rules=[{"operation": REFUNDS[copied_to], "calls": 1, "rates": {fate: 1.0}}])
        await refund(journey, sold_in, order_id, 1, "10.00")
        await journey.pass_time(900.0)
        assert await refunds_of(journey, copied_to, copy_id) == [("10.00", 1)]
        await settled(journey, sold_in)

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_process_that_dies_while_a_refund_is_on_the_wire_notes_it_once(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 2)
        slow = [{"operation": REFUNDS[copied_to], "rates": {"latency_ms": [8000, 8000]}}]
        await journey.faults(copied_to, rules=slow)
        await refund(journey, sold_in, order_id, 1, "10.00")
        for _ in range(600):
            await journey.wait(0.1)
            if await journey.rows("select count(*) from order_writes where state='sent' and kind='refund_copy'") == [
                (1,)
            ]:
                break
        await journey.kill()
        await journey.faults(copied_to)
        await journey.start()
        await journey.pass_time(900.0)
        assert await refunds_of(journey, copied_to, copy_id) == [("10.00", 1)]
        await settled(journey, sold_in)

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_refund_that_staff_repeated_in_the_copy_by_hand_is_not_noted_again(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 2)
        await refund(journey, sold_in, order_id, 1, "10.00")
        await journey.pass_time(120.0)
        await journey.faults(sold_in, partitioned=True)
        await refund(journey, sold_in, order_id, 1, "7.00")
        await refund(journey, copied_to, copy_id, 1, "7.00")
        await journey.wait(60.0)
        await journey.faults(sold_in)
        await journey.pass_time(600.0)
        assert sorted(await refunds_of(journey, copied_to, copy_id)) == [("10.00", 1), ("7.00", 1)]
        await settled(journey, sold_in)

    travel(play, **copying(copied_to))


@in_every_weather
def test_money_that_went_back_on_the_copy_only_is_a_case_with_both_figures() -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, "wix", "shopify", 2)
        await refund(journey, "shopify", copy_id, 0, "5.25")
        await journey.pass_time(120.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["refunded"] == "0.00 EUR here, 5.25 EUR there"

    travel(play, **copying("shopify"))


@in_every_weather
@both_ways
def test_an_original_that_is_cancelled_with_its_money_back_is_followed_whole(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 2)
        original, _ = await both(journey, sold_in)
        whole = f"{original.totals.paid.shop.amount:.2f}"
        if sold_in == "wix":
            await refund(journey, sold_in, order_id, 2, whole, restock=True)
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(600.0)
        original, copy = await both(journey, sold_in)
        assert copy.cancelled_at is not None
        assert copy.totals.refunded == original.totals.refunded
        money = [amount for amount, _ in await refunds_of(journey, copied_to, copy_id) if Decimal(amount)]
        assert money == [whole]
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        await settled(journey, sold_in)

    travel(play, **copying(copied_to))


@in_every_weather
def test_a_refund_that_the_copying_store_refuses_is_a_case_and_the_amounts_are_told() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 2)
        await refund(journey, "wix", order_id, 1, "10.00")
        await journey.pass_time(900.0)
        assert await refunds_of(journey, "shopify", copy_id) == []
        assert await journey.reasons() == ["copy_differs", "order_write_refused"]
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["refunded"] == "10.00 EUR here, 0.0 EUR there"

    travel(play, shopify=ShopifyOptions(recorded_payments_are_refundable=False), **copying("shopify"))


@in_every_weather
def test_goods_that_are_restocked_on_both_sides_are_a_case() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 2)
        await fulfil(journey, "shopify", copy_id, 2, "1Z1")
        await journey.pass_time(60.0)
        await refund(journey, "wix", order_id, 1, "10.00", restock=True)
        await refund(journey, "shopify", copy_id, 1, "10.00", restock=True)
        await journey.pass_time(600.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["restocked"] == "1 unit on both sides; the copy's are not counted as goods"

    travel(play, **copying("shopify"))


def test_a_refund_of_more_than_the_copy_has_left_is_a_case_with_the_money_and_the_units() -> None:
    """An edit made the order dearer and nobody paid the rest; what was given back for it is more than ever came in."""

    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 1)
        await journey.sandbox("wix", "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "A", "quantity": 3}]})
        await journey.pass_time(120.0)
        await fulfil(journey, "shopify", copy_id, 3, "1Z1")
        await journey.pass_time(120.0)
        original, _ = await both(journey, "wix")
        worth = 2 * original.lines[0].unit_price.shop.amount
        await refund(journey, "wix", order_id, 2, f"{worth:.2f}")
        await journey.pass_time(300.0)
        (case,) = await journey.cases("copy_differs")
        told = case.payload or {}
        assert told["refunded"] == f"{worth:.2f} EUR here, 0.0 EUR there"
        assert told["units"] == "2 units given back here, and not there"

    travel(play, **copying("shopify"))
