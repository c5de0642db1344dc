"""Adversarial schedules 1 to 10: what is told late or twice, and calls whose answers are lost."""

from __future__ import annotations

from typing import Any

import pytest

from builders.deaths import buried, dying
from builders.journeys import Journey, travel
from builders.schedules import DEAF, in_step, next_write
from storebridge.operations.settle_case import Choice
from storebridge_sandbox.wix.settings import WixOptions

STORES = pytest.mark.parametrize(("written", "other"), [("shopify", "wix"), ("wix", "shopify")])
FATES = pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
LATE, LOST = {"webhook_delay_ms": [60_000, 60_000]}, {"webhook_loss": 1.0}


@pytest.mark.parametrize(
    "rule",
    [
        {"operation": "webhook:orders/*", "rates": LATE},
        {"operation": "webhook:inventory_levels/*", "rates": LATE},
        {"operation": "webhook:orders/*", "rates": LOST},
    ],
    ids=["level first", "order first", "order never"],
)
def test_01_a_sale_counts_once_whether_its_level_or_its_order_is_told_first(rule: dict[str, Any]) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("shopify", rules=[rule])
        await journey.buy("shopify", 2)
        await journey.pass_time(600.0)
        await in_step(journey, 8)
        assert await journey.stock_writes("wix") == 1

    travel(play)


def test_02_an_echo_of_our_write_that_comes_after_a_later_sale_takes_nothing_back() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", webhook_delay_ms=[60_000, 60_000])
        await journey.buy("shopify", 2)
        await journey.pass_time(30.0)
        await journey.faults("wix")
        await journey.buy("wix", 1)  # told at once; the echo that says eight is still under way
        await journey.pass_time(600.0)
        await in_step(journey, 7)
        assert (await journey.stock_writes("wix"), await journey.stock_writes("shopify")) == (1, 1)

    travel(play)


def test_03_an_echo_ten_minutes_late_that_happens_to_say_the_present_number_changes_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", webhook_delay_ms=[600_000, 600_000])
        await journey.buy("shopify", 2)
        await journey.pass_time(30.0)
        await journey.faults("wix")
        order = await journey.buy("wix", 1)
        await journey.pass_time(60.0)
        await in_step(journey, 7)
        await journey.wix.cancel(order, restock=True)
        await journey.pass_time(900.0)
        await in_step(journey, 8)
        assert (await journey.stock_writes("wix"), await journey.stock_writes("shopify")) == (1, 2)

    travel(play)


@pytest.mark.parametrize("catalogue", ["v3", "v1"])
@STORES
def test_04_a_sale_between_our_read_and_our_write_is_not_overwritten(written: str, other: str, catalogue: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(written, latency_ms=[3_000, 3_000])
        await journey.buy(other, 2)
        await journey.pass_time(4.0)
        await journey.buy(written, 1)
        await journey.pass_time(60.0)
        await journey.faults(written)
        await journey.pass_time(600.0)
        await in_step(journey, 7)

    travel(play, wix=WixOptions(catalog=catalogue))  # type: ignore[arg-type]


@STORES
def test_05_a_write_that_timed_out_and_was_applied_is_made_once(written: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(written, rules=next_write(written, timeout_applied=1.0))
        await journey.buy(other, 2)
        await journey.pass_time(600.0)
        await in_step(journey, 8)
        assert await journey.stock_writes(written) == 1

    travel(play)


@STORES
def test_06_a_write_that_timed_out_and_was_not_applied_is_made_once(written: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(written, rules=next_write(written, timeout_not_applied=1.0))
        await journey.buy(other, 2)
        await journey.pass_time(600.0)
        await in_step(journey, 8)
        assert await journey.stock_writes(written) == 1

    travel(play)


@STORES
def test_07_a_write_that_lands_119_seconds_late_is_made_once(written: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        late = {"timeout_applied": 1.0, "late_landing_ms": [119_000, 119_000]}
        await journey.faults(written, rules=next_write(written, **late))
        await journey.buy(other, 2)
        await journey.pass_time(900.0)
        await in_step(journey, 8)
        assert await journey.stock_writes(written) == 1

    travel(play)


def test_07_on_wix_v1_a_late_landing_is_waited_for_and_a_person_says_what_it_was() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        late = {"timeout_applied": 1.0, "late_landing_ms": [119_000, 119_000]}
        await journey.faults("wix", rules=[{"operation": "decrementInventory", "calls": 1, "rates": late}])
        await journey.buy("shopify", 2)
        await journey.pass_time(100.0)
        assert await journey.levels() == {"shopify": 8, "wix": 10}  # read back meanwhile, and not believed
        assert await journey.reasons() == []
        await journey.pass_time(900.0)
        assert await journey.reasons() == ["write_outcome_unclear"]
        await journey.settle("write_outcome_unclear", Choice.APPLIED)
        await journey.pass_time(120.0)
        await in_step(journey, 8)
        assert await journey.stock_writes("wix") == 1

    travel(play, wix=WixOptions(catalog="v1"))


async def lost_while(journey: Journey, fate: str, *, edit: int = 0, sale: int = 0) -> None:
    """Our lower by two has no answer; the same counter changes before it is sent again. No delivery tells who."""
    await journey.begin(settle=120.0)
    await journey.faults("wix", **DEAF, rules=next_write("wix", **{fate: 1.0}))
    await journey.buy("shopify", 2)
    await journey.pass_time(10.0)
    if edit:
        await journey.wix.adjust("A", delta=edit)
    if sale:
        await journey.buy("wix", sale)
    await journey.pass_time(700.0)
    await journey.faults("wix")


async def answered_by_a_person(journey: Journey, fate: str, left: int) -> None:
    assert await journey.reasons() == ["write_outcome_unclear"]
    await journey.settle("write_outcome_unclear", Choice.APPLIED if fate == "timeout_applied" else Choice.NOT_APPLIED)
    await journey.pass_time(120.0)
    await in_step(journey, left)


@pytest.mark.parametrize("edit", [-2, 2])
@FATES
def test_08_a_lost_answer_beside_an_edit_of_the_same_size_is_never_guessed(fate: str, edit: int) -> None:
    """With stamps nobody is asked: tests/journeys/test_stamp_journeys.py."""

    async def play(journey: Journey) -> None:
        await lost_while(journey, fate, edit=edit)
        if (fate, edit) == ("timeout_not_applied", 2):
            await journey.pass_time(120.0)
            await in_step(journey, 10)  # one change that cannot be ours: proof
        else:
            await answered_by_a_person(journey, fate, 8 + edit)

    travel(play)


@FATES
def test_09_a_lost_answer_beside_a_sale_of_exactly_its_size_is_never_guessed(fate: str) -> None:
    async def play(journey: Journey) -> None:
        await lost_while(journey, fate, sale=2)
        await answered_by_a_person(journey, fate, 6)

    travel(play)


@STORES
@pytest.mark.parametrize("deaths", [("before",), ("after",), ("before", "before"), ("after", "before")])
def test_10_a_crash_before_the_send_after_the_reply_or_twice_in_recovery_doubles_nothing(
    written: str, other: str, deaths: tuple[str, ...]
) -> None:
    """More moments, on both databases: tests/faults/test_dying_processes.py."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.kill()
        for number, moment in enumerate(deaths):
            life = await dying(journey, moment)
            if number == 0:
                await journey.buy(other, 3)
            await buried(journey, life)
        await journey.start()
        await journey.pass_time(900.0)
        await in_step(journey, 7)
        assert await journey.stock_writes(written) == 1

    travel(play)
