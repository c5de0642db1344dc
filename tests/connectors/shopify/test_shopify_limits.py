"""The cost bucket: learnt from answers, waited for, and THROTTLED although the status is 200."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shopify_answers import THROTTLED, HandClock, ScriptedWire, answer, connect, rows

from storebridge.connectors.http import NoAnswer
from storebridge.connectors.port import CallTrouble, Remedy
from storebridge.connectors.shopify.limits import CostBudget


def cost(requested: float, available: float, *, size: float = 2000.0, rate: float = 100.0) -> dict[str, Any]:
    status = {"maximumAvailable": size, "currentlyAvailable": available, "restoreRate": rate}
    return {"requestedQueryCost": requested, "actualQueryCost": requested, "throttleStatus": status}


def test_an_unknown_bucket_is_taken_for_a_small_one() -> None:
    budget = CostBudget(HandClock().monotonic)
    assert budget.wait_seconds("orders", 1) == 0.0
    for _ in range(10):
        budget.spend("orders", 1)
    assert budget.wait_seconds("orders", 1) == 2.0
    assert budget.ratio() == 0.0


def test_the_bucket_is_learnt_and_refills() -> None:
    clock = HandClock()
    budget = CostBudget(clock.monotonic)
    budget.learn("orders", cost(300, 100))
    assert budget.wait_seconds("orders", 1) == 2.0
    assert budget.ratio() == 0.05
    clock.seconds += 1.5
    assert budget.wait_seconds("orders", 1) == 0.5
    clock.seconds += 100
    assert (budget.wait_seconds("orders", 1), budget.ratio()) == (0.0, 1.0)


def test_a_call_of_any_kind_only_needs_a_little() -> None:
    budget = CostBudget(HandClock().monotonic)
    budget.learn("orders", cost(300, 100))
    assert budget.wait_seconds("", 1) == 0.0


def test_an_answer_does_not_hide_the_calls_that_are_still_under_way() -> None:
    budget = CostBudget(HandClock().monotonic)
    budget.learn("orders", cost(300, 1000))
    first, second = budget.send("orders"), budget.send("orders")
    assert (first, second) == (300.0, 300.0)
    budget.answered(first)
    budget.learn("orders", cost(300, 700))
    assert (budget.ratio(), budget.wait_seconds("orders", 1)) == (0.2, 0.0)
    budget.send("orders")
    assert budget.wait_seconds("orders", 1) == 2.0
    budget.answered(second)
    budget.learn("orders", cost(300, 400))
    assert budget.ratio() == 0.05


def test_a_call_that_was_lost_is_no_longer_under_way() -> None:
    wire = ScriptedWire()
    wire.on("locations", NoAnswer("timed out"))
    connector = connect(wire)
    with pytest.raises(CallTrouble):
        asyncio.run(connector.list_locations())
    wire.on("locations", answer({"data": {"page": rows()}, "extensions": {"cost": cost(10, 2000)}}))
    asyncio.run(connector.list_locations())
    assert connector.budget.ratio() == 1.0


def test_a_refusal_pauses_until_the_bucket_holds_enough() -> None:
    clock = HandClock()
    budget = CostBudget(clock.monotonic)
    budget.learn("orders", THROTTLED["extensions"]["cost"])
    assert budget.throttled("orders", None) == pytest.approx(1.45)
    assert budget.wait_seconds("", 1) == pytest.approx(1.45)


def test_retry_after_wins_and_is_bounded() -> None:
    assert CostBudget(HandClock().monotonic).throttled("orders", 4.0) == 4.0
    assert CostBudget(HandClock().monotonic).throttled("orders", 86400.0) == 60.0
    assert CostBudget(HandClock().monotonic).throttled("orders", None) == 1.0


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"throttleStatus": None},
        {"throttleStatus": {"maximumAvailable": 0, "restoreRate": float("inf"), "currentlyAvailable": "many"}},
        {"throttleStatus": {"restoreRate": -1}, "requestedQueryCost": None},
    ],
)
def test_nonsense_about_the_bucket_is_left_out(told: dict[str, Any] | None) -> None:
    budget = CostBudget(HandClock().monotonic)
    budget.learn("orders", told)
    assert (budget.wait_seconds("orders", 1), budget.ratio()) == (0.0, 1.0)


def test_throttled_with_status_200_slows_down() -> None:
    wire, clock = ScriptedWire(), HandClock()
    wire.on("locations", answer(THROTTLED))
    connector = connect(wire, clock)
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connector.list_locations())
    assert (caught.value.remedy, caught.value.code) == (Remedy.SLOW_DOWN, "THROTTLED")
    assert caught.value.retry_after_seconds == pytest.approx(1.45)
    assert connector.budget.wait_seconds("", 1) == pytest.approx(1.45)


def test_a_429_slows_down_as_long_as_it_says() -> None:
    wire = ScriptedWire()
    wire.on("locations", answer("slow", 429, {"retry-after": "4.0"}))
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connect(wire).list_locations())
    assert (caught.value.remedy, caught.value.retry_after_seconds) == (Remedy.SLOW_DOWN, 4.0)


def test_a_short_wait_is_waited_and_a_long_one_is_not_begun() -> None:
    wire, clock = ScriptedWire(), HandClock()
    tight = {"data": {"page": rows()}, "extensions": {"cost": cost(300, 100)}}
    wire.on("locations", answer(tight))
    connector = connect(wire, clock)
    asyncio.run(connector.list_locations())
    asyncio.run(connector.list_locations())
    assert clock.slept == [2.0]
    wire.on("locations", answer({**tight, "extensions": {"cost": cost(1000, 100)}}))
    asyncio.run(connector.list_locations())
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connector.list_locations())
    assert (caught.value.code, caught.value.retry_after_seconds) == ("BUDGET", 9.0)
    assert len(wire.sent("locations")) == 3
