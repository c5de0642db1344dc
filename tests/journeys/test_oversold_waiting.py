"""While nobody can tell yet whether units that were called off existed, nobody else loses for them, and what a person
decided about those who lost before stays."""

from __future__ import annotations

from builders.copying import both_databases
from builders.journeys import ANN, Goods, Journey, travel
from storebridge.flows.queue import Place
from storebridge.operations.settle_case import Choice
from storebridge_proving.store_client import CartLine

VOIDS = "select units from ledger where kind = 'void'"


async def sell(journey: Journey, store: str, units: int, *, paid: bool = True) -> str:
    order_id = await journey.client(store).checkout([CartLine("A", units)], ANN, paid=paid)
    await journey.wait(1.0)
    return order_id


async def in_the_lag(journey: Journey, *sold: tuple[str, int, bool]) -> list[str]:
    """Orders that both stores take before they hear of each other."""
    await journey.begin()
    for store in ("shopify", "wix"):
        await journey.faults(store, webhook_delay_ms=[15000, 15000])
    made = [await sell(journey, store, units, paid=paid) for store, units, paid in sold]
    for store in ("shopify", "wix"):
        await journey.faults(store)
    await journey.pass_time(60.0)
    return made


@both_databases
def test_a_checkout_that_never_ends_does_not_keep_a_cancellation_from_being_judged(postgres: bool) -> None:
    """Whether it took stock it does not tell; it did or did not before the cancellation, so the sum then is known."""

    async def play(journey: Journey) -> None:
        _, _, lost = await in_the_lag(journey, ("shopify", 3, True), ("wix", 1, False), ("wix", 2, True))
        assert await journey.goods_left() == -3
        await journey.sandbox("wix", "POST", f"orders/{lost}/cancel", {"restock": False})
        await journey.pass_time(120.0)
        assert await journey.rows(VOIDS) == [(2,)]
        assert await journey.goods_left() == -1

    travel(play, Goods("A", {"shopify": 3, "wix": 3}), postgres=postgres)


@both_databases
def test_what_a_person_decided_about_an_order_stays_while_another_cancellation_is_being_judged(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        broken, _ = await in_the_lag(journey, ("shopify", 2, True), ("wix", 1, True))
        assert await journey.goods_left() == -1
        await journey.settle("oversold", Choice.WAIT)
        await journey.faults("wix", partitioned=True)
        await journey.sandbox("shopify", "POST", f"orders/{broken}/cancel", {"restock": False})
        await journey.pass_time(60.0)
        assert await journey.rows("select units, choice from losers") == [(0, "wait")]
        assert (await journey.queue())["wix"].queued.place is Place.READY
        await journey.sandbox("shopify", "POST", "adjust", {"sku": "A", "delta": -2})
        await journey.pass_time(60.0)
        await journey.faults("wix")
        await journey.pass_time(900.0)
        assert await journey.goods_left() == -1
        assert await journey.rows("select units, choice from losers") == [(1, "wait")]
        assert (await journey.queue())["wix"].queued.place is Place.OVERSOLD

    travel(play, Goods("A", {"shopify": 2, "wix": 2}), postgres=postgres)


def test_nothing_is_remembered_of_an_order_that_has_its_goods_once_the_cancellation_is_judged() -> None:
    async def play(journey: Journey) -> None:
        broken, _ = await in_the_lag(journey, ("shopify", 2, True), ("wix", 1, True))
        await journey.settle("oversold", Choice.WAIT)
        await journey.sandbox("shopify", "POST", f"orders/{broken}/cancel", {"restock": False})
        await journey.pass_time(600.0)
        assert await journey.rows(VOIDS) == [(1,)]
        assert await journey.rows("select units, choice from losers") == []
        assert (await journey.queue())["wix"].queued.place is Place.READY
        assert await journey.reasons() == []

    travel(play, Goods("A", {"shopify": 2, "wix": 2}))
