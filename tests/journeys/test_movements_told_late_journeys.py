"""A movement beside a copied order that an order explains, although the store says so late: no doubt about copies, or
one that closes as soon as the order is read."""

from __future__ import annotations

import pytest

from builders.copying import both_databases, copied, copying, fulfil
from builders.journeys import ANN, Journey, travel
from storebridge_proving.store_admin import ShopifyAdmin
from storebridge_proving.store_client import CartLine
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

UNANNOUNCED = WixOptions(quirks=WixQuirks(w21_created_while_initialized=False))


async def of_kind(journey: Journey, kind: str) -> list[int]:
    return [
        int(units) for (units,) in await journey.rows(f"select units from ledger where kind = '{kind}' order by seq")
    ]


async def check_out_unpaid(journey: Journey, units: int) -> str:
    return await journey.wix.checkout([CartLine("A", units)], ANN, paid=False)


@both_databases
def test_a_checkout_whose_payment_is_under_way_is_no_edit_by_staff_and_no_doubt_about_copies(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, "shopify", "wix", 2)
        checkout = await check_out_unpaid(journey, 3)
        await journey.pass_time(1500.0)
        assert await of_kind(journey, "manual") == []
        await journey.sandbox("wix", "POST", f"orders/{checkout}/pay")
        await journey.pass_time(1500.0)
        assert await of_kind(journey, "manual") == []
        assert await journey.cases("copy_moved_stock", state=None) == []
        assert await journey.levels() == {"shopify": 5, "wix": 5}

    travel(play, postgres=postgres, **copying("wix"))


def test_beside_such_a_checkout_only_what_it_cannot_have_taken_is_an_edit_by_staff() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await check_out_unpaid(journey, 2)
        await journey.wix.adjust("A", delta=-3)
        await journey.pass_time(600.0)
        assert await of_kind(journey, "manual") == [-3]
        await journey.wix.adjust("A", delta=4)
        await journey.pass_time(600.0)
        assert sum(await of_kind(journey, "manual")) == -1, "of the five that are gone two may be the checkout's"

    travel(play)


@both_databases
def test_a_checkout_that_nobody_announced_is_a_doubt_until_its_order_is_read(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, "shopify", "wix", 2)
        checkout = await check_out_unpaid(journey, 3)
        await journey.pass_time(1500.0)
        assert [(case.payload or {})["units"] for case in await journey.cases("copy_moved_stock")] == [-3]
        await journey.sandbox("wix", "POST", f"orders/{checkout}/pay")
        await journey.pass_time(300.0)
        (case,) = await journey.cases("copy_moved_stock", state=None)
        assert (case.state, case.closed_by) == ("resolved", "proof")
        await journey.pass_time(1500.0)
        assert await journey.reasons() == []
        assert sum(await of_kind(journey, "manual")) == 0

    travel(play, wix=UNANNOUNCED, postgres=postgres, **copying("wix"))


def test_an_unannounced_checkout_that_is_read_before_a_person_is_asked_opens_nothing() -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, "shopify", "wix", 2)
        checkout = await check_out_unpaid(journey, 3)
        await journey.pass_time(240.0)
        assert await of_kind(journey, "manual") == [-3]
        await journey.sandbox("wix", "POST", f"orders/{checkout}/pay")
        await journey.pass_time(1500.0)
        assert await journey.cases("copy_moved_stock", state=None) == []

    travel(play, wix=UNANNOUNCED, **copying("wix"))


def test_units_that_an_unannounced_checkout_gives_back_are_no_doubt_either() -> None:
    """An hour later nobody looks at the fall any more; the rise is its other half, not a copy's doing."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        checkout = await check_out_unpaid(journey, 3)
        await journey.pass_time(3600.0)
        order_id = await journey.buy("shopify", 2)
        await journey.pass_time(60.0)
        await journey.sandbox("shopify", "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(120.0)
        await journey.sandbox("wix", "POST", f"orders/{checkout}/cancel", {"restock": True})
        await journey.pass_time(1500.0)
        assert await of_kind(journey, "manual") == [-3, 3]
        assert await journey.cases("copy_moved_stock", state=None) == []

    travel(play, wix=UNANNOUNCED, **copying("wix"))


@pytest.mark.parametrize("announced", [True, False])
def test_a_copy_that_took_stock_is_told_although_a_checkout_is_under_way(announced: bool) -> None:
    quirks = WixQuirks(w21_created_while_initialized=announced, w9_imports_take_stock=True)

    async def play(journey: Journey) -> None:
        await copied(journey, "shopify", "wix", 2)
        checkout = await check_out_unpaid(journey, 1)
        await journey.pass_time(1500.0)
        told = [(case.payload or {})["units"] for case in await journey.cases("copy_moved_stock")]
        assert told == [-2 if announced else -3]
        await journey.sandbox("wix", "POST", f"orders/{checkout}/pay")
        await journey.pass_time(1500.0)
        assert await journey.reasons() == ["copy_moved_stock"], "the order explains one unit of three"

    travel(play, wix=WixOptions(quirks=quirks), **copying("wix"))


def test_a_fall_that_staff_put_right_later_is_still_a_doubt() -> None:
    """Only an order takes the blame off a copy: what staff put back may be what the copy took."""

    async def play(journey: Journey) -> None:
        await copied(journey, "shopify", "wix", 2)
        await journey.wix.adjust("A", delta=-2)
        await journey.pass_time(1500.0)
        assert await journey.reasons() == ["copy_moved_stock"]
        await journey.wix.adjust("A", delta=2)
        await journey.pass_time(1500.0)
        assert await journey.reasons() == ["copy_moved_stock"]

    travel(play, **copying("wix"))


@both_databases
def test_what_a_copy_took_is_booked_into_rights_beside_a_checkout_under_way(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, "shopify", "wix", 2)
        await check_out_unpaid(journey, 1)
        await journey.pass_time(900.0)
        assert await of_kind(journey, "copy") == [-2]
        assert await of_kind(journey, "manual") == []
        assert await journey.goods_left() == 7

    wix = WixOptions(quirks=WixQuirks(w9_imports_take_stock=True))
    travel(play, wix=wix, copies_take={"wix": "when_made"}, postgres=postgres, **copying("wix"))


def test_a_return_is_no_edit_by_staff_when_the_list_of_changed_orders_is_read_before_the_order() -> None:
    """The list tells no dispositions of returns; the whole order does, and its word counts."""

    async def play(journey: Journey) -> None:
        order_id = await journey_sold_and_sent(journey)
        await journey.faults("shopify", webhook_loss=1.0)
        admin = ShopifyAdmin(journey.shopify, journey.network)
        async with journey.at_the_admin("shopify"):
            await admin.take_back(order_id, CartLine("A", 1, restock=True))
        await journey.pass_time(600.0)
        assert await of_kind(journey, "manual") == []
        async with journey.at_the_admin("shopify"):
            await admin.change_note(order_id, "thanks")
        await journey.pass_time(600.0)
        assert await of_kind(journey, "manual") == []
        assert await journey.rows("select sold, restocked from order_effects") == [(2, 1)]

    travel(play)


async def journey_sold_and_sent(journey: Journey) -> str:
    await journey.begin()
    order_id = await journey.buy("shopify", 2)
    await fulfil(journey, "shopify", order_id, 2, "1Z1")
    await journey.pass_time(120.0)
    return order_id


def test_every_return_of_an_order_is_known_however_many_it_has() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy("shopify", 8)
        await fulfil(journey, "shopify", order_id, 8, "1Z1")
        await journey.pass_time(120.0)
        admin = ShopifyAdmin(journey.shopify, journey.network)
        for _ in range(7):
            async with journey.at_the_admin("shopify"):
                await admin.take_back(order_id, CartLine("A", 1, restock=True))
            await journey.pass_time(30.0)
        await journey.pass_time(600.0)
        assert await of_kind(journey, "manual") == []
        assert len((await journey.queue())["shopify"].order.returns) == 7
        assert await journey.rows("select sold, restocked from order_effects") == [(8, 7)]

    travel(play)
