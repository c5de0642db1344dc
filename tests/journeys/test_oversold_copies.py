"""An order whose goods do not exist is not packed anywhere: it is not copied before it has its goods."""

from __future__ import annotations

from builders.copying import ask_shopify, both_databases, both_ways, copying, parcels_of, stamps
from builders.journeys import ANN, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.flows.queue import Place
from storebridge.model.sales import Order
from storebridge.operations.settle_case import Choice
from storebridge_proving.store_client import CartLine

TWO = Goods("A", {"shopify": 2, "wix": 2})
PLENTY = Goods("B", {"shopify": 9, "wix": 9})


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


async def sell_two_and_one_beside(journey: Journey, sold_in: str, copied_to: str) -> str:
    """Both stores sell the same two A within the lag, the one that loses with a B as well; returns that order."""
    await journey.begin()
    for store in (sold_in, copied_to):
        await journey.faults(store, webhook_delay_ms=[9000, 9000])
    await journey.buy(copied_to, 2)
    await journey.wait(1.0)
    order_id = await journey.client(sold_in).checkout([CartLine("A", 2), CartLine("B", 1)], ANN, paid=True)
    for store in (sold_in, copied_to):
        await journey.faults(store)
    await journey.pass_time(60.0)
    return order_id


def in_short(order: Order) -> dict[str, object]:
    """What a warehouse sees of an order, and its money."""
    totals = order.totals
    return {
        "to send": {line.sku: line.to_ship for line in order.lines if line.to_ship},
        "sums": tuple(f"{one.shop.amount:.2f}" for one in (totals.total, totals.paid, totals.refunded)),
    }


# Calm: in a storm the copy may be made before anybody knows that goods are missing.
@both_databases
@both_ways
def test_what_is_left_of_an_order_is_copied_once_its_missing_units_were_taken_off(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await sell_two_and_one_beside(journey, sold_in, copied_to)
        assert await stamps(journey, copied_to) == []
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        view = (await journey.queue())[sold_in]
        (copy,) = view.copies
        assert copy.order is not None
        assert in_short(view.order)["to send"] == {"B": 1}
        assert in_short(copy.order) == {"to send": {"B": 1}, "sums": ("19.90", "19.90", "0.00")}
        assert await journey.levels("B") == {"shopify": 8, "wix": 8}
        assert len(await stamps(journey, copied_to)) == 1
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres, **copying(copied_to))


@both_databases
@both_ways
def test_what_was_left_and_copied_is_sent_and_told_and_a_later_refund_is_noted_in_the_copy(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell_two_and_one_beside(journey, sold_in, copied_to)
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        (copy,) = (await journey.queue())[sold_in].copies
        parcel = {"lines": [{"sku": "B", "quantity": 1}], "tracking": {"company": "UPS", "number": "1Z9", "url": ""}}
        await journey.sandbox(copied_to, "POST", f"orders/{copy.order_id}/fulfil", parcel)
        await journey.pass_time(300.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z9", 1)]
        lines = {"lines": [{"sku": "B", "quantity": 1, "restock": False}]}
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/refund", lines)
        await journey.pass_time(600.0)
        view = (await journey.queue())[sold_in]
        (copy,) = view.copies
        assert copy.order is not None
        assert in_short(view.order)["sums"][1:] == ("59.70", "59.70")  # type: ignore[index]
        assert in_short(copy.order)["sums"][1:] == ("19.90", "19.90")  # type: ignore[index]
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_databases
@both_ways
def test_an_order_that_was_copied_before_loses_its_missing_units_in_the_copy_as_well(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.client(sold_in).checkout([CartLine("A", 2), CartLine("B", 1)], ANN, paid=True)
        await journey.pass_time(60.0)
        assert len(await stamps(journey, copied_to)) == 1
        await journey.sandbox(sold_in, "POST", "adjust", {"sku": "A", "delta": -1})
        await journey.pass_time(600.0)
        assert (await journey.queue())[sold_in].queued.place is Place.OVERSOLD
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        view = (await journey.queue())[sold_in]
        (copy,) = view.copies
        assert copy.order is not None
        assert in_short(view.order)["to send"] == in_short(copy.order)["to send"] == {"A": 1, "B": 1}
        assert in_short(view.order)["sums"][1:] == ("59.70", "19.90")  # type: ignore[index]
        assert in_short(copy.order)["sums"][1:] == ("59.70", "19.90")  # type: ignore[index]
        assert len(await stamps(journey, copied_to)) == 1
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []

    travel(play, TWO, PLENTY, postgres=postgres, **copying(copied_to))


SELL_IN_SHOPIFY = """mutation($order: OrderCreateOrderInput!) { orderCreate(order: $order, options: {
    inventoryBehaviour: DECREMENT_IGNORING_POLICY }) { order { id } userErrors { message } } }"""


# Calm: in a storm the copy may be made before anybody knows that goods are missing.
@both_databases
def test_of_a_line_with_a_discount_and_tax_what_is_left_is_copied_to_the_cent(postgres: bool) -> None:
    """Three A for 59.70 less 10 %, with 19 % tax on top; one of them does not exist."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        line = {
            "variantId": journey.stores.shopify.shelves.by_sku["A"].variant_id,
            "quantity": 3,
            "priceSet": {"shopMoney": {"amount": "19.90", "currencyCode": "EUR"}},
            "requiresShipping": True,
            "taxLines": [
                {"title": "VAT", "rate": "0.19", "priceSet": {"shopMoney": {"amount": "10.21", "currencyCode": "EUR"}}}
            ],
        }
        order = {
            "currency": "EUR",
            "lineItems": [line],
            "discountCode": {"itemPercentageDiscountCode": {"code": "TEN", "percentage": 10}},
            "financialStatus": "PAID",
            "transactions": [
                {
                    "kind": "SALE",
                    "status": "SUCCESS",
                    "amountSet": {"shopMoney": {"amount": "63.94", "currencyCode": "EUR"}},
                }
            ],
        }
        made = await ask_shopify(journey, SELL_IN_SHOPIFY, order=order)
        assert made["orderCreate"]["userErrors"] == []
        await journey.pass_time(60.0)
        assert (await journey.queue())["shopify"].queued.place is Place.OVERSOLD
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        view = (await journey.queue())["shopify"]
        (copy,) = view.copies
        assert copy.order is not None
        assert in_short(view.order) == {"to send": {"A": 2}, "sums": ("42.63", "63.94", "21.31")}
        assert in_short(copy.order) == {"to send": {"A": 2}, "sums": ("42.63", "42.63", "0.00")}
        assert await journey.reasons() == []

    travel(play, TWO, postgres=postgres, **copying("wix"))
