"""The order in which deliveries arrive does not matter: they say where to look, and what is read is what is."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import both_databases, copying, stamps
from builders.journeys import WEATHER, Journey, travel
from builders.weather import CALM, in_every_weather
from storebridge.flows.queue import Place
from storebridge.model.sales import PaymentState

each_store = pytest.mark.parametrize("store", ["shopify", "wix"])


def unpolled() -> dict[str, Any]:
    """Nothing but a delivery can tell of an order. In foul weather the delivery that could is lost, too, now and then:
    there the polls are the net."""
    return {"order_poll_seconds": 86_400.0} if WEATHER.get() == CALM else {}


async def unheard(journey: Journey, store: str, *, paid: bool = True) -> str:
    """An order whose deliveries were all lost."""
    await journey.begin()
    await journey.faults(store, webhook_loss=1.0)
    lines, customer = [{"sku": "A", "quantity": 2}], {"email": "ann@example.org", "first_name": "Ann"}
    sold = await journey.sandbox(store, "POST", "checkout", {"lines": lines, "customer": customer, "paid": paid})
    await journey.wait(60.0)
    await journey.faults(store)
    assert journey.weather != CALM or await journey.queue() == {}
    return str(sold["order_id"])


async def kept_once(journey: Journey) -> None:
    assert await journey.rows("select count(*) from sales") == [(1,)]
    assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]
    assert await journey.reasons() == []


@in_every_weather
@both_databases
@each_store
def test_a_refund_of_an_unknown_order_brings_the_order_along(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id = await unheard(journey, store)
        back = {"lines": [{"sku": "A", "quantity": 1, "restock": True}], "amount": "19.90"}
        await journey.sandbox(store, "POST", f"orders/{order_id}/refund", back)
        await journey.pass_time(60.0)
        order = (await journey.queue())[store].order
        assert [refund.amount.shop.amount for refund in order.refunds] == [order.totals.refunded.shop.amount]
        assert order.units_to_ship == 1
        await kept_once(journey)

    travel(play, postgres=postgres, **unpolled())


@in_every_weather
@each_store
def test_a_parcel_of_an_unknown_order_brings_the_order_along(store: str) -> None:
    async def play(journey: Journey) -> None:
        order_id = await unheard(journey, store)
        sent = {"lines": [{"sku": "A", "quantity": 2}], "tracking": {"company": "UPS", "number": "1Z1", "url": ""}}
        await journey.sandbox(store, "POST", f"orders/{order_id}/fulfil", sent)
        await journey.pass_time(60.0)
        view = (await journey.queue())[store]
        assert view.queued.place is Place.SHIPPED
        assert [[one.number for one in parcel.tracking] for parcel in view.order.parcels] == [["1Z1"]]
        await kept_once(journey)

    travel(play, **unpolled())


@in_every_weather
@each_store
def test_a_payment_of_an_unknown_order_brings_the_order_along_and_it_is_copied_once(store: str) -> None:
    other = {"shopify": "wix", "wix": "shopify"}[store]

    async def play(journey: Journey) -> None:
        order_id = await unheard(journey, store, paid=False)
        await journey.sandbox(store, "POST", f"orders/{order_id}/pay", {})
        await journey.pass_time(120.0)
        assert (await journey.queue())[store].order.payment_state is PaymentState.PAID
        assert await stamps(journey, other) == [f"storebridge:main:{store}:{order_id}"]
        await kept_once(journey)

    travel(play, **unpolled(), **copying(other))


@in_every_weather
@each_store
def test_a_cancellation_of_an_unknown_order_brings_it_along_and_nothing_is_copied(store: str) -> None:
    other = {"shopify": "wix", "wix": "shopify"}[store]

    async def play(journey: Journey) -> None:
        order_id = await unheard(journey, store)
        await journey.sandbox(store, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(120.0)
        assert (await journey.queue())[store].queued.place is Place.CANCELLED
        assert await stamps(journey, other) == []
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        await kept_once(journey)

    travel(play, **unpolled(), **copying(other))


@in_every_weather
@each_store
def test_deliveries_in_any_order_end_at_the_newest_state(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(store, webhook_reorder=1.0, webhook_duplicate=0.5, webhook_delay_ms=[0, 30_000])
        order_id = await journey.buy(store, 3)
        sent = {"lines": [{"sku": "A", "quantity": 1}], "tracking": {"company": "UPS", "number": "1Z1", "url": ""}}
        await journey.sandbox(store, "POST", f"orders/{order_id}/fulfil", sent)
        back = {"lines": [{"sku": "A", "quantity": 1, "restock": False}], "amount": "5.00"}
        await journey.sandbox(store, "POST", f"orders/{order_id}/refund", back)
        await journey.pass_time(300.0)
        order = (await journey.queue())[store].order
        assert (len(order.parcels), len(order.refunds), order.units_to_ship) == (1, 1, 1)
        kinds = [kind for (kind,) in await journey.rows("select kind from sales_history")]
        assert (kinds.count("placed"), kinds.count("shipped"), kinds.count("refunded")) == (1, 1, 1)
        await kept_once(journey)

    travel(play, **unpolled())
