"""The propagation measurement runs and counts honestly; how fast it is does not matter here."""

from __future__ import annotations

import pytest

from storebridge_proving.bench.propagation import NEEDED_MS, PropagationOptions, run_propagation_bench

pytestmark = pytest.mark.process


def test_every_sale_is_seen_to_arrive_and_never_before_its_round_trips() -> None:
    said: list[str] = []
    options = PropagationOptions(idle_sales=2, seconds=1.0, products=6)
    report = run_propagation_bench(options, said.append)
    assert list(report.figures) == ["idle", "busy", "same_rate_without", "with_budgets"]
    assert [report.figures[name]["sold"] for name in report.figures] == [2, 3, 1, 1]
    for one in report.figures.values():
        assert one["arrived"] == one["sold"]
        assert one["p50"] >= NEEDED_MS
    assert len(said) == 4
