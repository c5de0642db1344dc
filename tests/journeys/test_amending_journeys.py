"""A copy follows edits, addresses and notes of its original, or a case says what it does not follow."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import both_databases, both_ways, change_order, copied, copying, fulfil, stamps
from builders.journeys import Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.model.sales import Order

EDITS = {"shopify": "orderEditCommit", "wix": "importOrder"}
FATES = ["timeout_applied", "timeout_not_applied", "http_5xx_applied", "cut_answer"]
TWO = (Goods("A"), Goods("B"))


async def edit(journey: Journey, store: str, order_id: str, *lines: tuple[str, int]) -> None:
    """Staff of the store that sold the goods give lines other quantities."""
    told = [{"sku": sku, "quantity": units} for sku, units in lines]
    await journey.sandbox(store, "POST", f"orders/{order_id}/edit", {"lines": told})


async def both(journey: Journey, sold_in: str) -> tuple[Order, Order]:
    view = (await journey.queue())[sold_in]
    (copy,) = view.copies
    assert copy.order is not None
    return view.order, copy.order


def units(order: Order) -> dict[str | None, int]:
    return {line.sku: line.current for line in order.lines if line.current}


async def quiet(journey: Journey, sold_in: str) -> None:
    writes = (await journey.queue())[sold_in].writes
    assert {write.state for write in writes} == {"confirmed"}, [(write.purpose, write.state) for write in writes]
    assert [(case.reason, case.payload) for case in await journey.cases()] == []


@in_every_weather
@both_databases
@both_ways
@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ((("A", 1),), {"A": 1}),
        ((("A", 4),), {"A": 4}),
        ((("B", 2),), {"A": 3, "B": 2}),
        ((("A", 0), ("B", 1)), {"B": 1}),
    ],
    ids=["fewer", "more", "another", "instead"],
)
def test_an_edit_of_the_original_is_followed_and_the_copy_stays_one(
    sold_in: str, copied_to: str, lines: tuple[Any, ...], wanted: dict[str, int], postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, sold_in, copied_to, 3)
        await edit(journey, sold_in, order_id, *lines)
        await journey.pass_time(200.0)
        original, copy = await both(journey, sold_in)
        assert units(original) == units(copy) == wanted
        assert copy.totals.total == original.totals.total
        assert len(await stamps(journey, copied_to)) == 1
        for sku in ("A", "B"):
            left = 10 - wanted.get(sku, 0)
            assert await journey.levels(sku) == {"shopify": left, "wix": left}

    travel(play, *TWO, postgres=postgres, **copying(copied_to))


# Calm: what becomes of one call is the story.
@both_ways
@pytest.mark.parametrize("fate", FATES)
def test_an_edit_whose_answer_was_lost_is_made_once(fate: str, sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, sold_in, copied_to, 3)
        await journey.faults(copied_to, rules=[{"operation": EDITS[copied_to], "calls": 1, "rates": {fate: 1.0}}])
        await edit(journey, sold_in, order_id, ("A", 1), ("B", 2))
        await journey.pass_time(900.0)
        original, copy = await both(journey, sold_in)
        assert units(original) == units(copy) == {"A": 1, "B": 2}
        assert len(await stamps(journey, copied_to)) == 1
        states = {write.state for write in (await journey.queue())[sold_in].writes}
        assert states == {"confirmed"}

    travel(play, *TWO, **copying(copied_to))


@in_every_weather
def test_one_edit_after_another_is_followed_also_back_again() -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify", 3)
        for wanted in (1, 3, 1):
            await edit(journey, "wix", order_id, ("A", wanted))
            await journey.pass_time(200.0)
            original, copy = await both(journey, "wix")
            assert units(original) == units(copy) == {"A": wanted}

    travel(play, *TWO, **copying("shopify"))


@in_every_weather
def test_an_edit_after_more_was_paid_than_is_owed_makes_a_wix_copy_a_case() -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "shopify", "wix", 3)
        await edit(journey, "shopify", order_id, ("A", 1))
        await journey.pass_time(200.0)
        original, copy = await both(journey, "shopify")
        assert copy.totals.paid == original.totals.paid
        await edit(journey, "shopify", order_id, ("A", 2))
        await journey.pass_time(200.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["lines"] == "1 unit of the original's lines, otherwise there"

    travel(play, *TWO, **copying("wix"))


@in_every_weather
def test_an_edit_after_a_part_left_is_followed_in_shopify_and_its_tracking_flows_back() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 3)
        await fulfil(journey, "shopify", copy_id, 1, "1Z1")
        await journey.pass_time(60.0)
        await edit(journey, "wix", order_id, ("A", 2))
        await journey.pass_time(120.0)
        original, copy = await both(journey, "wix")
        assert (original.units_to_ship, copy.units_to_ship) == (1, 1)
        await fulfil(journey, "shopify", copy_id, 1, "1Z2")
        await journey.pass_time(120.0)
        assert await journey.parcels("wix") == [("1Z1", 1), ("1Z2", 1)]

    travel(play, *TWO, **copying("shopify"))


@in_every_weather
def test_an_edit_that_a_wix_copy_cannot_follow_because_a_part_left_is_a_case_that_closes_when_it_is_undone() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "shopify", "wix", 3)
        await fulfil(journey, "wix", copy_id, 1, "1Z1")
        await journey.pass_time(60.0)
        await edit(journey, "shopify", order_id, ("A", 2))
        await journey.pass_time(120.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["lines"] == "1 unit of the original's lines, otherwise there"
        await edit(journey, "shopify", order_id, ("A", 3))
        await journey.pass_time(120.0)
        assert await journey.cases("copy_differs") == []

    travel(play, *TWO, **copying("wix"))


@in_every_weather
def test_goods_added_by_an_edit_that_the_other_store_does_not_know_are_a_case() -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify", 1)
        await edit(journey, "wix", order_id, ("ONLY", 2))
        await journey.pass_time(120.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["lines"] == "2 units of the original's lines, otherwise there"

    travel(play, Goods("A"), Goods("ONLY", {"wix": 5}), **copying("shopify"))


@in_every_weather
@both_databases
@both_ways
def test_a_new_address_is_followed(sold_in: str, copied_to: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, sold_in, copied_to)
        await change_order(journey, sold_in, order_id, street="Lindenweg 2", city="Berlin")
        await journey.pass_time(120.0)
        _, copy = await both(journey, sold_in)
        assert copy.shipping_address is not None
        assert (copy.shipping_address.street, copy.shipping_address.city) == ("Lindenweg 2", "Berlin")
        await quiet(journey, sold_in)

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
def test_a_note_and_tags_are_followed_while_nothing_left_and_a_case_afterwards() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "shopify", "wix", 3)
        await change_order(journey, "shopify", order_id, note="leave at the door", tag="vip")
        await journey.pass_time(120.0)
        _, copy = await both(journey, "shopify")
        assert copy.note == "leave at the door"
        assert ("Tags of origin", "vip") in copy.attributes
        await quiet(journey, "shopify")
        await fulfil(journey, "wix", copy_id, 1, "1Z1")
        await journey.pass_time(60.0)
        await change_order(journey, "shopify", order_id, note="ring twice")
        await journey.pass_time(120.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["note"] == "changed here, not there"

    travel(play, **copying("wix"))


@in_every_weather
def test_a_note_that_the_warehouse_wrote_on_the_copy_stays_until_the_originals_changes() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify")
        await change_order(journey, "shopify", copy_id, note="shelf 4", tag="fragile")
        await journey.pass_time(60.0)
        await change_order(journey, "wix", order_id, street="Lindenweg 2", city="Berlin")
        await journey.pass_time(120.0)
        _, copy = await both(journey, "wix")
        assert copy.shipping_address is not None
        assert (copy.note, copy.tags, copy.shipping_address.city) == ("shelf 4", ("fragile",), "Berlin")
        await quiet(journey, "wix")

    travel(play, **copying("shopify"))
