"""The pipeline measurement runs and counts honestly; how fast it is does not matter here."""

from __future__ import annotations

import pytest

from storebridge_proving.bench.pipeline import PipelineOptions, run_pipeline_bench

pytestmark = pytest.mark.process


def test_every_signal_ends_confirmed_with_one_write_of_its_own() -> None:
    report = run_pipeline_bench(PipelineOptions(signals=40, rounds=1, callers=8, rivals=False), lambda _: None)
    (one,) = report.figures["rounds"]
    assert (one["signals"], one["confirmed"], one["applied"], one["rows_written"]) == (40, 40, 40, 40)
    assert one["audit_rows"] >= 2 * 40
    assert report.figures["others"] == {}
    assert report.lines[0].startswith("pipeline: ")
