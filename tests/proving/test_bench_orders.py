"""The benchmark of copied orders runs and counts; what it measures is not asserted."""

from __future__ import annotations

import pytest

from storebridge_proving.bench.orders import OrdersOptions, run_orders_bench

pytestmark = pytest.mark.process


def test_it_copies_every_order_and_says_what_that_cost() -> None:
    told: list[str] = []
    report = run_orders_bench(OrdersOptions(instant=25, unlimited=6, limited=4, products=3), told.append)
    said = [line.partition(" orders")[0] for line in told]
    assert said == ["round 1, instant: 25", "round 1, unlimited: 6", "round 1, with_budgets: 4"]
    instant = report.figures["instant"]
    assert (instant["orders"], instant["calls"]) == (25, [{"shopify": {"orderCreate": 25}}])
    assert 0.0 < instant["canned_seconds"][0] < instant["processor_seconds"][0]
    free = report.figures["unlimited"]
    assert (free["orders"], free["calls_least"]) == (6, 8)
    (calls,) = free["calls"]
    assert calls["shopify"]["orderCreate"] == 6
    assert free["calls_made"] >= free["calls_least"]
    assert report.figures["with_budgets"]["points_an_order"] > 10.0
