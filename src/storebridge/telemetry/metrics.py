"""Metrics for Prometheus: the figures of one moment, written in its text format.

Nothing is incremented here. Figures are worked out from the database when they are asked for, so they survive a
restart and agree between processes. Labels come from the configuration and from closed lists only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS_BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

GAUGES = {
    "storebridge_backlog": ("Signals that wait in a stage.", ("stage",)),
    "storebridge_oldest_age_seconds": ("Age of the oldest signal that waits in a stage.", ("stage",)),
    "storebridge_exceptions_open": ("Open cases.", ("reason",)),
    "storebridge_api_budget_ratio": ("Share of the vendor's API budget that is free.", ("connection",)),
    "storebridge_drift_units": ("Units by which a store differs from what its policy wants.", ("connection",)),
    "storebridge_mapping_coverage_ratio": ("Share of what exists that is mapped.", ("kind",)),
    "storebridge_store_up": ("1 while the store answers.", ("connection",)),
    "storebridge_skus_out_of_step": ("SKUs that do not show what the policy wants at this moment.", ()),
    "storebridge_units_oversold": ("Units sold that do not exist, now.", ()),
    "storebridge_checkout_guarded": ("1 while a store's checkout is guarded, 0 while it is not.", ("connection",)),
    "storebridge_checkout_probe_seconds": ("The slowest of the guard's latest probes.", ("connection",)),
    "storebridge_signals_unaccounted": ("Signals in no known state; anything but 0 is an alarm.", ()),
}
COUNTERS = {
    "storebridge_events_total": ("Signals accepted, by where they are.", ("flow", "stage", "outcome")),
    "storebridge_deliveries_total": ("Deliveries, by what became of them.", ("outcome",)),
    "storebridge_api_calls_total": (
        "Calls by the vendor's name of the operation; tokens are not counted.",
        ("connection", "operation", "status"),
    ),
    "storebridge_checkouts_total": ("Questions of checkouts, by what was said.", ("connection", "outcome")),
    "storebridge_checkout_units_past_total": ("Units sold past the guard of a checkout.", ("connection",)),
    "storebridge_units_sold_total": ("Units of native orders since the baseline, net.", ()),
}
HISTOGRAMS = {
    "storebridge_stage_seconds": ("From a stored signal to the end of a stage.", ("stage",)),
    "storebridge_propagation_seconds": (
        "From a signal in one store to the answered write in the other.",
        ("flow",),
    ),
}
"""Every metric has ``workspace`` as its first label."""


class Sample(msgspec.Struct, frozen=True):
    """One figure: the metric's name, its labels after ``workspace``, and its value."""

    name: str
    workspace: str
    labels: tuple[str, ...]
    value: float


class Distribution(msgspec.Struct, frozen=True):
    """Durations: how many are at most each of ``SECONDS_BOUNDS``, then how many in all, and their sum."""

    name: str
    workspace: str
    labels: tuple[str, ...]
    at_most: tuple[int, ...]
    sum_seconds: float


class Figures(msgspec.Struct, frozen=True):
    """All figures of one moment."""

    samples: Sequence[Sample]
    distributions: Sequence[Distribution]


class _OneMoment(Collector):
    """Hands figures to the library once."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        for name, (text, labels) in GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=("workspace", *labels))
            for values, value in self._rows(name):
                gauge.add_metric(values, value)
            yield gauge
        for name, (text, labels) in COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=("workspace", *labels))
            for values, value in self._rows(name):
                counter.add_metric(values, value)
            yield counter
        for name, (text, labels) in HISTOGRAMS.items():
            yield self._histogram(name, text, labels)

    def _rows(self, name: str) -> list[tuple[tuple[str, ...], float]]:
        """Label values and figure of every sample of one metric."""
        return [((s.workspace, *s.labels), s.value) for s in self._figures.samples if s.name == name]

    def _histogram(self, name: str, text: str, labels: tuple[str, ...]) -> Metric:
        family = HistogramMetricFamily(name, text, labels=("workspace", *labels))
        for found in self._figures.distributions:
            if found.name == name:
                bounds = (*map(str, SECONDS_BOUNDS), "+Inf")
                buckets = [(bound, float(n)) for bound, n in zip(bounds, found.at_most, strict=True)]
                family.add_metric((found.workspace, *found.labels), buckets, found.sum_seconds)
        return family


def render_metrics(figures: Figures) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_OneMoment(figures))
    return generate_latest(registry)
