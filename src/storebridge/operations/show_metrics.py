"""Metrics: the figures of every workspace, worked out from the database when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from storebridge.model.checkouts import GuardMode
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.show_status import Status, read_status
from storebridge.store import views
from storebridge.store.database import Store, Tx
from storebridge.store.tallies import call_counts
from storebridge.telemetry.metrics import SECONDS_BOUNDS, Distribution, Figures, Sample

Ratios = Mapping[tuple[str, str], float]
"""Live API budgets of this process, by (workspace, connection)."""


async def show_metrics(store: Store, terms: Sequence[WorkspaceTerms], budgets: Ratios) -> Figures:
    """Figures of all workspaces; ``budgets`` are this process's own, where it talks to the stores itself."""
    samples: list[Sample] = []
    distributions: list[Distribution] = []
    for one in terms:
        found = await store.read(_read, one, budgets)
        samples.extend(found.samples)
        distributions.extend(found.distributions)
    return Figures(samples, distributions)


def _read(tx: Tx, terms: WorkspaceTerms, budgets: Ratios) -> Figures:
    status = read_status(tx, terms)
    samples = [
        Sample(f"storebridge_{name}", terms.workspace, labels, float(value))
        for name, labels, value in (
            *_gauges(status),
            *_totals(tx, terms, status),
            *_budgets(status, budgets),
            *_coverage(tx, terms),
        )
    ]
    return Figures(
        samples,
        [
            _distribution(tx, terms, "storebridge_stage_seconds", "confirm", "confirm"),
            _distribution(tx, terms, "storebridge_propagation_seconds", "stock", "propagation"),
        ],
    )


def _gauges(status: Status) -> Iterator[tuple[str, tuple[str, ...], float]]:
    for row in status.backlog:
        yield "backlog", (row.stage,), row.waiting
        yield "oldest_age_seconds", (row.stage,), row.oldest_age_seconds
    for reason, count in status.cases_open.items():
        yield "exceptions_open", (reason,), count
    for connection, units in status.stock.drift.items():
        yield "drift_units", (connection,), units
    for store in status.stores:
        yield "store_up", (store.connection,), store.health in ("ok", "slow", "read_only")
    for guard in status.guards:
        yield "checkout_guarded", (guard.connection,), guard.mode == GuardMode.GUARDED
        if guard.slowest_probe_ms is not None:
            yield "checkout_probe_seconds", (guard.connection,), guard.slowest_probe_ms / 1000
    yield "skus_out_of_step", (), status.stock.skus_out_of_step
    yield "units_oversold", (), status.stock.units_oversold
    yield "signals_unaccounted", (), status.events.unaccounted


def _totals(tx: Tx, terms: WorkspaceTerms, status: Status) -> Iterator[tuple[str, tuple[str, ...], float]]:
    for row in views.signal_counts(tx, terms.workspace):
        yield "events_total", (row.flow, row.stage, row.state), row.count
    yield "deliveries_total", ("stored",), status.traffic.deliveries
    yield "deliveries_total", ("duplicate",), status.traffic.duplicates
    for name, count in status.traffic.refused.items():
        yield "deliveries_total", (name.removeprefix("deliveries_"),), count
    for connection, operation, outcome, count in call_counts(tx, terms.workspace):
        yield "api_calls_total", (connection, operation, outcome), count
    for guard in status.guards:
        yield "checkout_units_past_total", (guard.connection,), guard.units_past
        for outcome, count in guard.questions.items():
            yield "checkouts_total", (guard.connection, outcome), count
    yield "units_sold_total", (), status.traffic.units_sold


def _budgets(status: Status, budgets: Ratios) -> Iterator[tuple[str, tuple[str, ...], float]]:
    for store in status.stores:
        live = budgets.get((status.workspace, store.connection))
        if live is not None:
            yield "api_budget_ratio", (store.connection,), live
        elif store.budget_percent is not None:
            yield "api_budget_ratio", (store.connection,), store.budget_percent / 100


def _coverage(tx: Tx, terms: WorkspaceTerms) -> Iterator[tuple[str, tuple[str, ...], float]]:
    linked, listed = views.coverage(tx, terms.workspace)
    if listed:
        yield "mapping_coverage_ratio", ("variant",), min(1.0, linked / listed)


def _distribution(tx: Tx, terms: WorkspaceTerms, name: str, label: str, what: str) -> Distribution:
    at_most, total = views.seconds_histogram(tx, terms.workspace, what, SECONDS_BOUNDS)
    return Distribution(name, terms.workspace, (label,), tuple(at_most), total)
