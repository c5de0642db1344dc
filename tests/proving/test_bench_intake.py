"""The intake measurement runs and counts honestly; how fast it is does not matter here."""

from __future__ import annotations

import pytest

from storebridge_proving.bench.intake import IntakeOptions, run_intake_bench
from storebridge_proving.bench.report import quantiles_of

pytestmark = pytest.mark.process


def test_every_delivery_that_was_answered_200_is_a_row_in_the_database() -> None:
    said: list[str] = []
    report = run_intake_bench(IntakeOptions(seconds=0.3, rounds=2, callers=4, postgres=False), said.append)
    figures = report.figures["sqlite"]
    for side in ("intake", "bare", "grouped"):
        assert figures[side]["refused"] == 0
        assert figures[side]["stored"] == figures[side]["accepted"] > 0
        assert len(figures[side]["rounds"]) == 2
    assert [line.partition(":")[0] for line in said] == ["sqlite, round 1", "sqlite, round 2"]
    assert set(report.content()) == {"bench", "at", "machine", "method", "figures"}
    assert {"processor", "cores", "python", "sqlite", "commit", "disk_flush_ms"} <= set(report.machine)


def test_quantiles_are_durations_that_occurred() -> None:
    found = quantiles_of([number / 1000 for number in range(1, 101)])
    assert (found.n, found.p50, found.p95, found.p99, found.most) == (100, 51.0, 96.0, 100.0, 100.0)
    assert quantiles_of([]).n == 0
