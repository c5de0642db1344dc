"""A process dies between its journal entry and the store's answer; the next one finds out, and doubles nothing."""

from __future__ import annotations

import pytest

from builders.deaths import buried, dying
from builders.journeys import Journey, travel

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
STORES = pytest.mark.parametrize(("written", "other"), [("shopify", "wix"), ("wix", "shopify")])


@both_databases
@STORES
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_death_around_a_stock_write_loses_nothing_and_doubles_nothing(
    written: str, other: str, moment: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.kill()
        life = await dying(journey, moment)
        await journey.buy(other, 3)
        await buried(journey, life)
        assert await journey.rows("select state, sends from calls where state = 'open'") == [("open", 1)]
        assert (await journey.levels())[written] == (10 if moment == "before" else 7)
        await journey.start()
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.goods_left() == 7
        assert await journey.stock_writes(written) == 1
        assert await journey.rows("select count(*) from calls where state = 'open'") == [(0,)]
        assert await journey.reasons() == []

    travel(play, postgres=postgres)


@STORES
def test_what_happens_while_no_process_runs_is_caught_up(written: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.kill()
        await journey.buy(other, 3)
        await journey.buy(written, 2)
        await journey.pass_time(1800.0)
        await journey.start()
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 5, "wix": 5}
        assert await journey.goods_left() == 5

    travel(play)


@pytest.mark.postgres
def test_two_workers_share_the_work_and_one_takes_over_within_the_lease() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        first = journey.bridge
        await journey.start_second()
        second = journey.bridge
        await journey.buy("shopify", 1)
        await journey.pass_time(60.0)
        holders = dict(await journey.rows("select name, owner from leases"))
        assert {name for name in holders if name.startswith("courier/")} == {"courier/shopify", "courier/wix"}
        assert set(holders.values()) <= {first.owner, second.owner}
        assert await journey.levels() == {"shopify": 9, "wix": 9}
        assert await journey.stock_writes("wix") == 1
        await first.kill()
        await journey.buy("wix", 2)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.stock_writes("shopify") == 1
        assert set(dict(await journey.rows("select name, owner from leases where name <> 'baseline'")).values()) == {
            second.owner
        }

    travel(play, postgres=True)


@pytest.mark.postgres
@STORES
def test_a_worker_that_dies_without_a_word_is_replaced_when_its_lease_ends(written: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.kill()
        life = await dying(journey, "after")
        doomed = journey.bridge
        await journey.pass_time(5.0)
        journey.wrap_transport = lambda transport: transport
        journey.wrap_store = lambda store: store
        await journey.start_second()
        await journey.buy(other, 3)
        await life.over.wait()
        life.end()
        await doomed.kill()
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.stock_writes(written) == 1
        assert await journey.rows("select count(*) from calls where state = 'open'") == [(0,)]

    travel(play, postgres=True)
