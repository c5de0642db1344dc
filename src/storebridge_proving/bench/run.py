"""The measurements by name, at a length between a quick look and the real thing."""

from __future__ import annotations

from collections.abc import Callable

from storebridge_proving.bench.intake import IntakeOptions, run_intake_bench
from storebridge_proving.bench.orders import OrdersOptions, run_orders_bench
from storebridge_proving.bench.pipeline import PipelineOptions, run_pipeline_bench
from storebridge_proving.bench.propagation import PropagationOptions, run_propagation_bench
from storebridge_proving.bench.report import Report

Tell = Callable[[str], None]


def _intake(scale: float, rounds: int, tell: Tell) -> Report:
    return run_intake_bench(IntakeOptions(seconds=8.0 * scale, rounds=rounds), tell)


def _pipeline(scale: float, rounds: int, tell: Tell) -> Report:
    return run_pipeline_bench(PipelineOptions(signals=max(1, int(4000 * scale)), rounds=rounds), tell)


def _propagation(scale: float, rounds: int, tell: Tell) -> Report:
    options = PropagationOptions(idle_sales=max(2, int(40 * scale)), seconds=60.0 * scale, rounds=rounds)
    return run_propagation_bench(options, tell)


def _orders(scale: float, rounds: int, tell: Tell) -> Report:
    instant, unlimited, limited = (max(2, int(orders * scale)) for orders in (2000, 400, 60))
    options = OrdersOptions(instant=instant, unlimited=unlimited, limited=limited, rounds=rounds)
    return run_orders_bench(options, tell)


_BENCHES: dict[str, Callable[[float, int, Tell], Report]] = {
    "intake": _intake,
    "orders": _orders,
    "pipeline": _pipeline,
    "propagation": _propagation,
}
NAMES = tuple(_BENCHES)


def run_bench(name: str, *, scale: float, rounds: int, tell: Tell) -> Report:
    """``scale`` 1.0 is the length at which figures mean something. Raises KeyError for a name not in ``NAMES``."""
    return _BENCHES[name](scale, rounds, tell)
