"""An order whose goods do not exist is not packed anywhere: it is not copied before it has its goods."""

from __future__ import annotations

from builders.copying import both_databases, both_ways, copying, stamps
from builders.journeys import Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.flows.queue import Place
from storebridge.operations.settle_case import Choice

TWO = Goods("A", {"shopify": 2, "wix": 2})


async def sell_twice(journey: Journey, first: str, last: str) -> str:
    """Both stores sell the same two units within the lag; returns the order that was paid last."""
    for store in (first, last):
        await journey.faults(store, webhook_delay_ms=[5000, 5000])
    await journey.buy(first, 2)
    await journey.wait(1.0)
    order_id = await journey.buy(last, 2)
    for store in (first, last):
        await journey.faults(store)
    await journey.pass_time(60.0)
    return order_id


@both_databases
@both_ways
def test_an_order_whose_goods_do_not_exist_is_copied_once_they_come_and_not_before(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, copied_to, sold_in)
        await journey.pass_time(600.0)
        assert (await journey.queue())[sold_in].queued.place is Place.OVERSOLD
        assert await stamps(journey, copied_to) == []
        await journey.receive(2)
        await journey.pass_time(400.0)
        assert (await journey.queue())[sold_in].queued.place is Place.READY
        assert len(await stamps(journey, copied_to)) == 1
        assert await journey.reasons() == []

    travel(play, TWO, postgres=postgres, **copying(copied_to))


@both_ways
def test_an_order_whose_goods_do_not_exist_that_is_called_off_is_never_copied(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, copied_to, sold_in)
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(600.0)
        assert await stamps(journey, copied_to) == []
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []

    travel(play, TWO, **copying(copied_to))


@in_every_weather
@both_databases
@both_ways
def test_the_case_names_the_copy_of_an_order_that_lost_its_goods_after_it_was_copied(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(sold_in, 2)
        await journey.pass_time(60.0)
        (copy,) = (await journey.queue())[sold_in].copies
        assert copy.order is not None
        await journey.sandbox(sold_in, "POST", "adjust", {"sku": "A", "delta": -1})
        await journey.pass_time(600.0)
        view = (await journey.queue())[sold_in]
        (case,) = await journey.cases("oversold")
        assert case.payload == {
            "units short": 1,
            "orders": [f"{view.order.name} of {sold_in} (1)"],
            "also in them": [f"{view.order.name}: 1 × A"],
            "copied before": [f"{copy.order.name} in {copied_to}, of {view.order.name}"],
        }
        assert len(await stamps(journey, copied_to)) == 1

    travel(play, TWO, postgres=postgres, **copying(copied_to))


@both_databases
@both_ways
def test_a_copy_that_waits_for_its_store_is_not_sent_once_its_goods_are_gone(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(copied_to, partitioned=True)
        await journey.buy(sold_in, 2)
        await journey.pass_time(60.0)
        await journey.sandbox(sold_in, "POST", "adjust", {"sku": "A", "delta": -1})
        await journey.pass_time(300.0)
        assert (await journey.queue())[sold_in].queued.place is Place.OVERSOLD
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        assert await stamps(journey, copied_to) == []
        await journey.receive(1)
        await journey.pass_time(400.0)
        assert len(await stamps(journey, copied_to)) == 1

    travel(play, TWO, postgres=postgres, **copying(copied_to))
