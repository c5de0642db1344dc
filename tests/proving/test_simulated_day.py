"""A seed in which little happens proves little: the day goes on, and what is short in the end is told."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from storebridge_proving.simulate.day import EVERY_STORM, PLAY_SECONDS, act_for_a_day, shortfalls
from storebridge_proving.simulate.result import SeedResult
from storebridge_proving.virtual_time import VirtualClock, run_virtually

STRUCK = ("crash_before_call", *EVERY_STORM[1:])
FULL = SeedResult(1, (), True, 90, 0, skus=8, store_events=150, virtual_hours=2.0, fault_kinds=STRUCK)


class _Shoppers:
    """Of so many deeds one comes to something, as where shelves are empty."""

    def __init__(self, one_in: int) -> None:
        self._one_in = one_in
        self.acts = 0

    @property
    def happened(self) -> int:
        return self.acts // self._one_in

    async def act(self) -> None:
        self.acts += 1


def _day(one_in: int, seed: int = 1) -> tuple[int, float]:
    """What happened, and how long the day was in virtual seconds."""

    async def play(clock: VirtualClock) -> tuple[int, float]:
        shoppers = _Shoppers(one_in)
        await act_for_a_day(shoppers, clock, random.Random(seed))
        return shoppers.happened, clock.monotonic()

    return run_virtually(play)


def test_a_day_on_which_enough_happens_ends_after_two_hours() -> None:
    for seed in range(20):
        happened, seconds = _day(1, seed)
        assert happened >= 150
        assert PLAY_SECONDS <= seconds < PLAY_SECONDS + 60


def test_where_shelves_are_empty_the_day_goes_on_until_enough_has_happened() -> None:
    for seed in range(20):
        happened, seconds = _day(4, seed)
        assert 150 <= happened <= 152
        assert PLAY_SECONDS + 600 < seconds < 2 * PLAY_SECONDS


def test_a_day_never_lasts_longer_than_twice() -> None:
    happened, seconds = _day(100)
    assert happened < 20
    assert 2 * PLAY_SECONDS <= seconds < 2 * PLAY_SECONDS + 900


def test_what_a_seed_was_short_of_is_told_and_counts_as_a_violation() -> None:
    assert shortfalls(FULL, "storm") == []
    few = replace(FULL, store_events=149, skus=7, virtual_hours=1.99)
    assert shortfalls(few, "storm") == [
        "it had 149 store events, and proves little with fewer than 150",
        "it had 7 SKUs, and proves little with fewer than 8",
        "it had 1.99 virtual hours, and proves little with fewer than 2",
    ]
    assert len(shortfalls(few, "some")) == 3


@pytest.mark.parametrize("kind", STRUCK)
def test_a_fault_that_did_not_strike_in_a_storm_is_told(kind: str) -> None:
    without = replace(FULL, fault_kinds=tuple(one for one in STRUCK if one != kind))
    named = kind.removesuffix("_before_call")
    assert shortfalls(without, "storm") == [f"no {named} struck in it, and a storm has some"]
    assert shortfalls(without, "some") == []
