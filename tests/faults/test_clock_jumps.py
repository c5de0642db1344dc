"""The machine's clock jumps an hour ahead or back in the middle of writes; elapsed time goes on as it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from builders.journeys import REAL_PACE, Goods, Journey, travel
from fakes.jumping_clock import JumpingClock
from fakes.mortality import FlakyStore
from storebridge.clock import ForwardClock
from storebridge.store.database import Store
from storebridge_proving.virtual_time import VirtualClock, run_virtually

HOUR = timedelta(hours=1)
WHITHER = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])
TOLD = {"clock_skewed", "delivery_unreadable"}
"""A person is told that the clocks differ. A delivery that seems to come from the future is stored, and swept for."""
BOTH_WAYS = pytest.mark.parametrize("policy", ["mirror", "escrow"])


def give_clock(journey: Journey) -> JumpingClock:
    """The bridge and its database get a clock of their own; the stores keep theirs."""
    clock = JumpingClock(journey.clock)
    seen = ForwardClock(clock)  # as in production
    journey.clock = seen  # type: ignore[assignment]
    journey.store._clock = seen  # type: ignore[attr-defined]
    journey.pace = REAL_PACE
    return clock


async def nothing_is_stuck(journey: Journey) -> None:
    assert await journey.rows("select count(*) from calls where state = 'open'") == [(0,)]
    assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]
    assert await journey.rows("select count(*) from intents where state in ('planned', 'sent', 'unclear')") == [(0,)]
    assert set(await journey.reasons()) <= TOLD


@WHITHER
@BOTH_WAYS
def test_a_jump_in_the_middle_of_a_write_and_back_again_leaves_nothing_stuck_and_nothing_oversold(
    policy: str, jump: timedelta
) -> None:
    async def play(journey: Journey) -> None:
        clock = give_clock(journey)
        await journey.begin()
        for store, other in (("shopify", "wix"), ("wix", "shopify")):
            await journey.faults(other, latency_ms=[3000, 3000])
            await journey.buy(store, 2)
            await journey.pass_time(1.5)
            clock.jump(jump)
            await journey.buy(store, 1)
            await journey.pass_time(2.0)
            clock.jump(-jump)
            await journey.faults(other)
            await journey.pass_time(90.0)
        shown = await journey.levels()
        assert await journey.goods_left() == 4
        assert shown == {"shopify": 4, "wix": 4} if policy == "mirror" else sum(shown.values()) == 4
        await nothing_is_stuck(journey)

    travel(play, Goods("A"), policy=policy)


@WHITHER
def test_a_clock_that_stays_wrong_stops_neither_sweeps_nor_deliveries(jump: timedelta) -> None:
    async def play(journey: Journey) -> None:
        clock = give_clock(journey)
        await journey.begin()
        clock.jump(jump)
        await journey.buy("shopify", 2)
        await journey.pass_time(30.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        await journey.faults("wix", webhook_loss=1.0)
        await journey.buy("wix", 3)
        await journey.pass_time(400.0)
        assert await journey.levels() == {"shopify": 5, "wix": 5}
        await nothing_is_stuck(journey)

    travel(play)


@pytest.mark.parametrize(("written", "operation"), [("shopify", "inventory*Quantities"), ("wix", "*")])
@WHITHER
def test_a_lost_answer_around_a_jump_is_asked_again_with_its_key_or_revision_and_applied_once(
    written: str, operation: str, jump: timedelta
) -> None:
    async def play(journey: Journey) -> None:
        clock = give_clock(journey)
        await journey.begin()
        rates: dict[str, Any] = {"timeout_applied": 1.0, "late_landing_ms": [40_000, 40_000]}
        await journey.faults(written, rules=[{"operation": operation, "rates": rates, "calls": 1}])
        await journey.buy("wix" if written == "shopify" else "shopify", 2)
        await journey.pass_time(3.0)
        clock.jump(jump)
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.goods_left() == 8
        await nothing_is_stuck(journey)

    travel(play, stamp_namespace="@sim/storebridge")


def test_a_worker_whose_clock_is_ahead_of_the_databases_tries_again_as_soon_as_any_other() -> None:
    """It once tried again an hour late, and looked for work two hundred times a second meanwhile."""
    looked: list[str] = []

    def count(name: str) -> bool:
        if name == "next_job":
            looked.append(name)
        return False

    def counted(store: Store) -> FlakyStore:
        made = FlakyStore(store)
        made.refuses = count
        return made

    async def play(journey: Journey) -> None:
        clock = JumpingClock(journey.clock)
        journey.clock, journey.pace, journey.wrap_store = clock, REAL_PACE, counted  # type: ignore[assignment]
        clock.jump(HOUR)
        await journey.begin(settle=600.0)
        await journey.faults("wix", rules=[{"operation": "*", "rates": {"http_5xx": 1.0}, "calls": 4}])
        await journey.buy("shopify", 2)
        looked.clear()
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert len(looked) < 300
        await nothing_is_stuck(journey)

    travel(play)


def test_a_machine_that_is_set_changes_nothing_for_a_process_that_goes_by_the_databases_clock() -> None:
    async def play(clock: VirtualClock) -> None:
        machine = JumpingClock(clock)
        seen = ForwardClock(machine)
        seen.follow(clock.now())
        for jump in (3 * HOUR, -5 * HOUR):
            machine.jump(jump)
            await clock.sleep(10.0)
            assert seen.now() == clock.now()
            assert seen.follow(clock.now()) == timedelta(0)

    run_virtually(play)


def test_a_process_goes_by_the_databases_clock_at_once_and_then_forward_only() -> None:
    async def play(clock: VirtualClock) -> None:
        seen, database = ForwardClock(clock), JumpingClock(clock)
        database.jump(-HOUR)
        assert seen.follow(database.now()) == -HOUR
        assert seen.now() == database.now()
        await clock.sleep(60.0)
        assert seen.follow(database.now() + timedelta(milliseconds=900)) == timedelta(0)
        assert seen.now() == database.now()
        database.jump(-timedelta(seconds=10))
        before = seen.now()
        assert seen.follow(database.now()) == -timedelta(seconds=10)
        assert seen.now() == before
        await clock.sleep(20.0)
        assert seen.now() == database.now()

    run_virtually(play)


def test_time_is_never_seen_to_go_back_and_goes_at_half_speed_until_the_machine_has_caught_up() -> None:
    async def play(clock: VirtualClock) -> None:
        machine = JumpingClock(clock)
        seen, began = ForwardClock(machine), clock.now()
        machine.jump(-timedelta(seconds=10))
        assert seen.now() == began
        await clock.sleep(8.0)
        assert seen.now() == began + timedelta(seconds=4)
        await clock.sleep(12.0)
        assert seen.now() == began + timedelta(seconds=10)
        await clock.sleep(8.0)
        assert seen.now() == machine.now() == began + timedelta(seconds=18)
        machine.jump(HOUR)
        assert seen.now() == machine.now()

    run_virtually(play)
