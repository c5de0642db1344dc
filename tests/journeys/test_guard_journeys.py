"""A checkout in Wix asks before it sells (policy guarded), on virtual time, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from builders.days import DAY, days_pass
from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.config import GuardConfig
from storebridge.operations.explain_stock import explain_stock
from storebridge.operations.show_status import guard_line, show_status
from storebridge_proving.store_client import SoldOut, StoreRefused
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
GUARD_URL = "https://hooks.sim/guard/wix"


async def _guarded(journey: Journey, sku: str = "A") -> None:
    """Begin, give Wix the guard's address, let it ask once, and wait until the guard is relied on."""
    await journey.sandbox("wix", "PUT", "checkout_guard", {"deployment_uri": GUARD_URL, "validate_in_cart": False})
    await journey.begin()
    checkout = await _open(journey, 1, sku)
    await journey.sandbox("wix", "DELETE", f"checkouts/{checkout['checkout_id']}")
    await journey.pass_time(180.0)


async def _open(journey: Journey, quantity: int, sku: str = "A", channel: str = "web") -> Any:
    lines = [{"sku": sku, "quantity": quantity}]
    return await journey.sandbox("wix", "POST", "checkouts", {"lines": lines, "channel": channel})


async def _place(journey: Journey, checkout: Any) -> Any:
    return await journey.sandbox("wix", "POST", f"checkouts/{checkout['checkout_id']}/place", {})


@both_databases
def test_a_checkout_keeps_its_units_from_the_other_store_and_becomes_an_order(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        checkout = await _open(journey, 3)
        assert checkout["violations"] == []
        assert await journey.levels() == {"shopify": 7, "wix": 10}
        await _place(journey, checkout)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.goods_left() == 7
        assert await journey.reasons() == []

    travel(play, Goods("A"), postgres=postgres, policy="guarded")


async def _guard(journey: Journey) -> str:
    status = await show_status(journey.store, journey.bridge.workspaces[MAIN].terms)
    return guard_line(status.guards[0])


async def _kinds(journey: Journey) -> list[tuple[str, int]]:
    return await journey.rows("select kind, units from ledger where kind in ('held', 'freed', 'bought') order by seq")


@both_databases
def test_a_basket_that_the_other_store_has_sold_is_refused_with_what_is_left(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        await journey.faults("shopify", webhook_loss=1.0)
        await journey.buy("shopify", 9)
        assert await journey.levels() == {"shopify": 1, "wix": 10}
        checkout = await _open(journey, 3)
        (violation,) = checkout["violations"]
        assert violation["severity"] == "ERROR"
        assert violation["target"]["lineItem"]["id"] == checkout["lines"][0]["id"]
        assert violation["description"] == "Only 1 of Thing A left. Please lower the quantity."
        assert await journey.levels() == {"shopify": 1, "wix": 1}
        lines = {"lines": [{"sku": "A", "quantity": 1}]}
        changed = await journey.sandbox("wix", "POST", f"checkouts/{checkout['checkout_id']}/change", lines)
        assert changed["violations"] == []
        with pytest.raises(SoldOut):
            await journey.buy("shopify")
        await _place(journey, changed)
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await journey.goods_left() == 0

    travel(play, Goods("A"), postgres=postgres, policy="guarded")


def test_asking_again_holds_nothing_more_and_another_basket_changes_what_is_held() -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        checkout = await _open(journey, 2)
        path = f"checkouts/{checkout['checkout_id']}/change"
        for quantity in (2, 2, 4, 4, 1):
            await journey.sandbox("wix", "POST", path, {"lines": [{"sku": "A", "quantity": quantity}]})
        assert await _kinds(journey) == [("held", 2), ("held", 2)]
        assert await journey.levels() == {"shopify": 6, "wix": 10}
        await journey.pass_time(60.0)
        assert (await _kinds(journey))[2:] == [("freed", 3)]
        assert await journey.levels() == {"shopify": 9, "wix": 10}

    travel(play, Goods("A"), policy="guarded")


@both_databases
def test_an_abandoned_checkout_gives_its_units_back_once(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        checkout = await _open(journey, 4)
        await journey.sandbox("wix", "DELETE", f"checkouts/{checkout['checkout_id']}")
        await journey.pass_time(500.0)
        assert await journey.levels() == {"shopify": 6, "wix": 10}
        story = await explain_stock(journey.store, journey.bridge.workspaces[MAIN].terms, "A")
        assert "4 units of what is left are held by checkouts." in story.pools[0].sums
        assert [(one.units, one.covered) for one in story.holds] == [(4, 4)]
        await journey.pass_time(240.0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        assert await _kinds(journey) == [("held", 4), ("freed", 4)]
        assert await journey.goods_left() == 10

    travel(play, Goods("A"), postgres=postgres, policy="guarded")


def test_an_order_that_is_placed_without_a_last_question_still_has_its_units() -> None:
    """G1 does not hold: what the checkout reserved carries the guarantee until it expires."""

    async def play(journey: Journey) -> None:
        await _guarded(journey)
        checkout = await _open(journey, 5)
        await journey.pass_time(400.0)
        assert await journey.levels() == {"shopify": 5, "wix": 10}
        await journey.buy("shopify", 5)
        await _place(journey, checkout)
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await journey.goods_left() == 0
        assert (await _guard(journey)).startswith("Checkout of wix: guarded;")

    wix = WixOptions(quirks=WixQuirks(g1_called_at_placement=False))
    travel(play, Goods("A"), policy="guarded", wix=wix)


def test_what_the_other_store_does_not_confirm_is_refused_in_time_and_held_for_the_next_question() -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        await journey.faults("shopify", latency_ms=[3000, 3000])
        began = journey.clock.monotonic()
        checkout = await _open(journey, 2)
        assert journey.clock.monotonic() - began <= 0.8
        (violation,) = checkout["violations"]
        assert violation["description"] == (
            "We could not confirm that Thing A is in stock just now. Please try again in a moment."
        )
        with pytest.raises(AssertionError, match="violation"):
            await _place(journey, checkout)
        await journey.pass_time(30.0)
        await journey.faults("shopify")
        await _place(journey, checkout)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, Goods("A"), policy="guarded")


def test_a_guard_that_does_not_answer_its_probes_gives_way_to_shares_and_comes_back() -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        assert (await _guard(journey)).startswith("Checkout of wix: guarded; 1 allowed")
        door = journey.post.door

        async def closed(*_: Any) -> None:
            """A proxy before the intake that answers nothing."""

        journey.network._apps._apps["https://hooks.sim"] = closed
        await journey.pass_time(120.0)
        assert sum((await journey.levels()).values()) == 10
        assert await journey.reasons() == ["checkout_unguarded"]
        assert "not guarded now, goods are divided as under escrow" in await _guard(journey)
        journey.network._apps._apps["https://hooks.sim"] = door
        await journey.pass_time(180.0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        assert await journey.reasons() == []

    travel(play, Goods("A"), policy="guarded")


@both_databases
def test_baskets_are_held_from_the_moment_at_which_the_guard_is_relied_on_again(postgres: bool) -> None:
    """Goods are divided until the counters were read late enough; what passes meanwhile must be held already."""

    async def play(journey: Journey) -> None:
        await _guarded(journey)
        await journey.faults("shopify", partitioned=True)
        await journey.pass_time(120.0)
        await journey.faults("shopify")
        await journey.pass_time(1.0)
        while "guarded;" not in await _guard(journey):
            await journey.pass_time(1.0)
        assert sum((await journey.levels()).values()) < 20
        before = await _kinds(journey)
        assert (await _open(journey, 2))["violations"] == []
        assert (await _kinds(journey))[len(before) :] == [("held", 2)]

    travel(play, Goods("A"), postgres=postgres, policy="guarded")


def test_an_order_that_went_past_the_guard_is_told_and_stores_are_kept_apart() -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        await journey.pass_time(120.0)
        await _place(journey, await _open(journey, 2, channel="express"))
        await journey.pass_time(300.0)
        (case,) = await journey.cases("checkout_bypassed")
        assert case.payload is not None
        assert "2 units in 1 orders went past it." in await _guard(journey)
        assert "guarded in part" in await _guard(journey)
        assert await journey.goods_left() == 8

    travel(play, Goods("A"), policy="guarded")


@pytest.mark.parametrize("days", [5.0, 8.0])
def test_an_order_of_last_week_that_is_sent_today_did_not_go_past_the_guard(days: float) -> None:
    """What its checkout held is forgotten after a week; the order is read again whenever something happens to it."""

    async def play(journey: Journey) -> None:
        await _guarded(journey)
        await journey.pass_time(7200.0)
        placed = await _place(journey, await _open(journey, 2))
        await journey.pass_time(7200.0)
        assert "guarded in part" not in await _guard(journey)
        await journey.pass_time(days * DAY)
        await journey.wix.fulfil(placed["order_id"], {"number": "123", "company": "ups"})
        await journey.pass_time(7200.0)
        assert await journey.parcels("wix") == [("123", 2)]
        assert await journey.cases("checkout_bypassed") == []
        assert "guarded in part" not in await _guard(journey)

    days_pass(play, Goods("A"), policy="guarded", checkout_guard=GuardConfig(probe_seconds=600.0))


def test_nobody_can_empty_the_shop_by_opening_checkouts() -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        refused = [bool((await _open(journey, 20))["violations"]) for _ in range(5)]
        assert refused == [False, False, False, False, True]
        assert (await _open(journey, 21))["violations"][0]["description"].startswith("Only 0") is False
        assert (await journey.levels())["shopify"] == 20

    travel(play, Goods("A", {"shopify": 100, "wix": 100}), policy="guarded")


def test_two_buyers_of_the_last_unit_in_two_stores_get_one_between_them() -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey, "B")
        first = await _open(journey, 1)
        with pytest.raises(SoldOut):
            await journey.buy("shopify")
        await _place(journey, first)
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 0, "wix": 0}

    travel(play, Goods("A", {"shopify": 1, "wix": 1}), Goods("B"), policy="guarded")


def test_a_store_that_never_asked_leaves_shares() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.pass_time(300.0)
        assert sum((await journey.levels()).values()) == 10
        assert "the store's checkout has not asked yet" in await _guard(journey)
        with pytest.raises((SoldOut, StoreRefused)):
            await journey.buy("wix", 9)

    travel(play, Goods("A"), policy="guarded")


@both_databases
def test_no_basket_passes_while_goods_are_divided_and_two_stores_still_show_the_same_units(postgres: bool) -> None:
    """The other store cannot be reached any more, so it cannot be lowered; it goes on selling what it shows."""

    async def play(journey: Journey) -> None:
        await _guarded(journey)
        await journey.faults("shopify", partitioned=True)
        await journey.pass_time(120.0)
        assert "shopify does not answer" in await _guard(journey)
        assert (await journey.levels())["shopify"] == 10
        checkout = await _open(journey, 2)
        (violation,) = checkout["violations"]
        assert "Please try again in a moment" in violation["description"]
        with pytest.raises(AssertionError, match="violation"):
            await _place(journey, checkout)
        await journey.buy("shopify", 9)
        await journey.faults("shopify")
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 1, "wix": 1}
        assert await journey.goods_left() == 1

    travel(play, Goods("A"), postgres=postgres, policy="guarded")


@both_databases
def test_one_missed_call_divides_nothing(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await _guarded(journey)
        turned = "select count(*) from audit where kind = 'guard'"
        before = await journey.rows(turned)
        await journey.faults("shopify", partitioned=True)
        assert len((await _open(journey, 2))["violations"]) == 1
        await journey.pass_time(15.0)
        await journey.faults("shopify")
        await journey.pass_time(60.0)
        assert await journey.rows(turned) == before
        assert (await _guard(journey)).startswith("Checkout of wix: guarded;")
        assert await journey.levels() == {"shopify": 8, "wix": 10}

    travel(play, Goods("A"), postgres=postgres, policy="guarded")
