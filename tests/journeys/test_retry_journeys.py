"""A change that was refused or undone waits for a person while the thing is changed again: the old one is out of date,
and nobody can have it sent over the newer one any more."""

from __future__ import annotations

import pytest
from test_undone_journeys import blind, first_parcel, retrack, seeing_again, until_taken

from builders.copying import both_databases, both_ways, change_order, copied, copying, fulfil, parcels_of
from builders.journeys import MAIN, Journey, travel
from builders.weather import in_every_weather
from storebridge.errors import RefusedError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import WriteId
from storebridge.operations.settle_case import Choice
from storebridge.store.database import Tx
from storebridge.store.order_writes import settle_write
from storebridge_proving.store_admin import admin_of

MAIL = "ann@example.net"
NO_MAIL = "ann at home"
X, Y = ({"street": f"{name} 1", "city": f"{name}town"} for name in "XY")
NOWHERE = {**X, "country": "XX"}
"""Wix lets staff write it down, Shopify refuses it."""


async def place(journey: Journey) -> tuple[str, str, str]:
    """Street, city and e-mail of the copy of what Wix sold."""
    ((copy,),) = [(await journey.queue())["wix"].copies]
    assert copy.order is not None
    assert copy.order.shipping_address is not None
    address = copy.order.shipping_address
    return address.street, address.city, copy.order.buyer.email


async def states(journey: Journey, kind: str) -> list[str]:
    found = await journey.rows(f"select state from order_writes where kind = '{kind}' order by created_at")
    return [state for (state,) in found]


@in_every_weather
@both_databases
def test_a_refused_address_is_out_of_date_once_the_merchant_puts_it_right(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify")
        await change_order(journey, "wix", order_id, **NOWHERE)
        await journey.pass_time(300.0)
        assert await journey.reasons() == ["order_write_refused"]
        await change_order(journey, "wix", order_id, **Y)
        await journey.pass_time(300.0)
        assert (await place(journey))[:2] == ("Y 1", "Ytown")
        assert await journey.reasons() == []
        assert await states(journey, "change_details") == ["superseded", "confirmed"]

    travel(play, postgres=postgres, **copying("shopify"))


@in_every_weather
@both_databases
def test_of_a_refused_change_a_retry_sends_only_what_was_not_changed_again(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify")
        await change_order(journey, "wix", order_id, email=MAIL, **NOWHERE)
        await journey.pass_time(300.0)
        await change_order(journey, "wix", order_id, **Y)
        await journey.pass_time(300.0)
        assert await journey.reasons() == ["order_write_refused"], "its e-mail is still not there"
        await journey.settle("order_write_refused", Choice.RETRY)
        await journey.pass_time(300.0)
        assert await place(journey) == ("Y 1", "Ytown", MAIL)
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("shopify"))


@in_every_weather
@both_databases
@both_ways
def test_a_number_that_staff_took_back_is_out_of_date_once_the_parcel_has_another(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id, there = await number_taken_back(journey, sold_in, copied_to)
        (copy,) = (await journey.queue())[sold_in].copies
        assert copy.order_id is not None
        await retrack(journey, copied_to, copy.order_id, there, "1Z3")
        await journey.pass_time(300.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z3", 2)]
        assert await journey.reasons() == []
        assert await states(journey, "change_tracking") == ["superseded", "confirmed"]

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_number_that_staff_took_back_is_out_of_date_once_the_parcel_has_its_first_one_again(
    sold_in: str, copied_to: str
) -> None:
    async def play(journey: Journey) -> None:
        order_id, there = await number_taken_back(journey, sold_in, copied_to)
        (copy,) = (await journey.queue())[sold_in].copies
        assert copy.order_id is not None
        await retrack(journey, copied_to, copy.order_id, there, "1Z1")
        await journey.pass_time(300.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 2)]
        assert await journey.reasons() == []

    travel(play, **copying(copied_to))


async def number_taken_back(journey: Journey, sold_in: str, copied_to: str) -> tuple[str, str]:
    """1Z1 became 1Z2, which staff made 1Z9 where it was told: (the order there, the parcel of its copy)."""
    order_id, copy_id = await copied(journey, sold_in, copied_to)
    await fulfil(journey, copied_to, copy_id, 2, "1Z1")
    await journey.pass_time(60.0)
    await blind(journey, sold_in)
    there = await first_parcel(journey, copied_to, copy_id)
    await retrack(journey, copied_to, copy_id, there, "1Z2")
    await until_taken(journey, "change_tracking")
    await retrack(journey, sold_in, order_id, await first_parcel(journey, sold_in, order_id), "1Z9")
    await seeing_again(journey, sold_in)
    assert await journey.reasons() == ["order_write_undone"]
    return order_id, there


@in_every_weather
@both_databases
def test_an_edit_that_staff_took_back_is_out_of_date_once_the_original_is_edited_again(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 4)
        await blind(journey, "shopify")
        await edit(journey, "wix", order_id, 1)
        await until_taken(journey, "edit_lines")
        await edit(journey, "shopify", copy_id, 3)
        await seeing_again(journey, "shopify")
        assert "order_write_undone" in await journey.reasons()
        await edit(journey, "wix", order_id, 2)
        await journey.pass_time(600.0)
        (copy,) = (await journey.queue())["wix"].copies
        assert copy.order is not None
        assert [line.current for line in copy.order.lines] == [2]
        assert await states(journey, "edit_lines") == ["superseded", "confirmed"]
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("shopify"))


async def edit(journey: Journey, store: str, order_id: str, units: int) -> None:
    await journey.sandbox(store, "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "A", "quantity": units}]})


@in_every_weather
@both_databases
def test_a_parcel_that_staff_took_back_is_not_told_again_once_it_is_withdrawn_where_it_left(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify")
        await blind(journey, "wix")
        await fulfil(journey, "shopify", copy_id, 2, "1Z1")
        await until_taken(journey, "add_parcel")
        await call_back(journey, "wix", order_id)
        await seeing_again(journey, "wix")
        assert await journey.reasons() == ["copy_differs", "order_write_undone"]
        await call_back(journey, "shopify", copy_id)
        await journey.pass_time(300.0)
        assert await journey.reasons() == []
        assert await parcels_of(journey, "wix", order_id) == []
        assert await states(journey, "add_parcel") == ["superseded"]

    travel(play, postgres=postgres, **copying("shopify"))


async def call_back(journey: Journey, store: str, order_id: str) -> None:
    parcel_id = await first_parcel(journey, store, order_id)
    async with journey.at_the_admin(store):
        await admin_of(journey.client(store), journey.network).call_back(order_id, parcel_id)


@in_every_weather
def test_a_copy_that_was_refused_is_nobodys_business_once_its_order_is_cancelled() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        lines = [{"sku": "A", "quantity": 2}]
        sold = await journey.sandbox("wix", "POST", "checkout", {"lines": lines, "customer": {"email": NO_MAIL}})
        await journey.pass_time(120.0)
        assert await journey.reasons() == ["order_write_refused"]
        await journey.client("wix").cancel(sold["order_id"], restock=True)
        await journey.pass_time(120.0)
        assert await journey.reasons() == []
        assert await states(journey, "create_copy") == ["superseded"]

    travel(play, **copying("shopify"))


@in_every_weather
@both_databases
def test_a_retry_of_a_case_from_before_it_was_known_to_be_out_of_date_is_refused(postgres: bool) -> None:
    """Databases of earlier releases hold such cases until the order's next turn."""

    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify")
        for where in (X, Y):
            await change_order(journey, "wix", order_id, **where)
            await journey.pass_time(120.0)
        ((write_id, key, purpose), _) = await journey.rows(
            "select write_id, order_key, purpose from order_writes where kind = 'change_details' order by created_at"
        )

        def stop(tx: Tx) -> None:
            settle_write(tx, WriteId(write_id), "refused", code="INVALID", message="zip is not valid")
            details = {"purpose": purpose, "code": "INVALID", "message": "zip is not valid", "order": key}
            subject, reason = f"{key}/{purpose}", Reason.ORDER_WRITE_REFUSED
            raise_cases(tx, [CaseOpening(MAIN, reason, subject, shopify, details=details)])

        shopify = next(name for name in journey.bridge.workspaces[MAIN].terms.connections if name == "shopify")
        await journey.store.run(stop)
        books = await journey.books()
        with pytest.raises(RefusedError, match=r"out of date.*Close the case with done; nothing was changed\."):
            await journey.settle("order_write_refused", Choice.RETRY)
        assert await journey.books() == books
        assert await states(journey, "change_details") == ["refused", "confirmed"]
        assert await journey.reasons() == ["order_write_refused"]
        await change_order(journey, "wix", order_id, email=MAIL)
        await journey.pass_time(120.0)
        assert await place(journey) == ("Y 1", "Ytown", MAIL)
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("shopify"))
