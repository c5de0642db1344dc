"""What a merchant sets for some SKUs or for some hours, on virtual time, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.errors import NotFoundError, RefusedError
from storebridge.operations.check_setup import check_setup
from storebridge.operations.list_stock import StockLine, list_stock
from storebridge.operations.run_campaign import list_campaigns, start_campaign, stop_campaign
from storebridge.operations.show_status import show_status
from storebridge_proving.store_client import SoldOut
from storebridge_sandbox.wix.settings import WixOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


async def _lines(journey: Journey) -> dict[str, StockLine]:
    page = await list_stock(journey.store, journey.bridge.workspaces[MAIN].terms)
    return {line.sku: line for line in page.items}


async def _start(journey: Journey, hours: float, skus: str = "*") -> None:
    started = await journey.store.run(start_campaign, journey.bridge.workspaces[MAIN].terms, hours, skus, actor="ann")
    journey.bridge.wake(MAIN, started.wake)


async def _buy_empty(journey: Journey, sku: str = "A") -> int:
    """Shoppers in both stores buy until each says that it is sold out; nothing is heard of it meanwhile."""
    sold = 0
    for store in ("shopify", "wix"):
        await journey.faults(store, webhook_loss=1.0)
    for store in ("shopify", "wix"):
        for _ in range(30):
            try:
                await journey.buy(store, sku=sku)
            except SoldOut:
                break
            sold += 1
    return sold


@in_every_weather
@both_databases
def test_during_a_campaign_two_stores_cannot_sell_the_last_unit_twice(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        await _start(journey, 6.0)
        await journey.pass_time(120.0)
        line = (await _lines(journey))["A"]
        assert (line.policy, line.guaranteed, sum(line.shown.values())) == ("escrow", True, 10)
        assert await _buy_empty(journey) == 10
        await journey.pass_time(900.0)
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []

    travel(play, postgres=postgres)


@both_databases
def test_the_guarantee_is_not_shown_before_the_lowers_are_confirmed(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for store in ("shopify", "wix"):
            await journey.faults(store, partitioned=True)
        await _start(journey, 6.0)
        await journey.pass_time(300.0)
        line = (await _lines(journey))["A"]
        assert (line.policy, line.guaranteed, line.shown) == ("escrow", False, {"shopify": 10, "wix": 10})
        await journey.faults("wix")
        await journey.pass_time(300.0)
        line = (await _lines(journey))["A"]
        assert line.not_guaranteed_because == (
            "the stores may still show more than exists: waiting for levels to be lowered"
        )
        for store in ("shopify", "wix"):
            await journey.faults(store)
        await journey.pass_time(900.0)
        line = (await _lines(journey))["A"]
        assert (line.guaranteed, sum(line.shown.values())) == (True, 10)

    travel(play, postgres=postgres)


@in_every_weather
@both_databases
def test_a_campaign_ends_by_itself_and_every_store_shows_all_again(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await _start(journey, 2.0)
        await journey.pass_time(3600.0)
        terms = journey.bridge.workspaces[MAIN].terms
        assert [c.skus for c in (await show_status(journey.store, terms)).campaigns] == ["*"]
        assert sum((await journey.levels()).values()) == 10
        await journey.pass_time(3900.0)
        assert (await show_status(journey.store, terms)).campaigns == []
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        line = (await _lines(journey))["A"]
        assert (line.policy, line.guaranteed, line.in_step) == ("mirror", False, True)
        told = await journey.rows(
            "select kind, subject, actor from audit where kind in ('campaign_started','campaign_ended') order by number"
        )
        assert told == [("campaign_started", "*", "ann"), ("campaign_ended", "*", "storebridge")]

    travel(play, postgres=postgres)


@in_every_weather
@both_databases
def test_a_campaign_for_some_skus_leaves_the_others_alone_and_survives_a_crash(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await _start(journey, 6.0, "TEE-*")
        await journey.kill()
        await journey.start()
        await journey.pass_time(300.0)
        assert sum((await journey.levels("TEE-1")).values()) == 10
        assert await journey.levels("MUG") == {"shopify": 10, "wix": 10}
        terms = journey.bridge.workspaces[MAIN].terms
        stopped = await journey.store.run(stop_campaign, terms, "TEE-*", actor="bob")
        journey.bridge.wake(MAIN, stopped.wake)
        await journey.pass_time(10.0)  # sooner than any sweep: the end itself has the lanes planned anew
        assert await journey.levels("TEE-1") == {"shopify": 10, "wix": 10}

    travel(play, Goods("TEE-1"), Goods("MUG"), postgres=postgres)


@both_databases
def test_a_campaign_that_makes_no_sense_is_refused_and_nothing_changes(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await _start(journey, 1.0, "A")
        await journey.pass_time(60.0)
        before = await journey.books()
        for hours, skus, error in (
            (0.0, "*", RefusedError),
            (745.0, "*", RefusedError),
            (1.0, " ", RefusedError),
            (1.0, "A", RefusedError),
            (1.0, "TEA-*", NotFoundError),
        ):
            with pytest.raises(error):
                await _start(journey, hours, skus)
        terms = journey.bridge.workspaces[MAIN].terms
        with pytest.raises(NotFoundError):
            await journey.store.run(stop_campaign, terms, "B", actor="ann")
        assert await journey.books() == before
        assert [c.skus for c in (await list_campaigns(journey.store, terms)).running] == ["A"]

    travel(play, postgres=postgres)


@in_every_weather
@both_databases
def test_an_override_keeps_two_units_of_one_sku_back(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        assert await journey.levels("LAST") == {"shopify": 8, "wix": 8}
        assert await journey.levels("MUG") == {"shopify": 10, "wix": 10}
        await journey.buy("wix", 8, sku="LAST")
        await journey.pass_time(60.0)
        assert await journey.levels("LAST") == {"shopify": 0, "wix": 0}
        assert await journey.goods_left("LAST") == 2
        assert all(line.in_step for line in (await _lines(journey)).values())

    overrides = {"LAST": {"safety_stock": 2}}
    travel(play, Goods("LAST"), Goods("MUG"), overrides=overrides, postgres=postgres)


@both_databases
@pytest.mark.parametrize("policy", ["mirror", "escrow", "hybrid"])
@pytest.mark.parametrize(("limit", "first", "later"), [(3, 3, 3), ("30%", 3, 6)])
@pytest.mark.parametrize("of", ["the workspace", "a SKU"])
def test_wix_never_shows_more_than_its_allocation(
    policy: str, limit: Any, first: int, later: int, of: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        assert (await journey.levels())["wix"] == first
        await journey.buy("wix", 1)
        await journey.pass_time(600.0)
        assert (await journey.levels())["wix"] <= first
        await journey.receive(11)
        await journey.pass_time(1800.0)
        line = (await _lines(journey))["A"]
        assert (line.left, line.shown["wix"], line.in_step) == (20, later, True)
        assert line.shown["shopify"] == (20 - later if policy == "escrow" else line.shown["shopify"])

    own: dict[str, Any] = {"allocation": {"wix": limit}}
    settings = own if of == "the workspace" else {"overrides": {"A": own}}
    travel(play, policy=policy, postgres=postgres, **settings)


def test_a_sku_can_be_freed_of_the_allocation_of_the_workspace() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert (await journey.levels("MUG"))["wix"] == 3
        assert (await journey.levels("TEE-1"))["wix"] == 10

    overrides = {"TEE-*": {"allocation": {"wix": "velocity"}}}
    travel(play, Goods("TEE-1"), Goods("MUG"), allocation={"wix": 3}, overrides=overrides)


@in_every_weather
@both_databases
def test_one_sku_under_escrow_among_mirrored_ones_is_guaranteed_alone(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        lines = await _lines(journey)
        assert {sku: (line.policy, line.guaranteed) for sku, line in lines.items()} == {
            "MUG": ("mirror", False),
            "TEE-1": ("escrow", True),
        }
        assert await _buy_empty(journey, "TEE-1") == 10

    overrides = {"TEE-*": {"policy": "escrow"}}
    travel(play, Goods("TEE-1"), Goods("MUG"), overrides=overrides, postgres=postgres)


TWO_SHELVES = [
    {"name": "main", "locations": {"shopify": ["Main warehouse"], "wix": ["*"]}},
    {"name": "outlet", "locations": {"shopify": ["Outlet"]}},
]


async def _failed_checks(journey: Journey) -> list[tuple[str, str, str]]:
    bench = journey.build().workspaces[MAIN]
    found = await check_setup(bench.terms, bench.connectors)
    return [(check.name, check.subject, check.detail) for check in found if not check.passed]


@pytest.mark.parametrize(
    ("policy", "overrides", "named"),
    [("escrow", {}, "escrow"), ("hybrid", {}, "hybrid"), ("mirror", {"TEE-*": {"policy": "escrow"}}, "escrow")],
)
def test_check_refuses_shares_where_a_store_sells_online_from_several_groups(
    policy: str, overrides: dict[str, Any], named: str
) -> None:
    async def play(journey: Journey) -> None:
        ((name, store, detail),) = await _failed_checks(journey)
        assert (name, store) == ("one_group_per_store", "shopify")
        assert detail == (
            "shopify sells online from several groups (main, outlet): its own routing ignores them, so "
            f"{named} cannot promise zero oversell. Put these locations into one [[workspaces.main.groups]], "
            'or set policy = "mirror".'
        )

    travel(play, policy=policy, overrides=overrides, groups=TWO_SHELVES)


def test_check_refuses_shares_where_wix_holds_stock_outside_its_default_location() -> None:
    async def play(journey: Journey) -> None:
        ((name, store, detail),) = await _failed_checks(journey)
        assert (name, store) == ("default_location_only", "wix")
        assert detail == (
            "wix sells from its default location only, and Back room is in a group as well: units there cannot be "
            "sold, so escrow cannot keep its promise. Take Back room out of [[workspaces.main.groups]], or set "
            'policy = "mirror".'
        )

    groups = [{"name": "main", "locations": {"shopify": ["*"], "wix": ["*", "Back room"]}}]
    travel(play, policy="escrow", groups=groups, wix=WixOptions(more_locations=("Back room",)))


def test_nothing_is_guaranteed_while_wix_holds_stock_outside_its_default_location() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=200.0)
        assert await journey.rows("select distinct guaranteed_since, not_guaranteed_because from pools") == [
            (None, "wix does not sell from Back room, which is in a group")
        ]

    groups = [{"name": "main", "locations": {"shopify": ["*"], "wix": ["*", "Back room"]}}]
    travel(play, policy="escrow", groups=groups, wix=WixOptions(more_locations=("Back room",)))


@pytest.mark.parametrize(("policy", "groups"), [("mirror", TWO_SHELVES), ("escrow", [])])
def test_check_has_nothing_against_mirror_or_against_one_group(policy: str, groups: list[Any]) -> None:
    async def play(journey: Journey) -> None:
        assert await _failed_checks(journey) == []

    travel(play, policy=policy, groups=groups, wix=WixOptions(more_locations=("Back room",)))
