"""A store took a change, and staff change it again before we read it: the wait ends, with evidence, and a person is
told what they did not mean to undo."""

from __future__ import annotations

from typing import Any

from builders.copying import ask_shopify, both_databases, both_ways, copied, copying, fulfil, parcels_of, stamps
from builders.journeys import Journey, travel
from builders.weather import in_every_weather
from storebridge.operations.settle_case import Choice
from storebridge_proving.store_admin import admin_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions

READS = {"shopify": "salesById", "wix": "searchOrders"}
WRITES = {
    "shopify": ("orderCreate", "orderEdit*", "fulfillmentCreate", "fulfillmentTrackingInfoUpdate"),
    "wix": ("createFulfillment", "updateFulfillment"),
}
TAKEN_BACK = "1 that left there were taken back here"


async def blind(journey: Journey, store: str) -> None:
    """Until further notice no order of that store can be read; what is written comes through, in any weather."""
    never = {"operation": READS[store], "rates": {"http_5xx": 1.0, "http_5xx_applied": 0.0}}
    await journey.faults(store, rules=[never, *({"operation": name, "rates": {}} for name in WRITES[store])])


async def until_taken(journey: Journey, kind: str) -> None:
    """Until a store has taken such a write, and nobody has read what it did."""
    for _ in range(6000):
        await journey.wait(0.1)
        if (kind, "applied") in await journey.rows("select kind, state from order_writes"):
            return
    raise AssertionError(await journey.rows("select kind, state from order_writes"))


async def seeing_again(journey: Journey, store: str, seconds: float = 900.0) -> None:
    await journey.faults(store)
    await journey.pass_time(seconds)
    assert await journey.rows("select count(*) from order_writes where state in ('applied', 'sent', 'unclear')") == [
        (0,)
    ]
    assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]


async def undone(journey: Journey) -> dict[str, Any]:
    """What the one case about it says."""
    (case,) = await journey.cases("order_write_undone")
    ((known, _),) = await journey.orders_told_by("order_write_undone")
    assert known
    return case.payload or {}


async def retrack(journey: Journey, store: str, order_id: str, parcel_id: str, number: str) -> None:
    async with journey.at_the_admin(store):
        await admin_of(journey.client(store), journey.network).retrack(order_id, parcel_id, number)


async def reads_of_orders(journey: Journey, store: str) -> int:
    return [call["operation"] for call in await journey.client(store).requests()].count(READS[store])


async def first_parcel(journey: Journey, store: str, order_id: str) -> str:
    (order,) = [one for one in (await journey.client(store).truth())["orders"] if one["id"] == order_id]
    return str(order["fulfilments"][0]["id"])


@in_every_weather
@both_databases
@both_ways
def test_a_parcel_that_staff_take_back_before_it_was_read_ends_and_can_be_told_again(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to)
        await blind(journey, sold_in)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await until_taken(journey, "add_parcel")
        parcel_id = await first_parcel(journey, sold_in, order_id)
        async with journey.at_the_admin(sold_in):
            await admin_of(journey.client(sold_in), journey.network).call_back(order_id, parcel_id)
        await seeing_again(journey, sold_in)
        (differs,) = await journey.cases("copy_differs")
        assert (differs.payload or {})["parcels"] == TAKEN_BACK
        if sold_in == "shopify":  # which keeps cancelled parcels: the read shows what was made, and that it is no more
            assert await journey.reasons() == ["copy_differs"]
            return
        told = await undone(journey)
        assert (told["what"], told["found"]) == ("add_parcel", "the order was read and does not show it")
        assert told["read at"] > told["taken at"]
        kinds = [kind for (kind,) in await journey.rows("select kind from sales_history order by number")]
        assert kinds.count("write_undone") == 1
        await journey.settle("order_write_undone", Choice.RETRY)
        await journey.pass_time(60.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 2)]
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_databases
@both_ways
def test_a_tracking_number_that_staff_change_again_before_it_was_read_stays_theirs(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.pass_time(60.0)
        await blind(journey, sold_in)
        there = await first_parcel(journey, copied_to, copy_id)
        await retrack(journey, copied_to, copy_id, there, "1Z2")
        await until_taken(journey, "change_tracking")
        here = await first_parcel(journey, sold_in, order_id)
        await retrack(journey, sold_in, order_id, here, "1Z9")
        await seeing_again(journey, sold_in)
        assert await journey.reasons() == ["order_write_undone"]
        assert (await undone(journey))["what"] == "change_tracking"
        assert await parcels_of(journey, sold_in, order_id) == [("1Z9", 2)]
        if sold_in == "shopify":
            return  # it makes another link for the same number than Wix does
        await retrack(journey, sold_in, order_id, here, "1Z2")
        await journey.pass_time(60.0)
        assert await journey.reasons() == [], "the read that shows it after all proves it"

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
def test_an_edit_that_staff_take_back_in_the_copy_before_it_was_read_ends_as_a_case() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 3)
        await blind(journey, "shopify")
        await journey.sandbox("wix", "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "A", "quantity": 1}]})
        await until_taken(journey, "edit_lines")
        await journey.sandbox("shopify", "POST", f"orders/{copy_id}/edit", {"lines": [{"sku": "A", "quantity": 2}]})
        await seeing_again(journey, "shopify")
        assert (await undone(journey))["what"] == "edit_lines"
        assert "copy_differs" in await journey.reasons()

    travel(play, **copying("shopify"))


@in_every_weather
@both_databases
def test_a_copy_that_staff_delete_before_it_was_read_ends_and_is_made_once_more_when_a_person_says_so(
    postgres: bool,
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await blind(journey, "shopify")
        await journey.buy("wix", 2)
        await until_taken(journey, "create_copy")
        await delete_copies(journey)
        reads = await reads_of_orders(journey, "shopify")
        await seeing_again(journey, "shopify")
        assert await reads_of_orders(journey, "shopify") - reads < 30, "what is not there yet is not asked for at once"
        assert await journey.reasons() == ["order_write_undone"]
        assert (await undone(journey))["found"] == "the store does not know this order any more"
        assert await stamps(journey, "shopify") == []
        await journey.settle("order_write_undone", Choice.RETRY)
        await journey.pass_time(120.0)
        assert len(await stamps(journey, "shopify")) == 1
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("shopify"))


@in_every_weather
def test_a_cancellation_that_takes_longer_than_we_wait_is_told_and_then_proven() -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify")
        await journey.client("wix").cancel(order_id, restock=True)
        await journey.pass_time(300.0)
        assert (await undone(journey))["what"] == "cancel_order"
        await journey.pass_time(600.0)
        assert await journey.reasons() == []
        states = await journey.rows("select state from order_writes where kind = 'cancel_order'")
        assert states == [("confirmed",)]

    travel(play, shopify=ShopifyOptions(job_seconds=400.0), **copying("shopify"))


async def delete_copies(journey: Journey) -> None:
    """Staff delete them in Shopify's admin."""
    for one in (await journey.shopify.truth())["orders"]:
        if one["origin"]:
            told = "mutation($id: ID!) { orderDelete(orderId: $id) { deletedId userErrors { message } } }"
            await ask_shopify(journey, told, id=one["id"])
