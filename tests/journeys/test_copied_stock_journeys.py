"""What a store moves for a copy is booked into the rights of its counter: what is left to sell stays."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import both_databases, copied, copying, fulfil
from builders.journeys import Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.errors import RefusedError
from storebridge.operations.settle_case import Choice
from storebridge_proving.store_admin import ShopifyAdmin
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

S13 = {"shopify": ShopifyOptions(fulfilling_bypassed_moves_stock=True), "copies_take": {"shopify": "when_shipped"}}
W9 = {"wix": WixOptions(quirks=WixQuirks(w9_imports_take_stock=True)), "copies_take": {"wix": "when_made"}}
W10 = {
    "wix": WixOptions(quirks=WixQuirks(w9_imports_take_stock=True, w10_imported_restocks_unasked=True)),
    "copies_take": {"wix": "when_made"},
}
STORES = [("wix", "shopify", S13), ("shopify", "wix", W9), ("shopify", "wix", W10)]
either_way = pytest.mark.parametrize(("sold_in", "copied_to", "odd"), STORES, ids=["S13", "W9", "W10"])


async def books(journey: Journey) -> tuple[dict[str, int], int]:
    """What both stores show, and what is left by our own books."""
    return await journey.levels(), await journey.goods_left()


async def of_kind(journey: Journey, kind: str) -> list[int]:
    return [
        int(units) for (units,) in await journey.rows(f"select units from ledger where kind = '{kind}' order by seq")
    ]


@in_every_weather
@both_databases
@either_way
@pytest.mark.parametrize("policy", ["mirror", "escrow"])
def test_a_copy_that_moves_stock_takes_nothing_from_the_pool(
    sold_in: str, copied_to: str, odd: dict[str, Any], policy: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, sold_in, copied_to, 2)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.pass_time(900.0)
        shown, left = await books(journey)
        assert left == 8
        assert sum(shown.values()) == (16 if policy == "mirror" else 8)
        assert await of_kind(journey, "copy") == [-2]
        assert await of_kind(journey, "manual") == []
        assert await journey.reasons() == []

    travel(play, policy=policy, postgres=postgres, **odd, **copying(copied_to))


@in_every_weather
@either_way
def test_an_edit_by_staff_at_the_same_time_still_counts(sold_in: str, copied_to: str, odd: dict[str, Any]) -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, sold_in, copied_to, 2)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.client(copied_to).adjust("A", delta=-3)
        await journey.pass_time(900.0)
        assert await books(journey) == ({"shopify": 5, "wix": 5}, 5)
        assert await of_kind(journey, "copy") == [-2]
        assert sum(await of_kind(journey, "manual")) == -3

    travel(play, **odd, **copying(copied_to))


@in_every_weather
@either_way
def test_a_cancelled_original_gives_back_once_whatever_its_copy_does(
    sold_in: str, copied_to: str, odd: dict[str, Any]
) -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, sold_in, copied_to, 2)
        await journey.pass_time(600.0)
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(1200.0)
        assert await books(journey) == ({"shopify": 10, "wix": 10}, 10)

    travel(play, **odd, **copying(copied_to))


@in_every_weather
def test_goods_that_staff_restock_on_the_copy_make_no_goods() -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, "wix", "shopify", 2)
        await fulfil(journey, "shopify", copy_id, 2, "1Z1")
        await journey.pass_time(600.0)
        back = {"lines": [{"sku": "A", "quantity": 1, "restock": True}], "amount": "0.00"}
        await journey.sandbox("shopify", "POST", f"orders/{copy_id}/refund", back)
        await journey.pass_time(900.0)
        assert await books(journey) == ({"shopify": 8, "wix": 8}, 8)
        assert await of_kind(journey, "copy") == [-2, 1]

    travel(play, **S13, **copying("shopify"))


@both_databases
@pytest.mark.parametrize(("sold_in", "copied_to"), [("wix", "shopify"), ("shopify", "wix")])
def test_an_edit_by_staff_is_no_case_when_copies_that_came_later_moved_nothing(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    """A store does with one copy what it does with the next: two that moved nothing acquit the one before."""

    async def play(journey: Journey) -> None:
        await copied(journey, sold_in, copied_to, 2)
        await journey.client(copied_to).adjust("A", delta=-3)
        await journey.pass_time(240.0)
        for _ in range(2):
            await journey.buy(sold_in, 1, "B")
            await journey.pass_time(60.0)
        await journey.pass_time(1200.0)
        assert sum(await of_kind(journey, "manual")) == -3
        assert await journey.cases("copy_moved_stock", state=None) == []

    travel(play, Goods("A"), Goods("B"), postgres=postgres, **copying(copied_to))


def test_an_edit_by_staff_beside_the_only_copy_is_a_case_until_later_copies_prove_that_it_was_not_the_copy() -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, "wix", "shopify", 2)
        await journey.client("shopify").adjust("A", delta=-3)
        await journey.pass_time(1500.0)
        (case,) = await journey.cases("copy_moved_stock")
        assert (case.payload or {})["units"] == -3
        assert set((case.payload or {})["possible"]) == {"made"}
        for _ in range(2):
            await journey.buy("wix", 1, "B")
            await journey.pass_time(60.0)
        await journey.pass_time(600.0)
        assert await journey.reasons() == []

    travel(play, Goods("A"), Goods("B"), **copying("shopify"))


def test_a_raise_by_staff_is_nothing_that_a_copy_which_was_only_made_and_sent_can_have_done() -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, "wix", "shopify", 2)
        await fulfil(journey, "shopify", copy_id, 2, "1Z1")
        await journey.client("shopify").adjust("A", delta=3)
        await journey.pass_time(1500.0)
        assert await journey.cases("copy_moved_stock", state=None) == []

    travel(play, **copying("shopify"))


@pytest.mark.parametrize("units", [1, 2])
def test_a_store_that_begins_to_move_stock_for_copies_is_told_although_earlier_ones_moved_nothing(units: int) -> None:
    """Copies acquit only those that came before them."""

    async def play(journey: Journey) -> None:
        await copied(journey, "wix", "shopify", 2)
        for _ in range(2):
            await journey.buy("wix", 1, "B")
            await journey.pass_time(60.0)
        await journey.pass_time(600.0)
        await journey.buy("wix", units, "A")
        await journey.pass_time(60.0)
        await journey.client("shopify").adjust("A", delta=-units)  # as if the copy had done it
        await journey.pass_time(1500.0)
        (case,) = await journey.cases("copy_moved_stock")
        assert (case.payload or {})["units"] == -units

    travel(play, Goods("A"), Goods("B"), **copying("shopify"))


@both_databases
def test_copies_whose_stock_staff_put_back_prove_nothing(postgres: bool) -> None:
    """In the end nothing has moved; on the way there it did, and it may have been the copy."""

    async def play(journey: Journey) -> None:
        await copied(journey, "wix", "shopify", 2)
        await journey.client("shopify").adjust("A", delta=-3)
        await journey.pass_time(1500.0)
        assert await journey.reasons() == ["copy_moved_stock"]
        for _ in range(2):
            await journey.buy("wix", 1, "B")
            await journey.pass_time(60.0)
            for units in (-1, 1):  # as if the copy had taken it, then staff
                await journey.client("shopify").adjust("B", delta=units)
                await journey.pass_time(120.0)
        await journey.pass_time(900.0)
        assert await journey.reasons() == ["copy_moved_stock"]
        for _ in range(2):
            await journey.buy("wix", 1, "B")
            await journey.pass_time(60.0)
            await journey.buy("shopify", 1, "B")
            await journey.pass_time(60.0)
        await journey.pass_time(600.0)
        assert await journey.reasons() == [], "sales beside them are explained"

    travel(play, Goods("A"), Goods("B"), postgres=postgres, **copying("shopify"))


S28 = {"shopify": ShopifyOptions(cancel_restocks="always")}


@both_databases
def test_a_raise_by_staff_is_no_doing_of_a_copy_that_says_goods_were_put_back_and_moved_none(postgres: bool) -> None:
    """A cancelled copy that never took any goods says that they are on sale again (S28)."""

    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, "wix", "shopify", 2)
        await journey.sandbox("wix", "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(600.0)
        assert await books(journey) == ({"shopify": 10, "wix": 10}, 10)
        await journey.client("shopify").adjust("A", delta=2)
        await journey.pass_time(600.0)
        assert await books(journey) == ({"shopify": 12, "wix": 12}, 12)
        assert await of_kind(journey, "copy") == [0]
        assert await of_kind(journey, "manual") == [2]

    travel(play, postgres=postgres, **S28, **copying("shopify"))


async def raised_unseen(journey: Journey) -> None:
    """A cancelled copy says that two are back; Shopify is not read from then on, and staff raise by two meanwhile."""
    order_id, _ = await copied(journey, "wix", "shopify", 2)
    await journey.sandbox("wix", "POST", f"orders/{order_id}/cancel", {"restock": True})
    await journey.pass_time(15.0)
    await journey.faults("shopify", partitioned=True)
    await journey.pass_time(30.0)
    await journey.client("shopify").adjust("A", delta=2)
    await journey.pass_time(2.0)
    await journey.faults("shopify")
    await journey.pass_time(600.0)
    assert await journey.reasons() == ["copy_differs", "copy_return_unclear"]
    assert await books(journey) == ({"shopify": 10, "wix": 10}, 10), "rather too few than what does not exist"


@both_databases
@pytest.mark.parametrize(("choice", "left"), [(Choice.ACCEPT, 12), (Choice.REJECT, 10)])
def test_a_person_says_who_raised_a_counter_that_changed_again_long_after_the_copy(
    choice: Choice, left: int, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await raised_unseen(journey)
        await journey.settle("copy_return_unclear", choice)
        await journey.pass_time(60.0)
        assert await books(journey) == ({"shopify": left, "wix": left}, left)
        assert await journey.reasons() == ["copy_differs"]

    travel(play, postgres=postgres, **S28, **copying("shopify"))


def test_a_raise_is_not_accepted_once_the_shelf_was_counted() -> None:
    async def play(journey: Journey) -> None:
        await raised_unseen(journey)
        await journey.count(12)
        await journey.pass_time(60.0)
        with pytest.raises(RefusedError, match="was counted since"):
            await journey.settle("copy_return_unclear", Choice.ACCEPT)
        await journey.settle("copy_return_unclear", Choice.REJECT)
        await journey.pass_time(60.0)
        assert await books(journey) == ({"shopify": 12, "wix": 12}, 12)

    travel(play, **S28, **copying("shopify"))


def test_what_a_copy_does_again_after_it_was_undone_is_booked_again() -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, "wix", "shopify", 2)
        await fulfil(journey, "shopify", copy_id, 2, "1Z1")
        await journey.pass_time(600.0)
        admin = ShopifyAdmin(journey.shopify, journey.network)
        (order,) = [one for one in (await journey.shopify.truth())["orders"] if one["id"] == copy_id]
        await admin.call_back(copy_id, order["fulfilments"][0]["id"])
        await journey.client("shopify").adjust("A", delta=2)
        await journey.pass_time(600.0)
        await fulfil(journey, "shopify", copy_id, 2, "1Z2")
        await journey.client("shopify").adjust("A", delta=-2)  # as a store does that moves it each time
        await journey.pass_time(600.0)
        assert await of_kind(journey, "copy") == [-2, 2, -2]
        assert await of_kind(journey, "manual") == []
        assert await journey.goods_left() == 8

    travel(play, **S13, **copying("shopify"))
