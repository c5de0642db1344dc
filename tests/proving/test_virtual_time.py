"""Virtual time jumps, keeps order, and refuses to hang."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from storebridge_proving.virtual_time import (
    FIRST_MOMENT,
    NothingCanHappen,
    VirtualClock,
    run_virtually,
    within,
)


def test_two_hours_pass_between_two_lines() -> None:
    async def play(clock: VirtualClock) -> float:
        await clock.sleep(7200.0)
        assert clock.now() == FIRST_MOMENT + timedelta(hours=2)
        return clock.monotonic()

    assert run_virtually(play) == 7200.0


def test_sleepers_wake_in_the_order_of_their_moments() -> None:
    woken: list[str] = []

    async def sleeper(clock: VirtualClock, name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(f"{name} at {clock.monotonic():.1f}")

    async def play(clock: VirtualClock) -> None:
        await asyncio.gather(sleeper(clock, "late", 3.0), sleeper(clock, "early", 1.5), sleeper(clock, "tie", 3.0))

    run_virtually(play)
    assert woken == ["early at 1.5", "late at 3.0", "tie at 3.0"]


def test_a_deadlock_is_an_error_that_names_who_waits() -> None:
    async def play(clock: VirtualClock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingCanHappen, match="test_a_deadlock"):
        run_virtually(play)


def test_a_time_limit_counts_virtual_seconds() -> None:
    async def play(clock: VirtualClock) -> float:
        with pytest.raises(TimeoutError):
            await within(5.0, clock.sleep(60.0))
        return clock.monotonic()

    assert run_virtually(play) == 5.0


def test_a_thread_is_refused() -> None:
    async def play(clock: VirtualClock) -> None:
        await asyncio.to_thread(print, "never")

    with pytest.raises(RuntimeError, match="wants a thread"):
        run_virtually(play)
