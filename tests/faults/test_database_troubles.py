"""The database is away: vendors are asked to come again, and what was missed is swept for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from builders.journeys import MAIN, REAL_PACE, Journey, travel
from fakes.mortality import FlakyStore
from storebridge.cli.running import run_until_stopped
from storebridge.connectors.http import Request
from storebridge.model.ids import ConnectionName
from storebridge.web.intake.app import build_intake_app
from storebridge_proving.asgi_transport import AsgiTransport


def _flaky(journey: Journey) -> list[FlakyStore]:
    made: list[FlakyStore] = []

    def wrap(store: object) -> FlakyStore:
        made.append(FlakyStore(store))  # type: ignore[arg-type]
        return made[-1]

    journey.wrap_store = wrap  # type: ignore[assignment]
    return made


def test_what_cannot_be_stored_is_answered_503_and_everything_is_swept_afterwards() -> None:
    async def play(journey: Journey) -> None:
        made = _flaky(journey)
        await journey.begin(settle=120.0)
        store = made[0]
        await journey.faults("shopify", webhook_duplicate=0.0)
        store.refuses = lambda name: name == "store_arrivals"
        await journey.buy("shopify", 3)
        await journey.pass_time(2.0)
        answers = {attempt["status"] for attempt in (await journey.shopify.webhooks())[-3:]}
        assert answers == {503}
        store.refuses = lambda name: False
        read_before = await journey.calls("wix")
        await journey.buy("wix", 1)  # the first delivery that is stored again
        await journey.pass_time(20.0)
        assert await journey.levels() == {"shopify": 6, "wix": 6}
        assert await journey.calls("wix") > read_before
        await journey.pass_time(600.0)
        assert await journey.goods_left() == 6
        assert await journey.rows("select distinct state from signals") == [("confirmed",)]

    travel(play, sweep_seconds=7200.0, hot_sweep_seconds=7200.0, order_poll_seconds=7200.0)


def test_readiness_tells_that_the_database_is_away() -> None:
    async def play(journey: Journey) -> None:
        made = _flaky(journey)
        await journey.begin()
        asked = AsgiTransport({"https://me.sim": build_intake_app(journey.bridge)})

        async def ready() -> int:
            return (await asked.send(Request("GET", "https://me.sim/readyz", {}))).status

        assert await ready() == 200
        made[0].refuses = lambda name: name == "one"
        assert await ready() == 503
        made[0].refuses = lambda name: False
        assert await ready() == 200

    travel(play)


def test_an_answer_that_could_not_be_stored_is_as_good_as_none_and_stops_nothing() -> None:
    """Once: the write took effect and the database was away just then."""

    async def play(journey: Journey) -> None:
        journey.pace = REAL_PACE
        for written, other in (("wix", "shopify"), ("shopify", "wix")):
            made = _flaky(journey)
            await journey.begin(sign_off=written == "wix", settle=120.0)
            store = made[0]
            store.refuses = lambda name, store=store: name == "_commit_answer" and not store.refused
            await journey.buy(other, 2)
            await journey.pass_time(300.0)
            assert store.refused == ["_commit_answer"]
            assert await journey.rows("select count(*) from calls where state = 'open'") == [(0,)]
            await journey.buy(other, 1)
            await journey.pass_time(60.0)
            shown = await journey.levels()
            assert shown[written] == shown[other] == await journey.goods_left()
            assert await journey.reasons() == []
            await journey.kill()
        assert await journey.levels() == {"shopify": 4, "wix": 4}
        assert await journey.stock_writes("wix") == await journey.stock_writes("shopify") == 2

    travel(play)


async def _watch(
    journey: Journey, health: Callable[[], Awaitable[tuple[int, int]]], seen: list[tuple[int, int]]
) -> None:
    """Ask more often than a dead loop is looked for, as whoever restarts a process that is not healthy may."""
    while True:
        seen.append(await health())
        await journey.bridge.environment.clock.sleep(0.07)


def test_a_database_that_goes_away_ends_nothing_and_what_was_sold_meanwhile_is_followed_once_it_is_back() -> None:
    async def play(journey: Journey) -> None:
        (made, stop) = (_flaky(journey), asyncio.Event())
        await journey.begin(settle=120.0)
        await journey.bridge.kill()
        served = asyncio.create_task(run_until_stopped(journey.bridge, stop))
        await journey.pass_time(30.0)
        asked = AsgiTransport({"https://me.sim": build_intake_app(journey.bridge)})

        async def health() -> tuple[int, int]:
            answers = [await asked.send(Request("GET", f"https://me.sim/{path}", {})) for path in ("healthz", "readyz")]
            return answers[0].status, answers[1].status

        assert await health() == (200, 200)
        seen: list[tuple[int, int]] = []
        watching = asyncio.create_task(_watch(journey, health, seen))
        made[0].refuses = lambda name: True
        await journey.buy("shopify", 3)
        await journey.wait(120.0)
        assert (await health(), journey.bridge.away) == ((200, 503), "the database is away")
        assert await journey.levels() == {"shopify": 7, "wix": 10}
        made[0].refuses = lambda name: False
        await journey.wait(120.0)
        assert (await health(), journey.bridge.away) == ((200, 200), "")
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.reasons() == []
        assert {alive for alive, _ in seen} == {200}, "nothing may end the process that waits"
        assert {ready for _, ready in seen} == {200, 503}
        watching.cancel()
        stop.set()
        await served

    travel(play, sweep_seconds=60.0, hot_sweep_seconds=30.0, order_poll_seconds=30.0)


def test_a_courier_that_is_dropped_while_it_waits_for_a_call_sends_it_again_when_it_runs_anew() -> None:
    """The database went away, the courier waited for what was on the wire, and all loops were dropped meanwhile: it
    took itself for going on, and the call stayed open for ever."""

    async def play(journey: Journey) -> None:
        made = _flaky(journey)
        await journey.begin(settle=120.0)
        slow = {"operation": "bulkUpdateInventoryItems", "rates": {"latency_ms": [15000, 15000]}}
        await journey.faults("wix", rules=[slow])
        await journey.buy("shopify", 3)
        while await journey.rows("select count(*) from calls where state = 'open'") != [(1,)]:
            await journey.wait(0.1)
        (courier,) = [one for one in journey.bridge.workspaces[MAIN].couriers if one.connection == "wix"]
        (running,) = [one for one in journey.bridge._tasks if one.get_name() == f"courier {MAIN}/wix"]
        made[0].refuses = lambda name: True
        journey.bridge.wake(MAIN, frozenset({ConnectionName("wix")}))
        await journey.clock.sleep(1.0)
        assert not running.done(), "it waits for the call"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        made[0].refuses = lambda name: False
        await journey.faults("wix")
        anew = asyncio.create_task(courier.run())
        await journey.clock.sleep(10.0)
        assert await journey.rows("select state, sends from calls where connection = 'wix'") == [("answered", 2)]
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        anew.cancel()
        await asyncio.gather(anew, return_exceptions=True)

    travel(play)
