"""Journeys where something is odd: it is held, labelled or told, and nothing is passed on unseen."""

from __future__ import annotations

from typing import Literal

import pytest

from builders.journeys import ANN, MAIN, Goods, Journey, travel
from storebridge.errors import NotFoundError, RefusedError
from storebridge.operations.explain_stock import explain_stock
from storebridge.operations.settle_case import Choice, settle_case
from storebridge_proving.store_client import CartLine
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.settings import WixOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


async def _story(journey: Journey, sku: str = "A") -> list[str]:
    """The sentences of a number's story, newest first."""
    story = await explain_stock(journey.store, journey.bridge.workspaces[MAIN].terms, sku)
    return [movement.sentence for movement in story.movements]


@both_databases
def test_a_change_that_no_order_explains_is_labelled_as_an_edit_by_staff(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        await journey.shopify.adjust("A", -2)
        await journey.buy("wix", 1)
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        manual = await journey.rows("select connection, units from ledger where kind = 'manual'")
        assert manual == [("shopify", -2)]
        assert any("-2 that no order explains" in sentence for sentence in await _story(journey))

    travel(play, postgres=postgres)


def test_an_order_that_a_store_shows_late_explains_what_was_taken_for_an_edit_by_staff() -> None:
    """Wix takes stock for an unpaid checkout, does not list the order before it is paid, and its delivery is lost."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        await journey.faults("wix", webhook_loss=1.0)
        order_id = await journey.wix.checkout([CartLine("A", 1)], ANN, paid=False)
        await journey.pass_time(900.0)
        assert "Edited by staff in wix: -1 that no order explains" in " ".join(await _story(journey))
        await journey.faults("wix")
        await journey.wix.pay(order_id)
        await journey.pass_time(900.0)
        assert "An order explains -1 in wix after all: it was no edit by staff." in await _story(journey)
        assert await journey.levels() == {"shopify": 9, "wix": 9}

    travel(play)


@both_databases
@pytest.mark.parametrize(("choice", "shown"), [(Choice.ACCEPT, 310), (Choice.REJECT, 10)])
def test_a_big_raise_is_held_until_a_person_decides(choice: Choice, shown: int, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.shopify.adjust("A", 300)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 310, "wix": 10}
        assert await journey.goods_left() == 10
        assert await journey.reasons() == ["change_held"]
        await journey.settle("change_held", choice)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": shown, "wix": shown}
        assert await journey.goods_left() == shown
        assert await journey.reasons() == []

    travel(play, postgres=postgres)


def test_sales_go_on_while_a_raise_is_held() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.shopify.adjust("A", 300)
        await journey.pass_time(60.0)
        await journey.buy("wix", 4)
        await journey.buy("shopify", 1)
        await journey.pass_time(60.0)
        assert await journey.goods_left() == 5
        assert (await journey.levels())["wix"] == 5
        await journey.settle("change_held", Choice.REJECT)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 5, "wix": 5}

    travel(play)


def test_a_decision_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.shopify.adjust("A", 300)
        await journey.pass_time(60.0)
        before = await journey.books()
        (case,) = await journey.cases("change_held")
        terms = journey.bridge.workspaces[MAIN].terms
        for choice in (Choice.RELEASE, Choice.APPLIED, Choice.DONE, Choice.RETRY):
            with pytest.raises(RefusedError, match="takes: accept, reject"):
                await journey.store.run(settle_case, terms, journey.ids, case.case_id, choice, actor="ann")
        with pytest.raises(NotFoundError, match="no open case"):
            await journey.store.run(settle_case, terms, journey.ids, "case_0", Choice.ACCEPT, actor="ann")
        assert await journey.books() == before
        assert await journey.reasons() == ["change_held"]

    travel(play)


def test_a_case_is_settled_once() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.shopify.adjust("A", 300)
        await journey.pass_time(60.0)
        (case,) = await journey.cases("change_held")
        await journey.settle("change_held", Choice.ACCEPT)
        await journey.pass_time(100.0)
        before = await journey.books()
        terms = journey.bridge.workspaces[MAIN].terms
        with pytest.raises(NotFoundError, match="no open case"):
            await journey.store.run(settle_case, terms, journey.ids, case.case_id, Choice.REJECT, actor="bob")
        assert await journey.books() == before

    travel(play)


def test_under_escrow_a_shelf_count_typed_into_one_store_creates_no_goods() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        shown = await journey.levels()
        assert shown == {"shopify": 5, "wix": 5}
        await journey.shopify.adjust("A", 5)
        await journey.pass_time(120.0)
        assert await journey.reasons() == ["change_held"]
        assert await journey.goods_left() == 10
        await journey.settle("change_held", Choice.REJECT)
        await journey.pass_time(120.0)
        assert sum((await journey.levels()).values()) == 10

    travel(play, policy="escrow")


MANY = tuple(Goods(f"A{number:02}") for number in range(12))


@both_databases
def test_a_store_that_was_emptied_is_held_and_released(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults("wix", webhook_loss=1.0)  # an import tells nobody; the sweep reads it in one go
        for goods in MANY:
            await journey.sandbox("wix", "POST", "adjust", {"sku": goods.sku, "set": 0})
        await journey.pass_time(700.0)
        assert await journey.reasons() == ["mass_zero_held"]
        assert await journey.levels("A03") == {"shopify": 10, "wix": 0}
        assert await journey.stock_writes("shopify") == 0
        await journey.settle("mass_zero_held", Choice.RELEASE)
        await journey.pass_time(120.0)
        assert await journey.levels("A03") == {"shopify": 0, "wix": 0}
        assert await journey.reasons() == []

    travel(play, *MANY, postgres=postgres)


def test_a_counter_below_zero_is_reported_and_lifted() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.shopify.adjust("A", -12)
        await journey.pass_time(120.0)
        assert await journey.goods_left() == -2
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        reasons = {case.reason for case in await journey.cases(state=None)}
        assert reasons == {"level_negative", "oversold"}
        assert await journey.reasons() == ["oversold"]

    travel(play)


@pytest.mark.parametrize(
    ("goods", "reason", "connection"),
    [
        (Goods("B", {"shopify": 5}), "sku_only_on_one_side", "shopify"),
        (Goods("B", {"wix": 5}), "sku_only_on_one_side", "wix"),
        (Goods("B", twice_in="shopify"), "sku_duplicate_in_store", "shopify"),
        (Goods("B", tracked=False), "item_untracked", "shopify"),
    ],
)
def test_a_sku_that_cannot_be_linked_is_a_case_and_the_others_go_on(goods: Goods, reason: str, connection: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        cases = await journey.cases(reason)
        assert (connection, "B") in {(case.connection, case.sku) for case in cases}
        assert await journey.rows("select sku from pools") == [("A",)]
        await journey.buy("shopify", 1)
        await journey.pass_time(20.0)
        assert await journey.levels() == {"shopify": 9, "wix": 9}

    travel(play, Goods("A"), goods)


def test_a_wix_site_of_the_first_catalogue_generation_is_kept_in_step_by_differences() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert await journey.reasons() == []
        await journey.buy("wix", 3)
        await journey.pass_time(400.0)
        assert (await journey.levels())["shopify"] == 7  # the other store follows this one
        await journey.buy("shopify", 2)
        await journey.pass_time(400.0)
        assert await journey.levels() == {"shopify": 5, "wix": 5}

    travel(play, wix=WixOptions(catalog="v1"))


def test_a_difference_without_an_answer_is_never_sent_twice_and_a_person_says_what_became_of_it() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        lost = {"operation": "decrementInventory", "rates": {"timeout_applied": 1.0}}
        await journey.faults("wix", rules=[lost])
        await journey.buy("shopify", 2)
        await journey.pass_time(60.0)
        await journey.faults("wix")
        await journey.pass_time(600.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == ["write_outcome_unclear"]
        await journey.settle("write_outcome_unclear", Choice.APPLIED)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert (await journey.goods_left(), await journey.reasons()) == (8, [])

    travel(play, wix=WixOptions(catalog="v1"))


def test_an_item_that_is_not_counted_any_more_is_a_case_and_its_level_is_not_taken_for_zero() -> None:
    """Null is not zero: the number that was known stays, and nothing is passed on."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        _set_tracked(journey, False)
        await journey.pass_time(400.0)
        assert "item_untracked" in await journey.reasons()
        assert await journey.goods_left() == 10
        assert await journey.stock_writes("wix") == 0
        _set_tracked(journey, True)
        await journey.pass_time(400.0)
        assert await journey.reasons() == []

    travel(play)


@pytest.mark.parametrize("shown", ["listed", "hidden"])
def test_a_level_that_is_gone_is_a_case_and_not_zero(shown: Literal["listed", "hidden"]) -> None:
    """S34: whether Shopify still lists what is not stocked any more, or hides it."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        levels = journey.stores.shopify.stock
        for level in list(levels.all_levels()):
            levels.disconnect(level)
        await journey.pass_time(400.0)
        assert "level_missing_at_location" in await journey.reasons()
        assert await journey.goods_left() == 10
        assert await journey.stock_writes("wix") == 0
        for level in list(levels.all_levels()):
            levels.connect(level.item_id, level.location_id)
        await journey.pass_time(400.0)
        assert "level_missing_at_location" not in await journey.reasons()
        assert (await journey.levels(), await journey.goods_left()) == ({"shopify": 10, "wix": 10}, 10)

    travel(play, shopify=ShopifyOptions(inactive_levels=shown))


def _set_tracked(journey: Journey, tracked: bool) -> None:
    """Staff ticks 'track quantity' off or on in the pretend Shopify admin."""
    for variant in journey.stores.shopify.shelves.by_item.values():
        variant.tracked = tracked
