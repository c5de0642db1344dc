"""The call budget keeps Wix's 200 calls a minute, and Wix's word when it says "too many"."""

from __future__ import annotations

import random

import pytest
from wix_answers import HandClock

from storebridge.connectors.wix.limits import CallBudget


def send_for(budget: CallBudget, clock: HandClock, seconds: float) -> list[float]:
    """A client that sends whenever it may."""
    sent: list[float] = []
    end = clock.seconds + seconds
    while clock.seconds < end:
        wait = budget.take()
        if wait:
            clock.seconds += wait
        else:
            sent.append(clock.seconds)
    return sent


def busiest_minute(sent: list[float]) -> int:
    return max(sum(1 for other in sent if at <= other < at + 60.0) for at in sent)


def test_no_minute_ever_has_more_than_the_limit() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic)

    sent = send_for(budget, clock, 300.0)

    assert busiest_minute(sent) <= 200
    assert len(sent) == pytest.approx(20 + 3 * 300, abs=2)


def test_no_minute_has_more_than_the_limit_after_pauses_of_any_length() -> None:
    chance = random.Random(7)
    clock = HandClock()
    budget = CallBudget(clock.monotonic, calls_per_minute=60, burst=30)
    sent: list[float] = []
    for _ in range(60):
        sent += send_for(budget, clock, chance.uniform(0.1, 20.0))
        clock.seconds += chance.uniform(0.0, 40.0)

    assert busiest_minute(sent) <= 60


def test_a_burst_goes_at_once_and_then_calls_are_spread_evenly() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic, calls_per_minute=200, burst=20)

    assert [budget.take() for _ in range(20)] == [0.0] * 20
    assert budget.take() == pytest.approx(1 / 3)
    assert budget.wait_seconds("queryInventoryItems", 1000) == pytest.approx(1 / 3)


def test_a_call_that_the_courier_announced_is_counted_once() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic, calls_per_minute=200, burst=20)

    for _ in range(20):
        assert budget.wait_seconds("bulkUpdateInventoryItems", 5) == 0.0
        budget.spend("bulkUpdateInventoryItems", 5)
        assert budget.take() == 0.0

    assert budget.ratio() == pytest.approx(1 - 20 / 200)
    assert budget.take() > 0.0


def test_an_announced_call_that_was_never_sent_is_not_kept_for_later() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic, calls_per_minute=200, burst=20)
    budget.spend("bulkUpdateInventoryItems", 1)

    clock.seconds += 11.0

    assert [budget.take() for _ in range(20)] == [0.0] * 20
    assert budget.take() > 0.0


def test_a_429_that_our_own_calls_explain_stops_calls_for_the_documented_minute() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic, calls_per_minute=200, burst=120)
    for _ in range(100):
        budget.take()

    assert budget.throttled(None) == 60.0
    assert budget.ratio() == 0.0
    clock.seconds += 59.9
    assert budget.take() == pytest.approx(0.1)
    clock.seconds += 0.1
    assert budget.take() == 0.0


def test_stray_429s_are_met_with_a_growing_pause_up_to_the_minute() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic)
    pauses = []
    for _ in range(8):
        pauses.append(budget.throttled(None))
        clock.seconds += pauses[-1]

    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_calls_refused_together_are_one_strike_and_an_answer_ends_the_pauses() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic)

    assert [budget.throttled(None) for _ in range(4)] == [2.0, 2.0, 2.0, 2.0]
    clock.seconds += 2.0
    budget.answered()

    assert budget.throttled(None) == 2.0


def test_an_answer_to_a_call_sent_before_the_429_does_not_end_the_pauses() -> None:
    clock = HandClock()
    budget = CallBudget(clock.monotonic)
    budget.throttled(None)
    budget.answered()
    clock.seconds += 2.0

    assert budget.throttled(None) == 4.0


@pytest.mark.parametrize(("told", "pause"), [(7.0, 7.0), (0.0, 0.0), (-3.0, 0.0), (90000.0, 600.0)])
def test_retry_after_is_honoured_within_reason(told: float, pause: float) -> None:
    assert CallBudget(HandClock().monotonic).throttled(told) == pause
